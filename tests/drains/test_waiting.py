"""Scenes that Plex does not have yet: woken by a change, scanned for, or no error."""

from __future__ import annotations

import pytest

from stash2plex.store.scans import GATHER_SECONDS, MAX_FOLDERS, SETTLE_SECONDS
from stash2plex.sync.plex_watch import LOOK_SECONDS, TROUBLE_SECONDS, PlexWatch
from stash2plex_testing.plex import Fault
from tests.harness.in_process import listen

SCANS = {"trigger_plex_scan": True, "path_map": "/data=>/media"}


def scans(desk):
    """Name what Plex was asked to scan; an empty text is a whole library."""
    return [
        record.query.get("path", [""])[0]
        for record in desk.plex.requests
        if record.path.endswith("/refresh")
    ]


def test_a_change_in_plex_wakes_what_waits_for_it_and_what_does_not_match_costs_nothing(make_desk):
    desk = make_desk()
    here, absent = desk.scene("a/pier.mp4"), desk.scene("a/quay.mp4")
    desk.drain(here, absent)
    desk.app.store.connection.execute("UPDATE queue SET due_at = due_at + 1000")
    snoozes = desk.rows("SELECT id, snoozes FROM queue ORDER BY id")
    item = desk.item("a/pier.mp4")
    desk.plex.clear_log()
    desk.work(31)
    assert item.title == here.title
    assert desk.rows("SELECT id, snoozes FROM queue") == snoozes[1:]
    # Looks at the marks, one delta, one detail read, one edit: nothing for the other scene.
    # Its details before the edit, and what Plex kept of it.
    assert desk.plex.count("GET", "/metadata/") == 2
    assert desk.plex.count("GET", "/all$") == 1
    assert desk.plex.count("PUT") == 1


def test_while_nothing_waits_plex_is_not_asked(make_desk):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4")
    desk.item("a/pier.mp4")
    desk.drain(scene)
    desk.plex.clear_log()
    desk.work(600)
    # The new worker says who it is and looks at the marks, once.
    assert desk.plex.count() == 2


def test_a_look_costs_one_request_each_half_minute(make_desk):
    desk = make_desk()
    desk.drain(desk.scene("a/pier.mp4"))
    desk.app.store.queue.clear_waiting()
    desk.work(1)
    desk.plex.clear_log()
    desk.work(300)
    assert 9 <= desk.plex.count("GET", "^/library/sections$") <= 11
    assert desk.plex.count() <= 13


def test_a_dead_letter_of_a_file_that_comes_after_all_is_revived(make_desk):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4")
    desk.add(scene)
    desk.work(3 * 3600, grain=5.0)
    assert desk.dead() == {scene.id: "not_in_plex"}
    item = desk.item("a/pier.mp4")
    other = desk.scene("a/quay.mp4")
    desk.item("a/quay.mp4")
    desk.drain(other)
    assert desk.dead() == {}
    assert item.title == scene.title


def test_skipped_scenes_are_no_error_and_come_when_plex_has_them(make_desk):
    desk = make_desk(skip_not_found=True)
    scene = desk.scene("a/pier.mp4")
    summary = desk.drain(scene)
    assert (summary.progress.failed, desk.rows("SELECT * FROM queue"), desk.dead()) == (0, [], {})
    item = desk.item("a/pier.mp4")
    desk.work(31)
    assert item.title == scene.title


def test_a_plex_that_is_down_is_not_looked_at(make_desk):
    desk = make_desk()
    desk.drain(desk.scene("a/pier.mp4"))
    desk.plex.down()
    desk.work(60)
    desk.plex.up()
    item = desk.item("a/pier.mp4")
    desk.work(900)
    assert item.title == "About a/pier.mp4"


def test_folders_are_gathered_and_scanned_one_at_a_time(make_desk):
    desk = make_desk(**SCANS)
    desk.plex.scanning.seconds = 8
    paths = ["a/pier.mp4", "a/quay.mp4", "b/buoy.mp4"]
    scenes = [desk.scene(path) for path in paths]
    for path in paths:
        desk.films.stage_file(f"/media/{path}", 100)
    desk.add(*scenes)
    desk.work(GATHER_SECONDS - 2)
    assert scans(desk) == []
    desk.work(120)
    assert scans(desk) == ["/media/a", "/media/b"]
    assert desk.plex.scanning.lost == 0
    assert desk.titles() == [scene.title for scene in scenes]
    assert desk.rows("SELECT * FROM plex_scan") == desk.rows("SELECT * FROM missed_file") == []


