"""Stop beside a drain of this process, which reads, writes and enqueues on the test's clock."""

from __future__ import annotations

import io
import threading

import pytest

from stash2plex.operations.enqueue import enqueue_all
from stash2plex.operations.runs import find_own_job
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex.tasks.sync import sync_all
from stash2plex.tasks.task import Call
from stash2plex.workqueue import HELD

NAME = "Sync All Scenes"


@pytest.fixture
def pressed():
    """Press a task whose process does nothing until it is stopped; Stash has a job of it."""
    jobs = []

    def press(desk, name=NAME):
        runs = threading.Event()

        def work(job):
            runs.set()
            job.cancelled.wait(60)

        job = desk.stash.queue_job(f"Running plugin task: {name}", work)
        jobs.append(job)
        assert runs.wait(10)
        return job

    yield press
    for job in jobs:
        job.cancel()


def held(desk):
    return desk.rows("SELECT count(*) FROM queue WHERE priority = ?", HELD)[0][0]


def begin(desk, name=NAME):
    app = desk.app
    return app.store.runs.begin(name, find_own_job(app, name), 20.0)


def ask_for(desk, number, pressed):
    """Press a task that queues new scenes, which Plex has; returns its job."""
    paths = [f"{at}.mp4" for at in range(number)]
    keys = [("scene", desk.scene(path).id) for path in paths]
    for path in paths:
        desk.item(path)
    job = pressed(desk)
    desk.app.store.queue.enqueue(keys, run_id=begin(desk).id)
    return job


def stop(desk, job):
    desk.stash.jobs.stop(job.id)
    assert job.wait().status == "CANCELLED"


def test_a_stop_in_the_middle_of_ten_thousand_scenes_holds_what_was_queued(make_desk, pressed):
    desk = make_desk()
    for number in range(10_000):
        desk.scene(f"{number}.mp4")
    job = pressed(desk)
    begun = begin(desk)
    desk.app.sweeper.run_id = begun.id
    asked = desk.app.stash.scene_page
    pages = []

    class Killed(Exception):
        """The SIGKILL that Stash sends."""

    def page(*arguments):
        pages.append(arguments)
        if len(pages) == 5:
            raise Killed
        return asked(*arguments)

    desk.app.stash.scene_page = page
    with pytest.raises(Killed):
        enqueue_all(desk.app)
    stop(desk, job)
    desk.restart()
    desk.work(30)
    assert held(desk) == 4_000
    assert desk.plex.count("PUT") == 0
    assert desk.rows("SELECT state, queued, held FROM run WHERE id = ?", begun.id) == [
        ("stopped", 4_000, 4_000)
    ]


def test_a_stop_while_plex_is_down_is_learnt_before_it_is_back(make_desk, pressed):
    desk = make_desk()
    job = ask_for(desk, 5, pressed)
    desk.plex.down()
    desk.work(20)
    stop(desk, job)
    # Stash forgets a job after ten more; by then the stop is known.
    desk.work(20)
    for _ in range(12):
        desk.stash.queue_job("Scanning...", lambda _: None).wait()
    desk.plex.up()
    desk.work(600)
    assert held(desk) == 5
    assert desk.plex.count("PUT") == 0


def test_a_stash_that_is_away_is_no_stop(make_desk, pressed):
    desk = make_desk()
    scene = desk.scene("a.mp4")
    desk.item("a.mp4")
    pressed(desk)
    begun = begin(desk)
    desk.app.store.queue.enqueue([("scene", scene.id)], run_id=begun.id)
    desk.stash.down()
    desk.work(30)
    assert held(desk) == 0
    desk.stash.up()
    desk.restart()
    desk.work(60)
    assert desk.titles() == [scene.title]


def test_the_clock_and_plex_take_nothing_up_that_was_stopped(make_desk, pressed):
    desk = make_desk(reconcile_interval="hourly")
    scenes = [desk.scene(f"{number}.mp4") for number in range(3)]
    job = pressed(desk)
    begun = begin(desk)
    desk.app.store.queue.enqueue([("scene", one.id) for one in scenes], run_id=begun.id)
    stop(desk, job)
    desk.work(10)
    for number in range(3):
        desk.item(f"{number}.mp4")
    # The library moves, an hour and a day pass, a setting changes.
    desk.work(2 * 3600, grain=5.0)
    desk.clock.step(86_400)
    desk.work(120)
    desk.restart(max_tags=7)
    desk.work(120)
    assert held(desk) == 3
    assert desk.plex.count("PUT") == 0


def test_a_drain_of_the_command_line_heeds_the_stop_of_a_task(make_desk, pressed):
    desk = make_desk()
    job = ask_for(desk, 4, pressed)
    own = desk.app.store.runs.begin("stash2plex process", None, 20.0)
    stop(desk, job)
    goal = Foreground("command line", run_id=own.id)
    summary = desk.app.drain(goal, Silent(), lambda: False)
    assert held(desk) == 4
    assert (
        "4 on hold, because a task was stopped (scene 1, scene 2, scene 3 and 1 more)."
        in summary.sentence()
    )


def test_a_task_that_was_not_stopped_ends_its_run(make_desk, pressed):
    desk = make_desk()
    scene = desk.scene("a.mp4")
    desk.item("a.mp4")
    pressed(desk)
    call = Call(desk.app, {}, {"Port": 1}, "", desk.app.logs.logger, io.StringIO())
    assert sync_all(call) == f"{NAME}: 1 scene in sync after 0 s."
    assert desk.titles() == [scene.title]
    assert desk.rows("SELECT state, done, job_id FROM run WHERE id = 1") == [("ended", 1, 1)]
