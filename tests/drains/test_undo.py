"""The way back: what Plex showed first is there again, and what was changed since stays."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from stash2plex.errors import UsageError
from stash2plex.model import Field
from stash2plex.operations.enqueue import add_scenes, enqueue_all
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.undo import Chosen, forecast, queue_undo, undo, undo_report
from stash2plex.store.scene_counts import count_scenes
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex.ui.lines.undo import forecast_lines
from stash2plex_testing.plex import Fault
from stash2plex_testing.stash import picture

EVERYTHING = Chosen(everything=True)


def state(item: Any) -> dict[str, Any]:
    """Return what an item shows: values, locks and the chosen pictures."""
    return copy.deepcopy(
        {
            "title": item.title,
            "texts": {name: text for name, text in item.texts.items() if text},
            "date": item.originally_available_at,
            "floats": item.floats,
            "tags": {name: sorted(tags) for name, tags in item.tags.items() if tags},
            "locked": item.locked,
            "selected": {kind: one for kind, one in item.selected.items() if one},
        }
    )


@pytest.fixture
def pier(make_desk):
    """Give a desk, scenes that are in Plex, their items, and what those showed before."""
    desk = make_desk(skip_fields="")
    scenes, items = [], []
    for number in range(3):
        performers = [desk.stash.add_performer(f"Performer {number}")]
        scenes.append(
            desk.scene(
                f"a/pier-{number}.mp4",
                rating100=20 * (number + 1),
                date="2020-02-02",
                performers=performers,
                cover=picture(number),
            )
        )
        items.append(desk.item(f"a/pier-{number}.mp4"))
    items[0].texts["summary"] = "Before"
    items[0].locked.add("summary")
    items[0].tags["actor"] = ["Somebody else", "Performer 0"]
    items[1].floats["userRating"] = 2.0
    items[1].offers["posters"] = ["media://frame/1.jpg", "media://frame/2.jpg"]
    # The user's choice is locked; Plex's own is not.
    items[1].selected["posters"] = "media://frame/2.jpg"
    items[1].locked.add("thumb")
    items[2].offers["posters"] = ["media://frame/3.jpg"]
    items[2].selected["posters"] = "media://frame/3.jpg"
    before = [state(item) for item in items]
    desk.drain(*scenes)
    return desk, scenes, items, before


def put_back(desk, chosen=EVERYTHING):
    begun = desk.app.store.runs.begin("undo", None, 20.0)
    scenes = queue_undo(desk.app, chosen, run_id=begun.id)
    desk.app.drain(Foreground("test", run_id=begun.id), Silent(), lambda: False)
    desk.app.store.runs.end(begun.id)
    return len(scenes), undo_report(desk.app, scenes)


def left_out(desk):
    return count_scenes(desk.app.store.connection, desk.clock(), worker_runs=False)


def test_all_is_put_back_values_locks_lists_rating_and_pictures(pier):
    desk, _, items, before = pier
    assert [state(item) for item in items] != before
    number, report = put_back(desk)
    assert number == 3
    assert [state(item) for item in items] == before
    assert report.as_json()["done"] == 3
    assert (report.done.theirs, report.done.cannot, report.done.gone) == (0, 0, 0)
    assert report.done.uploads == 6
    assert desk.rows("SELECT count(*) FROM scene_record") == [(0,)]
    # Undo twice is undo once.
    desk.plex.clear_log()
    assert put_back(desk)[0] == 0
    assert desk.plex.count("PUT") == 0


def test_an_undone_scene_is_left_out_until_the_user_asks_for_it(pier):
    desk, scenes, items, before = pier
    put_back(desk)
    states, reasons = left_out(desk)
    assert (states["left_out"], reasons) == (3, {"undone": 3})
    scenes[0].title = "Another title"
    desk.drain(*scenes)
    begun = desk.app.store.runs.begin("Sync All Scenes", None, 20.0)
    desk.app.sweeper.run_id = begun.id
    enqueued = enqueue_all(desk.app)
    assert enqueued.sentence() == "0 scenes queued: 3 put back, and left out since."
    assert [state(item) for item in items] == before
    assert left_out(desk)[1] == {"undone": 3}
    # Sync, undo, sync is sync.
    add_scenes(desk.app, [("scene", scenes[0].id)])
    desk.process(Silent())
    assert items[0].title == "Another title"
    assert left_out(desk)[1] == {"undone": 2}
    put_back(desk, Chosen(scene_ids=[scenes[0].id]))
    assert [state(item) for item in items] == before


def test_what_the_user_changed_since_stays_and_is_listed(pier):
    desk, scenes, items, before = pier
    items[0].title = "The user's title"
    items[0].tags["actor"].append("A friend")
    items[0].tags["actor"].remove("Performer 0")
    items[1].floats["userRating"] = 9.0
    items[2].selected["posters"] = "other"
    items[2].images["posters"].append("other")
    known = forecast(desk.app, EVERYTHING)
    # The picture that the user chose is seen only when it is done.
    assert (known.queued, known.theirs, known.cannot, known.gone) == (3, 3, 0, 0)
    _, report = put_back(desk)
    assert items[0].title == "The user's title"
    assert sorted(items[0].tags["actor"]) == ["A friend", "Somebody else"]
    assert items[0].texts["summary"] == "Before"
    assert items[1].floats["userRating"] == 9.0
    assert items[1].title == before[1]["title"]
    assert items[2].selected["posters"] == "other"
    assert report.done.theirs == 4
    assert {(scene, name) for scene, name, _ in report.done.left} == {
        (scenes[0].id, "title"),
        (scenes[0].id, "performers"),
        (scenes[1].id, "rating"),
        (scenes[2].id, "poster"),
    }


def test_a_run_is_undone_and_a_later_write_stays(pier):
    desk, scenes, items, _ = pier
    desk.clock.step(3600)
    scenes[0].title, scenes[0].details = "Second title", "Second text"
    desk.drain(scenes[0])
    second = desk.app.store.history.runs(1)[0].id
    desk.clock.step(3600)
    scenes[0].details = "Third text"
    desk.drain(scenes[0])
    _, report = put_back(desk, Chosen(run_id=second))
    assert items[0].title == "About a/pier-0.mp4"
    assert items[0].texts["summary"] == "Third text"
    assert [(name, why) for _, name, why in report.done.left] == [
        ("summary", "a later write changed it once more")
    ]
    # Only the title is held: everything else follows Stash.
    scenes[0].title, scenes[0].details = "Fourth title", "Fourth text"
    desk.drain(scenes[0])
    assert items[0].title == "About a/pier-0.mp4"
    assert items[0].texts["summary"] == "Fourth text"
    assert desk.app.store.undo_marks.held(scenes[0].id).fields == {Field.TITLE}


def test_one_field_is_put_back_and_held(pier):
    desk, scenes, items, before = pier
    after = state(items[0])
    put_back(desk, Chosen(scene_ids=[scenes[0].id], fields=frozenset({Field.TITLE})))
    assert state(items[0]) == {
        **after,
        "title": before[0]["title"],
        "locked": after["locked"] - {"title"},
    }
    scenes[0].title, scenes[0].details = "Another title", "Another text"
    desk.drain(scenes[0])
    assert items[0].title == before[0]["title"]
    assert items[0].texts["summary"] == "Another text"
    put_back(desk)
    assert [state(item) for item in items] == before


def test_a_field_of_which_nothing_is_recorded_counts_as_the_users(make_desk):
    desk = make_desk()
    scene, item = desk.scene("pier.mp4"), desk.item("pier.mp4")
    desk.drain(scene)
    desk.app.store.connection.execute("DELETE FROM scene_record")
    title = Chosen(scene_ids=[scene.id], fields=frozenset({Field.TITLE}))
    _, report = put_back(desk, title)
    assert (report.done.theirs, report.done.left) == (1, ((scene.id, "title", "theirs"),))
    assert item.title == scene.title


def test_what_cannot_come_back_is_named(pier):
    desk, _, items, before = pier
    desk.plex.limits.chooses_none = False
    _, report = put_back(desk)
    assert report.done.cannot == 4
    assert items[1].selected["posters"] == "media://frame/2.jpg"
    assert items[2].selected["posters"] == "media://frame/3.jpg"
    assert {why for *_, why in report.done.left} == {"this Plex cannot choose none"}
    desk.plex.limits.chooses_none = True
    put_back(desk)
    assert [state(item) for item in items] == before


def test_the_forecast_counts_pictures_without_a_look_at_them(pier):
    desk, scenes, items, _ = pier
    desk.plex.clear_log()
    known = forecast(desk.app, EVERYTHING)
    assert (known.pictures, known.own_pictures, known.may_stay) == (6, 5, 0)
    assert [one.path for one in desk.plex.requests if "/posters" in one.path] == []
    assert desk.plex.count() == 2
    lines = "\n".join(forecast_lines(known))
    assert "6 pictures would go back: 1 to the one that was chosen before, 5 to Plex's own" in lines
    assert "only at Plex's next refresh" in lines
    # An older Plex cannot choose again.
    desk.plex.version = "1.42.2.9999-test"
    known = forecast(desk.app, EVERYTHING)
    assert (known.pictures, known.may_stay) == (6, 5)
    assert "5 of them may stay" in forecast_lines(known)[-1]
    # Without Plex, the records are enough; what is gone counts no more once Plex is asked.
    known = forecast(desk.app, EVERYTHING, looks=False)
    assert known.as_json() == {
        "queued": 3,
        "theirs": 0,
        "cannot": 0,
        "gone": 0,
        "pictures": 6,
        "own_pictures": 5,
        "may_stay": 0,
    }
    desk.plex.remove_item(items[0])
    assert forecast(desk.app, EVERYTHING).pictures == 4
    # One field, and what was never sent.
    title = Chosen(scene_ids=[scenes[1].id], fields=frozenset({Field.TITLE}))
    assert forecast(desk.app, title).pictures == 0
    assert forecast_lines(forecast(desk.app, title)) == ["1 scene would be put back."]


def test_an_item_that_is_gone_or_another_one_is_not_written(pier):
    desk, _, items, _ = pier
    desk.plex.remove_item(items[0])
    items[1].parts[0].path = "/media/a/other.mp4"
    after = state(items[1])
    _, report = put_back(desk)
    assert report.done.gone == 2
    assert state(items[1]) == after


def test_another_plex_server_gets_nothing_back(pier):
    desk, _, items, _ = pier
    after = [state(item) for item in items]
    desk.app.store.connection.execute("UPDATE first_state SET server = 'another'")
    _, report = put_back(desk)
    assert report.done.gone == 3
    assert [state(item) for item in items] == after


def test_a_scene_that_left_stash_is_put_back_too(pier):
    desk, scenes, items, before = pier
    desk.stash.core.library.destroy_scene(scenes[0])
    desk.drain(scenes[0])
    assert state(items[0]) != before[0]
    known = undo(desk.app, Chosen(left_out=True))
    assert known.queued == 1
    desk.process(Silent())
    assert state(items[0]) == before[0]
    assert desk.rows("SELECT count(*) FROM scene WHERE id = ?", scenes[0].id) == [(0,)]
    assert desk.rows("SELECT count(*) FROM orphan") == [(0,)]


def test_health_counts_what_plex_still_shows_of_scenes_that_are_left_out(pier):
    desk, scenes, items, _ = pier
    assert "left out" not in check_kept(desk.app).detail
    for scene in scenes[:2]:
        desk.stash.core.library.destroy_scene(scene)
    desk.drain(*scenes[:2])
    checked = check_kept(desk.app)
    # The user may want it so.
    assert checked.ok
    assert "2 scenes left out by now" in checked.detail
    assert "stash2plex undo --left-out" in checked.detail
    desk.app.store.connection.execute(
        "DELETE FROM plex_file WHERE rating_key = ?", (items[0].rating_key,)
    )
    assert "1 scene left out by now" in check_kept(desk.app).detail
    undo(desk.app, Chosen(left_out=True))
    desk.process(Silent())
    assert "left out" not in check_kept(desk.app).detail


def test_an_outage_and_a_sick_item_stop_nothing_else(pier):
    desk, _, items, before = pier
    desk.plex.faults.add(Fault("status", method="PUT", item=items[1].rating_key, times=None))
    _, report = put_back(desk)
    assert [state(items[0]), state(items[2])] == [before[0], before[2]]
    assert (report.done.queued, report.waiting + report.given_up) == (2, 1)


def test_a_save_in_the_middle_does_not_write_the_scene_again(pier):
    desk, scenes, items, before = pier
    queue_undo(desk.app, EVERYTHING)
    scenes[0].title = "Saved meanwhile"
    desk.drain(scenes[0])
    assert [state(item) for item in items] == before


def test_the_user_can_withdraw(pier):
    desk, scenes, items, _ = pier
    after = [state(item) for item in items]
    queue_undo(desk.app, EVERYTHING)
    add_scenes(desk.app, [("scene", scene.id) for scene in scenes])
    desk.process(Silent())
    assert [state(item) for item in items] == after


def test_exactly_one_way_to_choose(pier):
    desk = pier[0]
    for chosen in (Chosen(), Chosen(everything=True, run_id=1)):
        with pytest.raises(UsageError, match="Choose what to undo"):
            forecast(desk.app, chosen)
    with pytest.raises(UsageError, match="There is no run 99"):
        queue_undo(desk.app, Chosen(run_id=99))
    assert forecast(desk.app, Chosen(rating_keys=["1"])).queued == 1
    assert forecast(desk.app, Chosen(rating_keys=["77"])).queued == 0


def test_a_collection_that_we_made_goes_with_its_last_item_and_others_stay(make_desk):
    desk = make_desk()
    studios = [desk.stash.add_studio(name) for name in ("Harbour", "Lantern", "Pier")]
    scenes = [desk.scene(f"a/{n}.mp4", studio=studios[n]) for n in range(3)]
    items = [desk.item(f"a/{n}.mp4") for n in range(3)]
    desk.plex.add_collection(desk.films, "lantern")
    desk.drain(*scenes)

    def titles():
        return desk.plex.collection_titles(desk.films)

    assert titles() == ["Harbour", "Pier", "lantern"]
    assert desk.plex.count("GET", "/collections") == 1
    # The user puts another item into one of ours.
    desk.item("a/other.mp4").tags["collection"] = ["Pier"]
    put_back(desk)
    assert titles() == ["Pier", "lantern"]
    assert all(not item.tags.get("collection") for item in items)
    # It is made again, and it is ours again.
    desk.plex.clear_log()
    add_scenes(desk.app, [("scene", scenes[0].id)])
    desk.process(Silent())
    assert titles() == ["Harbour", "Pier", "lantern"]
    put_back(desk)
    assert titles() == ["Pier", "lantern"]


def test_collections_that_plex_does_not_list_stay(make_desk):
    desk = make_desk()
    scene = desk.scene("a/1.mp4", studio=desk.stash.add_studio("Harbour"))
    item = desk.item("a/1.mp4")
    desk.plex.faults.add(Fault("status", path="/collections", times=None))
    desk.drain(scene)
    assert item.tags["collection"] == ["Harbour"]
    desk.plex.faults.clear()
    put_back(desk)
    assert not item.tags.get("collection")
    assert desk.plex.collection_titles(desk.films) == ["Harbour"]


def test_a_value_that_the_user_removed_since_does_not_come_back(make_desk):
    desk = make_desk()
    scene = desk.scene("a/1.mp4", studio=desk.stash.add_studio("Harbour"))
    item = desk.item("a/1.mp4")
    item.tags["collection"] = ["Mine", "Other"]
    desk.drain(scene)
    item.tags["collection"].remove("Mine")
    put_back(desk)
    assert item.tags["collection"] == ["Other"]


def test_pictures_that_are_there_already_are_chosen_again(pier):
    desk, scenes, items, _ = pier
    after = state(items[0])
    put_back(desk)
    desk.plex.clear_log()
    add_scenes(desk.app, [("scene", scenes[0].id)])
    desk.process(Silent())
    assert state(items[0]) == after
    assert desk.plex.count("POST") == 0


def test_new_scenes_cost_no_question_about_their_pictures(make_desk):
    desk = make_desk(skip_fields="")
    scenes = [desk.scene(f"a/{n}.mp4", cover=picture(n)) for n in range(60)]
    items = [desk.item(f"a/{n}.mp4") for n in range(60)]
    desk.drain(*scenes)
    assert all(item.number_of_uploads == 2 for item in items)
    assert desk.plex.count("GET", "/(posters|arts)") == 0
    assert len(desk.plex.requests) <= 3 * 60 + 10


def test_what_the_user_removes_from_the_queue_is_not_put_back_later(pier):
    desk, scenes, items, _ = pier
    after = [state(item) for item in items]
    queue_undo(desk.app, EVERYTHING)
    assert desk.app.store.queue.clear_waiting() == 3
    assert not desk.app.store.undo_marks.any_asked()
    desk.drain(*scenes)
    assert [state(item) for item in items] == after


def test_a_try_that_ends_between_the_choice_and_the_locks_is_ended_by_the_next(pier):
    desk, _, items, before = pier
    desk.plex.faults.add(Fault("status", method="PUT", path="/library/sections/", times=3))
    put_back(desk)
    for _ in range(5):
        desk.clock.step(600)
        desk.process(Silent())
    assert [state(item) for item in items] == before
