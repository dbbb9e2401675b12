"""Keeps the progress of a drain in the database, so that every process shows the same."""

from __future__ import annotations

import json
import os
import sqlite3

from attrs import asdict, evolve, frozen

from stash2plex.db import transaction
from stash2plex.model import Clock
from stash2plex.store.stored_status import wait_outlook

RATE_SECONDS, RATE_KEYS, MAX_RATE_SECONDS = 20.0, 40, 300.0
"""The rate is averaged over at least this many seconds and keys. If a slow Plex takes five seconds
for a key, 20 s hold only four, and the time left would jump by a quarter. The average never covers
more than `MAX_RATE_SECONDS`, so that it follows a change."""


@frozen
class Wait:
    """Why a drain is waiting.

    `server` is asked again in `next_try` seconds; both are None if it does not wait for a server.
    The drain ends in `gives_up` seconds; None if it never gives up.
    """

    why: str
    server: str | None = None
    next_try: float | None = None
    gives_up: float | None = None

    @property
    def outlook(self) -> str | None:
        """When it goes on or gives up, in words; None if that is unknown."""
        return wait_outlook(self.server, self.next_try, self.gives_up)


@frozen
class Progress:
    """The state of a drain. `left` counts keys claimed or due soon, `later` those put off.

    Times are epoch seconds, `rate` is keys per second. `wait` is why it is waiting, None while it
    works.
    """

    done: int = 0
    failed: int = 0
    later: int = 0
    left: int = 0
    rate: float = 0.0
    started_at: float = 0.0
    origin: str = ""
    pid: int = 0
    wait: Wait | None = None
    ended: bool = False

    @property
    def handled(self) -> int:
        """How many keys were handled, whatever the result."""
        return self.done + self.failed + self.later

    @property
    def fraction(self) -> float:
        """Handled keys as a share of handled and left, from 0 to 1; correct in a growing queue."""
        total = self.handled + self.left
        return self.handled / total if total else 1.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds left at the present rate; None if unknown, such as while it waits."""
        return self.left / self.rate if self.rate > 0.0 and self.wait is None else None


@frozen
class Pulse:
    """The last sign of life of a drain: its origin, its process, and when (epoch seconds)."""

    origin: str
    pid: int
    at: float


class ProgressBook:
    """Reads and writes the one row of progress."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._db = connection
        self._clock = clock

    def read(self, left: int) -> Progress:
        """Read the progress of the running or last drain; `left` comes from the queue."""
        row = self._db.execute(
            "SELECT done, failed, snoozed, rate, started_at, origin, pid, note, ended_at FROM drain"
        ).fetchone()
        if row is None:
            return Progress(left=left)
        done, failed, later, rate, started_at, origin, pid, note, ended_at = row
        return Progress(
            done,
            failed,
            later,
            left,
            rate,
            started_at,
            origin,
            pid,
            _read_wait(note),
            ended_at is not None,
        )

    def pulse(self) -> Pulse:
        """Return the last sign of life of the running or last drain."""
        row = self._db.execute("SELECT origin, pid, updated_at FROM drain").fetchone()
        return Pulse("drain", 0, self._clock()) if row is None else Pulse(*row)

    def write(self, progress: Progress) -> None:
        """Store the progress of this process."""
        now = self._clock()
        with transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO drain (id, origin, pid, started_at, updated_at, ended_at,"
                " done, failed, snoozed, rate, note) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    progress.origin,
                    os.getpid(),
                    progress.started_at,
                    now,
                    now if progress.ended else None,
                    progress.done,
                    progress.failed,
                    progress.later,
                    progress.rate,
                    _write_wait(progress.wait),
                ),
            )


def _write_wait(wait: Wait | None) -> str:
    """Encode a wait for the column `note`; empty for none."""
    return "" if wait is None else json.dumps(asdict(wait))


def _read_wait(note: str) -> Wait | None:
    """Decode what `_write_wait` wrote, or the sentence that an earlier version kept there."""
    if not note:
        return None
    try:
        return Wait(**json.loads(note))
    except (ValueError, TypeError):
        return Wait(note)


class RateWindow:
    """Averages how fast a count grew recently. `now` is always in seconds."""

    def __init__(self, now: float, handled: int = 0) -> None:
        self._marks: list[tuple[float, int]] = [(now, handled)]

    def restart(self, now: float, handled: int) -> None:
        """Drop the past, so that an outage is left out."""
        self._marks = [(now, handled)]

    def rate(self, now: float, handled: int) -> float:
        """Add the present count; returns the rate per second."""
        if now - self._marks[-1][0] >= 1.0 or now < self._marks[-1][0]:
            self._marks.append((now, handled))
            # One mark from before the window is kept, so that the window is full.
            while len(self._marks) > 2 and _is_enough(now, handled, *self._marks[1]):  # noqa: PLR2004 - a span
                self._marks.pop(0)
        since, base = self._marks[0]
        return (handled - base) / (now - since) if now > since else 0.0


def _is_enough(now: float, handled: int, since: float, base: int) -> bool:
    """Return whether a window that begins at this mark is long enough for a rate."""
    length = now - since
    return length >= MAX_RATE_SECONDS or (length >= RATE_SECONDS and handled - base >= RATE_KEYS)


class Tally:
    """Counts what a drain does and knows its recent rate."""

    def __init__(self, origin: str, clock: Clock) -> None:
        self._clock = clock
        self._progress = Progress(origin=origin, started_at=clock())
        self._window = RateWindow(clock())

    @property
    def handled(self) -> int:
        """How many keys were handled, whatever the result."""
        return self._progress.handled

    def restart(self) -> None:
        """Count from zero again."""
        self._progress = Progress(origin=self._progress.origin, started_at=self._clock())
        self._window = RateWindow(self._clock())

    def done(self) -> None:
        """Count a key that is in sync now."""
        self._progress = evolve(self._progress, done=self._progress.done + 1)

    def failed(self) -> None:
        """Count a key that became a dead letter."""
        self._progress = evolve(self._progress, failed=self._progress.failed + 1)

    def later(self) -> None:
        """Count a key that was put off."""
        self._progress = evolve(self._progress, later=self._progress.later + 1)

    def restart_rate(self) -> None:
        """Leave an outage out of the rate."""
        self._window.restart(self._clock(), self._progress.handled)

    def now(self, left: int, wait: Wait | None = None, *, ended: bool = False) -> Progress:
        """Return the present progress; `left` comes from the queue."""
        rate = self._window.rate(self._clock(), self._progress.handled)
        return evolve(self._progress, left=left, rate=rate, wait=wait, ended=ended)
