"""The queue against a plain model: whatever the order of calls, the two agree."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from functools import cache
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stash2plex.db import connect
from stash2plex.store.key_state import find_standing
from stash2plex.workqueue import BULK, URGENT, WorkQueue
from tests.support import ManualClock

ALL_KEYS = [("scene", 1), ("scene", 2), ("tag", 1), ("tag", 2)]
"""Of two kinds with the same ids, so that neither part of a key may be left out."""

KEYS = st.sampled_from(ALL_KEYS)
SOME_KEYS = st.lists(KEYS, min_size=1, max_size=3, unique=True)
DELAYS = st.sampled_from([0.0, 5.0, 30.0])
PRIORITIES = st.sampled_from([URGENT, BULK])
REASONS = st.sampled_from(["transient", "rejected"])
ENDS = st.sampled_from(["ack", "nack", "snooze", "release", "aside", "bury"])
LEASE = 20.0


class Row:
    """What the model keeps of a key."""

    def __init__(self, priority, due):
        self.priority = priority
        self.due = due
        self.generation = 1
        self.attempts = self.snoozes = self.interruptions = 0
        self.reason = ""
        self.lease = None  # (lease id, generation, expiry)

    def values(self):
        """Give what the table holds; of the generations only whether a change came meanwhile."""
        lease_id, generation, expiry = self.lease or (None, None, None)
        changed = None if generation is None else self.generation > generation
        return [
            self.priority,
            self.due,
            self.attempts,
            self.snoozes,
            self.interruptions,
            self.reason,
            lease_id,
            changed,
            expiry,
        ]

    def free(self):
        """Lose the lease without a word from its holder."""
        self.lease = None
        self.interruptions += 1


@cache
def empty_database():
    """Give the bytes of a fresh database: migrating costs more than an example."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "stash2plex.db")
        connect(path).close()
        with open(path, "rb") as file:
            return file.read()


# A rule for each end, so that none is left to chance.


def life_to(end):
    """Make a rule: add a key, claim it, perhaps add it once more, and end it.

    Perhaps after another run that left traces.
    """

    @rule(
        key=KEYS,
        earlier=st.none() | st.sampled_from(["nack", "snooze", "aside"]),
        delay=DELAYS,
        reason=REASONS,
        priority=PRIORITIES,
        changed=st.booleans(),
    )
    def live(self, key, earlier, delay, reason, priority, changed):
        if earlier:
            self.run_once(key, earlier, 0.0, reason, priority, changed=False)
        self.run_once(key, end, delay, reason, priority, changed=changed)

    return live


def late_by(end):
    """Make a rule: end a claim that was lost."""

    @precondition(lambda self: self.late())
    @rule(data=st.data(), delay=DELAYS, reason=REASONS)
    def end_late(self, data, delay, reason):
        self.end(data.draw(st.sampled_from(self.late())), end, delay, reason)

    return end_late


