"""Why a scene is where it is: the sentence for each place of its key, with Plex there and away."""

from __future__ import annotations

import re

from stash2plex.errors import Unavailable
from stash2plex.model import Field
from stash2plex.namelist import NameList
from stash2plex.operations.explain import explain_scene, explanation_json
from stash2plex.rules.desired import desired_state
from stash2plex.text import utc
from stash2plex.ui.lines.scenes import explanation_lines
from tests.harness.in_process import fill
from tests.support import present


def why(desk, scene):
    known = explain_scene(desk.app, scene.id)
    return known.state, re.sub(r"(at|since) \d[\d: -]+\d", r"\1 TIME", known.why)


def synced(desk):
    scene, _ = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.drain(scene)
    return scene


def fail(desk, **values):
    """Work on the one key that is due, without success."""
    (claim,) = desk.app.store.queue.claim(1, 60.0)
    given = {"delay": 90.0, "reason": "transient", "error": "Plex answered with half a page."}
    desk.app.store.queue.nack(claim, **{**given, **values})


def test_a_key_that_is_due_or_in_hand(make_desk):
    desk = make_desk()
    scene = synced(desk)
    assert why(desk, scene) == ("in_sync", "In sync since TIME.")
    desk.add(scene)
    said = "It is due. The worker or “Process Queue” sends it next."
    assert why(desk, scene) == ("waiting", said)
    desk.app.store.queue.claim(1, 60.0)
    assert why(desk, scene) == ("in_progress", "A worker is sending it now.")


