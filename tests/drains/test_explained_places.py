"""Where a scene is, since when and what to do, and what is shown while a part of it is unknown."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import NotInPlexYet
from stash2plex.model import Field
from stash2plex.operations.explain import explain_scene, explanation_json, place_json
from stash2plex.operations.undo import Chosen, queue_undo
from stash2plex.store.item_choices import ItemChoice
from stash2plex.tasks.registry import find_task
from stash2plex.text import local, utc
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture
from stash2plex_testing.stash.faults import Fault as StashFault
from tests.page.conftest import Page


def pair(desk, path="a/pier.mp4", **values):
    return desk.scene(path, **values), desk.item(path)


def why(desk, scene):
    known = explain_scene(desk.app, scene.id)
    return known.state, known.why


def states(desk, scene):
    return {str(view.name): view.state for view in explain_scene(desk.app, scene.id).fields}


def stop(desk, name, *scenes):
    """Stop a task with these scenes due."""
    runs = desk.app.store.runs
    begun = runs.begin(name, None, 20.0)
    desk.app.store.queue.enqueue([("scene", scene.id) for scene in scenes], run_id=begun.id)
    assert runs.stop(begun.id) == len(scenes)


def test_a_scene_on_hold_names_the_task_and_a_due_one_beside_it_does_not(make_desk):
    desk = make_desk()
    first, second, third = (desk.scene(f"a/{one}.mp4") for one in range(3))
    stop(desk, "Sync All Scenes", first, second)
    desk.add(third)
    since = local(desk.clock())
    assert why(desk, first) == (
        "waiting",
        (
            f"It is on hold. “Sync All Scenes” was stopped at {since}; 2 scenes wait until you ask "
            "for them again: press “Sync All Scenes” or “Process Queue”."
        ),
    )
    assert why(desk, third) == (
        "waiting", "It is due. The worker or “Process Queue” sends it next.",
    )  # fmt: skip


def test_a_dead_letter_shows_its_tries_the_cure_and_since_when(make_desk):
    desk = make_desk()
    scene, _ = pair(desk)
    first = desk.clock()
    desk.app.store.queue.add("scene", scene.id)
    for number, kind in ((1, "nack"), (2, "bury")):
        (claim,) = desk.app.store.queue.claim(1, 60.0)
        given = {"reason": "rejected", "error": f"Plex says no, {number}."}
        if kind == "nack":
            desk.app.store.queue.nack(claim, delay=0.0, **given)
            desk.clock.step(10)
        else:
            desk.app.store.queue.bury(claim, title="Pier", **given)
    known = explain_scene(desk.app, scene.id)
    assert (known.state, known.why) == ("dead", "It was given up after 2 tries: Plex says no, 2.")
    place = place_json(known)
    assert place["since"] == utc(first + 10)
    assert place["do"] == "Read the error, correct the scene in Stash and save it."


def test_since_when_a_scene_is_in_sync_or_fails(make_desk):
    desk = make_desk()
    scene, _ = pair(desk)
    desk.drain(scene)
    synced = desk.clock()
    desk.clock.step(100)
    place = place_json(explain_scene(desk.app, scene.id))
    assert (place["since"], place["do"]) == (utc(synced), None)
    desk.add(scene)
    assert place_json(explain_scene(desk.app, scene.id))["since"] is None
    (claim,) = desk.app.store.queue.claim(1, 60.0)
    desk.app.store.queue.nack(claim, delay=90.0, reason="transient", error="Half a page.")
    desk.clock.step(7)
    place = place_json(explain_scene(desk.app, scene.id))
    assert (place["since"], place["do"]) == (utc(desk.clock() - 7), None)


def test_a_record_of_what_was_only_announced_is_no_sync(make_desk):
    desk = make_desk()
    scene, _ = pair(desk)
    desk.drain(scene)
    desk.app.store.connection.execute("UPDATE scene_record SET synced_at = 0")
    found = explanation_json(explain_scene(desk.app, scene.id))
    assert (found["state"], found["why"]) == (
        "in_sync", "Plex holds the same already, and nothing was written yet.",
    )  # fmt: skip
    assert (found["last_sync"], found["since"]) == (None, None)
    desk.plex.down()
    assert why(desk, scene) == (
        "unknown", "It was never synced, and what Plex holds is unknown now.",
    )  # fmt: skip


def test_a_scene_that_left_stash_with_and_without_an_item(make_desk):
    desk = make_desk()
    scene, _ = pair(desk)
    desk.drain(scene)
    desk.stash.core.library.destroy_scene(scene)
    known = explain_scene(desk.app, scene.id)
    assert (known.state, known.why, known.title) == (
        "gone", "Stash has no scene 1. Plex keeps what was written to its item.",
        "About a/pier.mp4",
    )  # fmt: skip
    found = explanation_json(known)
    assert (found["rating_key"], found["library"], found["match"], found["path"]) == (
        "1", "Harbour Films", None, None,
    )  # fmt: skip
    assert (known.unknown, known.fields[0].plex) == ([], "About a/pier.mp4")
    known = explain_scene(desk.app, 99)
    assert (known.state, known.why, known.title) == ("gone", "Stash has no scene 99.", "scene 99")
    assert (known.listed, known.choice) == (True, None)


def test_a_scene_that_stash_cannot_show_is_unknown_and_its_item_is_not(make_desk):
    desk = make_desk()
    scene, other = pair(desk)[0], desk.scene("a/quay.mp4")
    desk.drain(scene)
    desk.stash.faults.add(StashFault("graphql_error", scene=scene, times=None))
    known = explain_scene(desk.app, scene.id)
    assert known.scene is None
    (unknown,) = known.unknown
    assert unknown.startswith("What Stash holds: ")
    assert (known.state, known.title) == ("unknown", "About a/pier.mp4")
    assert known.why == (
        f"It was last in sync at {local(desk.clock())}. Its present state is unknown."
    )
    assert known.fields[0].plex == "About a/pier.mp4"
    assert explain_scene(desk.app, other.id).scene is not None


def test_an_item_that_plex_cannot_show_is_unknown(make_desk):
    desk = make_desk()
    scene, item = pair(desk)
    desk.drain(scene)
    desk.plex.faults.add(Fault("status", times=None, **scopes.item(item, "read")))
    known = explain_scene(desk.app, scene.id)
    (unknown,) = known.unknown
    assert unknown.startswith("What Plex holds: ")
    assert known.state == "unknown"
    assert explanation_json(known)["rating_key"] == "1"


def test_an_item_that_cannot_be_read_is_explained_as_unknown(make_desk):
    desk = make_desk()
    scenes = [desk.scene("a.mp4", size=1), desk.scene("b.mp4", size=2)]
    items = [desk.item("a.mp4", size=1), desk.item("b.mp4", size=2)]
    desk.drain(*scenes)
    desk.plex.faults.add(Fault("status", times=None, **scopes.item(items[0], "read")))
    known = explain_scene(desk.app, scenes[0].id)
    assert (known.state, len(known.unknown)) == ("unknown", 1)
    assert known.unknown[0].startswith("What Plex holds: ")
    assert explain_scene(desk.app, scenes[1].id).unknown == []


def test_without_a_plex_the_scene_is_shown_and_why_plex_is_not(make_desk):
    desk = make_desk(plex_url="")
    scene = desk.scene("a/pier.mp4", rating100=80)
    known = explain_scene(desk.app, scene.id)
    (unknown,) = known.unknown
    assert unknown.startswith("What Plex holds: ")
    assert (known.state, known.look, known.machine_id, known.library) == (
        "unknown", None, None, None,
    )  # fmt: skip
    shown = {view.name: (view.stash, view.plex, view.state) for view in known.fields}
    assert shown[Field.TITLE] == ("About a/pier.mp4", None, "unknown")
    assert shown[Field.RATING] == (8.0, None, "unknown")
    assert place_json(known) == {
        "since": None, "do": None, "machine_id": None, "rating_key": None, "library": None,
        "web": None, "choice": None,
    }  # fmt: skip


def test_a_scene_without_metadata_or_left_out_by_a_setting_is_left_alone(make_desk):
    desk = make_desk(only_organized=True)
    bare = desk.scene("a/bare.mp4", title="", details="", organized=True)
    loose = desk.scene("a/loose.mp4", organized=False)
    assert why(desk, bare) == ("left_out", "It has no metadata yet, so Plex is left alone.")
    assert why(desk, loose)[0] == "left_out"
    assert why(desk, loose)[1].startswith("It is not synced: ")


def test_a_choice_of_the_user_is_shown_with_its_item(make_desk):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4")
    for path in ("x/pier.mp4", "y/pier.mp4"):
        desk.item(path)
    desk.drain(scene)
    assert place_json(explain_scene(desk.app, scene.id))["choice"] is None
    chosen = ItemChoice("/data/a/pier.mp4", "/media/y/pier.mp4", scene.id, desk.clock())
    desk.app.store.choices.keep(chosen)
    place = place_json(explain_scene(desk.app, scene.id))
    assert place["choice"] == {
        "rating_key": "2", "path": "/media/y/pier.mp4", "at": utc(desk.clock()),
    }  # fmt: skip
    desk.app.store.connection.execute("DELETE FROM plex_file")
    assert place_json(explain_scene(desk.app, scene.id))["choice"]["rating_key"] == ""


def test_twenty_candidates_are_shown(make_desk):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4")
    for number in range(22):
        desk.item(f"{number:02}/pier.mp4")
    desk.drain(scene)
    match: Any = explanation_json(explain_scene(desk.app, scene.id))["match"]
    assert len(match["candidates"]) == 20
    assert match["candidates"][0]["why"]


def test_what_plex_spells_differently_or_does_not_keep_is_neither_equal_nor_different(make_desk):
    desk = make_desk(skip_fields="")
    scene, item = pair(
        desk, director="Ada", performers=[desk.stash.add_performer("Performer 17")],
        cover=picture(1), rating100=80,
    )  # fmt: skip
    desk.drain(scene)
    fields = states(desk, scene)
    assert set(fields.values()) == {"equal"}
    item.tags["actor"] = ["PERFORMER 17"]
    desk.app.store.connection.execute(
        "UPDATE scene_record SET shown = json_set(shown, '$.title', 'About A/Pier.mp4')"
    )
    item.title = "About A/Pier.mp4"
    fields = states(desk, scene)
    assert (fields["title"], fields["performers"]) == ("spelling", "spelling")
    assert (fields["rating"], fields["poster"], fields["summary"]) == ("equal", "equal", "equal")
    desk.app.store.connection.execute(
        "INSERT INTO server_trait SELECT meta.value, 'loses', f.value, '1', 1.0 FROM meta,"
        " json_each('[\"title\", \"poster\"]') AS f WHERE name = 'plex_machine_id'"
    )
    fields = states(desk, scene)
    assert (fields["title"], fields["performers"]) == ("not_kept", "spelling")
    assert (fields["poster"], fields["background"]) == ("not_kept", "equal")
    desk.clock.step(5)
    desk.stash.generate_cover(scene, picture(2))
    fields = states(desk, scene)
    assert (fields["poster"], fields["background"]) == ("differs", "differs")


def test_pictures_are_shown_by_cover_and_by_what_was_sent(make_desk):
    desk = make_desk(skip_fields="background")
    scene, _ = pair(desk, cover=picture(1))
    views = {view.name: view for view in explain_scene(desk.app, scene.id).fields}
    assert (views[Field.POSTER].state, views[Field.POSTER].written) == ("differs", None)
    assert views[Field.BACKGROUND].state == "skipped"
    desk.drain(scene)
    known = explain_scene(desk.app, scene.id)
    (row,) = desk.rows("SELECT poster_hash, background_hash FROM scene_record")
    views = {view.name: view for view in known.fields}
    assert known.scene is not None
    assert (views[Field.POSTER].stash, views[Field.POSTER].plex, views[Field.POSTER].written) == (
        known.scene.cover_tag, None, row[0],
    )  # fmt: skip
    assert row[0]
    desk.stash.down()
    views = {view.name: view for view in explain_scene(desk.app, scene.id).fields}
    assert (views[Field.POSTER].state, views[Field.POSTER].stash) == ("unknown", None)


def test_what_plex_has_beside_an_empty_field_is_not_ours(make_desk):
    desk = make_desk()
    scene, item = pair(desk)
    desk.drain(scene)
    item.tags["director"], item.texts["tagline"] = ["Ada"], "At dusk"
    item.floats["userRating"] = 4.0
    fields = states(desk, scene)
    assert [fields[name] for name in ("director", "tagline", "rating", "studio", "tags")] == [
        "not_ours", "not_ours", "not_ours", "equal", "equal",
    ]  # fmt: skip


def test_several_fields_that_differ_and_several_that_are_kept_are_named(make_desk):
    desk = make_desk(preserve_plex_edits=True)
    scene, item = pair(desk, director="Ada")
    desk.drain(scene)
    item.title, item.texts["summary"] = "By hand", "By hand too"
    kept = " Kept as you edited them in Plex: title, summary."
    assert why(desk, scene) == ("in_sync", f"In sync since {local(desk.clock())}.{kept}")
    scene.director, scene.rating100 = "Grace", 60
    assert why(desk, scene) == (
        "differs",
        "Plex differs in rating, director. Save the scene or sync it to write that." + kept,
    )


def test_a_key_that_waits_shows_its_reason_whatever_its_error(make_desk):
    desk = make_desk()
    scene, _ = pair(desk)
    desk.drain(scene)
    at = local(desk.clock() + 300.0)
    for reason, said in (
        (
            NotInPlexYet.reason,
            f"Plex to have its file (looked up 1 of 12 times, next try at {at}).",
        ),
        ("library", f"a Plex library (next try at {at})."),
    ):
        desk.app.store.queue.clear_waiting()
        desk.add(scene)
        (claim,) = desk.app.store.queue.claim(1, 60.0)
        counted = reason == NotInPlexYet.reason
        desk.app.store.queue.snooze(
            claim, delay=300.0, counted=counted, reason=reason, error="", title=""
        )
        assert why(desk, scene) == ("waiting", f"It waits for {said}")


def test_a_scene_that_is_to_be_put_back_while_a_worker_has_it(make_desk):
    desk = make_desk()
    scenes = [pair(desk, f"a/{one}.mp4")[0] for one in range(2)]
    desk.drain(*scenes)
    queue_undo(desk.app, Chosen(scene_ids=[scenes[1].id]))
    desk.app.store.queue.claim(5, 60.0)
    said = "It is to be put back. The worker does that next."
    assert why(desk, scenes[1]) == ("waiting", said)
    assert why(desk, scenes[0])[0] == "in_sync"


def test_a_scene_that_is_to_be_put_back_waits_for_that(make_desk):
    desk = make_desk()
    scene, _ = desk.scene("a.mp4"), desk.item("a.mp4")
    desk.drain(scene)
    call = Page(desk.app).make_call({"scene_ids": [scene.id]})
    assert find_task("undo").run(call)["queued"] == 1
    known = explain_scene(desk.app, scene.id)
    assert (known.state, known.why) == (
        "waiting", "It is to be put back. The worker does that next.",
    )  # fmt: skip
    desk.drain()
    known = explain_scene(desk.app, scene.id)
    assert (known.state, known.why) == (
        "left_out", f"It was put back. Sync scene {scene.id} to send it again.",
    )  # fmt: skip
