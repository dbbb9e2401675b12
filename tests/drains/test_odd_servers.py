"""Servers, libraries and tokens that are odd in one thing (issue 21, point 7)."""

from __future__ import annotations

import pytest

from stash2plex.operations.health.report import read_health
from stash2plex_testing.plex import Limits
from tests.harness.in_process import listen


def check(desk, name):
    return next(one for one in read_health(desk.app) if one.name == name)


# -- many names --------------------------------------------------------------------------------


@pytest.mark.parametrize("semantics", ["append", "replace", "replace_sets"])
def test_200_japanese_genres_go_and_50_others_come(make_desk, semantics):
    desk = make_desk()
    desk.plex.tag_semantics = semantics
    desk.plex.limits = Limits(url_bytes=20_000)
    tags = [desk.stash.add_tag(f"霧の港 {number}") for number in range(50)]
    scene, item = desk.scene("a/pier.mp4", tags=tags), desk.item("a/pier.mp4")
    item.tags["genre"] = [f"灯台と霧の夜 {number}" for number in range(200)]
    item.tags["label"] = ["Kept"]
    desk.drain(scene)
    assert sorted(item.tags["genre"]) == sorted(tag.name for tag in tags)
    assert item.tags["label"] == ["Kept"]
    assert desk.plex.longest_url <= 20_000
    desk.plex.clear_log()
    desk.drain(scene)
    assert desk.plex.count("PUT") == 0


# -- folders that are scanned ------------------------------------------------------------------


def test_a_library_at_the_root_of_a_drive_is_scanned_as_plex_spells_it(make_desk):
    desk = make_desk(trigger_plex_scan=True, path_map="/data=>S:\\")
    drive = desk.plex.add_section("Drive", locations=["S:\\"])
    desk.plex.scanning.own_spelling = desk.plex.scanning.misses_new_folders = True
    drive.stage_file("S:\\Show 9\\a.mp4", 100)
    scene = desk.scene("Show 9/a.mp4")
    desk.add(scene)
    desk.work(200)
    assert desk.plex.scanning.asked == [(drive.id, "S:\\Show 9"), (drive.id, "S:\\")]
    assert desk.titles() == [scene.title]


def test_every_library_that_holds_the_folder_is_scanned(make_desk):
    desk = make_desk(trigger_plex_scan=True, path_map="/data=>/media")
    other = desk.plex.add_section("All Films", locations=["/media"])
    for library in (desk.films, other):
        library.stage_file("/media/new/pier.mp4", 100)
    desk.add(desk.scene("new/pier.mp4"))
    desk.work(200)
    assert desk.plex.scanning.asked == [(desk.films.id, "/media/new"), (other.id, "/media/new")]
    assert len(desk.plex.all_items()) == 2


# -- versions that Plex made -------------------------------------------------------------------


@pytest.mark.parametrize("first", [False, True])
def test_the_original_is_shown_beside_its_optimized_version(make_desk, first):
    desk = make_desk(path_map="/data=>/media")
    item = desk.item("films/Harbour (2019).mkv", size=7)
    desk.plex.add_optimized(item, first=first)
    made = "films/Plex Versions/Optimized for TV/Harbour (2019).mp4"
    scenes = [desk.scene(made, size=3), desk.scene("films/Harbour (2019).mkv", size=7)]
    desk.drain(*scenes)
    assert item.title == scenes[1].title
    assert desk.dead() == {}
    assert desk.rows("SELECT id, reason FROM queue") == [(scenes[0].id, "not_in_plex")]
    assert desk.rows("SELECT path FROM plex_file") == [("/media/films/Harbour (2019).mkv",)]
    desk.drain(*reversed(scenes))
    assert item.title == scenes[1].title


def test_two_versions_of_a_user_are_two_files_still(make_desk):
    desk = make_desk()
    desk.plex.add_item(desk.films, files=["/media/a/pier.mkv", "/media/a/pier-b.mkv"], size=9)
    scenes = [desk.scene("a/pier.mkv", size=9), desk.scene("a/pier-b.mkv", size=9)]
    desk.drain(*scenes)
    assert set(desk.dead().values()) == {"ambiguous"}


