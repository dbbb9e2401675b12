"""What a run counts, and what is read of it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from stash2plex.db import connect
from stash2plex.operations.run_observer import RunObserver
from stash2plex.store.progress import Progress
from stash2plex.store.runs import LOST_SECONDS, RUNS_LIMIT, Runs
from stash2plex.ui.lines.runs import begun_lines, sources_words
from tests.harness.old_database import old_database
from tests.store.runbench import NAME
from tests.support import ManualClock

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
    for _ in range(RUNS_LIMIT + 10):
        begun = bench.begin()
        bench.runs.end(begun.id)
        numbers.append(begun.id)
    assert numbers == sorted(set(numbers))
    (kept,) = bench.database.execute("SELECT count(*) FROM run").fetchone()
    assert kept <= RUNS_LIMIT + 3
    # A command line that was killed leaves an open run; after a day it is taken for lost.
    assert bench.runs.read(first.id).state == "open"
    bench.clock.step(LOST_SECONDS + 1)
    bench.begin()
    assert bench.runs.read(first.id) is None or bench.runs.read(first.id).state == "lost"


def test_what_a_run_found_is_named(bench):
    bench.queue.add("scene", 1)
    begun = bench.begin()
    assert sources_words(begun) == "from saves"
    assert begun_lines(begun) == ["1 scene is due already (from saves)."]
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


def test_a_queue_of_before_runs_keeps_its_keys(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    with old_database(path, 6) as old:
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
