"""Pull the plug at every point: after the next run Plex equals Stash, and nothing was doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from stash2plex_testing.plex import Latency
from stash2plex_testing.stash import picture

SCENES = 6
POINTS = [
    f"{side}-{point}"
    for point in (
        "commit", "edit", "upload", "read", "request", "claim", "ack", "record", "reading", "index",
        "session",
    )
    for side in ("before", "after")
]  # fmt: skip
KILLER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "killed_at.py")


class Harbour:
    """A small library that changes before each kill."""

    def __init__(self, stage):
        self.stage = stage
        self.plugin = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
        self.version = 0
        for number in range(SCENES):
            stage.stash.add_scene(
                title="", details="x", files=[f"/data/pier-{number}.mp4"], cover=picture(number)
            )
            stage.plex.add_item(stage.section, file=f"/media/library/pier-{number}.mp4")

    def change(self):
        """Give every scene another title, and every second one another cover."""
        self.version += 1
        for number, scene in enumerate(self.stage.stash.scenes):
            scene.title = f"Pier {number}, {self.version}"
            if number % 2:
                scene.cover = picture(number + 100 * self.version)
            # The address of a cover changes with the second of the edit.
            scene.updated_at = f"2026-01-01T00:{self.version // 60:02}:{self.version % 60:02}Z"
        self.stage.operation("sync", scene_ids=[scene.id for scene in self.stage.stash.scenes])
        self.stage.plex.clear_log()

    def run(self, *prefix):
        return subprocess.Popen(
            [sys.executable, "-IS", *prefix, "process"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": self.plugin,
                "STASH2PLEX_STASH_URL": self.stage.stash.url,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def finish(self):
        """Run to the end, then compare."""
        process = self.run(os.path.join(self.plugin, "process_queue.py"))
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said.decode()
        titles = {item.title for item in self.stage.plex.all_items()}
        assert titles == {scene.title for scene in self.stage.stash.scenes}
        assert self.stage.rows("SELECT count(*) FROM queue") == [(0,)]
        assert self.stage.rows("SELECT count(*) FROM dead_letter") == [(0,)]
        unread = "SELECT count(*) FROM scene_record WHERE unread <> '{}' OR verified = 0"
        assert self.stage.rows(unread) == [(0,)]
        assert self.stage.rows("PRAGMA integrity_check") == [("ok",)]
        edits = Counter(
            record.query["id"][0] for record in self.stage.plex.requests if record.method == "PUT"
        )
        assert max(edits.values(), default=0) <= 2
        assert self.stage.plex.whole_library_edits == 0


@pytest.fixture(params=["append", "replace"])
def harbour(make_stage, request):
    stage = make_stage(0, settings={"background_worker": "off"}, latency=Latency(write=0.002))
    stage.plex.tag_semantics = request.param
    stage.operation("status")
    return Harbour(stage)


@pytest.mark.parametrize(
    "rounds", [(1,), pytest.param((1, 2, 3, 5, 8, 13, 21), marks=pytest.mark.nightly)]
)
def test_killed_at_every_named_point(harbour, rounds, record_property):
    killed = 0
    for point in POINTS:
        for number in rounds:
            harbour.change()
            process = harbour.run(KILLER, harbour.plugin, point, str(number))
            process.communicate(timeout=60)
            killed += process.returncode == -signal.SIGKILL
            harbour.finish()
    # Points that a small run does not reach so often end by themselves.
    record_property("kills", killed)
    assert killed >= len(POINTS) * len(rounds) * 0.5


@pytest.mark.parametrize("kills", [5, pytest.param(120, marks=pytest.mark.nightly)])
def test_killed_at_random_times(harbour, kills, record_property):
    chance = random.Random(kills)
    killed = tries = 0
    # A run that is over before its moment is none; a fast machine makes more of them.
    while killed < kills and tries < 4 * kills:
        tries += 1
        harbour.change()
        process = harbour.run(os.path.join(harbour.plugin, "process_queue.py"))
        time.sleep(chance.uniform(0.1, 0.5))
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        harbour.finish()
    record_property("kills", killed)
    assert killed == kills


def test_an_edit_whose_end_nobody_saw_is_not_taken_for_a_persons(make_stage):
    keep = {"background_worker": "off", "preserve_plex_edits": True}
    stage = make_stage(0, settings={**keep, "skip_fields": "poster background"})
    stage.operation("status")
    harbour = Harbour(stage)
    # Nothing was ever written, then all of it was: both are ours in the same way.
    for point in ("after-edit", "before-edit", "after-edit", "after-edit"):
        harbour.change()
        process = harbour.run(KILLER, harbour.plugin, point, "1")
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        harbour.change()
        harbour.finish()
