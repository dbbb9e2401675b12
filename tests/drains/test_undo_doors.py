"""An undo beside everything else: saves, other doors, other libraries, outages."""

from __future__ import annotations

import os
from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.model import Field
from stash2plex.operations.dead_letters import retry_letters
from stash2plex.operations.enqueue import add_scenes
from stash2plex.operations.undo import Chosen, queue_undo, undo_report
from stash2plex.store.undo_marks import Asked
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex_testing.plex import Fault
from tests.drains.test_undo import EVERYTHING, left_out, state
from tests.harness.in_process import fill

EVERYTHING_ASKED = Asked()


@pytest.fixture
def quay(make_desk):
    """Give a desk, scenes that are in Plex, their items, and what those showed before."""
    desk = make_desk()
    scenes = fill(desk, 4)
    items = desk.plex.all_items()
    for item in items:
        item.texts["summary"] = "Before"
        item.tags["genre"] = ["Old"]
    before = [state(item) for item in items]
    desk.drain(*scenes)
    return desk, scenes, items, before


def beside(desk, work):
    """Do something as another process does it, the first time that an edit of Plex is under way."""
    done: list[bool] = []

    def during(request):
        if request.method == "PUT" and not done:
            done.append(True)
            store = open_store(os.path.join(desk.folder, "data"), desk.clock, Random(2))
            work(store)
            store.connection.close()

    desk.plex.after_write = during
    return done


def put_back(desk, chosen=EVERYTHING):
    begun = desk.app.store.runs.begin("undo", None, 20.0)
    scenes = queue_undo(desk.app, chosen, run_id=begun.id)
    summary = desk.app.drain(Foreground("test", run_id=begun.id), Silent(), lambda: False)
    desk.app.store.runs.end(begun.id)
    return undo_report(desk.app, scenes).as_json(), summary


def edited(desk):
    """List the items that were edited, in order."""
    return [int(one.query["id"][0]) for one in desk.plex.requests if one.method == "PUT"]


# -- saves --------------------------------------------------------------------------------


def test_a_save_while_the_request_is_under_way_does_not_write_the_scene_again(quay):
    desk, scenes, items, before = quay

    def save(store):
        for scene in scenes:
            scene.title = "Saved meanwhile"
            desk.stash.library.touch(scene)
        store.queue.add_many([("scene", scene.id) for scene in scenes], priority=0)

    done = beside(desk, save)
    report, _ = put_back(desk)
    assert done
    assert (report["scenes"], report["done"]) == (4, 4)
    desk.process(Silent())
    assert [state(item) for item in items] == before
    assert desk.rows("SELECT count(*) FROM queue") == [(0,)]
    assert left_out(desk)[1] == {"undone": 4}


def test_a_save_goes_before_the_way_back_of_many(quay):
    desk = quay[0]
    desk.drain(*fill(desk, 26)[4:])
    other, item = desk.scene("other.mp4"), desk.item("other.mp4")
    begun = desk.app.store.runs.begin("undo", None, 20.0)
    number = len(queue_undo(desk.app, EVERYTHING, run_id=begun.id))
    desk.plex.clear_log()
    desk.drain(other)
    # Some go back while the save is read.
    assert len(edited(desk)) == number + 1
    assert edited(desk).index(item.rating_key) < number - 5
    assert item.title == other.title


def test_the_user_takes_a_scene_in_again_while_its_request_is_under_way(quay):
    desk, scenes, items, before = quay
    desk.app.store.connection.commit()

    def sync_now(store):
        store.undo_marks.withdraw([scene.id for scene in scenes])
        store.queue.add_many([("scene", scene.id) for scene in scenes], priority=0)

    done = beside(desk, sync_now)
    report, _ = put_back(desk)
    assert done
    desk.process(Silent())
    assert [item.title for item in items] == [scene.title for scene in scenes]
    # The report adds up: nobody knows more of these.
    assert report["scenes"] == 4
    assert report["done"] + report["withdrawn"] == 4
    assert report["withdrawn"] >= 1
    # And they can be put back once more.
    put_back(desk)
    assert [state(item) for item in items] == before


# -- other doors --------------------------------------------------------------------------


def test_a_second_undo_of_all_while_one_runs_reports_the_same_scenes(quay):
    desk, _, items, before = quay
    begun = desk.app.store.runs.begin("undo", None, 20.0)
    first = queue_undo(desk.app, EVERYTHING, run_id=begun.id)
    other = desk.app.store.runs.begin("Put Plex Back", None, 20.0)
    second = queue_undo(desk.app, EVERYTHING, run_id=other.id)
    desk.plex.clear_log()
    desk.process(Silent())
    assert first == second
    assert undo_report(desk.app, first) == undo_report(desk.app, second)
    assert undo_report(desk.app, first).as_json()["done"] == 4
    assert [state(item) for item in items] == before
    assert desk.plex.count("PUT") == 4


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_undo_of_all_includes_one_of_a_field(quay, order):
    desk, scenes, items, before = quay
    asked = [EVERYTHING, Chosen(scene_ids=[scenes[0].id], fields=frozenset({Field.TITLE}))]
    for number in order:
        queue_undo(desk.app, asked[number])
    desk.process(Silent())
    assert [state(item) for item in items] == before
    assert left_out(desk)[1] == {"undone": 4}


