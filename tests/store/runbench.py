"""A queue and its runs on one database, and jobs of Stash that need no Stash."""

from __future__ import annotations

import pytest

from stash2plex.db import connect
from stash2plex.errors import Unavailable
from stash2plex.model import TaskJob
from stash2plex.servers.stash import Stash
from stash2plex.store.queue import Queue
from stash2plex.store.runs import Runs
from tests.support import ManualClock, present

ADDED = "2026-05-06T12:00:00.123456789+02:00"
NAME = "Sync All Scenes"


def task_job(number=1, status="RUNNING", description=f"Running plugin task: {NAME}", added=ADDED):
    return TaskJob(number, status, description, added)


class Jobs(Stash):
    """A Stash that is asked for jobs only."""

    def __init__(self, *jobs, down=False):
        self.jobs = list(jobs)
        self.down = down
        self.asked = 0

    def find_jobs(self, ids):
        self.asked += 1
        if self.down:
            raise Unavailable("Stash", "Stash refuses the connection.")
        return [job for job in self.jobs if job.id in ids]


class Bench:
    """Queue and runs on one database."""

    def __init__(self, path):
        self.clock = ManualClock()
        self.database = connect(path)
        self.queue = Queue(self.database, self.clock)
        self.runs = Runs(self.database, self.clock)

    def begin(self, job=None, name=NAME):
        return self.runs.begin(name, job, 20.0)

    def ask_for(self, begun, *ids):
        return self.queue.enqueue([("scene", id_) for id_ in ids], run_id=begun.id)

    def work(self, number=100):
        claims = self.queue.claim(number, 60.0)
        for claim in claims:
            self.queue.ack(claim)
        return [claim.id for claim in claims]

    def counted(self, begun):
        run = present(self.runs.read(begun.id))
        return run.queued, run.found, run.done, run.failed, run.later


@pytest.fixture
def bench(tmp_path):
    made = Bench(str(tmp_path / "stash2plex.db"))
    yield made
    made.database.close()
