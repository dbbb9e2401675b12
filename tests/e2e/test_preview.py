"""Preview: what a sync would write, and not one write anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from stash2plex_testing.stash import picture

OFF = {"background_worker": "off"}
TABLES = ("queue", "dead_letter", "failure", "scene_record", "scene_link", "plex_section",
          "plex_file", "orphan", "drain", "outage", "breaker")  # fmt: skip


def stored(stage):
    return {table: stage.rows(f"SELECT * FROM {table}") for table in TABLES}


def command(stage, *arguments):
    """Run the archive's command line."""
    script = os.path.join(stage.stash.plugins_dir, "Stash2Plex", "process_queue.py")
    return subprocess.run(
        [sys.executable, "-S", script, *arguments],
        env={"PATH": os.environ["PATH"], "STASH2PLEX_STASH_URL": stage.stash.url},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def writes(stage):
    return stage.plex.count("PUT") + stage.plex.count("POST") + stage.plex.count("DELETE")


def test_a_preview_names_each_field_and_writes_nothing(make_stage):
    stage = make_stage(60, settings=OFF)
    lost = stage.stash.add_scene(title="Not scanned", files=["/data/new/not-scanned.mp4"])
    stage.operation("status")
    before = stored(stage)
    first = stage.operation("preview")
    assert writes(stage) == 0
    assert stored(stage) == before
    assert (first["seen"], first["changing"], first["shown"]) == (61, 60, 50)
    assert [one["scene_id"] for one in first["problems"]] == [lost.id]
    assert "not in Plex yet" in first["problems"][0]["error"]
    stage.plex.add_item(stage.section, file="/media/library/new/not-scanned.mp4")
    stage.run_task("Sync All Scenes")
    assert stage.wrong() == []

    item = stage.plex.all_items()[0]
    scene = stage.read_scenes()[0]
    held = item.title
    tags = [stage.stash.add_tag(name).id for name in ("Fog", "Tide & wind")]
    stage.edit(int(scene["id"]), title="A lantern at dusk", tag_ids=[str(one) for one in tags])
    gone = [tag["name"] for tag in scene["tags"]]
    stage.plex.clear_log()
    before = stored(stage)
    seen = stage.operation("preview", scene_id=int(scene["id"]))
    (shown,) = seen["scenes"]
    changes = {one["field"]: one for one in shown["fields"]}
    assert shown["rating_key"] == str(item.rating_key)
    assert (changes["title"]["held"], changes["title"]["becomes"]) == (held, "A lantern at dusk")
    assert changes["tags"]["added"] == ["Fog", "Tide & wind"]
    assert sorted(changes["tags"]["removed"]) == sorted(gone)
    assert shown["pictures"] == []

    # The settled ones cost no request: the list of the library, one read of one item.
    stage.plex.clear_log()
    stage.run_task("Preview Changes")
    assert stage.plex.count("GET", "/library/metadata/") == 1
    for form in (("--all",), ("--scene", scene["id"]), ("--recent",)):
        ran = command(stage, "--json", "sync", *form, "--dry-run")
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["changing"] == 1
    words = command(stage, "sync", "--all", "--dry-run").stdout
    assert "title" in words
    assert "“A lantern at dusk”" in words
    assert "Nothing was written." in " ".join(words.split())
    assert writes(stage) == 0
    assert stored(stage) == before
    assert "+ “Fog”, + “Tide & wind”" in stage.log_text()

    # What was said is what a sync then does.
    stage.run_task("Process Queue")
    assert stage.wrong() == []
    assert stage.operation("preview")["changing"] == 0


def test_a_preview_of_pictures_and_of_what_a_person_keeps(make_stage):
    stage = make_stage(0, settings={**OFF, "preserve_plex_edits": True})
    scene = stage.stash.add_scene(title="Quay", files=["/data/quay.mp4"], cover=picture(1))
    stage.plex.add_item(stage.section, file="/media/library/quay.mp4", summary="Plex's own")
    (shown,) = stage.operation("preview", scene_id=scene.id)["scenes"]
    assert shown["pictures"] == ["background", "poster"]
    stage.run_task("Sync All Scenes")
    next(iter(stage.items().values())).editTitle("By hand")
    stage.edit(scene.id, title="Quay at noon")
    seen = stage.operation("preview", scene_id=scene.id)
    assert (seen["changing"], seen["unchanged"]) == (0, 1)
    with pytest.raises(RuntimeError, match="Stash has no scene 99"):
        stage.operation("preview", scene_id=99)
    assert command(stage, "sync", "--scene", "99", "--dry-run").returncode == 2


def test_a_preview_with_plex_down_says_so(make_stage):
    stage = make_stage(1, settings=OFF)
    stage.plex.down()
    said = stage.said("preview")
    stage.plex.up()
    assert "refuses the connection" in said
    assert stage.queue()["pending"] == 0


def test_the_task_shows_fifty_scenes_and_says_how_many_there_are(make_stage):
    stage = make_stage(60, settings=OFF)
    shown = [f"Pier in colour {number}" for number in range(60)]
    for scene, title in zip(stage.stash.scenes, shown, strict=True):
        scene.title = title
    stage.run_task("Preview Changes")
    log = stage.log_text()
    assert sum(f"→ “{title}”" in log for title in shown) == 50
    assert "60 scenes of 60 would change" in log
    assert writes(stage) == 0
