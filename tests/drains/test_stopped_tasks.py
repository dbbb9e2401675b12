"""A task that was stopped, and the next one that reports it; whether Stash has a job of it."""

from __future__ import annotations

import threading

import pytest

from stash2plex.operations.runs import find_own_job, running
from stash2plex.sync.stops import StopWatch, settle
from tests.harness.in_process import fill, listen

NAME = "Sync All Scenes"


@pytest.fixture
def job(make_desk):
    """A desk, and a job of a task that runs in its Stash until the end."""
    desk = make_desk()
    runs = threading.Event()

    def work(job):
        runs.set()
        job.cancelled.wait(60)

    job = desk.stash.queue_job(f"Running plugin task: {NAME}", work)
    assert runs.wait(10)
    yield desk, job
    job.cancel()


def begin(desk, scenes):
    begun = desk.app.store.runs.begin(NAME, find_own_job(desk.app, NAME), 20.0)
    keys = [("scene", one.id) for one in scenes]
    desk.app.store.queue.enqueue(keys, run_id=begun.id)
    return begun


def test_the_next_task_reports_the_one_that_was_stopped(job):
    desk, job = job
    begin(desk, fill(desk, 3))
    desk.stash.jobs.stop(job.id)
    job.wait()
    lines = listen(desk)
    with running(desk.app, "Process Queue", in_stash=False):
        pass
    assert any("stopped" in line and "3" in line for line in lines)


def test_a_stop_that_another_process_has_learnt_holds_nothing_twice(job):
    desk, job = job
    begun = begin(desk, fill(desk, 3))
    runs = desk.app.store.runs
    opened = runs.in_jobs(0)
    desk.stash.jobs.stop(job.id)
    job.wait()
    jobs = desk.app.stash.find_jobs([job.id])
    assert settle(runs, opened, jobs) == 3
    assert settle(runs, opened, jobs) == 0
    assert runs.read(begun.id).state == "stopped"


def test_a_stash_that_goes_while_it_is_asked_for_a_stop_settles_nothing(job):
    desk, _ = job
    begun = begin(desk, fill(desk, 1))
    watch = StopWatch(desk.app.store.runs, desk.clock.monotonic, 0)
    desk.stash.down()
    assert watch.step(desk.app.stash)
    watch.close()
    assert desk.app.store.runs.read(begun.id).state == "open"


def test_a_stash_that_is_away_has_no_job_of_ours(make_desk):
    desk = make_desk()
    desk.stash.down()
    assert find_own_job(desk.app, "Sync All Scenes") is None
