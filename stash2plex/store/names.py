"""Names the first scenes behind a count: a number alone does not say where to look."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import frozen

from stash2plex.workqueue import STOPPED

MAX_NAMED = 3
"""Scenes that are named behind a count."""

TITLE_SHOWN = 60
"""Characters of a title in a list of names."""


WAITING = {
    "not_in_plex": "not in Plex yet",
    "unavailable": "waiting for a server",
    "library": "waiting for a library that Plex does not list",
    STOPPED: "on hold, because a task was stopped",
    "": "waiting a moment",
}
"""Why a key waits, in words; for any other reason it is to be tried again."""


@frozen
class Named:
    """A key with the title that it had when it last failed; empty where that is not known."""

    kind: str
    id: int
    title: str

    def words(self) -> str:
        """Return it as messages show it; what stands in “ ” can be hidden."""
        title = self.title
        if len(title) > TITLE_SHOWN:
            title = f"{title[: TITLE_SHOWN - 1]}…"
        return f"{self.kind} {self.id}" + (f" “{title}”" if title else "")


@frozen
class Waiting:
    """The keys that wait for one reason.

    `next_at` is when the first of them is due (epoch seconds), None where they are held until they
    are asked for; `first` names those due first.
    """

    reason: str
    number: int
    next_at: float | None
    first: tuple[Named, ...]


def names(first: Sequence[Named], number: int) -> str:
    """Return the names of the first of `number` keys in parentheses, after a blank."""
    if not first:
        return ""
    more = number - len(first)
    return f" ({', '.join(named.words() for named in first)}" + (
        f" and {more:,} more)" if more else ")"
    )


def read_waiting(database: sqlite3.Connection, now: float) -> list[Waiting]:
    """Read what is due later, by reason, most first, and then what is held."""
    rows = database.execute(LATER, (now,)).fetchall()
    waiting = [
        Waiting(reason, number, next_at, _names(database, FIRST_LATER, now, reason, MAX_NAMED))
        for reason, number, next_at in rows
    ]
    (held,) = database.execute(HELD_NUMBER).fetchone()
    if held:
        waiting.append(Waiting(STOPPED, held, None, _names(database, FIRST_HELD, MAX_NAMED)))
    return waiting


def _names(database: sqlite3.Connection, statement: str, *values: object) -> tuple[Named, ...]:
    return tuple(Named(*row) for row in database.execute(statement, values))


LATER = (
    "SELECT reason, count(*), min(due_at) FROM queue WHERE lease_id IS NULL"
    " AND priority IN (0, 1) AND due_at > ? GROUP BY reason ORDER BY 2 DESC, 1"
)
FIRST_LATER = (
    "SELECT kind, id, coalesce((SELECT title FROM failure WHERE failure.kind = queue.kind"
    " AND failure.id = queue.id AND title <> '' ORDER BY seq DESC LIMIT 1), '')"
    " FROM queue WHERE lease_id IS NULL AND priority IN (0, 1) AND due_at > ? AND reason = ?"
    " ORDER BY due_at, kind, id LIMIT ?"
)
HELD_NUMBER = "SELECT count(*) FROM queue WHERE lease_id IS NULL AND priority = 2"
FIRST_HELD = (
    "SELECT kind, id, coalesce((SELECT title FROM failure WHERE failure.kind = queue.kind"
    " AND failure.id = queue.id AND title <> '' ORDER BY seq DESC LIMIT 1), '')"
    " FROM queue WHERE lease_id IS NULL AND priority = 2 ORDER BY kind, id LIMIT ?"
)


def first_dead(
    database: sqlite3.Connection, since: float, reason: str | None = None
) -> tuple[Named, ...]:
    """Name the dead letters that failed last after a moment (epoch seconds)."""
    rows = database.execute(
        "SELECT kind, id, title FROM dead_letter WHERE last_failed_at > ?1"
        " AND (?2 IS NULL OR reason = ?2) ORDER BY last_failed_at DESC, kind, id LIMIT ?3",
        (since, reason, MAX_NAMED),
    )
    return tuple(Named(*row) for row in rows)


DEAD = "dead"


def summary_names(database: sqlite3.Connection, now: float, since: float) -> dict[str, str]:
    """Name what a run leaves: the keys that wait, by reason, and as `DEAD` those given up."""
    by_reason = {
        waiting.reason: names(waiting.first, waiting.number)
        for waiting in read_waiting(database, now)
    }
    number = database.execute(
        "SELECT count(*) FROM dead_letter WHERE last_failed_at > ?", (since,)
    ).fetchone()[0]
    by_reason[DEAD] = names(first_dead(database, since), int(number))
    return by_reason


def read_missing(database: sqlite3.Connection) -> tuple[int, tuple[Named, ...]]:
    """Count the scenes that Plex did not have and that were not told yet, and name the first."""
    number = database.execute("SELECT count(*) FROM missing_news").fetchone()[0]
    rows = database.execute(
        "SELECT 'scene', scene_id, title FROM missing_news ORDER BY scene_id LIMIT ?",
        (MAX_NAMED,),
    )
    return int(number), tuple(Named(*row) for row in rows)
