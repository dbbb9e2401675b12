"""The queue against a plain model: whatever the order of calls, the two agree."""

from __future__ import annotations

import os
import tempfile
from functools import cache

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stash2plex.db import connect
from stash2plex.store.key_state import read_key_state
from stash2plex.store.queue import Queue
from stash2plex.store.runs import Runs, read_held
from stash2plex.workqueue import BULK, HELD, URGENT
from tests.store.queuemodel import LEASE, Model
from tests.support import ManualClock

ALL_KEYS = [("scene", 1), ("scene", 2), ("tag", 1), ("tag", 2)]
"""Of two kinds with the same ids, so that neither part of a key may be left out."""

KEYS = st.sampled_from(ALL_KEYS)
SCENES, TAGS = st.sampled_from(ALL_KEYS[:2]), st.sampled_from(ALL_KEYS[2:])
SOME_KEYS = st.lists(KEYS, min_size=1, max_size=3, unique=True)
DELAYS = st.sampled_from([0.0, 5.0, 30.0])
PRIORITIES = st.sampled_from([URGENT, BULK])
REASONS = st.sampled_from(["transient", "rejected"])
ENDS = st.sampled_from(["ack", "nack", "snooze", "release", "aside", "bury"])
RUN_ENDS = st.sampled_from(["ack", "snooze", "bury"])
ORDERS = st.sampled_from(
    [
        ("add", "begin"),
        ("begin", "add"),
        ("begin", "ask"),
        ("begin", "ask", "ask"),
        ("begin", "add", "ask"),
    ]
)
LEAVES = st.sampled_from(["end", "lose", "stop"])


