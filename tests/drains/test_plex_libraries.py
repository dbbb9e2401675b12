"""Libraries that are removed, deselected, renamed or moved between two runs."""

from __future__ import annotations

import pytest

from stash2plex.namelist import NameList
from stash2plex.operations.enqueue import enqueue_all
from stash2plex.operations.explain import explain_scene
from stash2plex.operations.preview import preview_all
from stash2plex.operations.status import stored_status
from stash2plex.rules.scene_states import STATES
from stash2plex.store.reports import ReportBook
from stash2plex.sync.scheduled_reconcile import RETRY_SECONDS, ScheduledReconcile
from tests.harness.in_process import listen
from tests.support import present

DAY = 86_400.0


def two_libraries(desk):
    """Put a scene into each of two libraries; returns scenes, items and the second library."""
    lanterns = desk.plex.add_section("Lanterns", locations=["/lanterns"])
    scenes = [desk.scene("a/pier.mp4", size=1), desk.scene("b/lamp.mp4", size=2)]
    items = [
        desk.item("a/pier.mp4", size=1),
        desk.plex.add_item(lanterns, "/lanterns/b/lamp.mp4", size=2),
    ]
    desk.drain(*scenes)
    assert [item.title for item in items] == [scene.title for scene in scenes]
    return scenes, items, lanterns


def settled(desk):
    return [
        id_ for (id_,) in desk.rows("SELECT scene_id FROM scene_record WHERE fingerprint <> ''")
    ]


def remove(desk, section):
    """Remove a library as its owner does: it is listed no more, and its items are gone."""
    library = desk.plex._library
    for item in list(section.items.values()):
        desk.plex.remove_item(item)
    del library.sections[section.id]


@pytest.mark.parametrize("how", ["removed", "deselected"])
def test_the_items_of_a_library_that_is_left_are_forgotten_and_no_others(make_desk, how):
    desk = make_desk()
    scenes, (pier, lamp), lanterns = two_libraries(desk)
    if how == "removed":
        remove(desk, lanterns)
    else:
        desk.restart(plex_library="Harbour Films")
    for scene in scenes:
        scene.title += ", again"
    # Only the first is worked on; the news alone show that the other has lost its item.
    desk.drain(scenes[0])
    index = desk.app.open_session().index
    assert (index.files.titles(), index.files.size()) == (["Harbour Films"], 1)
    assert index.files.locations() == {str(desk.films.id): ["/media"]}
    assert settled(desk) == [scenes[0].id]
    assert (pier.title, lamp.title) == (scenes[0].title, "About b/lamp.mp4")
    desk.drain(scenes[1])
    left = [(scenes[1].id, "not_in_plex")] if how == "removed" else []
    assert desk.rows("SELECT id, reason FROM queue") == left
    assert lamp.title == "About b/lamp.mp4"


def left_out(desk):
    """Return the reasons of the scenes that are left out, after checking that all add up."""
    scenes = stored_status(desk.app)["scenes"]
    assert sum(scenes[state] for state in STATES) == scenes["total"]
    return scenes["left_out_because"]


def test_a_scene_of_a_library_that_is_deselected_is_left_out_until_it_is_chosen_again(make_desk):
    desk = make_desk(plex_library="")
    scenes, (_, lamp), _ = two_libraries(desk)
    enqueue_all(desk.app)
    desk.drain()
    assert left_out(desk) == {}
    desk.restart(plex_library="Harbour Films")
    scenes[1].title = "Edited meanwhile"
    desk.work(60)
    assert left_out(desk) == {"library": 1}
    assert stored_status(desk.app)["scenes"]["in_sync"] == 1
    assert (desk.rows("SELECT 1 FROM queue"), desk.dead()) == ([], {})
    known = explain_scene(desk.app, scenes[1].id)
    assert (known.state, known.why) == (
        "left_out",
        "It is not synced: its file is in “Lanterns”, a Plex library that is not chosen.",
    )
    reconciliation = desk.app.make_reconciliation(desk.app.open_session())
    list(reconciliation.pages())
    report = reconciliation.report()
    assert (report.left_out, report.in_sync, set(report.counts.values())) == (1, 1, {0})
    assert preview_all(desk.app).left_out_reasons == {"library": 1}
    # Nothing names the scene: its file is awaited, and wakes it.
    desk.restart(plex_library="Harbour Films, Lanterns")
    desk.work(60)
    assert (lamp.title, left_out(desk)) == ("Edited meanwhile", {})


