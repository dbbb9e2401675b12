"""The queue against a plain model: whatever the order of calls, the two agree."""

from __future__ import annotations

import os
import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stash2plex.db import connect
from stash2plex.workqueue import WorkQueue
from tests.support import ManualClock

IDS = st.integers(1, 5)
DELAYS = st.sampled_from([0.0, 5.0, 30.0])
LEASE = 20.0


class Row:
    """What the model keeps of a key."""

    def __init__(self, priority, due):
        self.priority = priority
        self.due = due
        self.generation = 1
        self.attempts = self.snoozes = self.interruptions = 0
        self.lease = None  # (lease id, generation, expiry)


class QueueMachine(RuleBasedStateMachine):
    """Adds, claims, ends in time and ends too late, on a clock that jumps."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.database = connect(os.path.join(self.folder.name, "stash2plex.db"), relaxed=True)
        self.queue = WorkQueue(self.database, self.clock)
        self.rows = {}
        self.dead = set()
        self.claims = []

    def teardown(self):
        self.database.close()
        self.folder.cleanup()

    @rule(id_=IDS, priority=st.sampled_from([0, 1]), delay=DELAYS)
    def add(self, id_, priority, delay):
        self.queue.add("scene", id_, priority=priority, delay=delay)
        self.dead.discard(id_)
        row = self.rows.get(id_)
        if row is None:
            self.rows[id_] = Row(priority, self.clock.now + delay)
        else:
            row.generation += 1
            row.priority = min(row.priority, priority)
            row.due = min(row.due, self.clock.now + delay)

    @rule(limit=st.integers(1, 3))
    def claim(self, limit):
        for row in self.rows.values():
            if row.lease and row.lease[2] <= self.clock.now:
                row.lease = None
                row.interruptions += 1
        due = sorted(
            (row.priority, row.due)
            for row in self.rows.values()
            if row.lease is None and row.due <= self.clock.now
        )
        claims = self.queue.claim(limit, LEASE)
        assert len(claims) == min(limit, len(due))
        taken = [(self.rows[claim.id].priority, self.rows[claim.id].due) for claim in claims]
        assert taken == due[:limit]
        for claim in claims:
            row = self.rows[claim.id]
            assert row.lease is None
            assert (claim.attempts, claim.snoozes, claim.interruptions) == (
                row.attempts,
                row.snoozes,
                row.interruptions,
            )
            row.lease = (claim.lease_id, row.generation, self.clock.now + LEASE)
            self.claims.append(claim)

    @rule(seconds=st.sampled_from([1.0, 10.0, 25.0, -3.0]))
    def step(self, seconds):
        self.clock.step(seconds)

    @rule()
    def take_over(self):
        self.queue.take_over()
        for row in self.rows.values():
            if row.lease:
                row.lease = None
                row.interruptions += 1

    def held(self, claim):
        row = self.rows.get(claim.id)
        return row if row and row.lease and row.lease[0] == claim.lease_id else None

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        end=st.sampled_from(["ack", "nack", "snooze", "release", "bury"]),
        delay=DELAYS,
    )
    def end(self, data, end, delay):
        """End a claim, be it still held or long lost."""
        claim = data.draw(st.sampled_from(self.claims))
        row = self.held(claim)
        done = {
            "ack": lambda: self.queue.ack(claim),
            "nack": lambda: self.queue.nack(claim, delay=delay, reason="r", error="e"),
            "snooze": lambda: self.queue.snooze(claim, delay=delay, reason="r", error="e"),
            "release": lambda: self.queue.release(claim, aside=delay > 0),
            "bury": lambda: self.queue.bury(claim, title="", reason="r", error="e"),
        }[end]()
        assert done == (row is not None)
        if row is None:
            return
        unchanged = row.generation == row.lease[1]
        row.lease = None
        if end in ("ack", "bury") and unchanged:
            del self.rows[claim.id]
            if end == "bury":
                self.dead.add(claim.id)
            return
        row.interruptions = 0
        if end == "ack":
            row.attempts = row.snoozes = 0
            row.due = min(row.due, self.clock.now)
            return
        row.attempts += end == "nack"
        row.snoozes += end == "snooze"
        at_once = end in ("bury", "release") or not unchanged
        row.due = self.clock.now + (0.0 if at_once else delay)
        if end == "release" and delay > 0:
            row.priority = 1

    @rule()
    def redrive(self):
        assert self.queue.redrive() == len(self.dead)
        for id_ in self.dead:
            self.rows[id_] = Row(0, self.clock.now)
        self.dead.clear()

    @invariant()
    def counts_agree(self):
        counts = self.queue.counts()
        free = [row for row in self.rows.values() if row.lease is None]
        assert counts.pending == sum(row.due <= self.clock.now for row in free)
        assert counts.waiting == sum(row.due > self.clock.now for row in free)
        assert counts.in_progress == len(self.rows) - len(free)
        assert counts.dead == len(self.dead)


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
