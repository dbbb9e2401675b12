"""The plain model of the queue and of its runs: what each call returns, and what it leaves."""

from __future__ import annotations

from collections import Counter

from stash2plex.store.runs import RUNS_LIMIT
from stash2plex.workqueue import BULK, HELD, STOPPED, URGENT

LEASE = 20.0


class Row:
    """What the model keeps of a key."""

    def __init__(self, priority, due, run, after):
        self.priority = priority
        self.due = due
        self.run, self.after, self.later = run, after, -1
        self.generation = 1
        self.attempts = self.snoozes = self.interruptions = 0
        self.reason = ""
        self.lease = None  # (lease id, generation, expiry)

    def values(self):
        """Return what the table holds; of the generations only whether a change came meanwhile."""
        lease_id, generation, expiry = self.lease or (None, None, None)
        changed = None if generation is None else self.generation > generation
        return [
            self.priority,
            self.due,
            self.attempts,
            self.snoozes,
            self.interruptions,
            self.reason,
            self.run,
            self.after,
            self.later,
            lease_id,
            changed,
            expiry,
        ]

    def wanted_by(self, run):
        """Whether a run asked for the key or found it."""
        return self.run == run or self.after < run

    def free(self):
        """Lose the lease without an answer from its holder."""
        self.lease = None
        self.interruptions += 1


class RunRow:
    """What the model keeps of a run."""

    def __init__(self, state, found):
        self.state = state
        self.found = found
        self.queued = self.done = self.failed = self.later = self.removed = self.held = 0

    def values(self):
        """Return what the table holds."""
        return [
            self.state,
            self.queued,
            self.found,
            self.done,
            self.failed,
            self.later,
            self.removed,
            self.held,
        ]