@pytest.mark.parametrize(
    ("path", "folders", "reasons"),
    [
        ("/data/b/lamp.mp4", ["/lanterns"], {"library": 1}),
        # The chosen library holds the folder too: it may get the file yet.
        ("/data/b/lamp.mp4", ["/lanterns", "/media"], {}),
        ("/elsewhere/lamp.mp4", ["/lanterns"], {}),
    ],
)
def test_a_new_scene_is_left_out_by_the_path_map(make_desk, path, folders, reasons):
    desk = make_desk(plex_library="Harbour Films", path_map="/data=>/lanterns")
    lanterns = desk.plex.add_section("Lanterns", locations=["/lanterns"])
    desk.plex.add_item(lanterns, "/lanterns/b/lamp.mp4")
    desk.films.locations[:] = ["/media", *(["/lanterns"] if len(folders) > 1 else [])]
    desk.stash.add_scene(title="Lamp", files=[path], sizes=[2])
    enqueue_all(desk.app)
    desk.drain()
    assert left_out(desk) == reasons
    states = stored_status(desk.app)["scenes"]
    assert states["left_out"] + states["not_in_plex"] == 1


def test_a_library_that_is_chosen_again_gets_what_it_missed(make_desk):
    desk = make_desk()
    scenes, (_, lamp), _ = two_libraries(desk)
    desk.restart(plex_library="Harbour Films")
    scenes[1].title = "Edited meanwhile"
    desk.drain(scenes[1])
    assert lamp.title == "About b/lamp.mp4"
    desk.restart(plex_library="")
    desk.clock.step(700)
    desk.drain(scenes[1])
    assert lamp.title == "Edited meanwhile"


def test_folders_that_a_library_got_are_scanned_though_nothing_else_changed(make_desk):
    desk = make_desk(trigger_plex_scan=True, path_map="/data=>/volume")
    scene = desk.scene("a/pier.mp4")
    desk.plex.add_item(desk.films, "/media/known.mp4")
    desk.drain()
    index = desk.app.open_session().index
    index.refresh(NameList())
    listed = desk.plex.count("GET", "/all$")
    desk.films.locations.append("/volume")
    assert index.refresh(NameList()).files == 0
    assert index.files.locations() == {str(desk.films.id): ["/media", "/volume"]}
    assert desk.plex.count("GET", "/all$") == listed
    desk.add(scene)
    desk.work(60)
    scans = [one.query for one in desk.plex.requests if one.path.endswith("/refresh")]
    assert scans[0] == {"path": ["/volume/a"]}


# -- in the middle of the comparison that the clock asks for ------------------------------


def compare(scheduled_reconcile, session):
    """Go on with the comparison until it has nothing to do; returns how many steps that took."""
    steps = 0
    while scheduled_reconcile.step(session):
        steps += 1
    return steps


def test_a_library_that_lost_its_name_ends_a_comparison_which_begins_again_later(make_desk):
    desk = make_desk(plex_library="Harbour Films")
    desk.drain(desk.scene("a/pier.mp4"), desk.scene("b/quay.mp4"))
    desk.item("a/pier.mp4")
    session, book = desk.app.open_session(), ReportBook(desk.app.store.connection)
    scheduled_reconcile = ScheduledReconcile(
        desk.app.store, desk.app.make_reconciliation, clock=desk.clock
    )
    heard = listen(desk)
    assert compare(scheduled_reconcile, session) == 0
    desk.clock.step(DAY)
    desk.films.title = "Harbour Pictures"
    desk.plex.clear_log()
    assert compare(scheduled_reconcile, session) == 0
    assert desk.plex.count("GET", "^/library/sections$") == 1
    desk.clock.step(RETRY_SECONDS - 1)
    assert compare(scheduled_reconcile, session) == 0
    assert desk.plex.count("GET", "^/library/sections$") == 1
    assert book.last() is None
    desk.films.title = "Harbour Films"
    desk.clock.step(1)
    assert compare(scheduled_reconcile, session) > 0
    assert (present(book.last())["complete"], present(book.last())["scenes"]) == (True, 2)
    assert any("2 scenes compared" in line for line in heard)
    desk.clock.step(DAY - 1)
    assert compare(scheduled_reconcile, session) == 0
    desk.clock.step(1)
    assert compare(scheduled_reconcile, session) > 0


def test_a_worker_that_meets_it_says_it_and_sends_nothing(make_desk):
    desk = make_desk(plex_library="Harbour Films")
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.drain(scene)
    desk.work(120)
    desk.clock.step(DAY)
    desk.films.title = "Harbour Pictures"
    desk.restart()
    desk.add(scene)
    scene.title = "Edited"
    desk.work(120)
    assert item.title == "About a/pier.mp4"
    assert desk.rows("SELECT attempts, snoozes FROM queue") == [(0, 0)]
    desk.films.title = "Harbour Films"
    desk.work(2 * RETRY_SECONDS)
    assert item.title == "Edited"
    assert present(ReportBook(desk.app.store.connection).last())["complete"]
