"""Runs: what one task or command asked for, and what became of its keys.

The queue counts the end of each key in the transaction that ends it, for the run that first made it
due and for the runs that found it due when they began. So every process shows the same figures,
whichever process did the work, and no key is counted twice.
"""

from __future__ import annotations

import os
import sqlite3

from attrs import frozen

from stash2plex.db import transaction
from stash2plex.model import Clock, TaskJob
from stash2plex.store.queue import hold_keys_of, take_up_held
from stash2plex.text import DAY
from stash2plex.workqueue import HELD_SQL, Key

RUNS_LIMIT = 50
"""How many runs are kept."""

LOST_SECONDS = DAY
"""Age in seconds at which an open run of a command counts as killed: no job shows its end."""

READ = (
    "SELECT id, name, began_at, ended_at, state, job_id, job_description, job_added, queued, found,"
    " done, failed, later, removed, held FROM run WHERE id = ?"
)
IN_JOBS = (
    "SELECT id, name, began_at, ended_at, state, job_id, job_description, job_added, queued, found,"
    " done, failed, later, removed, held FROM run"
    " WHERE state = 'open' AND job_id IS NOT NULL AND id <> ? ORDER BY id"
)
RUNS_PAGE = (
    "SELECT id, name, began_at, ended_at, state, job_id, job_description, job_added, queued, found,"
    " done, failed, later, removed, held FROM run WHERE id > 0 ORDER BY id DESC LIMIT ? OFFSET ?"
)
OPENED = (
    "SELECT id, name, began_at, ended_at, state, job_id, job_description, job_added, queued, found,"
    " done, failed, later, removed, held FROM run WHERE state = 'open' AND id > 0 ORDER BY id DESC"
)


@frozen
class Run:
    """A run, and what became of its keys so far. Times are epoch seconds.

    `state` is “open”, “ended”, “stopped” or “lost”. The run made `queued` keys due, and `found`
    keys were due when it began. `done`, `failed`, `later` and `removed` count both kinds; `held`
    counts the keys that waited when it was stopped.
    """

    id: int
    name: str
    began_at: float
    ended_at: float | None
    state: str
    job: TaskJob | None
    queued: int
    found: int
    done: int
    failed: int
    later: int
    removed: int
    held: int

    @property
    def wanted(self) -> int:
        """How many keys it queued or found."""
        return self.queued + self.found


@frozen
class Source:
    """An earlier run, and how many of the keys that a run found it had made due.

    `name` is empty for saves and for what the worker saw in Stash.
    """

    name: str
    began_at: float
    number: int


@frozen
class Begun:
    """A run that has just begun: its id, and the sources of the keys that it found due.

    `taken_up` counts the keys that were on hold, `at` is the monotonic time of its beginning.
    """

    id: int
    sources: tuple[Source, ...]
    taken_up: int
    at: float = 0.0

    @property
    def found(self) -> int:
        """How many keys were due already."""
        return sum(source.number for source in self.sources)


@frozen
class Held:
    """The keys that wait since the user stopped a run; `since` is in epoch seconds."""

    name: str
    since: float
    number: int