# -- who asks ----------------------------------------------------------------------------------


def test_a_token_that_sees_no_files_is_named_and_costs_no_attempt(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.plex.access.sight[desk.plex.token] = "nothing"
    summary = desk.drain(scene)
    assert "not shown file names" in str(summary.error)
    assert "server's owner" in str(summary.error)
    assert desk.rows("SELECT attempts, snoozes FROM queue") == [(0, 0)]
    found = check(desk, "Plex token")
    assert not found.ok
    assert "no names of files" in found.detail
    desk.plex.access.sight.clear()
    desk.work(120)
    assert item.title == scene.title
    assert check(desk, "Plex token").ok


def test_a_token_that_sees_base_names_only_is_named(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.plex.access.sight[desk.plex.token] = "names"
    desk.drain(scene)
    assert item.title == scene.title, "its name and size are enough for one that is alone"
    found = check(desk, "Plex token")
    assert not found.ok
    assert "without their folders" in found.detail


def test_an_empty_library_and_one_in_the_bin_say_nothing_about_the_token(make_desk):
    desk = make_desk()
    assert check(desk, "Plex token").ok
    desk.plex.trash_item(desk.item("a/pier.mp4"))
    assert check(desk, "Plex token").ok
    assert desk.drain(desk.scene("a/pier.mp4")).error is None


@pytest.mark.parametrize("token", ["the owner's", "a wrong one"])
def test_a_server_without_owner_that_takes_us_for_a_stranger(make_desk, token):
    desk = make_desk()
    if token == "a wrong one":
        desk.restart(plex_token="stale")
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.plex.access.claim = "stranger"
    summary = desk.drain(scene)
    for text in (str(summary.error), check(desk, "Plex token").detail):
        assert "has no owner" in text
    assert "allowedNetworks" in str(check(desk, "Plex token").fix)
    assert check(desk, "Plex").ok
    assert desk.rows("SELECT attempts FROM queue") == [(0,)]
    desk.plex.access.claim = "unclaimed"
    desk.work(120)
    assert item.title == scene.title


def test_a_wrong_token_of_a_server_with_an_owner_is_a_wrong_token(make_desk):
    desk = make_desk(plex_token="stale")
    assert "does not accept the token" in check(desk, "Plex token").detail


# -- several items -----------------------------------------------------------------------------


def test_an_ambiguous_match_names_the_libraries(make_desk):
    desk = make_desk()
    copies = desk.plex.add_section("Copies", locations=["/copies"])
    desk.item("a/pier.mp4")
    desk.plex.add_item(copies, "/copies/a/pier.mp4", size=100)
    scene = desk.scene("a/pier.mp4")
    desk.drain(scene)
    assert (
        "“/media/a/pier.mp4” in “Harbour Films”, “/copies/a/pier.mp4” in “Copies”"
        in desk.errors()[scene.id]
    )


# -- what is cut -------------------------------------------------------------------------------


def test_performers_beyond_200_are_cut_and_named(make_desk):
    desk = make_desk()
    performers = [desk.stash.add_performer(f"Performer {number:03}") for number in range(230)]
    scene, item = desk.scene("a/pier.mp4", performers=performers), desk.item("a/pier.mp4")
    heard = listen(desk)
    desk.drain(scene)
    assert item.tags["actor"] == [f"Performer {number:03}" for number in range(200)]
    assert any("more performers than Plex takes: the first 200 of 230" in line for line in heard)
    desk.plex.clear_log()
    desk.app.store.records.invalidate_all()
    desk.drain(scene)
    assert desk.plex.count("PUT") == 0


@pytest.mark.parametrize(
    ("given", "held", "named"),
    [(1000, 10.0, True), (101, 10.0, True), (100, 10.0, False), (1, 0.1, False), (-5, None, True)],
)
def test_a_rating_that_stash_let_through_is_bounded_and_named(make_desk, given, held, named):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4", rating100=given), desk.item("a/pier.mp4")
    heard = listen(desk)
    desk.drain(scene)
    assert item.floats.get("userRating") == held
    assert any("out of range in Stash" in line for line in heard) == named