def test_what_plex_holds_already_is_in_sync_though_nothing_was_written(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    item.title, item.texts["summary"] = scene.title, scene.details
    desk.app.open_session().index.refresh(NameList())
    state, words = why(desk, scene)
    assert (state, "nothing was written yet" in words) == ("in_sync", True)


def test_a_key_that_failed_says_how_often_and_what_happened(make_desk):
    desk = make_desk(max_retries=4)
    scene = synced(desk)
    desk.add(scene)
    fail(desk)
    tries = "1 of 4 tries failed, next try at TIME"
    said = f"It will be tried again ({tries}). Plex answered with half a page."
    assert why(desk, scene) == ("waiting", said)
    desk.clock.step(91)
    assert why(desk, scene)[1].startswith("It is due.")
    fail(desk, error="Plex answered with nothing.")
    known = explain_scene(desk.app, scene.id)
    assert "(2 of 4 tries failed" in known.why
    assert [one["error"] for one in explanation_json(known)["queue"]["history"]] == [
        "Plex answered with nothing.",
        "Plex answered with half a page.",
    ]
    lines = explanation_lines(known)
    assert [line for line in lines if "answered with" in line][1:] == lines[-2:]


def test_a_key_that_waits_without_a_failure_says_how_long(make_desk):
    desk = make_desk()
    scene = synced(desk)
    desk.app.store.queue.add("scene", scene.id, delay=90.0)
    assert why(desk, scene) == ("waiting", "It is due in 1 min 30 s.")


def test_a_key_that_waits_for_plex_to_have_its_file(make_desk):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4")
    desk.item("b/quay.mp4")
    desk.add(scene)
    desk.work(1)
    state, words = why(desk, scene)
    assert state == "waiting"
    assert words.startswith(
        "It waits for Plex to have its file (looked up 1 of 12 times, next try at TIME). "
        "“About a/pier.mp4” is not in Plex yet."
    )


def test_while_plex_is_away_every_key_waits_for_it(make_desk):
    desk = make_desk()
    scene = synced(desk)
    desk.add(scene)
    for _ in range(3):
        desk.app.store.breakers["plex"].failed(Unavailable("Plex", "Plex is asleep."), 1)
    assert why(desk, scene) == ("waiting", "It waits for Plex: Plex is asleep.")


def test_without_plex_it_says_whether_stash_has_changed_since(make_desk):
    desk = make_desk()
    scene, never = synced(desk), desk.scene("a/quay.mp4")
    desk.plex.down()
    since = "It was last in sync at TIME and has "
    assert why(desk, scene) == (
        "unknown", f"{since}not changed since. Its present state is unknown."
    )  # fmt: skip
    scene.title = "Edited unseen"
    assert why(desk, scene) == (
        "unknown", f"{since}changed in Stash since. Its present state is unknown."
    )  # fmt: skip
    lines = explanation_lines(explain_scene(desk.app, scene.id))
    assert any(line.startswith("Unknown at the moment. What Plex holds: Plex at") for line in lines)
    assert why(desk, never)[0] == "not_matched"
    desk.stash.down()
    assert why(desk, scene) == (
        "unknown",
        "It was last in sync at TIME. Its present state is unknown.",
    )
    said = "It was never synced, and what Plex holds is unknown now."
    assert why(desk, never) == ("unknown", said)


def test_what_was_written_to_another_item_says_nothing_of_this_one(make_desk):
    desk = make_desk()
    scene = synced(desk)
    shown = {one.name: one for one in explain_scene(desk.app, scene.id).fields}
    assert shown[Field.TITLE].written == scene.title
    desk.app.store.connection.execute("UPDATE scene_record SET rating_key = '99'")
    shown = {one.name: one for one in explain_scene(desk.app, scene.id).fields}
    assert (shown[Field.TITLE].written, shown[Field.TITLE].plex) == (None, scene.title)


def test_an_item_that_plex_has_no_more_is_not_known(make_desk):
    desk = make_desk()
    scene = synced(desk)
    desk.plex.trash_item(desk.plex.all_items()[0])
    known = explain_scene(desk.app, scene.id)
    assert known.state == "unknown"
    assert known.unknown == ["What Plex holds: it no longer has item 1."]
    settings = desk.app.settings()
    assert (
        known.fields[0].stash
        == desired_state(present(known.scene), settings).texts[known.fields[0].name]
    )


def test_what_a_person_changed_in_plex_differs_or_is_kept_and_equal_is_neither(make_desk):
    desk = make_desk()
    scene = synced(desk)
    desk.plex.all_items()[0].title = "By hand"

    def states():
        known = explain_scene(desk.app, scene.id)
        return known.state, {str(one.name): one.state for one in known.fields}

    state, fields = states()
    assert (state, fields["title"], fields["summary"]) == ("differs", "differs", "equal")
    assert fields["poster"] == "skipped"
    desk.restart(preserve_plex_edits=True)
    state, fields = states()
    assert (state, fields["title"], fields["summary"]) == ("in_sync", "kept", "equal")


def test_a_field_that_is_not_synced_is_shown_as_that(make_desk):
    desk = make_desk(skip_fields="poster background title")
    (scene,) = fill(desk, 1)
    views = {view.name: view.state for view in explain_scene(desk.app, scene.id).fields}
    assert views[Field.TITLE] == "skipped"
    assert views[Field.SUMMARY] != "skipped"


def test_before_the_library_is_listed_nothing_is_said_of_a_match(make_desk):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4")
    said = "Plex's library has not been listed yet; the next sync does that."
    assert why(desk, scene) == ("not_matched", said)


NOTHING_QUEUED: dict[str, object] = {
    "state": "none", "due_at": None, "attempts": 0, "snoozes": 0, "reason": None, "error": None,
    "history": [],
}  # fmt: skip


def rows(found):
    """Return the fields of an explanation as they are read: Stash, Plex, written, state."""
    return {
        row.pop("field"): tuple(row[key] for key in ("stash", "plex", "written", "state"))
        for row in found.pop("fields")
    }


def take_place(found):
    """Take out where the scene is in Plex, since when, and the user's choice."""
    names = ("since", "do", "machine_id", "rating_key", "library", "web", "choice")
    return {name: found.pop(name) for name in names}


def test_the_whole_explanation_for_machines(make_desk):
    desk = make_desk(skip_fields="poster background tags date director")
    scene, item = desk.scene("a/pier.mp4", rating100=80), desk.item("a/pier.mp4")
    desk.drain(scene)
    item.title = "By hand"
    found = explanation_json(explain_scene(desk.app, scene.id))
    fields = rows(found)
    where = {"rating_key": "1", "path": "/media/a/pier.mp4"}
    place, server = take_place(found), desk.app.store.plex_files.server()
    assert place == {
        "since": None, "do": None, "machine_id": server, "rating_key": "1",
        "library": "Harbour Films", "choice": None,
        "web": f"https://app.plex.tv/desktop/#!/server/{server}/details"
        "?key=%2Flibrary%2Fmetadata%2F1",
    }  # fmt: skip
    assert found == {
        "scene_id": 1,
        "title": "About a/pier.mp4",
        "path": "/data/a/pier.mp4",
        "state": "differs",
        "why": "Plex differs in title. Save the scene or sync it to write that.",
        "match": {
            **where, "matched_by": "the end of the path", "confidence": "high",
            "mapped_path": "/data/a/pier.mp4", "refusal": None, "shared_with": [],
            "candidates": [{**where, "size": 100, "level": "the end of the path", "why": None}],
        },
        "queue": NOTHING_QUEUED,
        "last_sync": {**where, "at": utc(desk.clock()), "matched_by": "the end of the path"},
        "unknown": [],
    }  # fmt: skip
    cover = scene_cover(fields)
    assert fields == {
        "title": ("About a/pier.mp4", "By hand", "About a/pier.mp4", "differs"),
        "summary": (*["Seen at a/pier.mp4."] * 3, "equal"),
        "rating": (8.0, 8.0, 8.0, "equal"),
        **dict.fromkeys(("studio", "tagline"), ("", "", "", "equal")),
        **dict.fromkeys(("performers", "collection"), ([], [], [], "equal")),
        **dict.fromkeys(("tags", "director"), (None, [], None, "skipped")),
        "date": (None, "", None, "skipped"),
        **dict.fromkeys(("poster", "background"), (cover, None, None, "skipped")),
    }


def scene_cover(fields):
    """Return the mark of the scene's cover, which both pictures have."""
    cover = fields["poster"][0]
    assert re.fullmatch(r"t=\d+", cover)
    return cover


def test_the_whole_explanation_of_a_scene_without_an_item(make_desk):
    desk = make_desk()
    scene = desk.scene("b/pier.mp4", size=200)
    desk.item("a/pier.mp4")
    desk.app.open_session().index.refresh(NameList())
    found = explanation_json(explain_scene(desk.app, scene.id))
    fields = rows(found)
    assert set(take_place(found).values()) <= {None, desk.app.store.plex_files.server()}
    refusal = (
        "“About b/pier.mp4” is not in Plex yet. No Plex file fits “/data/b/pier.mp4”. "
        "Of the same name but another folder and size: “/media/a/pier.mp4”."
    )
    only = {
        "rating_key": "1", "path": "/media/a/pier.mp4", "size": 100, "level": None,
        "why": "its size differs: 100 bytes, 200 in Stash",
    }  # fmt: skip
    assert found == {
        "scene_id": 1,
        "title": "About b/pier.mp4",
        "path": "/data/b/pier.mp4",
        "state": "not_matched",
        "why": refusal,
        "match": {
            "rating_key": None, "path": None, "matched_by": None, "confidence": None,
            "mapped_path": "/data/b/pier.mp4", "refusal": refusal, "shared_with": [],
            "candidates": [only],
        },
        "queue": NOTHING_QUEUED,
        "last_sync": None,
        "unknown": [],
    }  # fmt: skip
    assert fields["title"] == ("About b/pier.mp4", None, None, "unknown")
    assert fields["tags"] == ([], None, None, "unknown")
    assert {row[1] for row in fields.values()} == {None}


def test_a_key_that_waits_for_a_library_that_plex_does_not_list(make_desk):
    desk = make_desk()
    scene = synced(desk)
    desk.add(scene)
    (claim,) = desk.app.store.queue.claim(1, 60.0)
    waits = {"reason": "library", "error": "“Films” is not listed.", "title": "Pier"}
    desk.app.store.queue.snooze(claim, delay=300.0, counted=False, **waits)
    assert why(desk, scene) == (
        "waiting",
        "It waits for a Plex library (next try at TIME). “Films” is not listed.",
    )