class Runs:
    """The runs in one database. `clock` returns seconds since the epoch."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._db = connection
        self._clock = clock

    # -- a run's own life -----------------------------------------------------------------

    def begin(self, name: str, job: TaskJob | None, horizon: float) -> Begun:
        """Begin a run. It finds the keys that are claimed or due within `horizon` seconds.

        A user who starts a run also wants held keys to go on, so they are released.
        """
        now = self._clock()
        with transaction(self._db):
            self._tidy(now)
            taken_up = take_up_held(self._db)
            sources = list(
                self._db.execute(
                    "SELECT coalesce(run.name, ''), coalesce(run.began_at, 0), count(*) FROM queue"
                    " LEFT JOIN run ON run.id = run_id AND run.id > 0"
                    " WHERE lease_id IS NOT NULL OR due_at <= ? GROUP BY run.id ORDER BY run.id",
                    (now + horizon,),
                )
            )
            run_id = self._db.execute(
                "INSERT INTO run (id, name, began_at, state, pid, job_id, job_description,"
                " job_added, found) SELECT max(id) + 1, ?, ?, 'open', ?, ?, ?, ?, ? FROM run",
                (
                    name,
                    now,
                    os.getpid(),
                    job.id if job else None,
                    job.description if job else "",
                    job.added if job else "",
                    sum(number for *_, number in sources),
                ),
            ).lastrowid
        assert run_id is not None
        return Begun(run_id, tuple(Source(*row) for row in sources), taken_up)

    def _tidy(self, now: float) -> None:
        """Drop old runs, but never the newest: ids must grow."""
        self._db.execute(
            "UPDATE run SET state = 'lost', ended_at = ?1"
            " WHERE state = 'open' AND job_id IS NULL AND began_at < ?1 - ?2",
            (now, LOST_SECONDS),
        )
        self._db.execute(
            "DELETE FROM run WHERE state <> 'open' AND id > 0 AND id NOT IN"
            " (SELECT id FROM run ORDER BY id DESC LIMIT ?)",
            (RUNS_LIMIT,),
        )

    def end(self, run_id: int) -> None:
        """End a run that is still open."""
        self._leave(run_id, "ended")

    def lose(self, run_id: int) -> None:
        """Record that a run's process disappeared. Its keys go on."""
        self._leave(run_id, "lost")

    def stop(self, run_id: int) -> int | None:
        """Record that the user stopped a run, and put its bulk keys on hold; returns how many.

        That includes the keys that it found. Keys of another open run are not held, because that
        run waits for them. If the run has ended meanwhile, it stays ended: returns None.
        """
        with transaction(self._db):
            if not self._leave(run_id, "stopped"):
                return None
            held = hold_keys_of(self._db, run_id)
            self._db.execute("UPDATE run SET held = ? WHERE id = ?", (held, run_id))
        return held

    def release_held(self) -> int:
        """Let the keys go on that wait since a run was stopped; returns how many."""
        with transaction(self._db):
            return take_up_held(self._db)

    def page(self, limit: int, offset: int) -> tuple[int, list[Run]]:
        """Count the runs on record, and read a page, newest first."""
        (total,) = self._db.execute("SELECT count(*) FROM run WHERE id > 0").fetchone()
        return int(total), [_run(row) for row in self._db.execute(RUNS_PAGE, (limit, offset))]

    def opened(self) -> list[Run]:
        """List the open runs, newest first."""
        return [_run(row) for row in self._db.execute(OPENED)]

    def _leave(self, run_id: int, state: str) -> bool:
        with transaction(self._db):
            return bool(
                self._db.execute(
                    "UPDATE run SET state = ?, ended_at = ? WHERE id = ? AND state = 'open'",
                    (state, self._clock(), run_id),
                ).rowcount
            )

    # -- looking --------------------------------------------------------------------------

    def read(self, run_id: int) -> Run | None:
        """Read a run; None if it was dropped."""
        row = self._db.execute(READ, (run_id,)).fetchone()
        return None if row is None else _run(row)

    def handled(self) -> int:
        """Count the keys that ended or were put off so far, with and without a run."""
        row = self._db.execute("SELECT done + failed + later FROM run WHERE id = 0").fetchone()
        return int(row[0])

    def in_jobs(self, besides: int) -> list[Run]:
        """List the open runs of Stash's jobs, except the run `besides`."""
        return [_run(row) for row in self._db.execute(IN_JOBS, (besides,))]

    def held_in_hand(self) -> set[Key]:
        """List the claimed keys that were put on hold."""
        rows = self._db.execute(
            "SELECT kind, id FROM queue WHERE lease_id IS NOT NULL AND priority = 2"
        )
        return {(str(kind), int(id_)) for kind, id_ in rows}


def read_held(connection: sqlite3.Connection) -> Held | None:
    """Return the last run that was stopped and how many keys wait; None if none wait."""
    (number,) = connection.execute(HELD_SQL).fetchone()
    if not number:
        return None
    row = connection.execute(
        "SELECT name, ended_at FROM run WHERE state = 'stopped' ORDER BY ended_at DESC LIMIT 1"
    ).fetchone()
    name, since = row or ("a task", 0.0)
    return Held(name, since, number)


def _run(row: tuple[object, ...]) -> Run:
    number, name, began_at, ended_at, state, job_id, description, added, *counts = row
    job = None if job_id is None else TaskJob(job_id, "", description, added)  # type: ignore[arg-type]  # typed by the table
    return Run(number, name, began_at, ended_at, state, job, *counts)  # type: ignore[arg-type]  # typed by the table
