"""How long a worker lives and waits, on a clock that the test turns."""

from __future__ import annotations

import io
import logging

import pytest

from stash2plex.errors import ConfigError, Refused, Unavailable
from stash2plex.lock import drain_lock
from stash2plex.store.dead_letters import DeadLetters
from stash2plex.store.outages import read_outages
from stash2plex.sync.goals import Background, Foreground
from stash2plex.sync.observer import Silent
from stash2plex.tasks.sync import process_queue
from stash2plex.tasks.task import Call
from stash2plex_testing.plex import Fault
from tests.support import ManualClock

BACKGROUND = Background("background worker", patience=120.0)
FOREGROUND = Foreground("Process Queue")


@pytest.fixture
def workshop(open_beside):
    def make(stage):
        clock = ManualClock()
        return open_beside(stage, clock), clock

    return make


def drain(app, goal):
    return app.drain(goal, Silent(), lambda: False)


def test_an_idle_worker_goes_after_a_quarter_of_an_hour(make_stage, workshop):
    app, clock = workshop(make_stage(2))
    start = clock.now
    summary = drain(app, BACKGROUND)
    assert 900 <= clock.now - start < 920
    assert summary.gave_up is None


def test_a_worker_stays_while_something_is_due_soon(make_stage, workshop):
    stage = make_stage(1)
    app, clock = workshop(stage)
    app.store.queue.add("scene", 1, delay=600.0)
    clock.at[clock.now + 700] = lambda: None
    start = clock.now
    drain(app, BACKGROUND)
    assert clock.now - start >= 1500
    assert app.store.queue.counts().pending == 0
    assert stage.wrong() == []


def test_a_worker_goes_when_stash_is_gone_and_keeps_the_queue(make_stage, workshop):
    stage = make_stage(2)
    app, clock = workshop(stage)
    app.store.queue.add("scene", 1)
    stage.stash.down()
    start = clock.now
    summary = drain(app, BACKGROUND)
    assert 120 <= clock.now - start < 200
    assert "Stash" in summary.gave_up
    assert app.store.queue.counts().pending == 1


def test_process_queue_gives_up_after_five_minutes(make_stage, workshop):
    stage = make_stage(3)
    app, clock = workshop(stage)
    app.store.queue.add("scene", 1)
    stage.plex.down()
    start = clock.now
    summary = drain(app, FOREGROUND)
    assert 300 <= clock.now - start < 330
    assert isinstance(summary.error, Unavailable)
    assert "nothing is lost" in summary.sentence()
    assert app.store.queue.counts().pending == 1


def test_a_refused_token_stops_at_once_and_a_new_one_is_taken_up(make_stage, workshop):
    stage = make_stage(3)
    stage.configure(plex_token="stale")
    app, clock = workshop(stage)
    app.store.queue.add("scene", 1)
    summary = drain(app, FOREGROUND)
    assert isinstance(summary.error, Refused)
    assert app.store.queue.counts().pending == 1
    clock.at[clock.now + 100] = stage.configure
    drain(app, BACKGROUND)
    assert app.store.queue.counts().pending == 0
    assert stage.rows("SELECT count(*) FROM dead_letter") == [(0,)]


def test_a_setting_that_cannot_be_used_stops_a_task_and_holds_a_worker(make_stage, workshop):
    stage = make_stage(3)
    stage.configure(plex_library="Nowhere")
    app, clock = workshop(stage)
    app.store.queue.add("scene", 1)
    summary = drain(app, FOREGROUND)
    assert isinstance(summary.error, ConfigError)
    clock.at[clock.now + 60] = stage.configure
    drain(app, BACKGROUND)
    assert app.store.queue.counts().pending == 0


def test_a_worker_that_is_switched_off_ends_before_it_sends(make_stage, workshop):
    stage = make_stage(2)
    stage.configure(background_worker="off")
    app, _ = workshop(stage)
    app.store.queue.add("scene", 1)
    assert drain(app, BACKGROUND).gave_up == "Background worker is off."
    assert stage.plex.count() == 0
    assert not app.settings_reader.worker_wanted()
    assert drain(app, FOREGROUND).progress.done == 1


def test_a_worker_whose_log_in_stash_refuses_ends_at_once(make_stage, workshop):
    stage = make_stage(2, username="keeper", password="lantern")
    app, clock = workshop(stage)
    app.store.queue.add("scene", 1)
    start = clock.now
    assert "API key" in drain(app, BACKGROUND).gave_up
    assert clock.now - start < 5
    assert app.store.queue.counts().pending == 1


