"""Pull the plug in the middle of an undo: the next run ends it, and nothing is lost."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys

import pytest

from stash2plex_testing.stash import picture

KILLER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "killed_at.py")
POINTS = ("commit", "edit", "choice", "read", "request", "claim", "ack", "undone")
SCENES = 4


def state(item):
    return copy.deepcopy(
        (
            item.title,
            {name: text for name, text in item.texts.items() if text},
            item.floats,
            {name: sorted(tags) for name, tags in item.tags.items() if tags},
            item.locked,
            {kind: one for kind, one in item.selected.items() if one},
        )
    )


@pytest.fixture
def quay(make_stage):
    """Give a stage whose items showed something before."""
    stage = make_stage(0, settings={"background_worker": "off"})
    stage.operation("status")
    for number in range(SCENES):
        stage.stash.add_scene(
            title=f"Pier {number}",
            details="x",
            rating100=80,
            files=[f"/data/pier-{number}.mp4"],
            cover=picture(number),
        )
        item = stage.plex.add_item(stage.section, file=f"/media/library/pier-{number}.mp4")
        item.texts["summary"] = "Before"
        item.tags["genre"] = ["Old"]
        item.offers["posters"] = ["media://frame.jpg"]
        item.selected["posters"] = "media://frame.jpg"
    return stage


def run(stage, *words):
    plugin = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    process = subprocess.Popen(
        [sys.executable, "-IS", *words],
        env={
            "PATH": os.environ["PATH"],
            "HOME": plugin,
            "STASH2PLEX_STASH_URL": stage.stash.url,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _, said = process.communicate(timeout=60)
    return process.returncode, said.decode()


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_at_every_named_point_of_a_sync_and_of_an_undo(quay, side):
    stage = quay
    plugin = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    script = os.path.join(plugin, "process_queue.py")
    before = [state(item) for item in stage.plex.all_items()]
    ids = [str(scene.id) for scene in stage.stash.scenes]
    chosen = [word for id_ in ids for word in ("--scene", id_)]
    killed = 0
    for point in POINTS:
        killer = (KILLER, plugin, f"{side}-{point}", "2")
        # The first sync is killed as well: what was there before must not be lost.
        killed += run(stage, *killer, "sync", *chosen)[0] == -signal.SIGKILL
        code, said = run(stage, script, "sync", *chosen)
        assert code == 0, said
        assert {item.title for item in stage.plex.all_items()} == {
            scene.title for scene in stage.stash.scenes
        }
        killed += run(stage, *killer, "undo", "--all")[0] == -signal.SIGKILL
        code, said = run(stage, script, "undo", "--all")
        assert code == 0, said
        assert [state(item) for item in stage.plex.all_items()] == before, point
        assert stage.rows("SELECT count(*) FROM queue") == [(0,)]
        assert stage.plex.whole_library_edits == 0
    assert killed >= len(POINTS)
