"""An explanation's match and candidates, whole, and what a settings change makes of it."""

from __future__ import annotations

from stash2plex.operations.explain import explain_scene, explanation_json
from stash2plex.rules.matching import Level
from stash2plex.text import local, utc
from tests.drains.test_explained_places import pair, why


def test_a_scene_in_a_library_that_is_not_chosen_is_left_out(make_desk):
    desk = make_desk(plex_library="Harbour Films", path_map="/data/x=>/attic; /data=>/media")
    desk.plex.add_section("Attic", locations=["/attic"])
    desk.item("a/1.mp4")
    scene, lost = desk.scene("x/9.mp4", size=9), desk.scene("y/2.mp4", size=2)
    desk.drain()
    desk.app.open_session().index.refresh(desk.app.settings().plex_library)
    assert why(desk, scene) == (
        "left_out",
        "It is not synced: its file is in “Attic”, a Plex library that is not chosen.",
    )
    assert why(desk, lost)[0] == "not_matched"


def test_the_candidates_of_an_ambiguous_scene(make_desk):
    desk = make_desk(max_retries=1)
    scene = desk.scene("a/pier.mp4", title="Pier")
    for path in ("x/pier.mp4", "y/pier.mp4"):
        desk.item(path)
    desk.item("z/pier.mp4", size=7)
    desk.drain(scene)
    found = explanation_json(explain_scene(desk.app, scene.id))
    match = found["match"]
    candidates = [
        (one["rating_key"], one["path"], one["size"], one["level"], one["why"])
        for one in match["candidates"]
    ]
    fits = "it fits equally well"
    assert candidates[:2] == [
        ("1", "/media/x/pier.mp4", 100, Level.NAME_AND_SIZE, fits),
        ("2", "/media/y/pier.mp4", 100, Level.NAME_AND_SIZE, fits),
    ]
    assert (match["rating_key"], match["path"], match["matched_by"]) == (None, None, None)
    assert match["refusal"]
    assert (found["state"], found["queue"]["state"], found["queue"]["reason"]) == (
        "dead", "dead", "ambiguous",
    )  # fmt: skip
    (failure,) = found["queue"]["history"]
    assert failure == {
        "at": utc(desk.clock()), "reason": "ambiguous", "error": found["queue"]["error"],
    }  # fmt: skip
    assert found["why"] == f"It was given up after 1 try: {found['queue']['error']}"


def test_the_queue_of_a_key_that_is_due_later(make_desk):
    desk = make_desk()
    scene, _ = pair(desk)
    desk.app.store.queue.add("scene", scene.id, delay=90.0)
    found = explanation_json(explain_scene(desk.app, scene.id))
    assert found["queue"] == {
        "state": "waiting", "due_at": utc(desk.clock() + 90.0), "attempts": 0, "snoozes": 0,
        "reason": None, "error": None, "history": [],
    }  # fmt: skip


def test_a_synced_scene_whose_present_state_is_unknown(make_desk):
    desk = make_desk()
    scene, _ = pair(desk)
    desk.drain(scene)
    at = local(desk.clock())
    desk.clock.step(3 * 86_400)
    desk.plex.down()
    assert why(desk, scene) == (
        "unknown",
        f"It was last in sync at {at} and has not changed since. Its present state is unknown.",
    )
    found = explanation_json(explain_scene(desk.app, scene.id))
    assert found["last_sync"]["at"] == utc(desk.clock() - 3 * 86_400)
    assert found["match"]["rating_key"] == "1"


def test_a_scene_that_is_put_back_only_in_part_is_not_left_out(make_desk):
    desk = make_desk()
    scene, _ = pair(desk)
    desk.drain(scene)
    desk.app.store.connection.execute(
        "INSERT INTO undo (scene_id, held) VALUES (?, 'title')", (scene.id,)
    )
    known = explain_scene(desk.app, scene.id)
    assert known.state in ("in_sync", "differs")
    desk.app.store.connection.execute("UPDATE undo SET held = 'all'")
    assert why(desk, scene)[0] == "left_out"
    # What the user asked for again says more.
    desk.add(scene)
    assert why(desk, scene)[0] == "waiting"
