"""Tasks that are pressed beside a worker, in Stash's own processes."""

from __future__ import annotations

import re

import pytest

from stash2plex.lock import drain_runs
from stash2plex_testing.plex import Latency

OFF = {"background_worker": "off", "skip_fields": "poster background"}
TEXT = {"skip_fields": "poster background"}
SCENES = 40


@pytest.fixture
def make_harbour(make_stage):
    """Make a stage whose every scene is in Plex, has a title, and takes a while to write."""

    def make(scenes=SCENES, write=0.05, **settings):
        stage = make_stage(0, latency=Latency(write=write), settings={**TEXT, **settings})
        for number in range(1, scenes + 1):
            stage.stash.add_scene(title=f"Pier {number}", files=[f"/data/pier-{number}.mp4"])
            stage.plex.add_item(stage.section, file=f"/media/library/pier-{number}.mp4")
        return stage

    return make


def wake(stage):
    """Open Stash's page: its script starts a worker."""
    stage.operation("wake")
    stage.until(lambda: drain_runs(stage.data_dir))
    ((pid,),) = stage.until(
        lambda: stage.rows("SELECT pid FROM drain WHERE origin = 'background worker'")
    )
    return pid


def press(stage, name):
    return stage.job(stage.task(name))


def stop(stage, job):
    stage.graphql("mutation Stop($id: ID!) { stopJob(job_id: $id) }", id=str(job.id))
    job.wait(30)
    assert job.status == "CANCELLED"


def writes(stage):
    return stage.plex.count("PUT")


def infos(job):
    return [line.removeprefix("info: ") for line in job.log if line.startswith("info: ")]


def figures(job):
    """Read every count of scenes done that the job's lines told."""
    return [int(one) for one in re.findall(r"(\d+) (?:done|scenes? in sync)", "\n".join(job.log))]


def stop_half_way(stage, name="Sync All Scenes", number=8):
    """Press a task beside a worker and stop it; returns how many keys wait then."""
    job = press(stage, name)
    stage.until(lambda: writes(stage) >= number)
    stop(stage, job)
    stage.until(lambda: stage.rows("SELECT 1 FROM run WHERE state = 'stopped'"))
    # What was being written ends, the rest is given back.
    stage.until(lambda: stage.rows("SELECT count(*) FROM queue WHERE lease_id <> ''") == [(0,)])
    return stage.rows("SELECT count(*) FROM queue WHERE priority = 2")[0][0]


def rest(stage):
    """Wait until nothing is in hand or due, and no write is under way."""
    stage.until(lambda: not any(stage.queue()[name] for name in ("pending", "in_progress")))