@cache
def empty_database():
    """Return the bytes of a fresh database: migrating costs more than an example."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "stash2plex.db")
        connect(path).close()
        with open(path, "rb") as file:
            return file.read()


# A rule for each end, so that none is left to chance.


def life_to(end, *, changed=False):
    """Make a rule: add a key, claim it, perhaps after a failure, add it again if told, end it."""

    @rule(key=KEYS, delay=DELAYS, reason=REASONS, priority=PRIORITIES, failed=st.booleans())
    def live(self, key, delay, reason, priority, failed):
        self.add(key, priority, 0.0)
        claim = self.claim_one(key)
        if failed and claim is not None:
            self.end(claim, "nack", 0.0, reason)
            claim = self.claim_one(key)
        if changed:
            self.add(key, priority, 0.0)
        if claim is not None:
            self.end(claim, end, delay, reason)

    return live


def late_by(end):
    """Make a rule: end a claim that was lost."""

    @precondition(lambda self: self.late())
    @rule(data=st.data(), delay=DELAYS, reason=REASONS)
    def end_late(self, data, delay, reason):
        self.end(data.draw(st.sampled_from(self.late())), end, delay, reason)

    return end_late


class QueueMachine(RuleBasedStateMachine):
    """Adds, claims, runs, ends in time and ends too late, on a clock that jumps."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        path = os.path.join(self.folder.name, "stash2plex.db")
        with open(path, "wb") as file:
            file.write(empty_database())
        self.database = connect(path, relaxed=True)
        self.queue = self.reader = Queue(self.database, self.clock)
        self.runs = Runs(self.database, self.clock)
        self.model = Model(self.clock)
        self.claims = []

    def teardown(self):
        self.database.close()
        self.folder.cleanup()

    # -- adding -------------------------------------------------------------------------------

    @rule(key=KEYS, priority=PRIORITIES, delay=DELAYS)
    def add(self, key, priority, delay):
        self.queue.add(*key, priority=priority, delay=delay)
        self.model.enqueue(key, priority, delay=delay)

    @rule(keys=SOME_KEYS, priority=PRIORITIES, revive=st.booleans(), take_up=st.booleans())
    def add_many(self, keys, priority, revive, take_up):
        wanted = [key for key in keys if revive or key not in self.model.dead]
        added = self.queue.add_many(keys, priority=priority, revive=revive, take_up=take_up)
        assert added == len(wanted)
        for key in wanted:
            self.model.enqueue(key, priority, take_up=take_up)

    @rule(keys=SOME_KEYS, data=st.data())
    def offer(self, keys, data):
        """See keys in a sweep, of a run or of none: held ones stay held, the dead stay dead."""
        run = data.draw(st.sampled_from([0, *self.model.open_runs()]))
        new = self.queue.offer(keys, run_id=run)
        assert new == sum(self.model.offer(key, run) for key in keys)

    @rule(keys=SOME_KEYS)
    def wake(self, keys):
        assert self.queue.wake(keys) == len(keys)
        for key in keys:
            self.model.wake(key)

    # -- runs ---------------------------------------------------------------------------------

    @rule(horizon=st.sampled_from([0.0, 10.0]))
    def begin(self, horizon):
        self.begin_run(horizon)

    def begin_run(self, horizon=0.0):
        """Press a task: what is due is its own too, and what was held goes on."""
        begun = self.runs.begin("Sync All Scenes", None, horizon)
        assert begun.id not in self.model.runs
        assert (begun.found, begun.taken_up) == self.model.begin(begun.id, horizon)
        return begun.id

    @precondition(lambda self: self.model.open_runs())
    @rule(data=st.data(), key=KEYS, take_up=st.booleans())
    def enqueue(self, data, key, take_up):
        run = data.draw(st.sampled_from(self.model.open_runs()))
        self.enqueue_for(run, key, take_up)

    def enqueue_for(self, run, key, take_up=True):
        """Let a run ask for a key: it belongs to the run, or the run has found it."""
        new = self.queue.enqueue([key], take_up=take_up, run_id=run)
        assert new == self.model.enqueue(key, BULK, take_up=take_up, run=run)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), key=SCENES)
    def follow(self, data, key):
        """Let a scene follow from a claimed tag: it counts for the same runs."""
        self.follow_from(data.draw(st.sampled_from(self.claims)), key)

    def follow_from(self, claim, key):
        named = {"priority": claim.priority, "take_up": claim.priority == URGENT}
        new = self.queue.enqueue([key], run_id=claim.run_id, after_run=claim.after_run, **named)
        assert new == self.model.enqueue(key, run=claim.run_id, after=claim.after_run, **named)

    @rule(data=st.data(), leaves=LEAVES)
    def leave(self, data, leaves):
        """Leave a run, open or not."""
        self.leave_run(data.draw(st.sampled_from(sorted(self.model.runs))), leaves)

    def leave_run(self, run, leaves):
        if leaves == "stop":
            assert self.runs.stop(run) == self.model.stop(run)
        elif leaves == "lose":
            self.runs.lose(run)
            self.model.leave(run, "lost")
        else:
            self.runs.end(run)
            self.model.leave(run, "ended")

    @rule(keys=SOME_KEYS, woken=st.booleans())
    def stop_what_waits(self, keys, woken):
        """Stop a run: no claim takes its keys, and they stay held when woken."""
        run = self.begin_run()
        for key in keys:
            self.enqueue_for(run, key)
        self.leave_run(run, "stop")
        if woken:
            self.wake(keys)
        self.claim_all()

    @rule(key=KEYS, end=ENDS, delay=DELAYS)
    def stop_in_hand(self, key, end, delay):
        """Stop a run while its key is in hand: whatever does not end there is held."""
        run = self.begin_run()
        self.enqueue_for(run, key)
        claim = self.claim_one(key)
        self.leave_run(run, "stop")
        if claim is not None:
            self.end(claim, end, delay, "transient")

    @rule(key=SCENES, order=ORDERS, again=st.booleans(), end=RUN_ENDS)
    def put_off_in_a_run(self, key, order, again, end):
        """Put off a key that a run asked for, found or did not find, perhaps twice, and end it."""
        run = 0
        for one in order:
            if one == "add":
                self.add(key, BULK, 0.0)
            elif one == "begin":
                run = self.begin_run()
            else:
                self.enqueue_for(run, key)
        for one in ["snooze", *["snooze"] * again, end]:
            claim = self.claim_one(key)
            if claim is None:
                return
            self.end(claim, one, 0.0, "transient")

    @rule(scene=SCENES, tag=TAGS)
    def follow_beside_a_run(self, scene, tag):
        """Let a scene follow from a tag in hand: the run that found the tag has found the scene."""
        self.add(tag, BULK, 0.0)
        claim = self.claim_one(tag)
        self.begin_run()
        if claim is not None:
            self.follow_from(claim, scene)
            self.end(claim, "ack", 0.0, "")

    @rule(key=KEYS, delay=DELAYS)
    def wake_what_was_put_off(self, key, delay):
        self.add(key, BULK, 0.0)
        claim = self.claim_one(key)
        if claim is not None:
            self.end(claim, "snooze", delay, "transient")
        self.wake([key])

    # -- claiming -----------------------------------------------------------------------------

    @rule(limit=st.integers(1, 3), urgent_only=st.booleans())
    def claim(self, limit, urgent_only):
        self.model.expire()
        due = self.model.due((URGENT,) if urgent_only else (URGENT, BULK))
        claims = self.queue.claim(limit, LEASE, urgent_only=urgent_only)
        rows = [self.model.rows[claim.key] for claim in claims]
        assert [(row.priority, row.due) for row in rows] == due[:limit]
        for claim, row in zip(claims, rows, strict=True):
            shown = (claim.priority, claim.attempts, claim.snoozes, claim.interruptions)
            assert shown == (row.priority, row.attempts, row.snoozes, row.interruptions)
            assert (claim.run_id, claim.after_run, claim.later_run) == (
                row.run,
                row.after,
                row.later,
            )
            self.model.lease(claim.key, claim.lease_id)
            self.claims.append(claim)

    def claim_all(self):
        before = len(self.claims)
        self.claim(len(ALL_KEYS), urgent_only=False)
        return self.claims[before:]

    def claim_one(self, key):
        """Claim all that is due; returns the claim of one key, or None where it was in hand."""
        return next((claim for claim in self.claim_all() if claim.key == key), None)

    @rule(seconds=st.sampled_from([1.0, 10.0, LEASE, -3.0]))
    def step(self, seconds):
        self.clock.step(seconds)

    @rule(key=KEYS)
    def outlive_a_lease(self, key):
        """Claim a key, and claim it again when its lease has ended."""
        self.add(key, URGENT, 0.0)
        self.claim_one(key)
        self.clock.step(LEASE)
        self.claim_one(key)

    @rule(seconds=st.sampled_from([2.0, 60.0]))
    def set_the_clock_back(self, seconds):
        self.clock.step(-seconds)
        assert self.queue.clock_set_back(seconds) == self.model.clock_set_back(seconds)

    @rule()
    def take_over(self):
        assert self.queue.take_over() == self.model.take_over()

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def extend(self, data):
        lease_id = data.draw(st.sampled_from(self.claims)).lease_id
        assert self.queue.extend(lease_id, LEASE) == self.model.extend(lease_id)

    # -- ending -------------------------------------------------------------------------------

    def late(self):
        """List the claims whose key is in the queue, and no longer theirs."""
        rows = self.model.rows
        return [one for one in self.claims if one.key in rows and not self.model.holds(one)]

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), end=ENDS, delay=DELAYS, reason=REASONS)
    def end_any(self, data, end, delay, reason):
        """End a claim, still held or long lost."""
        self.end(data.draw(st.sampled_from(self.claims)), end, delay, reason)

    ack_late, nack_late, snooze_late = late_by("ack"), late_by("nack"), late_by("snooze")
    release_late, aside_late, bury_late = late_by("release"), late_by("aside"), late_by("bury")
    ack_one, nack_one, snooze_one = life_to("ack"), life_to("nack"), life_to("snooze")
    release_one, aside_one, bury_one = life_to("release"), life_to("aside"), life_to("bury")
    ack_changed, nack_changed = life_to("ack", changed=True), life_to("nack", changed=True)
    snooze_changed, bury_changed = life_to("snooze", changed=True), life_to("bury", changed=True)

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
        assert done == self.model.holds(claim)
        if done:
            self.model.end(claim, end, delay, reason)

    # -- wishes -------------------------------------------------------------------------------

    @precondition(lambda self: self.model.dead)
    @rule(reason=st.none() | REASONS)
    def redrive(self, reason):
        chosen = [key for key, (why, *_) in self.model.dead.items() if reason in (None, why)]
        assert self.queue.redrive(reason=reason) == len(chosen)
        self.model.revive(chosen)

    @precondition(lambda self: self.model.dead)
    @rule(keys=SOME_KEYS)
    def redrive_chosen(self, keys):
        chosen = [key for key in keys if key in self.model.dead]
        assert self.queue.redrive(keys) == len(chosen)
        self.model.revive(chosen)

    @precondition(lambda self: self.model.dead)
    @rule(keys=SOME_KEYS)
    def discard(self, keys):
        chosen = [key for key in keys if key not in self.model.rows]
        dead = [key for key in chosen if key in self.model.dead]
        assert self.queue.discard(chosen) == len(dead)
        for key in chosen:
            self.model.dead.pop(key, None)
            self.model.failures.pop(key, None)

    @precondition(lambda self: self.model.dead)
    @rule(ago=st.none() | st.sampled_from([0.0, 10.0]))
    def clear_dead(self, ago):
        before = None if ago is None else self.clock.now - ago
        dead = self.model.dead
        old = [key for key, (*_, last) in dead.items() if before is None or last < before]
        assert self.queue.clear_dead(before=before) == len(old)
        for key in old:
            del dead[key]
            self.model.failures.pop(key)

    @rule()
    def clear_waiting(self):
        assert self.queue.clear_waiting() == self.model.clear_waiting()

    # -- looking ------------------------------------------------------------------------------

    @invariant()
    def counts_agree(self):
        model, now = self.model, self.clock.now
        counts = self.queue.counts()
        live, busy = model.live(), len(model.in_progress())
        assert counts.pending == sum(row.due <= now for row in live)
        assert counts.waiting == sum(row.due > now for row in live) + len(model.held())
        assert counts.in_progress == busy
        assert counts.dead == len(model.dead)
        assert self.reader.is_empty() == (not live and not busy)
        assert self.reader.next_due_at() == min((row.due for row in live), default=None)
        assert self.reader.due_within(10.0) == busy + sum(row.due <= now + 10.0 for row in live)
        assert self.reader.urgent_due() == bool(model.due((URGENT,)))

    @invariant()
    def rows_agree(self):
        found = {
            (kind, id_): values
            for kind, id_, *values in self.database.execute(
                "SELECT kind, id, priority, due_at, attempts, snoozes, interruptions, reason,"
                " run_id, after_run, later_run,"
                " lease_id, generation > lease_generation, lease_expires_at FROM queue"
            )
        }
        assert found == {key: row.values() for key, row in self.model.rows.items()}

    @invariant()
    def runs_agree(self):
        found = {
            number: values
            for number, *values in self.database.execute(
                "SELECT id, state, queued, found, done, failed, later, removed, held FROM run"
            )
        }
        assert found == {number: run.values() for number, run in self.model.runs.items()}
        held = read_held(self.database)
        assert (held.number if held else 0) == len(self.model.held())
        assert self.runs.held_in_hand() == {
            key for key, row in self.model.rows.items() if row.lease and row.priority == HELD
        }

    @invariant()
    def reasons_agree(self):
        waiting = {reason: (number, due) for reason, number, due in self.reader.waiting_reasons()}
        assert waiting == self.model.waiting_reasons()
        for key in ALL_KEYS:
            known = read_key_state(self.database, key, self.clock.now)
            shown = (known.state, known.due_at, known.attempts, known.snoozes, known.reason)
            assert shown == self.model.state(key)

    @invariant()
    def histories_agree(self):
        letters = {
            (kind, id_): values
            for kind, id_, *values in self.database.execute(
                "SELECT kind, id, reason, attempts, first_failed_at, last_failed_at"
                " FROM dead_letter"
            )
        }
        assert letters == {key: list(values) for key, values in self.model.dead.items()}
        kept: dict[tuple[str, int], list[float]] = {}
        for kind, id_, at in self.database.execute("SELECT kind, id, at FROM failure ORDER BY seq"):
            kept.setdefault((kind, id_), []).append(at)
        assert kept == {key: times for key, times in self.model.failures.items() if times}


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


class LongQueueMachine(QueueMachine):
    """The same, for longer."""


TestQueueForLong = pytest.mark.nightly(LongQueueMachine.TestCase)
TestQueueForLong.settings = settings(max_examples=2_000, stateful_step_count=80, deadline=None)