def test_a_scan_by_somebody_else_is_waited_for(make_desk):
    desk = make_desk(**SCANS)
    desk.films.stage_file("/media/a/pier.mp4", 100)
    desk.drain(desk.scene("a/pier.mp4"))
    desk.plex.scanning.seconds = 100
    desk.plex._library.scan(desk.films, "/media/z")
    desk.restart()
    desk.work(90)
    assert scans(desk) == ["/media/a"]
    desk.plex.scanning.seconds = 0
    desk.work(60)
    assert desk.plex.scanning.lost == 0
    assert desk.titles() == ["About a/pier.mp4"]


def test_a_new_folder_that_is_missed_is_found_from_the_one_above(make_desk):
    desk = make_desk(**SCANS)
    desk.item("known/x.mp4")
    desk.plex.scanning.misses_new_folders = True
    desk.plex.scanning.lag = 5
    desk.films.stage_file("/media/known/new/pier.mp4", 100)
    desk.add(desk.scene("known/new/pier.mp4"))
    desk.work(GATHER_SECONDS + 2 * SETTLE_SECONDS + 30)
    assert scans(desk) == ["/media/known/new", "/media/known"]
    assert "About known/new/pier.mp4" in desk.titles()


def test_at_last_the_library_is_scanned_and_then_nothing_more(make_desk):
    desk = make_desk(**SCANS)
    desk.plex.scanning.misses_new_folders = True
    desk.films.stage_file("/media/new/deep/pier.mp4", 100)
    absent = desk.scene("other/deep/quay.mp4")
    desk.add(desk.scene("new/deep/pier.mp4"), absent)
    desk.work(600)
    asked = ["/media/new/deep", "/media/new", "/media/other", "/media/other/deep", ""]
    assert sorted(scans(desk)) == sorted(asked)
    assert "About new/deep/pier.mp4" in desk.titles()
    desk.work(3 * 3600, grain=5.0)
    assert len(scans(desk)) == len(asked)
    assert desk.dead() == {absent.id: "not_in_plex"}


def test_many_new_folders_are_one_scan(make_desk):
    desk = make_desk(**SCANS)
    scenes = [desk.scene(f"{n}/pier.mp4", size=n) for n in range(1, MAX_FOLDERS + 6)]
    for number in range(1, MAX_FOLDERS + 6):
        desk.films.stage_file(f"/media/{number}/pier.mp4", number)
    desk.add(*scenes)
    desk.work(60)
    assert scans(desk) == [""]
    assert sorted(desk.titles()) == sorted(scene.title for scene in scenes)


def test_what_was_to_be_scanned_survives_a_restart_and_an_outage(make_desk):
    desk = make_desk(**SCANS)
    desk.films.stage_file("/media/a/pier.mp4", 100)
    desk.add(desk.scene("a/pier.mp4"))
    desk.work(2)
    desk.restart()
    desk.plex.down()
    desk.work(30)
    desk.plex.up()
    desk.restart()
    desk.work(120)
    assert scans(desk) == ["/media/a"]
    assert desk.titles() == ["About a/pier.mp4"]


def test_process_queue_sits_out_the_scan(make_desk):
    desk = make_desk(**SCANS)
    desk.films.stage_file("/media/a/pier.mp4", 100)
    desk.drain(desk.scene("a/pier.mp4"))
    assert scans(desk) == ["/media/a"]
    assert desk.titles() == ["About a/pier.mp4"]


def test_nothing_is_scanned_outside_of_the_library_or_when_it_is_off(make_desk):
    desk = make_desk(trigger_plex_scan=True)
    desk.drain(desk.scene("a/pier.mp4"))
    desk.work(120)
    assert scans(desk) == []
    desk.restart(trigger_plex_scan=False, path_map="/data=>/media")
    desk.drain(desk.scene("a/quay.mp4"))
    desk.work(120)
    assert scans(desk) == []