def test_twelve_looks_for_a_scene_that_plex_does_not_have(make_stage, workshop):
    stage = make_stage(1)
    scene = stage.stash.add_scene(title="Lost at sea", files=["/data/lost.mp4"])
    app, clock = workshop(stage)
    app.store.queue.add("scene", scene.id)
    start = clock.now
    drain(app, BACKGROUND)
    (letter,) = DeadLetters(app.store.connection).page(5)
    assert (letter.title, letter.reason) == ("Lost at sea", "not_in_plex")
    assert "“/data/lost.mp4”" in letter.error
    assert clock.now - start > 1500
    assert stage.rows("SELECT count(*) FROM outage") == [(0,)]
    assert stage.rows("SELECT count(*) FROM failure") == [(12,)]


def test_a_poisoned_scene_is_given_up_and_the_others_go_through(make_stage, workshop):
    stage = make_stage(0)
    for number in range(6):
        stage.stash.add_scene(title=f"Pier {number}", files=[f"/data/pier-{number}.mp4"])
        stage.plex.add_item(stage.section, file=f"/media/library/pier-{number}.mp4")
    app, clock = workshop(stage)
    stage.plex.faults.add(Fault("status", method="PUT", query={"id": "3"}, status=500, times=None))
    app.store.queue.add_many([("scene", number) for number in range(1, 7)])
    for _ in range(30):
        drain(app, FOREGROUND)
        clock.now += 130
        for scene in stage.stash.scenes:
            scene.title += "."
        app.store.queue.add_many([("scene", number) for number in (1, 2, 4, 5, 6)])
        if app.store.queue.counts().dead:
            break
    assert [letter.id for letter in DeadLetters(app.store.connection).page(5)] == [3]


def test_an_edit_in_mid_run_is_not_lost(make_stage, workshop):
    stage = make_stage(4)
    app, _ = workshop(stage)
    app.store.queue.add_many([("scene", number) for number in range(1, 5)])
    (first,) = app.store.queue.claim(1, 60.0)
    app.store.queue.add("scene", first.id)
    assert app.store.queue.ack(first)
    drain(app, FOREGROUND)
    assert stage.wrong() == []


def test_a_missing_address_costs_one_small_question_in_five_seconds(make_stage, workshop):
    stage = make_stage(1)
    stage.configure(plex_url="")
    app, clock = workshop(stage)
    app.store.queue.add("scene", 1)
    stage.stash.clear_log()
    clock.at[clock.now + 600] = stage.configure
    drain(app, Background("background worker", idle=700.0))
    assert app.store.queue.counts().pending == 0
    assert 100 <= stage.stash.count(operation="query Stored") <= 130


def test_a_task_leaves_the_job_slot_within_a_minute_while_a_worker_goes_on(make_stage, workshop):
    stage = make_stage(3)
    app, clock = workshop(stage)
    app.store.queue.add("scene", 1)
    stage.plex.down()
    for choice, connection, words, seconds in (
        ("auto", {"Dir": stage.stash.config_dir}, "carries on without you", (45, 60)),
        ("auto", {}, "run the task again", (300, 330)),
        ("off", {"Dir": stage.stash.config_dir}, "run the task again", (300, 330)),
    ):
        stage.configure(background_worker=choice)
        # Nobody drains but this process: the worker that is left behind is another test's.
        lock = drain_lock(app.folder)
        call = Call(app, {}, connection, stage.data_dir, logging.getLogger("quiet"), io.StringIO())
        start = clock.now
        with pytest.raises(Unavailable, match=words):
            process_queue(call)
        assert seconds[0] <= clock.now - start < seconds[1]
        stage.until(lock.acquire)
        lock.release()
    assert app.store.queue.counts().pending == 1


def test_a_token_that_is_mended_counts_without_a_press(make_stage, workshop):
    stage = make_stage(3)
    stage.configure(plex_token="stale")
    app, clock = workshop(stage)
    app.store.queue.add("scene", 1)
    start = clock.now
    mended = []
    clock.at[start + 200] = stage.configure
    clock.at[start + 210] = lambda: mended.append(app.store.queue.counts().pending)
    drain(app, BACKGROUND)
    assert mended == [0]
    (outage,) = read_outages(app.store.connection)
    assert (outage.kind, bool(outage.cured)) == ("login", True)


def test_a_change_that_another_process_saw_first_leaves_nothing_of_the_failure(
    make_stage, workshop
):
    stage = make_stage(3)
    stage.configure(plex_token="stale")
    app, _ = workshop(stage)
    app.store.queue.add("scene", 1)
    drain(app, FOREGROUND)
    assert app.store.breakers["plex"].read().refused
    stage.configure()
    stage.operation("queue_status")
    assert app.store.breakers["plex"].read().state == "closed"
    assert drain(app, FOREGROUND).error is None
