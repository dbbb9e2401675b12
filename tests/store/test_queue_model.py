"""The queue against a plain model: whatever the order of calls, the two agree."""

from __future__ import annotations

import os
import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stash2plex.db import connect
from stash2plex.runs import Runs
from stash2plex.workqueue import BULK, HELD, WorkQueue
from tests.support import ManualClock

IDS = st.integers(1, 5)
DELAYS = st.sampled_from([0.0, 5.0, 30.0])
LEASE = 20.0


class Row:
    """What the model keeps of a key."""

    def __init__(self, priority, due, run=0, after=0):
        self.run, self.after, self.later = run, after, -1
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
        self.runs = Runs(self.database, self.clock)
        self.counted = {0: [0, 0, 0]}  # run -> done, failed, put off
        self.opened = set()
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
            self.rows[id_] = Row(priority, self.clock.now + delay, after=max(self.counted))
        else:
            row.generation += 1
            row.priority = min(row.priority, priority)
            row.due = min(row.due, self.clock.now + delay)

    # -- runs -----------------------------------------------------------------------------

    @rule()
    def begin(self):
        """Press a task: what it finds is its own too, and what was held goes on."""
        begun = self.runs.begin("Sync All Scenes", None, 0.0)
        assert begun.taken_up == sum(row.priority == HELD for row in self.rows.values())
        for row in self.rows.values():
            row.priority = min(row.priority, BULK)
        due = [row for row in self.rows.values() if row.lease or row.due <= self.clock.now]
        assert begun.found == len(due)
        self.counted[begun.id] = [0, 0, 0]
        self.opened.add(begun.id)

    @precondition(lambda self: self.opened)
    @rule(data=st.data(), id_=IDS)
    def enqueue(self, data, id_):
        """Let an open run ask for a key: it belongs to the run, or the run has found it."""
        run = data.draw(st.sampled_from(sorted(self.opened)))
        new = self.queue.enqueue([("scene", id_)], run_id=run)
        self.dead.discard(id_)
        row = self.rows.get(id_)
        assert new == (row is None)
        if row is None:
            self.rows[id_] = Row(BULK, self.clock.now, run, max(self.counted))
            return
        row.generation += 1
        row.priority = min(row.priority, BULK)
        row.due = min(row.due, self.clock.now)
        row.after = min(row.after, run - 1)

    @rule(id_=IDS)
    def wake(self, id_):
        """Let Plex change: held keys stay held."""
        self.queue.wake([("scene", id_)])
        self.dead.discard(id_)
        row = self.rows.setdefault(id_, Row(BULK, self.clock.now, 0, max(self.counted)))
        if row.lease is None:
            row.snoozes = max(0, row.snoozes - 1)
        row.generation += 1
        row.priority = row.priority if row.priority == HELD else min(row.priority, BULK)
        row.due = min(row.due, self.clock.now)

    @precondition(lambda self: self.opened)
    @rule(data=st.data(), stops=st.booleans())
    def leave(self, data, stops):
        """End a run, or stop it: then the bulk keys that it asked for or found are held."""
        run = data.draw(st.sampled_from(sorted(self.opened)))
        self.opened.discard(run)
        if not stops:
            self.runs.end(run)
            return
        held = self.runs.stop(run)
        mine = [
            row
            for row in self.rows.values()
            if row.priority == BULK
            and (row.run == run or row.after < run)
            and row.run not in self.opened
        ]
        assert held == len(mine)
        for row in mine:
            row.priority = HELD

    def concerned(self, row):
        """Name the runs that count what becomes of a key."""
        return {0, row.run} | {run for run in self.opened if run > row.after}

    @rule(limit=st.integers(1, 3))
    def claim(self, limit):
        for row in self.rows.values():
            if row.lease and row.lease[2] <= self.clock.now:
                row.lease = None
                row.interruptions += 1
        due = sorted(
            (row.priority, row.due)
            for row in self.rows.values()
            if row.lease is None and row.due <= self.clock.now and row.priority < HELD
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
            for run in self.concerned(row):
                counted = self.counted[run]
                counted[end == "bury"] += 1
                counted[2] = max(0, counted[2] - (run <= row.later))
            if end == "bury":
                self.dead.add(claim.id)
            return
        row.interruptions = 0
        if end == "ack":
            row.attempts = row.snoozes = 0
            row.due = min(row.due, self.clock.now)
            return
        if end == "snooze" and unchanged:
            for run in self.concerned(row):
                self.counted[run][2] += run > row.later
            row.later = max(self.counted)
        row.attempts += end == "nack"
        row.snoozes += end == "snooze"
        at_once = end in ("bury", "release") or not unchanged
        row.due = self.clock.now + (0.0 if at_once else delay)
        if end == "release" and delay > 0:
            row.priority = max(row.priority, BULK)

    @rule()
    def redrive(self):
        assert self.queue.redrive() == len(self.dead)
        for id_ in self.dead:
            self.rows[id_] = Row(0, self.clock.now, after=max(self.counted))
        self.dead.clear()

    @invariant()
    def counts_agree(self):
        counts = self.queue.counts()
        free = [row for row in self.rows.values() if row.lease is None]
        live = [row for row in free if row.priority < HELD]
        held = sum(row.priority == HELD for row in self.rows.values())
        assert counts.pending == sum(row.due <= self.clock.now for row in live)
        assert counts.waiting == sum(row.due > self.clock.now for row in live) + held
        assert counts.in_progress == len(self.rows) - len(live) - held
        assert counts.dead == len(self.dead)

    @invariant()
    def runs_agree(self):
        for run, counted in self.counted.items():
            found = self.runs.read(run)
            assert found is None or [found.done, found.failed, found.later] == counted


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