class QueueMachine(RuleBasedStateMachine):
    """Adds, claims, ends in time and ends too late, on a clock that jumps."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        path = os.path.join(self.folder.name, "stash2plex.db")
        with open(path, "wb") as file:
            file.write(empty_database())
        self.database = connect(path, relaxed=True)
        self.queue = self.reader = WorkQueue(self.database, self.clock)
        self.rows = {}
        self.dead = {}  # key -> (reason, attempts, first failure, last failure)
        self.failures = {}  # key -> when it failed
        self.claims = []

    def teardown(self):
        self.database.close()
        self.folder.cleanup()

    # -- adding -------------------------------------------------------------------------------

    def mark_dirty(self, key, priority, delay=0.0):
        due = self.clock.now + delay
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = Row(priority, due)
        else:
            row.generation += 1
            row.priority = min(row.priority, priority)
            row.due = min(row.due, due)

    @rule(key=KEYS, priority=PRIORITIES, delay=DELAYS)
    def add(self, key, priority, delay):
        self.queue.add(*key, priority=priority, delay=delay)
        self.dead.pop(key, None)
        self.mark_dirty(key, priority, delay)

    @rule(keys=SOME_KEYS)
    def add_what_is_not_dead(self, keys):
        living = [key for key in keys if key not in self.dead]
        assert self.queue.add_many(keys, revive=False) == len(living)
        for key in living:
            self.mark_dirty(key, BULK)

    @rule(keys=SOME_KEYS)
    def offer(self, keys):
        living = [key for key in keys if key not in self.dead]
        assert self.queue.offer(keys) == sum(key not in self.rows for key in living)
        for key in living:
            row = self.rows.setdefault(key, Row(BULK, self.clock.now))
            row.generation += row.lease is not None

    @rule(key=KEYS, priority=PRIORITIES)
    def wake_a_snoozed_one(self, key, priority):
        """Snooze a key, and wake it while it waits, or while it is in hand again."""
        self.run_once(key, "snooze", 30.0, "transient", priority, changed=False)
        self.wake([key])
        self.run_once(key, "snooze", 0.0, "transient", priority, changed=False)
        self.claim(len(ALL_KEYS), urgent_only=False)
        self.wake([key])

    @rule(keys=SOME_KEYS)
    def wake(self, keys):
        assert self.queue.wake(keys) == len(keys)
        for key in keys:
            self.dead.pop(key, None)
            row = self.rows.get(key)
            if row is not None and row.lease is None:
                row.snoozes = max(0, row.snoozes - 1)
            self.mark_dirty(key, BULK)

    # -- claiming -----------------------------------------------------------------------------

    def expire(self):
        for row in self.rows.values():
            if row.lease and row.lease[2] <= self.clock.now:
                row.free()

    def due(self, priorities=(URGENT, BULK)):
        return sorted(
            (row.priority, row.due)
            for row in self.rows.values()
            if row.lease is None and row.due <= self.clock.now and row.priority in priorities
        )

    @rule(limit=st.integers(1, 3), urgent_only=st.booleans())
    def claim(self, limit, urgent_only):
        self.expire()
        due = self.due((URGENT,) if urgent_only else (URGENT, BULK))
        claims = self.queue.claim(limit, LEASE, urgent_only=urgent_only)
        taken = [(self.rows[claim.key].priority, self.rows[claim.key].due) for claim in claims]
        assert taken == due[:limit]
        for claim in claims:
            row = self.rows[claim.key]
            assert row.lease is None
            assert (claim.attempts, claim.snoozes, claim.interruptions, claim.priority) == (
                row.attempts,
                row.snoozes,
                row.interruptions,
                row.priority,
            )
            row.lease = (claim.lease_id, row.generation, self.clock.now + LEASE)
            self.claims.append(claim)

    @rule(seconds=st.sampled_from([1.0, 10.0, LEASE, -3.0]))
    def step(self, seconds):
        self.clock.step(seconds)

    @rule(seconds=st.sampled_from([2.0, 60.0]))
    def set_the_clock_back(self, seconds):
        self.clock.step(-seconds)
        late = [row for row in self.rows.values() if row.lease is None and row.due > self.clock.now]
        assert self.queue.clock_set_back(seconds) == len(late)
        for row in late:
            row.due = max(self.clock.now, row.due - seconds)

    @rule()
    def take_over(self):
        held = [row for row in self.rows.values() if row.lease]
        assert self.queue.take_over() == len(held)
        for row in held:
            row.free()

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def extend(self, data):
        lease_id = data.draw(st.sampled_from(self.claims)).lease_id
        held = [row for row in self.rows.values() if row.lease and row.lease[0] == lease_id]
        assert self.queue.extend(lease_id, LEASE) == len(held)
        for row in held:
            row.lease = (lease_id, row.lease[1], self.clock.now + LEASE)

    # -- ending -------------------------------------------------------------------------------

    def holds(self, claim):
        row = self.rows.get(claim.key)
        return row is not None and row.lease is not None and row.lease[0] == claim.lease_id

    def run_once(self, key, end, delay, reason, priority, *, changed):
        self.add(key, priority, 0.0)
        before = len(self.claims)
        self.claim(len(ALL_KEYS), urgent_only=False)
        self.clock.step(1.0)
        if changed:
            self.add(key, priority, 0.0)
        for claim in self.claims[before:]:
            if claim.key == key:
                self.end(claim, end, delay, reason)

    def late(self):
        """List the claims whose key is in the queue, and no longer theirs."""
        return [claim for claim in self.claims if claim.key in self.rows and not self.holds(claim)]

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), end=ENDS, delay=DELAYS, reason=REASONS)
    def end_any(self, data, end, delay, reason):
        """End a claim, be it still held or long lost."""
        self.end(data.draw(st.sampled_from(self.claims)), end, delay, reason)

    ack_late, nack_late, snooze_late = late_by("ack"), late_by("nack"), late_by("snooze")
    release_late, aside_late, bury_late = late_by("release"), late_by("aside"), late_by("bury")
    ack_one, nack_one, snooze_one = life_to("ack"), life_to("nack"), life_to("snooze")
    release_one, aside_one, bury_one = life_to("release"), life_to("aside"), life_to("bury")

    def end(self, claim, end, delay, reason):
        words = {"reason": reason, "error": "e"}
        done = {
            "ack": lambda: self.queue.ack(claim),
            "nack": lambda: self.queue.nack(claim, delay=delay, **words),
            "snooze": lambda: self.queue.snooze(claim, delay=delay, **words),
            "release": lambda: self.queue.release(claim, reason=reason),
            "aside": lambda: self.queue.release(claim, reason=reason, aside=True),
            "bury": lambda: self.queue.bury(claim, title="", **words),
        }[end]()
        assert done == self.holds(claim)
        if not done:
            return
        row = self.rows[claim.key]
        unchanged = row.generation == row.lease[1]
        row.lease = None
        if end in ("nack", "snooze") or (end == "bury" and unchanged):
            self.failures.setdefault(claim.key, []).append(self.clock.now)
        if end == "ack":
            self.failures.pop(claim.key, None)
        if end in ("ack", "bury") and unchanged:
            del self.rows[claim.key]
            if end == "bury":
                first = min(self.failures[claim.key])
                self.dead[claim.key] = (reason, claim.attempts + 1, first, self.clock.now)
            return
        row.interruptions = 0
        if end == "ack":
            row.attempts = row.snoozes = 0
            row.reason = ""
            row.due = min(row.due, self.clock.now)
            return
        row.attempts += end == "nack"
        row.snoozes += end == "snooze"
        row.reason = reason
        at_once = end not in ("nack", "snooze") or not unchanged
        row.due = self.clock.now + (0.0 if at_once else delay)
        if end == "aside":
            row.priority = BULK

    # -- wishes -------------------------------------------------------------------------------

    def revive(self, keys):
        for key in keys:
            del self.dead[key]
            self.rows[key] = Row(URGENT, self.clock.now)

    @precondition(lambda self: self.dead)
    @rule(reason=st.none() | REASONS)
    def redrive(self, reason):
        chosen = [key for key, (why, *_) in self.dead.items() if reason in (None, why)]
        assert self.queue.redrive(reason=reason) == len(chosen)
        self.revive(chosen)

    @precondition(lambda self: self.dead)
    @rule(keys=SOME_KEYS)
    def redrive_chosen(self, keys):
        chosen = [key for key in keys if key in self.dead]
        assert self.queue.redrive(keys) == len(chosen)
        self.revive(chosen)

    @precondition(lambda self: self.dead)
    @rule(keys=SOME_KEYS)
    def discard(self, keys):
        chosen = [key for key in keys if key not in self.rows]
        dead = [key for key in chosen if key in self.dead]
        assert self.queue.discard(chosen) == len(dead)
        for key in chosen:
            self.dead.pop(key, None)
            self.failures.pop(key, None)

    @precondition(lambda self: self.dead)
    @rule(ago=st.none() | st.sampled_from([0.0, 10.0]))
    def clear_dead(self, ago):
        before = None if ago is None else self.clock.now - ago
        old = [key for key, (*_, last) in self.dead.items() if before is None or last < before]
        assert self.queue.clear_dead(before=before) == len(old)
        for key in old:
            del self.dead[key]
            self.failures.pop(key)

    @rule()
    def clear_waiting(self):
        free = [key for key, row in self.rows.items() if row.lease is None]
        assert self.queue.clear_waiting() == len(free)
        for key in free:
            del self.rows[key]

    # -- looking ------------------------------------------------------------------------------

    @invariant()
    def counts_agree(self):
        now = self.clock.now
        counts = self.queue.counts()
        free = [row for row in self.rows.values() if row.lease is None]
        held = len(self.rows) - len(free)
        assert counts.pending == sum(row.due <= now for row in free)
        assert counts.waiting == sum(row.due > now for row in free)
        assert counts.in_progress == held
        assert counts.dead == len(self.dead)
        assert self.reader.is_empty() == (not self.rows)
        assert self.reader.next_due_at() == min((row.due for row in free), default=None)
        assert self.reader.due_within(10.0) == held + sum(row.due <= now + 10.0 for row in free)
        assert self.reader.urgent_due() == bool(self.due((URGENT,)))

    @invariant()
    def rows_agree(self):
        found = {
            (kind, id_): values
            for kind, id_, *values in self.database.execute(
                "SELECT kind, id, priority, due_at, attempts, snoozes, interruptions, reason,"
                " lease_id, generation > lease_generation, lease_expires_at FROM queue"
            )
        }
        assert found == {key: row.values() for key, row in self.rows.items()}

    @invariant()
    def reasons_agree(self):
        late = [row for row in self.rows.values() if row.lease is None and row.due > self.clock.now]
        waiting = {reason: (number, due) for reason, number, due in self.reader.waiting_reasons()}
        assert waiting == {
            reason: (number, min(row.due for row in late if row.reason == reason))
            for reason, number in Counter(row.reason for row in late).items()
        }
        for key in ALL_KEYS:
            if key in self.rows:
                known: Any = ("queue", self.rows[key].reason)
            else:
                known = ("dead", self.dead[key][0]) if key in self.dead else None
            assert find_standing(self.database, key) == known

    @invariant()
    def histories_agree(self):
        letters = {
            (kind, id_): values
            for kind, id_, *values in self.database.execute(
                "SELECT kind, id, reason, attempts, first_failed_at, last_failed_at"
                " FROM dead_letter"
            )
        }
        assert letters == {key: list(values) for key, values in self.dead.items()}
        kept: dict[Any, Any] = {}
        for kind, id_, at in self.database.execute("SELECT kind, id, at FROM failure ORDER BY seq"):
            kept.setdefault((kind, id_), []).append(at)
        assert kept == {key: times for key, times in self.failures.items() if times}


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


class LongQueueMachine(QueueMachine):
    """The same, for longer."""


TestQueueForLong = pytest.mark.nightly(LongQueueMachine.TestCase)
TestQueueForLong.settings = settings(max_examples=2_000, stateful_step_count=80, deadline=None)