def looks(desk):
    return desk.plex.count("GET", "^/library/sections$")


@pytest.mark.parametrize("settings", [{}, SCANS], ids=["waiting", "scanning"])
@pytest.mark.parametrize("trouble", ["Plex fails", "the library lost its name"])
def test_a_look_that_failed_is_not_repeated_for_five_minutes(make_desk, settings, trouble):
    desk = make_desk(plex_library="Harbour Films", **settings)
    desk.add(desk.scene("a/pier.mp4"))
    desk.work(1)
    watch = PlexWatch(desk.app.store, desk.clock, desk.clock)
    session = desk.app.open_session()
    assert watch.scanning() is bool(settings)

    def look_after(seconds):
        desk.clock.step(seconds)
        desk.plex.clear_log()
        watch.look(session)
        return looks(desk)

    assert look_after(LOOK_SECONDS) == 1
    heard = listen(desk)
    if trouble == "Plex fails":
        desk.plex.faults.add(Fault("status", path="^/library/sections$", times=None))
    else:
        desk.films.title = "Harbour Pictures"
    assert look_after(LOOK_SECONDS) == 1
    assert [line for line in heard if line.startswith("A look at Plex failed: ")]
    assert look_after(LOOK_SECONDS) == 0
    assert look_after(TROUBLE_SECONDS - LOOK_SECONDS - 1) == 0
    assert look_after(1) == 1


def test_a_scan_of_a_library_that_is_gone_is_dropped(make_desk):
    desk = make_desk(**SCANS)
    other = desk.plex.add_section("Lanterns", locations=["/media/b"])
    desk.films.locations[:] = ["/media/a"]
    desk.add(desk.scene("b/pier.mp4"))
    desk.work(2)
    assert desk.rows("SELECT section_id FROM plex_scan") == [(str(other.id),)]
    del desk.plex._library.sections[other.id]
    desk.work(120)
    assert scans(desk) == []
    assert desk.rows("SELECT * FROM plex_scan") == []


def test_where_a_scan_is_not_wanted_any_more_the_next_one_is_not_put_off(make_desk):
    desk = make_desk(**SCANS)
    desk.plex.scanning.seconds = 1_000
    for path in ("a/pier.mp4", "b/quay.mp4"):
        desk.films.stage_file(f"/media/{path}", 100)
    desk.add(desk.scene("a/pier.mp4"), desk.scene("b/quay.mp4"))
    desk.work(GATHER_SECONDS + 10)
    assert scans(desk) == ["/media/a"]
    desk.plex.scanning.seconds = 0
    desk.clock.step(1_000)
    desk.app.store.connection.execute("DELETE FROM missed_file WHERE path LIKE '%pier%'")
    desk.app.store.connection.execute("UPDATE plex_scan SET due_at = 0")
    watch = PlexWatch(desk.app.store, desk.clock, desk.clock)
    desk.clock.step(LOOK_SECONDS)
    watch.look(desk.app.open_session())
    assert scans(desk) == ["/media/a", "/media/b"]


def test_of_two_libraries_the_one_that_plex_reads_already_is_left_alone(make_desk):
    desk = make_desk(trigger_plex_scan=True, path_map="/data=>/media;/shows=>/other")
    other = desk.plex.add_section("Lantern Films", locations=["/other"])
    desk.films.stage_file("/media/a/pier.mp4", 100)
    other.stage_file("/other/b/quay.mp4", 200)
    desk.add(
        desk.scene("a/pier.mp4"),
        desk.stash.add_scene(title="Quay", files=["/shows/b/quay.mp4"], sizes=[200]),
    )
    desk.work(GATHER_SECONDS - 2)
    desk.plex.scanning.seconds = 10_000
    desk.plex._library.scan(desk.films, "/media/z")
    desk.plex.clear_log()
    desk.work(60)
    asked = [one.path for one in desk.plex.requests if one.path.endswith("/refresh")]
    assert asked == [f"/library/sections/{other.id}/refresh"]


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
