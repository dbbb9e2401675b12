"""Counters and timings: kept in memory while a drain works, added up in the database.

They are written together with the progress, twice a second, so they cost no extra commit per
scene; a kill loses half a second of counts. Labels are words from this program, never titles.
"""

from __future__ import annotations

import bisect
import sqlite3
from collections import Counter
from collections.abc import Sequence

from attrs import frozen

from stash2plex.db import transaction

SCENES, FIELDS, EDIT = "scenes", "fields", "edit_seconds"
DEAD, RETRIED, PUT_OFF = "dead", "retried", "put_off"

BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds; one more bucket holds the rest."""


class Meter:
    """Counts what a drain does."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._sums: dict[tuple[str, str], float] = {}

    def add(self, name: str, label: str) -> None:
        """Add one to a counter."""
        self._counts[name, label] += 1

    def applied(self, fields: Sequence[str], seconds: float) -> None:
        """Count a scene that is in sync now, its written fields, and the time of its edit."""
        self.add(SCENES, "written" if fields else "equal")
        for name in fields:
            self.add(FIELDS, name)
        if seconds > 0.0:
            self.observe(EDIT, seconds)

    def pictures(self, fields: Sequence[str]) -> None:
        """Count the pictures of a scene that were sent or chosen."""
        for name in fields:
            self.add(FIELDS, name)

    def observe(self, name: str, seconds: float) -> None:
        """Add a duration to its bucket and to the sum."""
        place = bisect.bisect_left(BUCKETS, seconds)
        self._counts[name, f"{BUCKETS[place]:g}" if place < len(BUCKETS) else "inf"] += 1
        self._sums[name, "sum"] = self._sums.get((name, "sum"), 0.0) + seconds

    def flush(self, database: sqlite3.Connection) -> None:
        """Add everything to the totals in the database, and start again from zero."""
        rows = [(*key, float(value)) for key, value in [*self._counts.items(), *self._sums.items()]]
        if not rows:
            return
        with transaction(database):
            database.executemany(
                "INSERT INTO metric (name, label, value) VALUES (?, ?, ?)"
                " ON CONFLICT (name, label) DO UPDATE SET value = value + excluded.value",
                rows,
            )
        self._counts.clear()
        self._sums.clear()


@frozen
class Histogram:
    """How long something took. `counts` has a number for each of `BUCKETS` and one for the rest."""

    counts: tuple[int, ...]
    total: float

    @property
    def number(self) -> int:
        """How many durations were counted."""
        return sum(self.counts)

    def mean(self) -> float | None:
        """Return the mean in seconds; None if nothing was counted."""
        return self.total / self.number if self.number else None

    def below(self, share: float) -> float | None:
        """Return the bound of the bucket that a `share` of the durations stays below, if any."""
        seen = 0
        for end, count in zip(BUCKETS, self.counts, strict=False):
            seen += count
            if self.number and seen >= share * self.number:
                return end
        return None


@frozen
class Metrics:
    """The totals since the database was created, each by its label."""

    scenes: dict[str, int]
    fields: dict[str, int]
    dead: dict[str, int]
    retried: dict[str, int]
    put_off: dict[str, int]
    edit: Histogram


def read_metrics(database: sqlite3.Connection) -> Metrics:
    """Read the totals."""
    totals: dict[str, dict[str, float]] = {}
    for name, label, value in database.execute(
        "SELECT name, label, value FROM metric ORDER BY name, label"
    ):
        totals.setdefault(name, {})[label] = value

    def counts(name: str) -> dict[str, int]:
        return {label: int(value) for label, value in totals.get(name, {}).items()}

    edit = totals.get(EDIT, {})
    return Metrics(
        counts(SCENES),
        counts(FIELDS),
        counts(DEAD),
        counts(RETRIED),
        counts(PUT_OFF),
        Histogram(
            tuple(int(edit.get(label, 0)) for label in [*(f"{end:g}" for end in BUCKETS), "inf"]),
            edit.get("sum", 0.0),
        ),
    )
