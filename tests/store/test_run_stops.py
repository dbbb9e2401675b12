"""Stops: which runs were stopped, which keys wait for it, and what the user reads of it."""

from __future__ import annotations

import pytest

from stash2plex.hook import NOTICES_SQL
from stash2plex.model import TaskJob
from stash2plex.operations.notifications import held_sentence, notification_lines
from stash2plex.servers.jobs import jobs_query, read_jobs
from stash2plex.servers.wire import make_converter
from stash2plex.store.key_state import read_key_state
from stash2plex.store.runs import Held
from stash2plex.sync.stops import ASK_SECONDS, StopWatch, look, own_job
from stash2plex.workqueue import URGENT
from tests.store.runbench import ADDED, NAME, Jobs, task_job
from tests.support import present


def held_ids(bench):
    return [row[0] for row in bench.database.execute("SELECT id FROM queue WHERE priority = 2")]


def stopped_run(bench, *ids):
    begun = bench.begin(task_job())
    bench.ask_for(begun, *ids)
    look(bench.runs, Jobs(task_job(status="CANCELLED")))
    return begun


@pytest.mark.parametrize(
    ("jobs", "state"),
    [
        ([task_job(status="CANCELLED")], "stopped"),
        ([task_job(status="STOPPING")], "stopped"),
        ([task_job(status="RUNNING")], "open"),
        ([task_job(status="READY")], "open"),
        ([task_job(status="FINISHED")], "lost"),
        ([task_job(status="FAILED")], "lost"),
        ([], "lost"),
        ([task_job(status="CANCELLED", description="Scanning...")], "lost"),
        ([task_job(status="CANCELLED", added="2026-05-07T12:00:00+02:00")], "lost"),
        ([task_job(status="RUNNING", added="2026-05-07T12:00:00+02:00")], "lost"),
        (None, "open"),
    ],
)
def test_what_stash_says_of_a_job_decides(bench, jobs, state):
    begun = bench.begin(task_job())
    bench.ask_for(begun, 1, 2)
    stash = Jobs(*(jobs or []), down=jobs is None)
    assert look(bench.runs, stash) == (2 if state == "stopped" else 0)
    assert bench.runs.read(begun.id).state == state
    assert len(held_ids(bench)) == (2 if state == "stopped" else 0)


def test_a_run_that_ended_is_not_asked_for(bench):
    begun = bench.begin(task_job())
    bench.runs.end(begun.id)
    stash = Jobs(task_job(status="CANCELLED"))
    assert look(bench.runs, stash) == 0
    assert stash.asked == 0
    assert bench.runs.stop(begun.id) is None


def test_a_stop_holds_bulk_keys_and_no_save(bench):
    bench.queue.add("scene", 9)
    stopped_run(bench, 1, 2)
    assert held_ids(bench) == [1, 2]
    assert bench.work() == [9]
    counts = bench.queue.counts()
    assert (counts.pending, counts.waiting) == (0, 2)
    assert bench.queue.next_due_at() is None
    assert bench.queue.waiting_reasons() == [("stopped", 2, None)]
    assert bench.queue.is_empty()
    assert read_key_state(bench.database, ("scene", 1), bench.clock.now).state == "held"


def test_a_stop_holds_what_the_run_found_but_nothing_of_another_open_run(bench):
    lost = bench.begin()
    bench.ask_for(lost, 1)
    bench.runs.lose(lost.id)
    other = bench.begin(name="stash2plex sync")
    bench.ask_for(other, 2)
    stopped_run(bench, 3)
    assert held_ids(bench) == [1, 3]


def test_only_who_asks_takes_held_keys_up(bench):
    stopped_run(bench, 1, 2, 3, 4)
    bench.queue.offer([("scene", 1)])
    bench.queue.wake([("scene", 1)])
    bench.queue.add_many([("scene", 1)], take_up=False)
    assert held_ids(bench) == [1, 2, 3, 4]
    bench.queue.add("scene", 2)
    assert held_ids(bench) == [1, 3, 4]
    bench.queue.add_many([("scene", 3)], priority=URGENT)
    assert held_ids(bench) == [1, 4]
    again = bench.begin()
    assert again.taken_up == 2
    assert held_ids(bench) == []
    assert sorted(bench.work()) == [1, 2, 3, 4]
    assert bench.counted(again)[2] == 4


