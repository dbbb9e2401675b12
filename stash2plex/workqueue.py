"""The durable queue of keys: dirty and processing sets that survive a power cut.

A key `(kind, id)` means "make Plex agree with Stash on this". It is stored once, however often it
is added. A claim gives it to one worker under a lease. If the lease was lost, its ack, nack or
snooze changes nothing. An add in the middle of a run makes the key due again at the ack, so no
change is lost, and none is worked on twice at the same time.

Plain tuples in and out: the hook imports this module.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence

from stash2plex.db import transaction

URGENT, BULK, HELD = 0, 1, 2
"""Priorities. Urgent: the user is waiting. Bulk: a task enqueued many keys. Held: the user stopped
the run that wanted the key, so it waits until it is asked for again."""

STOPPED = "stopped"
"""The reason of held keys."""

HISTORY_LIMIT = 20
"""How many failures are kept for each key."""

ERROR_LIMIT = 4_000
"""How many characters of a failure are kept: it may name long paths."""

Key = tuple[str, int]


class Claim:
    """A key that this worker has claimed, with its counters.

    A plain class, because `typing` and `dataclasses` cost the hook more than its commit.
    """

    __slots__ = (
        "added_at", "after_run", "attempts", "finished", "id", "interruptions",
        "kind", "later_run", "lease_id", "priority", "run_id", "snoozes",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        id_: int,
        lease_id: str,
        attempts: int,
        snoozes: int,
        interruptions: int,
        priority: int,
        run_id: int = 0,
        after_run: int = 0,
        later_run: int = -1,
        added_at: float = 0.0,
    ) -> None:
        self.kind = kind
        self.id = id_
        self.lease_id = lease_id
        self.attempts = attempts
        self.snoozes = snoozes
        self.interruptions = interruptions
        self.priority = priority
        self.run_id = run_id
        self.after_run = after_run
        self.later_run = later_run
        self.added_at = added_at
        self.finished = False
        """Whether its key has left the queue; a key that was added meanwhile stays in it."""

    @property
    def key(self) -> Key:
        """The claimed key."""
        return (self.kind, self.id)

    def __repr__(self) -> str:
        return f"<Claim {self.kind}:{self.id} lease {self.lease_id} attempts {self.attempts}>"


class WorkQueue:
    """The queue in one database. Several processes may use it at once, each with its own object.

    `clock` returns seconds since the epoch.
    """

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._db = connection
        self._clock = clock

    # -- adding ---------------------------------------------------------------------------

    def add(self, kind: str, id_: int, *, priority: int = URGENT, delay: float = 0.0) -> None:
        """Mark one key as dirty, on disk. If it is a dead letter, it is queued again."""
        self.add_many([(kind, id_)], priority=priority, delay=delay)

    def add_many(
        self,
        keys: Iterable[Key],
        *,
        priority: int = BULK,
        delay: float = 0.0,
        revive: bool = True,
        take_up: bool = True,
    ) -> int:
        """Mark keys as dirty in one transaction; returns how many there are.

        The earlier due time and the more urgent priority win, so a new edit overtakes a backoff,
        and a bulk task never delays an edit. Without `revive`, dead letters stay dead; without
        `take_up`, held keys stay held.
        """
        wanted = [key for key in keys if revive or not self._is_dead(*key)]
        self.enqueue(wanted, priority=priority, delay=delay, take_up=take_up)
        return len(wanted)

    def enqueue(
        self,
        keys: Iterable[Key],
        *,
        priority: int = BULK,
        delay: float = 0.0,
        take_up: bool = True,
        run_id: int = 0,
        after_run: int | None = None,
    ) -> int:
        """Do the same as `add_many` for a run; returns how many keys were new to the queue.

        New keys belong to the run. A known key keeps its run, and this run has found it. If keys
        follow from an older key, `after_run` is that key's: the runs that found it found these too.
        """
        now = self._clock()
        wanted = list(keys)
        with transaction(self._db):
            self._db.executemany("DELETE FROM dead_letter WHERE kind = ? AND id = ?", wanted)
            new = self._insert(wanted, priority, now, delay, run_id, after_run)
            if new < len(wanted):
                # This also raises the generation of the new keys; no claim has seen them yet.
                newest = run_id - 1 if run_id else NO_RUN
                self._db.executemany(
                    "UPDATE queue SET generation = generation + 1, due_at = min(due_at, ?),"
                    " priority = CASE WHEN priority = 2 AND NOT ? THEN 2"
                    " ELSE min(priority, ?) END,"
                    # A run does not find the keys that it queued.
                    " after_run = CASE WHEN run_id = ? THEN after_run ELSE min(after_run, ?) END"
                    " WHERE kind = ? AND id = ?",
                    [(now + delay, take_up, priority, run_id, newest, *key) for key in wanted],
                )
        return new

    def _insert(
        self,
        keys: Sequence[Key],
        priority: int,
        now: float,
        delay: float,
        run_id: int,
        after_run: int | None,
    ) -> int:
        """Insert the keys that are missing; returns how many."""
        if after_run is None:
            (after_run,) = self._db.execute("SELECT max(id) FROM run").fetchone()
        new = self._db.executemany(
            "INSERT INTO queue (kind, id, priority, added_at, due_at, run_id, after_run)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO NOTHING",
            [(*key, priority, now, now + delay, run_id, after_run) for key in keys],
        ).rowcount
        if run_id and new > 0:
            self._db.execute("UPDATE run SET queued = queued + ? WHERE id = ?", (new, run_id))
        return max(0, new)

    def wake(self, keys: Sequence[Key]) -> int:
        """Make keys due now, dead or waiting but not held: what they waited for may be there.

        This costs a waiting key no snooze, because the try that follows counts one again.
        """
        with transaction(self._db):
            self._db.executemany(
                "UPDATE queue SET snoozes = max(0, snoozes - 1)"
                " WHERE kind = ? AND id = ? AND lease_id IS NULL",
                keys,
            )
            return self.add_many(keys, priority=BULK, take_up=False)

    def offer(self, keys: Iterable[Key], *, run_id: int = 0) -> int:
        """Mark keys as dirty for a sweep, which may see the same keys many times.

        A waiting key is left as it is: its scene will be read then, and making it due now would
        defeat its backoff. A claimed key is handled once more. Dead letters stay dead. Returns how
        many keys were new to the queue.
        """
        now = self._clock()
        with transaction(self._db):
            wanted = [key for key in keys if not self._is_dead(*key)]
            new = self._insert(wanted, BULK, now, 0.0, run_id, None)
            if new < len(wanted):
                self._db.executemany(
                    "UPDATE queue SET generation = generation + 1"
                    " WHERE kind = ? AND id = ? AND lease_id IS NOT NULL",
                    wanted,
                )
        return new

    def _is_dead(self, kind: str, id_: int) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM dead_letter WHERE kind = ? AND id = ?", (kind, id_)
        ).fetchone()
        return row is not None

    # -- claiming -------------------------------------------------------------------------

    def claim(
        self,
        limit: int,
        lease_seconds: float,
        *,
        urgent_only: bool = False,
        careful: bool = False,
        beside: bool = False,
    ) -> list[Claim]:
        """Claim up to `limit` due keys, urgent ones first, oldest first, under one new lease.

        If `careful`, a key that a worker had when it ended has half as many others beside it for
        each time, and in the end it comes last and alone: it may be the cause. `beside` means that
        others are claimed, so that a key that must be alone waits.
        """
        now = self._clock()
        lease_id = os.urandom(8).hex()
        with transaction(self._db):
            self._expire(now)
            rows: list[tuple[str, int, int, int, int, int, int, int, int, float]] = []
            for priority in (URGENT,) if urgent_only else (URGENT, BULK):
                rows += self._db.execute(CLAIM_SQL, (priority, now, limit - len(rows)))
            if careful and any(row[4] for row in rows):
                safer = [row for row in rows if limit >> row[4]]
                most = limit >> max((row[4] for row in safer), default=0)
                rows = safer[:most] or ([] if beside else rows[:1])
            self._db.executemany(
                "UPDATE queue SET lease_id = ?, lease_generation = generation,"
                " lease_expires_at = ? WHERE kind = ? AND id = ?",
                [(lease_id, now + lease_seconds, row[0], row[1]) for row in rows],
            )
        return [Claim(row[0], row[1], lease_id, *row[2:]) for row in rows]

    def _expire(self, now: float) -> None:
        self._db.execute(
            "UPDATE queue SET lease_id = NULL, lease_generation = NULL, lease_expires_at = NULL,"
            " interruptions = interruptions + 1"
            " WHERE lease_id IS NOT NULL AND lease_expires_at <= ?",
            (now,),
        )

    def extend(self, lease_id: str, lease_seconds: float) -> int:
        """Extend a lease for all its keys; returns how many it still has."""
        with transaction(self._db):
            return self._db.execute(
                "UPDATE queue SET lease_expires_at = ? WHERE lease_id = ?",
                (self._clock() + lease_seconds, lease_id),
            ).rowcount

    # -- ending a claim -------------------------------------------------------------------

    def ack(self, claim: Claim) -> bool:
        """Finish a key; returns False if the lease was lost, and then changes nothing.

        A key that was added meanwhile stays, due at once and with its counters reset.
        """
        with transaction(self._db):
            gone = self._db.execute(
                "DELETE FROM queue WHERE kind = ? AND id = ? AND lease_id = ?"
                " AND generation = lease_generation",
                (claim.kind, claim.id, claim.lease_id),
            ).rowcount
            claim.finished = bool(gone)
            kept = 0
            if not gone:
                kept = self._db.execute(
                    "UPDATE queue SET lease_id = NULL, lease_generation = NULL,"
                    " lease_expires_at = NULL, attempts = 0, snoozes = 0, interruptions = 0,"
                    " reason = '', due_at = min(due_at, ?)"
                    " WHERE kind = ? AND id = ? AND lease_id = ?",
                    (self._clock(), claim.kind, claim.id, claim.lease_id),
                ).rowcount
            elif claim.kind == "scene":
                self._count(ENDED_SQL, (1, 0), claim)
            if gone or kept:
                self._forget_failures(claim.key)
        return bool(gone or kept)

    def nack(self, claim: Claim, *, delay: float, reason: str, error: str, title: str = "") -> bool:
        """Put a key back after a failure that counts as an attempt; `title` names the scene."""
        with transaction(self._db):
            if not self._give_back(claim, delay, reason, attempts=1, snoozes=0):
                return False
            self._note_failure(claim.key, reason, error, title)
        return True

    def snooze(
        self,
        claim: Claim,
        *,
        delay: float,
        reason: str,
        error: str = "",
        title: str = "",
        counted: bool = True,
    ) -> bool:
        """Put a key back because it cannot be done yet; that counts a snooze, not an attempt.

        At the first snooze since the key was last done, the scene is kept for a notification. If it
        is not `counted`, it costs no snooze and no notification: its cause is known.
        """
        with transaction(self._db):
            put_off = self._db.execute(
                "UPDATE queue SET later_run = (SELECT max(id) FROM run) WHERE kind = ? AND id = ?"
                " AND lease_id = ? AND generation = lease_generation",
                (*claim.key, claim.lease_id),
            ).rowcount
            if not self._give_back(claim, delay, reason, attempts=0, snoozes=int(counted)):
                return False
            if put_off:
                self._count(PUT_OFF_SQL, (), claim)
            if error:
                if counted and claim.kind == "scene" and not self._has_failed(claim.key, reason):
                    self._db.execute(
                        "INSERT OR IGNORE INTO missing_news (scene_id, title) VALUES (?, ?)",
                        (claim.id, title),
                    )
                self._note_failure(claim.key, reason, error, title)
        return True

    def _has_failed(self, key: Key, reason: str) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM failure WHERE kind = ? AND id = ? AND reason = ? LIMIT 1",
            (*key, reason),
        ).fetchone()
        return row is not None

    def release(self, claim: Claim, *, reason: str = "", aside: bool = False) -> bool:
        """Put a key back uncounted, due at once: a server is down, or we were asked to stop.

        `aside` moves it behind every key that is due now.
        """
        with transaction(self._db):
            given = self._give_back(claim, 0.0, reason, attempts=0, snoozes=0)
            if given and aside:
                self._db.execute(
                    "UPDATE queue SET priority = max(priority, ?) WHERE kind = ? AND id = ?",
                    (BULK, *claim.key),
                )
        return given

    def _count(self, sql: str, numbers: tuple[int, ...], claim: Claim) -> None:
        """Count that a key ended or was put off, for its run and the runs that found it.

        The claim's numbers are current: any change of them raises the generation, and then the key
        does not end.
        """
        self._db.execute(sql, (*numbers, claim.later_run, claim.run_id, claim.after_run))

    def _give_back(
        self, claim: Claim, delay: float, reason: str, *, attempts: int, snoozes: int
    ) -> bool:
        """Drop the lease. A key that was added meanwhile is due at once, whatever the `delay`."""
        now = self._clock()
        touched = self._db.execute(
            "UPDATE queue SET attempts = attempts + ?, snoozes = snoozes + ?, reason = ?,"
            " due_at = CASE WHEN generation = lease_generation THEN ? ELSE ? END,"
            " interruptions = 0,"
            " lease_id = NULL, lease_generation = NULL, lease_expires_at = NULL"
            " WHERE kind = ? AND id = ? AND lease_id = ?",
            (attempts, snoozes, reason, now + delay, now, claim.kind, claim.id, claim.lease_id),
        ).rowcount
        return bool(touched)

    def bury(self, claim: Claim, *, title: str, reason: str, error: str, path: str = "") -> bool:
        """Move a key to the dead letters. If it was added meanwhile, it is tried again instead."""
        now = self._clock()
        with transaction(self._db):
            gone = self._db.execute(
                "DELETE FROM queue WHERE kind = ? AND id = ? AND lease_id = ?"
                " AND generation = lease_generation",
                (claim.kind, claim.id, claim.lease_id),
            ).rowcount
            claim.finished = bool(gone)
            if not gone:
                return self._give_back(claim, 0.0, reason, attempts=0, snoozes=0)
            self._count(ENDED_SQL, (0, 1), claim)
            self._note_failure(claim.key, reason, error, title)
            first = self._db.execute(
                "SELECT min(at) FROM failure WHERE kind = ? AND id = ?", claim.key
            ).fetchone()[0]
            self._db.execute(
                "INSERT OR REPLACE INTO dead_letter (kind, id, title, reason, error, attempts,"
                " first_failed_at, last_failed_at, path) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *claim.key,
                    title,
                    reason,
                    error[:ERROR_LIMIT],
                    claim.attempts + 1,
                    first,
                    now,
                    path,
                ),
            )
        return True

    def _note_failure(self, key: Key, reason: str, error: str, title: str) -> None:
        self._db.execute(
            "INSERT INTO failure (kind, id, at, reason, error, title) VALUES (?, ?, ?, ?, ?, ?)",
            (*key, self._clock(), reason, error[:ERROR_LIMIT], title),
        )
        self._db.execute(
            "DELETE FROM failure WHERE kind = ? AND id = ? AND seq NOT IN (SELECT seq FROM failure"
            " WHERE kind = ? AND id = ? ORDER BY seq DESC LIMIT ?)",
            (*key, *key, HISTORY_LIMIT),
        )

    def _forget_failures(self, key: Key) -> None:
        self._db.execute("DELETE FROM failure WHERE kind = ? AND id = ?", key)
        if key[0] == "scene":
            self._db.execute("DELETE FROM missing_news WHERE scene_id = ?", key[1:])


CLAIM_SQL = (
    "SELECT kind, id, attempts, snoozes, interruptions, priority, run_id, after_run, later_run,"
    " added_at"
    " FROM queue WHERE lease_id IS NULL AND priority = ? AND due_at <= ? ORDER BY due_at LIMIT ?"
)
"""Reads the head of the index `queue_due`; a test shows the query plan."""

HELD_SQL = (
    "SELECT (SELECT count(*) FROM queue WHERE lease_id IS NULL AND priority = 2)"
    " + (SELECT count(*) FROM queue WHERE lease_id IS NOT NULL AND priority = 2)"
)
"""Counts the held keys, including those that are still claimed for a moment."""

NO_RUN = 2**62
"""Larger than the id of any run."""

ENDED_SQL = (
    "UPDATE run SET done = done + ?1, failed = failed + ?2, later = max(0, later - (id <= ?3))"
    " WHERE id IN (0, ?4) OR (state = 'open' AND id > ?5)"
)
"""Counts a key that left the queue as done or failed, and subtracts it from those put off."""

PUT_OFF_SQL = (
    "UPDATE run SET later = later + 1"
    " WHERE id > ?1 AND (id IN (0, ?2) OR (state = 'open' AND id > ?3))"
)
"""Counts a key that was put off, once for each run."""
