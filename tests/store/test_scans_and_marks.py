"""Scans, awaited files and the marks of looks: whole rows, and the second at which each is due."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.model import PlexFile, StashFile
from stash2plex.rules.sweep_schedule import KindMark, Marks
from stash2plex.store.awaited_files import AwaitedFiles
from stash2plex.store.marks import (
    ask_for_look,
    asked_look,
    asking_run,
    end_asked_look,
    load_marks,
    look_is_asked,
    marks_are_lost,
    save_marks,
)
from stash2plex.store.meta import LIBRARY_SCAN, LOOK_ASKED, SWEEP_MARKS
from stash2plex.store.plex_files import PlexFiles
from stash2plex.store.records import Records
from stash2plex.store.scans import Scan, Scans

FOLDERS = ["/attic", "/media/films"]


@pytest.fixture
def scans(database):
    return Scans(database)


def folders(scans):
    return [(scan.section_id, scan.folder) for scan in scans.waiting()]


def test_a_requested_folder_waits_twelve_seconds_and_the_first_due_comes_first(scans):
    assert (scans.waiting(), scans.running()) == ([], None)
    assert scans.request("2", "/attic/b", 105.0)
    assert scans.request("1", "/attic/b", 100.0)
    assert scans.request("1", "/attic/a", 100.0)
    assert scans.request("1", "/attic/b", 103.0)
    assert scans.waiting() == [
        Scan("1", "/attic/a", 0, 112.0, None),
        Scan("1", "/attic/b", 0, 112.0, None),
        Scan("2", "/attic/b", 0, 117.0, None),
    ]


def test_only_what_was_asked_for_runs_and_only_what_was_dropped_is_gone(scans):
    for section_id, folder in (("1", "/a"), ("1", "/b"), ("2", "/a")):
        scans.request(section_id, folder, 0.0)
    second = scans.waiting()[1]
    scans.start(second, 20.0)
    assert scans.running() == Scan("1", "/b", 0, 12.0, 20.0)
    assert folders(scans) == [("1", "/a"), ("2", "/a")]
    scans.drop(scans.waiting()[0])
    assert (folders(scans), scans.running()) == ([("2", "/a")], Scan("1", "/b", 0, 12.0, 20.0))
    scans.clear()
    assert (scans.waiting(), scans.running()) == ([], None)


def test_a_running_scan_takes_no_more_of_its_folder_and_of_a_whole_library_none(scans):
    scans.request("1", "/attic/a", 0.0)
    scans.start(scans.waiting()[0], 20.0)
    assert not scans.request("1", "/attic/a", 21.0)
    assert scans.request("2", "/attic/a", 21.0)
    assert scans.request("1", "/attic/b", 21.0)
    scans.clear()
    scans.start(_library(scans), 30.0)
    assert not scans.request("1", "/attic/a", 31.0)
    assert scans.request("2", "/attic/a", 31.0)


def _library(scans, now=0.0):
    """Have a library wait for a scan of the whole."""
    with transaction(scans.connection):
        for number in range(51):
            assert scans.request("1", f"/attic/{number:02}", now)
    (scan,) = [scan for scan in scans.waiting() if scan.section_id == "1"]
    return scan


def test_more_than_fifty_folders_of_a_library_are_one_scan_of_it(scans):
    scans.request("2", "/attic/other", 0.0)
    for number in range(50):
        scans.request("1", f"/attic/{number:02}", 5.0)
    assert len(scans.waiting()) == 51
    assert scans.request("1", "/attic/00", 6.0)
    assert len(scans.waiting()) == 51
    assert scans.request("1", "/attic/50", 7.0)
    assert scans.waiting() == [
        Scan("2", "/attic/other", 0, 12.0, None),
        Scan("1", "", 2, 19.0, None),
    ]
    assert scans.request("1", "/attic/51", 8.0)
    assert folders(scans) == [("2", "/attic/other"), ("1", "")]


def test_a_whole_library_is_scanned_ten_minutes_after_the_last_time_at_the_earliest(
    scans, database
):
    scans.start(_library(scans), 1_000.0)
    assert get_meta(database, LIBRARY_SCAN + "1") == "1000.0"
    soon = {1_000.0: 1_600.0, 1_587.0: 1_600.0, 1_589.0: 1_601.0, 1_600.0: 1_612.0, 999.0: 1_011.0}
    for again, due in soon.items():
        scans.clear()
        assert _library(scans, again) == Scan("1", "", 2, due, None)


def test_the_scan_of_a_folder_does_not_count_as_one_of_the_library(scans, database):
    scans.request("1", "/attic/a", 0.0)
    scans.start(scans.waiting()[0], 20.0)
    assert get_meta(database, LIBRARY_SCAN + "1") is None


@pytest.mark.parametrize(
    ("folder", "step", "after"),
    [
        ("/attic/a/b", 0, [Scan("1", "/attic/a", 1, 50.0, None)]),
        ("/media/films/a", 0, [Scan("1", "/media/films", 1, 50.0, None)]),
        ("/attic", 0, [Scan("1", "", 2, 50.0, None)]),
        ("/attic/a", 1, [Scan("1", "", 2, 50.0, None)]),
        ("", 2, []),
    ],
)
def test_what_follows_a_scan_that_found_nothing(scans, folder, step, after):
    scans.request("2", "/attic/other", 100.0)
    (other,) = scans.waiting()
    scans.climb(Scan("1", folder, step, 5.0, 30.0), FOLDERS, 50.0)
    assert scans.waiting() == [*after, other]


def test_a_climb_to_the_library_waits_for_the_last_scan_of_it(scans):
    scans.start(_library(scans), 1_000.0)
    scans.clear()
    scans.climb(Scan("1", "/attic/a", 1, 5.0, 1_100.0), FOLDERS, 1_150.0)
    assert scans.waiting() == [Scan("1", "", 2, 1_600.0, None)]


# -- awaited files ------------------------------------------------------------------------


@pytest.fixture
def awaited(database):
    return AwaitedFiles(database)


def rows(database):
    return database.execute(
        "SELECT scene_id, path, name, parent, size, section_id, folder FROM missed_file"
    ).fetchall()


def test_the_whole_row_of_an_awaited_file(awaited, database):
    rules = [("/data", "/media/Films")]
    files = [StashFile("/data/Pier.mp4", 9), StashFile("/more/A/quay.mp4")]
    assert not awaited.any()
    assert awaited.note(7, files, rules) == ["/data/Pier.mp4", "/more/A/quay.mp4"]
    assert awaited.note(8, files[:1], rules) == ["/data/Pier.mp4"]
    assert awaited.any()
    assert rows(database) == [
        (7, "/data/Pier.mp4", "pier.mp4", "films", 9, "", ""),
        (7, "/more/A/quay.mp4", "quay.mp4", "a", None, "", ""),
        (8, "/data/Pier.mp4", "pier.mp4", "films", 9, "", ""),
    ]
    awaited.asked(7, "/data/Pier.mp4", "1", "/media/Films")
    # What was asked for is kept, what else is known of the file is renewed.
    moved = [StashFile("/data/Pier.mp4", 10), *files[1:]]
    assert awaited.note(7, moved, [("/data", "/mnt/Old")]) == ["/more/A/quay.mp4"]
    assert rows(database) == [
        (7, "/data/Pier.mp4", "pier.mp4", "old", 10, "1", "/media/Films"),
        (7, "/more/A/quay.mp4", "quay.mp4", "a", None, "", ""),
        (8, "/data/Pier.mp4", "pier.mp4", "films", 9, "", ""),
    ]
    assert awaited.note(7, files[1:], rules) == ["/more/A/quay.mp4"]
    assert [row[:2] for row in rows(database)] == [(7, "/more/A/quay.mp4"), (8, "/data/Pier.mp4")]
    awaited.forget([7, 9])
    assert [row[0] for row in rows(database)] == [8]
    awaited.forget([])
    assert awaited.any()


def test_up_to_fifty_files_of_a_scene_are_awaited(awaited):
    files = [StashFile(f"/data/{number:02}.mp4", 1) for number in range(51)]
    assert awaited.note(7, files, []) == [file.path for file in files[:50]]


@pytest.mark.parametrize(
    ("found", "listing", "wakes"),
    [
        (PlexFile("1", "7", "/media/A/PIER.mp4", 99), 5, True),
        (PlexFile("1", "7", "/media/b/pier.mp4", 9), 5, True),
        (PlexFile("1", "7", "/media/b/pier.mp4", None), 5, True),
        (PlexFile("1", "7", "/media/b/pier.mp4", 10), 5, False),
        (PlexFile("1", "7", "/media/a/quay.mp4", 9), 5, False),
        (PlexFile("1", "7", "/media/a/pier.mp4", 9), 4, False),
    ],
)
def test_which_file_of_plex_wakes_a_scene(awaited, database, found, listing, wakes):
    PlexFiles(database, Records(database)).add([found, found], listing)
    awaited.note(3, [StashFile("/data/a/pier.mp4", 9)], [])
    awaited.note(4, [StashFile("/data/a/lantern.mp4", 9)], [])
    assert awaited.may_match(4) == ([3] if wakes else [])


MEANT: list[tuple[str, str, list[str], bool]] = [
    ("1", "/media/a", [], True),
    ("1", "/media/a/b", [], False),
    ("1", "/media", [], True),
    ("9", "/MEDIA/A", [], True),
    ("1", "/other", ["/media"], False),
    ("1", "", [], True),
    ("9", "", [], False),
    ("9", "", ["/attic", "/media"], True),
    ("9", "", ["/attic"], False),
]


def test_whose_folder_a_scan_was_meant_for(awaited):
    for scene_id, asked in ((3, ""), (4, "1"), (5, "")):
        path = f"/data/a/{scene_id}.mp4"
        awaited.note(scene_id, [StashFile(path, 9)], [])
        if asked:
            awaited.asked(scene_id, path, asked, "/media/a")
    for section_id, folder, locations, answer in MEANT:
        assert awaited.any_below(section_id, folder, locations) is answer


def test_a_file_without_a_scan_request_is_meant_by_no_scan(awaited):
    awaited.note(3, [StashFile("/data/a/pier.mp4", 9)], [])
    assert not awaited.any_below("", "/media", [])
    assert not awaited.any_below("1", "", ["/media"])


@pytest.fixture
def store(tmp_path, clock):
    made = open_store(str(tmp_path), clock, Random(1))
    yield made
    made.connection.close()


def test_a_file_that_a_scene_has_no_more_is_awaited_no_more(store):
    awaited = store.awaited_files

    def note(*paths):
        return awaited.note(7, [StashFile(path, 100) for path in paths], ())

    assert set(note("/data/quay.mp4", "/data/pier.mp4")) == {"/data/quay.mp4", "/data/pier.mp4"}
    awaited.asked(7, "/data/quay.mp4", "1", "/media")
    assert note("/data/quay.mp4", "/data/pier.mp4") == ["/data/pier.mp4"]
    assert note("/data/buoy.mp4") == ["/data/buoy.mp4"]
    assert list(store.connection.execute("SELECT path FROM missed_file")) == [("/data/buoy.mp4",)]
    awaited.forget([7])
    assert not awaited.any()


# -- marks --------------------------------------------------------------------------------


def test_marks_are_read_as_they_were_stored(database):
    assert (load_marks(database), marks_are_lost(database)) == (None, False)
    plain = Marks(5.0, 4.0)
    save_marks(database, plain)
    assert load_marks(database) == plain
    kinds = {"scene": KindMark("b", 10, "a", again=True), "tag": KindMark("", 0)}
    full = Marks(5.0, 4.0, kinds, 9.0, "a cause", 3.0, 8, {8: "Scanning..."}, "digest")
    save_marks(database, full)
    assert (load_marks(database), marks_are_lost(database)) == (full, False)
    set_meta(database, SWEEP_MARKS, '{"looked_at": 5}')
    assert (load_marks(database), marks_are_lost(database)) == (None, True)


def test_a_request_for_a_look_names_its_run_and_ends(database):
    assert (asked_look(database), look_is_asked(database), asking_run(database)) == (None, False, 0)
    ask_for_look(database)
    assert (look_is_asked(database), asking_run(database)) == (True, 0)
    first = asked_look(database)
    ask_for_look(database, 12)
    assert asked_look(database) != first
    assert (look_is_asked(database), asking_run(database)) == (True, 12)
    again = asked_look(database)
    ask_for_look(database, 12)
    assert asked_look(database) != again
    set_meta(database, LOOK_ASKED, "none of ours")
    assert (look_is_asked(database), asking_run(database)) == (True, 0)
    end_asked_look(database)
    assert (asked_look(database), look_is_asked(database)) == (None, False)
