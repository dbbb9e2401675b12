"""The scene operation and command: why a scene is where it is."""

from __future__ import annotations

import json

import pytest

from tests.e2e.test_preview import command

OFF = {"background_worker": "off"}
TEXT_ONLY = {**OFF, "skip_fields": "poster background"}
SHAPE = {
    "scene_id", "title", "path", "state", "why", "match", "queue", "last_sync", "fields", "unknown",
    "since", "do", "machine_id", "rating_key", "library", "web", "choice",
}  # fmt: skip


def fields(explained):
    return {one["field"]: one for one in explained["fields"]}


def test_a_scene_explains_itself_from_the_first_look_to_the_last(make_stage):
    stage = make_stage(0, settings=TEXT_ONLY)
    tag = stage.stash.add_tag("Fog")
    scene = stage.stash.add_scene(title="Quay", files=["/data/a/quay.mp4"], tags=[tag])
    item = stage.plex.add_item(stage.section, file="/media/library/a/quay.mp4")
    early = stage.operation("scene", scene_id=scene.id)
    assert (early["state"], "not been listed yet" in early["why"]) == ("not_matched", True)
    stage.run_task("Sync All Scenes")

    explained = stage.operation("scene", scene_id=scene.id)
    assert set(explained) == SHAPE
    assert set(explained["match"]) == {
        "rating_key", "path", "matched_by", "confidence", "mapped_path", "refusal", "shared_with",
        "candidates",
    }  # fmt: skip
    assert set(explained["queue"]) == {
        "state", "due_at", "attempts", "snoozes", "reason", "error", "history",
    }  # fmt: skip
    assert set(explained["last_sync"]) == {"at", "rating_key", "path", "matched_by"}
    assert explained["state"] == "in_sync"
    assert explained["match"]["rating_key"] == str(item.rating_key)
    assert explained["match"]["candidates"][0]["path"] == "/media/library/a/quay.mp4"
    assert fields(explained)["tags"] == {
        "field": "tags", "stash": ["Fog"], "plex": ["Fog"], "written": ["Fog"], "state": "equal",
    }  # fmt: skip
    assert fields(explained)["poster"]["state"] == "skipped"

    next(iter(stage.items().values())).addCollection("Favourites")
    assert fields(stage.operation("scene", scene_id=scene.id))["collection"]["state"] == "not_ours"

    # A person edits in Plex; by the words of the page that is a difference, and kept if wished.
    next(iter(stage.items().values())).editTitle("By hand")
    assert fields(stage.operation("scene", scene_id=scene.id))["title"]["state"] == "differs"
    stage.configure(**TEXT_ONLY, preserve_plex_edits=True)
    kept = stage.operation("scene", scene_id=scene.id)
    assert fields(kept)["title"]["state"] == "kept"
    assert (kept["state"], "Kept as you edited them" in kept["why"]) == ("in_sync", True)

    stage.edit(scene.id, title="Quay at noon")
    assert stage.operation("scene", scene_id=scene.id)["state"] == "waiting"
    stage.plex.down()
    down = stage.operation("scene", scene_id=scene.id)
    stage.plex.up()
    assert "refuses the connection" in down["unknown"][0]
    assert fields(down)["title"]["stash"] == "Quay at noon"
    assert fields(down)["title"]["plex"] is None
    stage.run_task("Process Queue")

    shown = command(stage, "scene", str(scene.id))
    assert shown.returncode == 0
    for words in ("In sync since", "Last written", "By hand", "confidence"):
        assert words in " ".join(shown.stdout.split())
    assert json.loads(command(stage, "--json", "scene", str(scene.id)).stdout)["match"]
    assert stage.operation("scene", scene_id=99)["state"] == "gone"
    with pytest.raises(RuntimeError, match="“scene_id” is missing"):
        stage.operation("scene")
    with pytest.raises(RuntimeError, match="“scene_id” is"):
        stage.operation("scene", scene_id="1 OR 1")
    stage.stash.stop()
    dark = command(stage, "--json", "--data-dir", stage.data_dir, "scene", str(scene.id))
    stage.stash.start()
    assert dark.returncode == 0, dark.stderr
    assert json.loads(dark.stdout)["state"] == "unknown"


def test_why_a_scene_is_not_sent(make_stage):
    stage = make_stage(0, settings={**TEXT_ONLY, "exclude_tags": "Fog"})
    fog = stage.stash.add_tag("Fog")
    out = stage.stash.add_scene(title="Out", files=["/data/out.mp4"], tags=[fog])
    bare = stage.stash.add_scene(title="", files=["/data/bare.mp4"])
    lost = stage.stash.add_scene(title="Lost", files=["/data/lost.mp4"])
    twins = stage.stash.add_scene(title="Twins", files=["/data/a/twins.mp4"])
    for folder in ("one", "two"):
        stage.plex.add_item(stage.section, file=f"/media/{folder}/a/twins.mp4")
    stage.run_task("Sync All Scenes")

    def why(scene):
        explained = stage.operation("scene", scene_id=scene.id)
        return explained["state"], explained["why"]

    assert why(out) == ("left_out", "It is not synced: it has the tag “Fog” (Exclude tags).")
    assert why(bare)[0] == "left_out"
    state, words = why(lost)
    assert state == "waiting"
    assert "of 12 times, next try at" in words
    state, words = why(twins)
    assert state == "dead"
    assert "fits 2 Plex items equally well" in words
    explained = stage.operation("scene", scene_id=twins.id)
    assert len(explained["match"]["candidates"]) == 2
    assert explained["queue"]["history"][0]["reason"] == "ambiguous"
    stage.operation("discard", scene_ids=[twins.id])
    assert why(twins)[0] == "not_matched"