def test_two_fields_from_two_doors_are_both_put_back(quay):
    desk, scenes, items, before = quay
    for name in (Field.TITLE, Field.SUMMARY):
        queue_undo(desk.app, Chosen(scene_ids=[scenes[0].id], fields=frozenset({name})))
    desk.process(Silent())
    assert state(items[0]) == before[0]
    assert desk.app.store.undo_marks.held(scenes[0].id).fields == {Field.TITLE, Field.SUMMARY}


def test_two_runs_from_two_doors_are_undone_in_turn(quay):
    desk, scenes, items, before = quay
    runs = [desk.app.store.history.runs(1)[0].id]
    desk.clock.step(3600)
    scenes[0].details = "Second text"
    desk.drain(scenes[0])
    runs.append(desk.app.store.history.runs(1)[0].id)
    queued = [queue_undo(desk.app, Chosen(run_id=run)) for run in reversed(runs)]
    desk.process(Silent())
    assert state(items[0])["title"] == before[0]["title"]
    assert [state(item) for item in items] == before
    report = undo_report(desk.app, queued[1]).as_json()
    assert (report["scenes"], report["done"], report["waiting"]) == (4, 4, 0)
    # Both turns of the first scene are counted.
    assert report["put_back"] == 2 * 4 + 1


def test_more_that_is_asked_for_while_a_request_is_under_way_is_not_lost(quay):
    desk, scenes, items, before = quay

    def undo_all(store):
        store.undo_marks.ask([scene.id for scene in scenes], EVERYTHING_ASKED)
        store.queue.enqueue([("scene", scene.id) for scene in scenes], priority=0)

    done = beside(desk, undo_all)
    put_back(desk, Chosen(scene_ids=[scenes[0].id], fields=frozenset({Field.TITLE})))
    assert done
    desk.process(Silent())
    assert [state(item) for item in items] == before
    assert left_out(desk)[1] == {"undone": 4}
    assert not desk.app.store.undo_marks.any_asked()


# -- several libraries --------------------------------------------------------------------


def test_the_items_of_a_scene_in_every_library_are_put_back(make_desk):
    desk = make_desk()
    shows = desk.plex.add_section("Harbour Clips", locations=["/media"])
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    twin = desk.plex.add_item(shows, "/media/a/pier.mp4", size=100)
    item.texts["summary"], twin.texts["summary"] = "Before", "Before, in clips"
    twin.tags["genre"] = ["Old"]
    twin.locked.add("summary")
    before = [state(one) for one in (item, twin)]
    scene.tags = [desk.stash.add_tag("Fog")]
    desk.drain(scene)
    assert twin.title == item.title == scene.title
    twin.title = "By hand"
    report, _ = put_back(desk)
    before[1]["title"] = "By hand"
    before[1]["locked"] |= {"title"}
    assert [state(one) for one in (item, twin)] == before
    assert (report["scenes"], report["done"], report["theirs"]) == (1, 1, 1)
    # Neither is written again by a save; both are by “sync now”.
    scene.title = "Another title"
    desk.drain(scene)
    assert [state(one) for one in (item, twin)] == before
    add_scenes(desk.app, [("scene", scene.id)])
    desk.process(Silent())
    assert item.title == twin.title == "Another title"


def test_a_sick_item_of_a_scene_does_not_stop_its_other_one(make_desk):
    desk = make_desk()
    shows = desk.plex.add_section("Harbour Clips", locations=["/media"])
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    twin = desk.plex.add_item(shows, "/media/a/pier.mp4", size=100)
    before = [state(one) for one in (item, twin)]
    desk.drain(scene)
    fault = desk.plex.faults.add(Fault("status", method="PUT", item=item.rating_key, times=None))
    report, _ = put_back(desk)
    assert state(twin) == before[1]
    assert (report["done"], report["waiting"] + report["given_up"]) == (0, 1)
    desk.plex.faults.remove(fault)
    retry_letters(desk.app, [("scene", scene.id)])
    for _ in range(5):
        desk.clock.step(600)
        desk.process(Silent())
    assert [state(one) for one in (item, twin)] == before


# -- outages ------------------------------------------------------------------------------


def test_an_outage_in_the_middle_loses_nothing(quay):
    desk, _, items, before = quay
    desk.plex.faults.add(Fault("status", method="PUT", status=503, times=None, after=2))
    desk.plex.faults.add(Fault("status", path="/identity", status=503, times=20))
    begun = desk.app.store.runs.begin("undo", None, 20.0)
    scenes = queue_undo(desk.app, EVERYTHING, run_id=begun.id)
    goal = Foreground("test", run_id=begun.id, patience=60.0)
    desk.app.drain(goal, Silent(), lambda: False)
    middle = undo_report(desk.app, scenes).as_json()
    assert (middle["done"], middle["waiting"], middle["given_up"]) == (2, 2, 0)
    assert sum(state(item) == one for item, one in zip(items, before, strict=True)) == 2
    # Plex comes back, and another process goes on.
    desk.plex.faults.clear()
    desk.restart()
    desk.clock.step(3600)
    desk.process(Silent())
    assert [state(item) for item in items] == before
    report = undo_report(desk.app, scenes).as_json()
    assert (report["scenes"], report["done"], report["waiting"]) == (4, 4, 0)
    assert report["theirs"] == report["cannot"] == report["gone"] == 0
