"""What the way back counts: before, in small steps, without Plex, and when it has ended."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex.errors import UsageError
from stash2plex.model import Field
from stash2plex.operations import undo as undo_operation
from stash2plex.operations.undo import (
    Chosen,
    Forecast,
    UndoReport,
    choose,
    forecast,
    is_second_press,
    queue_undo,
    remember_press,
    undo,
    undo_report,
)
from stash2plex.store.undo_marks import Asked
from stash2plex_testing.stash import picture
from tests.harness.in_process import fill

EVERYTHING = Chosen(everything=True)


@pytest.fixture
def harbour(make_desk):
    """Five scenes in Plex; the second and the fourth have nothing to put back."""
    desk = make_desk()
    scenes = fill(desk, 5)
    desk.drain(*scenes)
    db = desk.app.store.connection
    db.execute(
        "UPDATE first_state SET undone_at = 1.0 WHERE scene_id IN (?, ?)",
        (scenes[1].id, scenes[3].id),
    )
    desk.plex.clear_log()
    return desk, scenes


def all_five(scenes):
    return Chosen(scene_ids=[scene.id for scene in scenes])


def reads(desk):
    return [one.path for one in desk.plex.requests if one.path.startswith("/library/metadata/")]


def test_the_forecast_is_the_same_in_small_steps_and_passes_over_what_was_put_back(
    harbour, monkeypatch
):
    desk, scenes = harbour
    desk.plex.all_items()[2].title = "By hand"
    whole = forecast(desk.app, all_five(scenes))
    assert whole == Forecast(
        queued=3, back=5, theirs=1, left=((scenes[2].id, "title", "theirs"),)
    )  # fmt: skip
    assert len(reads(desk)) == 1
    monkeypatch.setattr(undo_operation, "IDS_PER_READ", 2)
    assert forecast(desk.app, all_five(scenes)) == whole
    assert reads(desk)[1:] == ["/library/metadata/1,3", "/library/metadata/5"]
    monkeypatch.setattr(undo_operation, "IDS_PER_READ", 3)
    assert forecast(desk.app, all_five(scenes)) == whole
    assert reads(desk)[3:] == ["/library/metadata/1,3,5"]


def test_what_is_on_another_server_is_gone_with_and_without_a_look(harbour):
    desk, scenes = harbour
    db = desk.app.store.connection
    db.execute("UPDATE first_state SET server = 'another' WHERE scene_id = ?", (scenes[2].id,))
    assert forecast(desk.app, all_five(scenes)).as_json() == {
        "queued": 3, "theirs": 0, "cannot": 0, "gone": 1, "pictures": 0, "own_pictures": 0,
        "may_stay": 0,
    }  # fmt: skip
    assert reads(desk) == ["/library/metadata/1,5"]
    assert forecast(desk.app, all_five(scenes), looks=False) == Forecast(queued=3, gone=1)
    db.execute("UPDATE first_state SET server = 'another'")
    desk.plex.clear_log()
    assert forecast(desk.app, all_five(scenes)) == Forecast(queued=3, gone=3)
    assert desk.plex.requests == []


def test_what_was_there_before_anything_was_kept_cannot_come_back(harbour):
    desk, scenes = harbour
    desk.app.store.connection.execute(
        "UPDATE first_state SET fields = '{}', before_history = 1 WHERE scene_id = ?",
        (scenes[2].id,),
    )
    without = forecast(desk.app, all_five(scenes), looks=False)
    assert (without.queued, without.cannot, without.back) == (3, 2, 0)
    known = forecast(desk.app, all_five(scenes))
    assert (known.queued, known.cannot, known.back) == (3, 2, 4)


def test_few_scenes_go_first_and_each_once(harbour):
    desk, scenes = harbour
    assert queue_undo(desk.app, all_five([*scenes, scenes[0]])) == [
        scenes[0].id, scenes[2].id, scenes[4].id,
    ]  # fmt: skip
    rows = desk.rows("SELECT id, priority, after_run FROM queue ORDER BY id")
    assert [(id_, priority) for id_, priority, _ in rows] == [
        (scenes[0].id, 0), (scenes[2].id, 0), (scenes[4].id, 0),
    ]  # fmt: skip
    asked = desk.app.store.undo_marks.asked_of([scene.id for scene in scenes])
    assert asked == dict.fromkeys((scenes[0].id, scenes[2].id, scenes[4].id), Asked())


def test_a_task_puts_its_scenes_behind_what_the_user_saves(harbour):
    desk, scenes = harbour
    begun = desk.app.store.runs.begin("Put Plex Back", None, 20.0)
    queue_undo(desk.app, all_five(scenes), run_id=begun.id)
    assert {row[0] for row in desk.rows("SELECT priority FROM queue")} == {1}
    assert desk.app.store.runs.read(begun.id).queued == 3
    (asked, *_) = desk.app.store.undo_marks.asked_of([scenes[0].id]).values()
    assert (asked.job, asked.run_id) == (begun.id, 0)


def copied(desk, number):
    """Let as many more scenes have what the first one has."""
    desk.app.store.connection.execute(
        "WITH RECURSIVE ids (id) AS (SELECT 1001 UNION ALL SELECT id + 1 FROM ids LIMIT ?)"
        " INSERT INTO first_state SELECT 'c' || ids.id, server, ids.id, section_id, path, at,"
        " fields, before_history, ours, uploads, undone_at FROM first_state, ids"
        " WHERE scene_id = 1",
        (number,),
    )
    return list(range(1001, 1001 + number))


@pytest.mark.parametrize(("number", "priority"), [(200, 0), (201, 1)])
def test_more_than_two_hundred_scenes_wait_behind_what_the_user_saves(harbour, number, priority):
    desk, _ = harbour
    ids = copied(desk, number)
    assert queue_undo(desk.app, Chosen(scene_ids=ids)) == ids
    assert desk.rows("SELECT priority, count(*) FROM queue GROUP BY 1") == [(priority, number)]


@pytest.mark.parametrize(("number", "requests"), [(200, 1), (201, 0)])
def test_more_than_two_hundred_scenes_are_not_looked_at_in_plex(harbour, number, requests):
    desk, scenes = harbour
    known = undo(desk.app, Chosen(scene_ids=[scenes[0].id, *range(1001, 1000 + number)]))
    assert len(reads(desk)) == requests
    assert known == Forecast(queued=1, back=2 * requests)


def test_without_plex_the_way_back_is_queued_all_the_same(make_desk):
    desk = make_desk(skip_fields="background")
    scene, _ = desk.scene("a/1.mp4", cover=picture(1)), desk.item("a/1.mp4")
    desk.drain(scene)
    desk.plex.down()
    assert undo(desk.app, EVERYTHING) == Forecast(queued=1, pictures=1, own_pictures=1)
    assert desk.rows("SELECT id FROM queue") == [(scene.id,)]
    begun = desk.app.store.runs.begin("Put Plex Back", None, 20.0)
    undo(desk.app, EVERYTHING, run_id=begun.id)
    assert desk.app.store.undo_marks.asked_of([scene.id])[scene.id].job == begun.id


def test_a_run_that_is_not_known_is_named(harbour):
    desk, scenes = harbour
    with pytest.raises(UsageError) as caught:
        choose(desk.app, Chosen(run_id=99))
    assert caught.value.what == "There is no run 99; “stash2plex history” lists the runs."
    with pytest.raises(UsageError) as caught:
        choose(desk.app, Chosen())
    assert caught.value.what == (
        "Choose what to undo by scenes, items, a run, all, or left out ones."
    )
    run = desk.app.store.history.runs(1)[0].id
    ids = [scene.id for scene in scenes]
    assert choose(desk.app, Chosen(run_id=run)) == ids
    assert choose(desk.app, Chosen(rating_keys=["5", "77", "1", "5"])) == [ids[0], ids[4]]
    assert choose(desk.app, Chosen(scene_ids=[3, 1, 3])) == [1, 3]
    assert choose(desk.app, Chosen(left_out=True)) == []


def test_only_the_chosen_fields_are_forecast(harbour):
    desk, scenes = harbour
    chosen = Chosen(scene_ids=[scenes[0].id], fields=frozenset({Field.TITLE}))
    assert forecast(desk.app, chosen) == Forecast(queued=1, back=1)
    queue_undo(desk.app, chosen)
    asked = desk.app.store.undo_marks.asked_of([scenes[0].id])
    assert asked[scenes[0].id].fields == frozenset({Field.TITLE})


# -- pressing twice -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "acts"),
    [(0.0, True), (600.0, True), (600.5, False), (-0.5, False)],
)
def test_a_second_press_counts_for_ten_minutes(make_desk, seconds, acts):
    desk = make_desk()
    assert not is_second_press(desk.app)
    remember_press(desk.app, acts=False)
    desk.clock.step(seconds)
    assert is_second_press(desk.app) is acts


def test_a_press_that_acts_is_not_the_first_of_two(make_desk):
    desk = make_desk()
    remember_press(desk.app, acts=False)
    remember_press(desk.app, acts=True)
    assert not is_second_press(desk.app)


# -- adding up ----------------------------------------------------------------------------


def left(number):
    return [{"rating_key": "1", "field": f"f{one}", "why": "theirs"} for one in range(number)]


def test_outcomes_add_up_and_twenty_fields_that_stay_are_listed():
    outcome: dict[str, Any] = {
        "back": 2, "theirs": 3, "cannot": 4, "gone": 5, "uploads": 6, "left": left(7),
    }  # fmt: skip
    known = Forecast(pictures=1, own_pictures=1, may_stay=1)
    for scene_id in range(3):
        known = known.plus(scene_id, outcome)
    listed = tuple((scene, f"f{one}", "theirs") for scene in range(3) for one in range(7))
    assert known == Forecast(
        queued=3, back=6, theirs=9, cannot=12, gone=15, uploads=18, left=listed[:20], pictures=1,
        own_pictures=1, may_stay=1,
    )  # fmt: skip
    assert known.plus(9, {"left": left(1)}).left == listed[:20]
    assert Forecast().plus(1, {}) == Forecast(queued=1)


def test_a_report_adds_up_to_what_was_queued(harbour):
    desk, scenes = harbour
    desk.app.store.connection.execute("UPDATE first_state SET undone_at = NULL")
    ids = [scene.id for scene in scenes]
    desk.plex.all_items()[0].title = "By hand"
    queue_undo(desk.app, Chosen(scene_ids=ids[:2]))
    desk.drain()
    queue_undo(desk.app, Chosen(scene_ids=ids[2:]))
    queue = desk.app.store.queue
    (claim,) = queue.claim(1, 60.0)
    queue.bury(claim, title="Pier", reason="rejected", error="No.")
    report = undo_report(desk.app, [*ids, 901, 902, 903, 904])
    assert report == UndoReport(
        Forecast(queued=2, back=3, theirs=1, left=((ids[0], "title", "theirs"),)),
        waiting=2, given_up=1, withdrawn=4,
    )  # fmt: skip
    assert report.as_json() == {
        "scenes": 9, "done": 2, "waiting": 2, "given_up": 1, "withdrawn": 4, "put_back": 3,
        "theirs": 1, "cannot": 0, "gone": 0, "uploads": 0,
        "left": [{"scene_id": ids[0], "field": "title", "why": "theirs"}],
    }  # fmt: skip