class Model:
    """Does as the queue and the runs do, on plain dictionaries."""

    def __init__(self, clock):
        self.clock = clock
        self.rows = {}
        self.dead = {}  # key -> (reason, attempts, first failure, last failure)
        self.failures = {}  # key -> when it failed
        self.runs = {0: RunRow("ended", 0)}

    # -- adding -------------------------------------------------------------------------------

    def newest(self):
        return max(self.runs)

    def open_runs(self):
        return [number for number, run in self.runs.items() if run.state == "open"]

    def insert(self, key, priority, delay, run, after):
        """Insert a key that is not there; returns its row."""
        after = self.newest() if after is None else after
        row = self.rows[key] = Row(priority, self.clock.now + delay, run, after)
        if run and run in self.runs:
            self.runs[run].queued += 1
        return row

    def enqueue(self, key, priority, *, delay=0.0, take_up=True, run=0, after=None):
        """Mark a key as dirty; returns whether it is new."""
        self.dead.pop(key, None)
        row = self.rows.get(key)
        if row is None:
            self.insert(key, priority, delay, run, after)
            return True
        row.generation += 1
        row.due = min(row.due, self.clock.now + delay)
        if take_up or row.priority != HELD:
            row.priority = min(row.priority, priority)
        if run and row.run != run:
            row.after = min(row.after, run - 1)
        return False

    def offer(self, key, run):
        """Offer a key for a sweep; returns whether it is new."""
        if key in self.dead:
            return False
        if key not in self.rows:
            self.insert(key, BULK, 0.0, run, None)
            return True
        row = self.rows[key]
        row.generation += row.lease is not None
        return False

    def wake(self, key):
        row = self.rows.get(key)
        if row is not None and row.lease is None:
            row.snoozes = max(0, row.snoozes - 1)
        self.enqueue(key, BULK, take_up=False)

    # -- runs ---------------------------------------------------------------------------------

    def begin(self, number, horizon):
        """Begin a run; returns how many keys it found, and how many were held."""
        held = self.held()
        for row in held:
            row.priority = BULK
        newest = sorted(self.runs)[-RUNS_LIMIT:]
        for old in list(self.runs):
            if old and old not in newest and self.runs[old].state != "open":
                del self.runs[old]
        now = self.clock.now
        found = sum(row.lease is not None or row.due <= now + horizon for row in self.rows.values())
        self.runs[number] = RunRow("open", found)
        return found, len(held)

    def leave(self, number, state):
        """End a run; returns whether it was open."""
        was_open = self.runs[number].state == "open"
        if was_open:
            self.runs[number].state = state
        return was_open

    def stop(self, number):
        """Stop a run, and hold its bulk keys; returns how many, or None where it had ended."""
        if not self.leave(number, "stopped"):
            return None
        others = self.open_runs()
        mine = [
            row
            for row in self.rows.values()
            if row.priority == BULK and row.wanted_by(number) and row.run not in others
        ]
        for row in mine:
            row.priority = HELD
        self.runs[number].held = len(mine)
        return len(mine)

    def counting(self, row):
        """List the runs that count what becomes of a key."""
        numbers = {0, row.run} | {number for number in self.open_runs() if number > row.after}
        return [(number, self.runs[number]) for number in numbers if number in self.runs]

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

    def lease(self, key, lease_id):
        row = self.rows[key]
        assert row.lease is None
        row.lease = (lease_id, row.generation, self.clock.now + LEASE)

    def take_over(self):
        taken = [row for row in self.rows.values() if row.lease]
        for row in taken:
            row.free()
        return len(taken)

    def extend(self, lease_id):
        kept = [row for row in self.rows.values() if row.lease and row.lease[0] == lease_id]
        for row in kept:
            row.lease = (lease_id, row.lease[1], self.clock.now + LEASE)
        return len(kept)

    def clock_set_back(self, seconds):
        now = self.clock.now
        late = [row for row in self.rows.values() if row.lease is None and row.due > now]
        for row in late:
            row.due = max(now, row.due - seconds)
        return len(late)

    # -- ending -------------------------------------------------------------------------------

    def holds(self, claim):
        row = self.rows.get(claim.key)
        return row is not None and row.lease is not None and row.lease[0] == claim.lease_id

    def end(self, claim, end, delay, reason):
        """End a claim that still holds its key."""
        key, now = claim.key, self.clock.now
        row = self.rows[key]
        unchanged = row.generation == row.lease[1]
        row.lease = None
        if end in ("nack", "snooze") or (end == "bury" and unchanged):
            self.failures.setdefault(key, []).append(now)
        if end == "ack":
            self.failures.pop(key, None)
        if end in ("ack", "bury") and unchanged:
            self.count_end(key, row, end)
            del self.rows[key]
            if end == "bury":
                self.dead[key] = (reason, claim.attempts + 1, min(self.failures[key]), now)
            return
        row.interruptions = 0
        if end == "ack":
            row.attempts = row.snoozes = 0
            row.reason = ""
            row.due = min(row.due, now)
            return
        if end == "snooze" and unchanged:
            for number, run in self.counting(row):
                run.later += number > row.later
            row.later = self.newest()
        row.attempts += end == "nack"
        row.snoozes += end == "snooze"
        row.reason = reason
        at_once = end not in ("nack", "snooze") or not unchanged
        row.due = now + (0.0 if at_once else delay)
        if end == "aside":
            row.priority = max(row.priority, BULK)

    def count_end(self, key, row, end):
        """Count a key that leaves the queue. A tag counts by the scenes that show it."""
        if end == "ack" and key[0] != "scene":
            return
        for number, run in self.counting(row):
            run.done += end == "ack"
            run.failed += end == "bury"
            run.later = max(0, run.later - (number <= row.later))

    # -- wishes -------------------------------------------------------------------------------

    def revive(self, keys):
        """Put dead keys back."""
        for key in keys:
            self.enqueue(key, URGENT)

    def clear_waiting(self):
        """Remove every key that is not in progress; returns how many."""
        free = [key for key, row in self.rows.items() if row.lease is None]
        for number in self.open_runs():
            removed = sum(self.rows[key].wanted_by(number) for key in free)
            self.runs[number].removed += removed
        for key in free:
            del self.rows[key]
        return len(free)

    # -- looking ------------------------------------------------------------------------------

    def held(self):
        return [row for row in self.rows.values() if row.priority == HELD]

    def live(self):
        """List the rows that are neither held nor claimed."""
        return [row for row in self.rows.values() if row.lease is None and row.priority != HELD]

    def in_progress(self):
        return [row for row in self.rows.values() if row.lease and row.priority != HELD]

    def waiting_reasons(self):
        late = [row for row in self.live() if row.due > self.clock.now]
        reasons = {
            reason: (number, min(row.due for row in late if row.reason == reason))
            for reason, number in Counter(row.reason for row in late).items()
        }
        held = len(self.held())
        return reasons | {STOPPED: (held, None)} if held else reasons

    def state(self, key):
        """Return what a look at one key shows: state, due time, attempts, snoozes and reason."""
        if key in self.dead:
            reason, attempts, *_ = self.dead[key]
            return ("dead", None, attempts, 0, reason)
        row = self.rows.get(key)
        if row is None:
            return ("none", None, 0, 0, "")
        state, reason = "due" if row.due <= self.clock.now else "waiting", row.reason
        if row.priority == HELD:
            state, reason = "held", STOPPED
        if row.lease:
            state = "in_progress"
        return (state, row.due, row.attempts, row.snoozes, reason)
