"""What a run counts, what a stop holds, and what Stash's jobs say of either."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from stash2plex.db import _migrations, connect
from stash2plex.errors import Unavailable
from stash2plex.hook import NOTICES_SQL
from stash2plex.model import TaskJob
from stash2plex.operations.notifications import held_sentence, notification_lines
from stash2plex.operations.run_observer import RunObserver
from stash2plex.servers.jobs import jobs_query, read_jobs
from stash2plex.servers.stash import Stash
from stash2plex.servers.wire import make_converter
from stash2plex.store.key_state import read_key_state
from stash2plex.store.progress import Progress
from stash2plex.store.queue import Queue
from stash2plex.store.runs import KEPT, LOST_SECONDS, Held, Runs
from stash2plex.sync.stops import ASK_SECONDS, StopWatch, look, own_job
from stash2plex.ui.lines.runs import begun_lines, sources_words
from stash2plex.workqueue import URGENT
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


# -- counting -----------------------------------------------------------------------------


def test_each_key_is_counted_once_whoever_works_on_it(bench):
    begun = bench.begin()
    assert bench.ask_for(begun, 1, 2, 3) == 3
    bench.work()
    assert bench.counted(begun) == (3, 0, 3, 0, 0)
    assert bench.runs.handled() == 3


def test_a_second_run_finds_what_the_first_made_due(bench):
    first = bench.begin()
    bench.ask_for(first, 1, 2, 3)
    bench.work(1)
    bench.runs.lose(first.id)
    second = bench.begin()
    assert second.found == 2
    assert [(one.name, one.number) for one in second.sources] == [(NAME, 2)]
    assert bench.ask_for(second, 2, 3, 4) == 1
    bench.work()
    assert bench.counted(first)[2] == 3
    assert bench.counted(second) == (1, 2, 3, 0, 0)
    assert bench.runs.handled() == 4


def test_a_key_that_is_dirty_again_is_not_done_yet(bench):
    begun = bench.begin()
    bench.ask_for(begun, 1)
    (claim,) = bench.queue.claim(1, 60.0)
    bench.queue.add("scene", 1)
    bench.queue.ack(claim)
    assert bench.counted(begun)[2] == 0
    bench.work()
    assert bench.counted(begun)[2] == 1


def test_a_save_of_another_scene_in_mid_run_is_not_the_runs(bench):
    begun = bench.begin()
    bench.ask_for(begun, 1)
    bench.queue.add("scene", 2)
    bench.work()
    assert bench.counted(begun) == (1, 0, 1, 0, 0)


def test_a_key_saved_after_the_run_began_is_found_when_the_run_asks_for_it(bench):
    begun = bench.begin()
    bench.queue.add("scene", 2)
    assert bench.ask_for(begun, 1, 2) == 1
    bench.work()
    assert bench.counted(begun)[2] == 2


def test_one_put_off_counts_as_later_once_and_as_done_in_the_end(bench):
    begun = bench.begin()
    bench.ask_for(begun, 1)
    for _ in range(3):
        (claim,) = bench.queue.claim(1, 60.0)
        bench.queue.snooze(claim, delay=30.0, reason="not_in_plex", error="not there")
        bench.clock.step(31)
        assert bench.counted(begun)[2:] == (0, 0, 1)
    bench.work()
    assert bench.counted(begun)[2:] == (1, 0, 0)


def test_one_given_up_counts_as_failed_once(bench):
    begun = bench.begin()
    bench.ask_for(begun, 1)
    (claim,) = bench.queue.claim(1, 60.0)
    bench.queue.bury(claim, title="A pier", reason="ambiguous", error="Two fit.")
    assert not bench.queue.bury(claim, title="A pier", reason="ambiguous", error="Two fit.")
    assert bench.counted(begun)[2:] == (0, 1, 0)


def test_what_a_performer_fans_out_to_belongs_to_whoever_found_the_performer(bench):
    bench.queue.add("performer", 7)
    begun = bench.begin()
    (claim,) = bench.queue.claim(1, 60.0)
    bench.queue.enqueue(
        [("scene", 1), ("scene", 2)], run_id=claim.run_id, after_run=claim.after_run
    )
    bench.queue.ack(claim)
    bench.work()
    assert bench.counted(begun)[2] == 2


def test_cleared_keys_are_counted_as_removed(bench):
    begun = bench.begin()
    bench.ask_for(begun, 1, 2, 3)
    bench.queue.claim(1, 60.0)
    assert bench.queue.clear_waiting() == 2
    assert bench.runs.read(begun.id).removed == 2


def test_an_offer_tells_new_keys_from_those_in_hand(bench):
    bench.queue.add("scene", 1)
    bench.queue.claim(1, 60.0)
    begun = bench.begin()
    assert bench.queue.offer([("scene", 1), ("scene", 2)], run_id=begun.id) == 1
    assert bench.counted(begun)[0] == 1


def test_an_ack_costs_one_statement_more_and_a_claim_none(bench):
    bench.queue.add_many([("scene", number) for number in range(1, 4)])
    statements: list[Any] = []

    def note(text):
        # What triggers do is traced as their statement once more.
        if statements[-1:] != [text]:
            statements.append(text)

    bench.database.set_trace_callback(note)
    (claim,) = bench.queue.claim(1, 60.0)
    assert len(statements) == 6  # begin, expire, two heads of the index, update, commit
    statements.clear()
    bench.queue.ack(claim)
    assert len(statements) == 6  # begin, delete, count, forget failures and news, commit
    statements.clear()
    bench.queue.add("scene", 9)
    assert len(statements) == 5  # begin, forget the dead letter, newest run, insert, commit
    bench.database.set_trace_callback(None)


# -- runs ---------------------------------------------------------------------------------


def test_old_runs_go_and_numbers_grow(bench):
    first = bench.begin()
    numbers = []
    for _ in range(KEPT + 10):
        begun = bench.begin()
        bench.runs.end(begun.id)
        numbers.append(begun.id)
    assert numbers == sorted(set(numbers))
    (kept,) = bench.database.execute("SELECT count(*) FROM run").fetchone()
    assert kept <= KEPT + 3
    # A command line that was killed leaves an open run; after a day it is taken for lost.
    assert bench.runs.read(first.id).state == "open"
    bench.clock.step(LOST_SECONDS + 1)
    bench.begin()
    assert bench.runs.read(first.id) is None or bench.runs.read(first.id).state == "lost"


def test_what_a_run_found_is_named(bench):
    bench.queue.add("scene", 1)
    begun = bench.begin()
    assert sources_words(begun) == "from saves"
    assert begun_lines(begun) == ["1 key due already (from saves)."]
    bench.ask_for(begun, 2)
    assert sources_words(bench.begin()).startswith(f"from saves and “{NAME}” at ")


def test_a_run_is_shown_with_its_own_figures_and_the_rate_of_all(bench):
    shown = []

    class Shown:
        def progress(self, progress):
            shown.append(progress)

    begun = bench.begin()
    bench.ask_for(begun, *range(1, 11))
    observer = RunObserver(bench.runs, begun.id, Shown(), bench.clock)
    for _ in range(5):
        bench.clock.step(1.0)
        bench.work(1)
        # The drain that works counts a burst of its own; it says nothing of this run.
        observer.progress(Progress(done=900, rate=900.0, left=3))
    last = shown[-1]
    assert (last.done, last.left) == (5, 3)
    assert last.rate == pytest.approx(1.0)
    assert last.seconds_left == pytest.approx(3.0)


# -- stops --------------------------------------------------------------------------------


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


def test_what_stash_answers_about_jobs():
    assert 'job7: findJob(input: {id: "7"})' in jobs_query([7, 8])
    row = {"id": "7", "status": "RUNNING", "description": "Scanning...", "added": ADDED}
    found = read_jobs(make_converter(), {"job7": row, "job8": None})
    assert found == [TaskJob(7, "RUNNING", "Scanning...", ADDED)]
    assert read_jobs(make_converter(), {"jobQueue": None}) == []
    assert len(read_jobs(make_converter(), {"jobQueue": [row]})) == 1


def test_a_queue_of_before_runs_keeps_its_keys(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for number, statements in _migrations():
            if number < 7:
                for statement in statements:
                    old.execute(statement)
        old.execute("PRAGMA user_version = 6")
        old.execute(
            "INSERT INTO queue (kind, id, priority, generation, added_at, due_at, attempts,"
            " reason, lease_id, lease_generation, lease_expires_at)"
            " VALUES ('scene', 1, 1, 4, 5.0, 6.0, 2, 'transient', 'a', 3, 7.0)"
        )
    with closing(connect(path)) as database:
        rows = list(database.execute("SELECT * FROM queue"))
        expected = ("scene", 1, 1, 4, 5.0, 6.0, 2, 0, 0, "transient", "a", 3, 7.0, 0, 0, -1)
        assert rows == [expected]
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        assert {"queue_due", "queue_leased"} <= names
        assert Runs(database, ManualClock()).handled() == 0


def test_a_run_that_asks_for_new_and_known_keys_finds_none_of_its_own(bench):
    older, newer = bench.begin(), bench.begin()
    bench.queue.add("scene", 1)
    bench.queue.enqueue([("scene", 1), ("scene", 2)], run_id=older.id)
    runs = dict(bench.database.execute("SELECT id, after_run FROM queue"))
    assert runs == {1: older.id - 1, 2: newer.id}
