"""Where a key is, and how far a drain has come."""

from __future__ import annotations

import pytest

from stash2plex.store.key_state import Failure, KeyState, read_key_state
from stash2plex.store.progress import Progress, ProgressBook, Tally
from stash2plex.workqueue import WorkQueue
from tests.support import ManualClock


def test_a_key_is_due_in_hand_waiting_dead_or_nowhere(database):
    clock = ManualClock()
    queue = WorkQueue(database, clock)

    def state():
        return read_key_state(database, ("scene", 1), clock.now)

    assert state() == KeyState("none")
    queue.add("scene", 1)
    queue.add("tag", 1)
    assert state() == KeyState("due", clock.now, clock.now)
    (claim,) = queue.claim(1, 60.0)
    assert state().state == "in_progress"
    queue.nack(claim, delay=5.0, reason="transient", error="Half an answer.")
    clock.step(1)
    first = Failure(clock.now - 1, "transient", "Half an answer.")
    known = state()
    assert (known.state, known.due_at) == ("waiting", clock.now + 4)
    assert (known.attempts, known.snoozes, known.reason) == (1, 0, "transient")
    assert (known.error, known.history) == ("Half an answer.", (first,))
    clock.step(4)
    assert state().state == "due"
    claim = next(one for one in queue.claim(2, 60.0) if one.kind == "scene")
    queue.bury(claim, title="A pier", reason="rejected", error="No.")
    last = Failure(clock.now, "rejected", "No.")
    dead = KeyState("dead", None, None, 2, 0, "rejected", "No.", (last, first))
    assert state() == dead


def test_every_process_reads_the_same_progress(database):
    clock = ManualClock()
    book = ProgressBook(database, clock)
    assert book.read(3) == Progress(left=3)
    tally = Tally("Process Queue", clock)
    for _ in range(30):
        clock.step(1)
        tally.done()
    now = tally.now(60)
    book.write(now)
    assert book.read(60).fraction == pytest.approx(30 / 90)
    assert book.read(60).rate == pytest.approx(1.0, rel=0.05)
    assert book.read(60).seconds_left == pytest.approx(60, rel=0.05)


def test_the_fraction_is_true_when_the_queue_grows():
    assert Progress(done=10, left=10).fraction == 0.5
    assert Progress(done=10, left=30).fraction == 0.25
    assert Progress().fraction == 1.0
