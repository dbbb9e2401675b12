"""Which folder Plex is asked to scan, and the folders above it."""

from __future__ import annotations

import pytest

from stash2plex.db import connect
from stash2plex.rules.scanning import folder_above, is_shared, scan_targets
from stash2plex.store.scans import GATHER_SECONDS, LIBRARY_SECONDS, MAX_FOLDERS, Scans

LIBRARIES = {"1": ["/media/films", "/attic"], "2": ["D:\\clips"], "3": ["S:\\"],
             "4": ["\\\\NAS\\films"], "5": ["/volume/"], "6": ["T:"], "7": ["U:/"]}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "rules", "target"),
    [
        ("/data/a/pier.mp4", [("/data", "/media/films")], ("1", "/media/films/a")),
        ("/data/pier.mp4", [("/data", "/media/films")], ("1", "/media/films")),
        ("/data/x/pier.mp4", [("/data", "D:\\clips")], ("2", "D:\\clips\\x")),
        ("D:\\Clips\\x\\pier.mp4", [], ("2", "D:\\clips\\x")),
        ("/attic/b/pier.mp4", [], ("1", "/attic/b")),
        ("/data/a/pier.mp4", [("/data", "/media")], None),
        ("/media/filmsy/pier.mp4", [], None),
        ("pier.mp4", [], None),
        ("S:\\Show 9\\a.mp4", [], ("3", "S:\\Show 9")),
        ("s:/Show 9/a.mp4", [], ("3", "S:\\Show 9")),
        ("S:\\a.mp4", [], ("3", "S:\\")),
        ("/data/a.mp4", [("/data", "S:\\")], ("3", "S:\\")),
        ("\\\\nas\\Films\\b\\a.mp4", [], ("4", "\\\\NAS\\films\\b")),
        ("T:\\Show 9\\a.mp4", [], ("6", "T:\\Show 9")),
        ("/data/b/a.mp4", [("/data", "T:")], ("6", "T:\\b")),
        ("T:\\a.mp4", [], ("6", "T:")),
        ("U:\\b\\a.mp4", [], ("7", "U:/b")),
        ("/volume/a.mp4", [], ("5", "/volume/")),
        ("/volume/b/a.mp4", [], ("5", "/volume/b")),
    ],
)
def test_a_folder_is_scanned_as_plex_sees_it_and_only_in_a_library(path, rules, target):
    assert scan_targets(path, rules, LIBRARIES) == ([] if target is None else [target])


def test_every_library_that_holds_a_folder_is_one_with_its_own_spelling():
    libraries = {"1": ["/"], "2": ["/Media", "/attic"], "3": ["/media/films/"], "4": ["/other"]}
    found = scan_targets("/media/films/a/pier.mp4", [], libraries)
    assert found == [("1", "/media/films/a"), ("2", "/Media/films/a"), ("3", "/media/films/a")]
    assert scan_targets("/pier.mp4", [], libraries) == [("1", "/")]
    assert is_shared("/media/films/a", libraries)
    assert not is_shared("/other/a", {"4": ["/other"], "5": ["/others"]})


@pytest.mark.parametrize(
    ("location", "folder", "above"),
    [
        ("S:\\", "S:\\Show 9", "S:\\"),
        ("S:\\", "S:\\Show 9\\a", "S:\\Show 9"),
        ("S:\\", "S:\\", ""),
        ("/", "/a", "/"),
        ("\\\\NAS\\Films", "\\\\nas\\films\\a", "\\\\NAS\\Films"),
        ("/media/", "/media/a", "/media/"),
    ],
)
def test_the_folder_above_ends_with_the_location_as_plex_spells_it(location, folder, above):
    assert folder_above(folder, [location]) == above


@pytest.mark.parametrize(
    ("folder", "above"),
    [("/attic/a/b", "/attic/a"), ("/attic/a", "/attic"), ("/attic", ""), ("D:\\clips\\x", "")],
)
def test_above_the_library_is_the_whole_of_it(folder, above):
    assert folder_above(folder, LIBRARIES["1"]) == above


@pytest.fixture
def scans(tmp_path):
    connection = connect(str(tmp_path / "a.db"))
    yield Scans(connection)
    connection.close()


def test_requests_are_gathered_and_one_under_way_takes_no_more(scans):
    assert scans.request("1", "/attic/a", 100.0)
    assert scans.request("1", "/attic/a", 105.0)
    (scan,) = scans.waiting()
    assert (scan.due_at, scan.step) == (100.0 + GATHER_SECONDS, 0)
    scans.start(scan, 112.0)
    assert scans.waiting() == []
    assert not scans.request("1", "/attic/a", 113.0)
    assert scans.request("1", "/attic/b", 113.0)


def test_it_climbs_to_the_folder_above_then_to_the_library_then_ends(scans):
    scans.request("1", "/attic/a/b", 0.0)
    seen = []
    for now in (100.0, 200.0, 300.0):
        (scan,) = scans.waiting()
        seen.append(scan.folder)
        scans.start(scan, now)
        scans.climb(scans.running(), LIBRARIES["1"], now)
    assert seen == ["/attic/a/b", "/attic/a", ""]
    assert (scans.waiting(), scans.running()) == ([], None)


def test_a_library_is_not_scanned_as_a_whole_over_and_over(scans):
    for number in range(MAX_FOLDERS + 5):
        scans.request("1", f"/attic/{number}", 0.0)
    (scan,) = scans.waiting()
    assert (scan.folder, scan.due_at) == ("", GATHER_SECONDS)
    scans.start(scan, 50.0)
    scans.climb(scans.running(), LIBRARIES["1"], 90.0)
    for number in range(MAX_FOLDERS + 5):
        scans.request("1", f"/attic/{number}", 100.0)
    (scan,) = scans.waiting()
    assert scan.due_at == 50.0 + LIBRARY_SECONDS