def test_what_is_in_hand_stays_held_however_it_comes_back(bench):
    begun = bench.begin(task_job())
    bench.ask_for(begun, 1, 2, 3, 4)
    one, two, three, four = bench.queue.claim(4, 60.0)
    look(bench.runs, Jobs(task_job(status="CANCELLED")))
    assert bench.runs.held_in_hand() == {("scene", number) for number in range(1, 5)}
    bench.queue.release(one, reason="stopped", aside=True)
    bench.queue.nack(two, delay=1.0, reason="transient", error="half an answer")
    bench.queue.take_over()
    assert not bench.queue.ack(three)
    assert not bench.queue.ack(four)
    assert held_ids(bench) == [1, 2, 3, 4]
    bench.clock.step(100)
    assert bench.queue.claim(5, 60.0) == []
    assert bench.queue.clear_waiting() == 4


def test_a_stopped_run_is_news_until_it_was_told(bench):
    before = bench.clock.now
    bench.clock.step(5)
    stopped_run(bench, 1, 2)
    has_news = bench.database.execute(NOTICES_SQL, (before,)).fetchone()[0]
    assert has_news
    (line,) = notification_lines(bench.database, before, bench.clock.now)
    assert line.startswith(f"“{NAME}” was stopped at ")
    assert "2 scenes wait until you ask for them again: press" in line
    bench.clock.step(1)
    assert notification_lines(bench.database, bench.clock.now, bench.clock.now) == []
    bench.begin()
    assert notification_lines(bench.database, before, bench.clock.now) == []


@pytest.mark.parametrize(
    ("name", "buttons"),
    [
        ("Sync All Scenes", "press “Sync All Scenes” or “Process Queue”."),
        ("Process Queue", ": press “Process Queue”."),
    ],
)
def test_what_lets_held_keys_go_on_is_named_once(name, buttons):
    assert held_sentence(Held(name, 0.0, 2)).endswith(buttons)


def test_the_job_of_a_task_is_the_one_that_runs_under_its_name():
    other = task_job(2, "READY")
    assert own_job([other, task_job(3)], (NAME, "Stash2Plex")) == task_job(3)
    assert own_job([other], (NAME,)) is None
    assert own_job([task_job(description="Scanning...")], (NAME,)) is None


def test_a_watch_asks_at_once_and_then_once_a_second(bench):
    bench.ask_for(bench.begin(task_job()), 1)
    stash = Jobs(task_job())
    watch = StopWatch(bench.runs, bench.clock, 0)
    watch.be_sure(stash)
    assert stash.asked == 1
    for _ in range(3):
        watch.step(stash)
        if watch._answer:
            present(watch._answer).result()
        watch.be_sure(stash)
    assert stash.asked == 2
    bench.clock.step(ASK_SECONDS)
    watch.step(stash)
    present(watch._answer).result()
    assert stash.asked == 3
    stash.jobs = [task_job(status="CANCELLED")]
    bench.clock.step(ASK_SECONDS)
    watch.step(stash)
    present(watch._answer).result()
    assert watch.step(stash)
    assert bench.runs.in_jobs(0) == []
    asked = stash.asked
    bench.clock.step(100)
    watch.step(stash)
    watch.be_sure(stash)
    assert stash.asked == asked
    watch.close()


def test_an_answer_that_fails_holds_nothing_and_is_asked_for_again(bench):
    bench.ask_for(bench.begin(task_job()), 1)
    stash = Jobs(task_job(), down=True)
    watch = StopWatch(bench.runs, bench.clock, 0)
    assert watch.step(stash)
    assert present(watch._answer).exception()
    assert watch.step(stash) is False
    bench.clock.step(ASK_SECONDS)
    assert watch.step(stash)
    assert present(watch._answer).exception()
    watch.close()
    assert (stash.asked, held_ids(bench)) == (2, [])


def test_a_run_wants_what_it_queued_and_what_it_found(bench):
    bench.queue.add("scene", 9)
    begun = bench.begin(task_job())
    bench.ask_for(begun, 1, 2)
    assert present(bench.runs.read(begun.id)).wanted == 3


def test_what_stash_answers_about_jobs():
    assert 'job7: findJob(input: {id: "7"})' in jobs_query([7, 8])
    row = {"id": "7", "status": "RUNNING", "description": "Scanning...", "added": ADDED}
    found = read_jobs(make_converter(), {"job7": row, "job8": None})
    assert found == [TaskJob(7, "RUNNING", "Scanning...", ADDED)]
    assert read_jobs(make_converter(), {"jobQueue": None}) == []
    assert len(read_jobs(make_converter(), {"jobQueue": [row]})) == 1
