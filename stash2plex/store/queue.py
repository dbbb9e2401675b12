"""The whole queue: what a save needs, and also counts, the clock, and what the user asks for.

The hook imports only `workqueue`; every other process uses this module.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import frozen

from stash2plex.db import transaction
from stash2plex.store.dead_letters import read_dead_keys
from stash2plex.store.stored_status import COUNTS_SQL
from stash2plex.store.undo_marks import UndoMarks
from stash2plex.workqueue import CLAIM_SQL, ERROR_LIMIT, HELD_SQL, STOPPED, URGENT, Key, WorkQueue


@frozen
class Counts:
    """How many keys are in each state. `pending` is due now, `waiting` is due later or on hold."""

    pending: int
    in_progress: int
    waiting: int
    dead: int


class Queue(WorkQueue):
    """The queue in one database, for everything except a save."""

    def take_over(self) -> int:
        """Free every lease at once; returns how many there were.

        Only for the holder of the drain lock, which knows that the lease holders are dead.
        """
        with transaction(self._db):
            return self._db.execute(
                "UPDATE queue SET lease_id = NULL, lease_generation = NULL,"
                " lease_expires_at = NULL, interruptions = interruptions + 1"
                " WHERE lease_id IS NOT NULL"
            ).rowcount

    # -- looking --------------------------------------------------------------------------

    def urgent_due(self) -> bool:
        """Return whether an urgent key is due: one look at the index, without a transaction."""
        row = self._db.execute(CLAIM_SQL, (URGENT, self._clock(), 1)).fetchone()
        return row is not None

    def counts(self) -> Counts:
        """Count the keys by their present state."""
        row = self._db.execute(COUNTS_SQL, (self._clock(),)).fetchone()
        (held,) = self._db.execute(HELD_SQL).fetchone()
        return Counts(row[0], row[1], row[2] + held, row[3])

    def held(self) -> int:
        """Count the keys that wait since the user stopped a task."""
        return int(self._db.execute(HELD_SQL).fetchone()[0])

    def due_within(self, seconds: float) -> int:
        """Count the keys that are claimed, due now, or due within `seconds`."""
        row = self._db.execute(
            "SELECT (SELECT count(*) FROM queue WHERE lease_id IS NULL AND priority IN (0, 1)"
            " AND due_at <= ?)"
            " + (SELECT count(*) FROM queue WHERE lease_id IS NOT NULL AND priority < 2)",
            (self._clock() + seconds,),
        ).fetchone()
        return int(row[0])

    def next_due_at(self) -> float | None:
        """Return when the next unclaimed key becomes due; None if there is none."""
        row = self._db.execute(
            "SELECT min(due_at) FROM (SELECT min(due_at) AS due_at FROM queue"
            " WHERE lease_id IS NULL AND priority = 0 UNION ALL SELECT min(due_at) FROM queue"
            " WHERE lease_id IS NULL AND priority = 1)"
        ).fetchone()
        return None if row[0] is None else float(row[0])

    def expects_urgent(self, seconds: float) -> bool:
        """Return whether an urgent key becomes due within `seconds`: one look at the index."""
        now = self._clock()
        row = self._db.execute(
            "SELECT 1 FROM queue WHERE lease_id IS NULL AND priority = ? AND due_at > ?"
            " AND due_at <= ? LIMIT 1",
            (URGENT, now, now + seconds),
        ).fetchone()
        return row is not None

    def due_since(self) -> float | None:
        """Return since when the first key has been due or claimed; None if no key is.

        A waiting key becomes due at its time, however long ago it was added.
        """
        first = self.next_due_at()
        row = self._db.execute(
            "SELECT min(due_at) FROM queue WHERE lease_id IS NOT NULL AND priority < 2"
        ).fetchone()
        times = [at for at in (first, row[0]) if at is not None and at <= self._clock()]
        return min(times, default=None)

    def queued_scenes(self, ids: Sequence[int]) -> set[int]:
        """Return which of the scenes with these ids are in the queue."""
        if not ids:
            return set()
        rows = self._db.execute(
            "SELECT id FROM queue WHERE kind = 'scene' AND id BETWEEN ? AND ?", (min(ids), max(ids))
        )
        return {id_ for (id_,) in rows}.intersection(ids)

    def is_empty(self) -> bool:
        """Return whether there is nothing to do, now or later: only held keys, or none."""
        return not list(self._db.execute("SELECT 1 FROM queue WHERE priority < 2 LIMIT 1"))

    def waiting_reasons(self) -> list[tuple[str, int, float | None]]:
        """Return why keys wait: reason, how many, and when the first is due (None if on hold)."""
        rows = list(
            self._db.execute(
                "SELECT reason, count(*), min(due_at) FROM queue WHERE lease_id IS NULL"
                " AND priority IN (0, 1) AND due_at > ? GROUP BY reason ORDER BY 2 DESC",
                (self._clock(),),
            )
        )
        (held,) = self._db.execute(HELD_SQL).fetchone()
        return [*rows, (STOPPED, held, None)] if held else rows

    def waiting_for(self, reason: str) -> list[Key]:
        """List the keys that wait for one reason."""
        return list(
            self._db.execute(
                "SELECT kind, id FROM queue WHERE lease_id IS NULL AND priority IN (0, 1)"
                " AND reason = ? ORDER BY due_at",
                (reason,),
            )
        )

    # -- a clock that was set back --------------------------------------------------------

    def newest_trace(self) -> float:
        """Return the latest stored time: if it is in the future, the clock was set back."""
        row = self._db.execute(
            "SELECT max(at) FROM (SELECT max(updated_at) AS at FROM drain UNION ALL"
            " SELECT max(added_at) FROM (SELECT added_at FROM queue WHERE lease_id IS NULL AND"
            " priority = 0 ORDER BY due_at LIMIT 1) UNION ALL SELECT max(added_at) FROM"
            " (SELECT added_at FROM queue WHERE lease_id IS NULL AND priority = 1"
            " ORDER BY due_at LIMIT 1))"
        ).fetchone()
        return float(row[0] or 0.0)

    def clock_set_back(self, seconds: float) -> int:
        """Correct due times after the clock was set back by `seconds`; returns how many keys.

        Without this, a key that is due now would wait `seconds` longer.
        """
        now = self._clock()
        with transaction(self._db):
            return self._db.execute(
                "UPDATE queue SET due_at = max(?, due_at - ?), added_at = min(added_at, ?)"
                " WHERE due_at > ? AND lease_id IS NULL",
                (now, seconds, now, now),
            ).rowcount

    # -- what the user asks for -----------------------------------------------------------

    def clear_waiting(self) -> int:
        """Remove every key that is not in progress; returns how many."""
        with transaction(self._db):
            self._db.execute("DELETE FROM missing_news")
            self._db.execute(
                "UPDATE run SET removed = removed + (SELECT count(*) FROM queue"
                " WHERE lease_id IS NULL AND (run_id = run.id OR after_run < run.id))"
                " WHERE state = 'open'"
            )
            number = self._db.execute("DELETE FROM queue WHERE lease_id IS NULL").rowcount
            self._withdraw()
        return number

    def _withdraw(self) -> None:
        """Forget what was to be put back of scenes that the user removed."""
        UndoMarks(self._db, self._clock).withdraw_unqueued()

    def redrive(self, keys: Sequence[Key] | None = None, *, reason: str | None = None) -> int:
        """Put dead letters back with fresh attempts: chosen ones, those with a reason, or all."""
        if keys is None:
            keys = read_dead_keys(self._db, reason)
        return self.add_many([key for key in keys if self._is_dead(*key)], priority=URGENT)

    def bury_done(self, key: Key, *, title: str, reason: str, error: str, attempts: int) -> bool:
        """Make a dead letter of a key that is done but for its pictures.

        False where it is in the queue again: then they are tried again too.
        """
        now = self._clock()
        with transaction(self._db):
            if self._db.execute("SELECT 1 FROM queue WHERE kind = ? AND id = ?", key).fetchone():
                return False
            self._note_failure(key, reason, error, title)
            self._db.execute(
                "INSERT OR REPLACE INTO dead_letter (kind, id, title, reason, error, attempts,"
                " first_failed_at, last_failed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*key, title, reason, error[:ERROR_LIMIT], attempts, now, now),
            )
        return True

    def discard(self, keys: Sequence[Key]) -> int:
        """Remove chosen dead letters; returns how many there were."""
        with transaction(self._db):
            gone = 0
            for key in keys:
                gone += self._db.execute(
                    "DELETE FROM dead_letter WHERE kind = ? AND id = ?", key
                ).rowcount
                self._forget_failures(key)
            self._withdraw()
        return gone

    def clear_dead(self, *, before: float | None = None) -> int:
        """Remove dead letters that last failed before a time, or all; returns how many."""
        with transaction(self._db):
            self._db.execute(
                "DELETE FROM failure WHERE (kind, id) IN (SELECT kind, id FROM dead_letter"
                " WHERE ?1 IS NULL OR last_failed_at < ?1)",
                (before,),
            )
            number = self._db.execute(
                "DELETE FROM dead_letter WHERE ?1 IS NULL OR last_failed_at < ?1", (before,)
            ).rowcount
            self._withdraw()
        return number


def hold_keys_of(connection: sqlite3.Connection, run_id: int) -> int:
    """Put the bulk keys of a run, and those that it found, on hold; returns how many.

    Keys of an open run are not held. Joins the transaction of the caller.
    """
    return connection.execute(HOLD_SQL, (run_id,)).rowcount


def take_up_held(connection: sqlite3.Connection) -> int:
    """Let every held key go on, in the transaction of the caller; returns how many."""
    return connection.execute(TAKE_UP_SQL).rowcount


HOLD_SQL = (
    "UPDATE queue SET priority = 2 WHERE priority = 1 AND (run_id = ?1 OR after_run < ?1)"
    " AND run_id NOT IN (SELECT id FROM run WHERE state = 'open')"
)
TAKE_UP_SQL = "UPDATE queue SET priority = 1 WHERE priority = 2"
