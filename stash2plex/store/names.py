"""Names the first scenes behind a count, because a number does not show where to look."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import frozen

from stash2plex.store.waiting_pictures import PICTURES
from stash2plex.workqueue import STOPPED

MAX_NAMED = 3
"""How many scenes are named behind a count."""

TITLE_SHOWN = 60
"""How many characters of a title a list of names shows."""


WAITING = {
    "not_in_plex": "not in Plex yet",
    "unavailable": "waiting for a server",
    "library": "waiting for a library that Plex does not list",
    STOPPED: "on hold, because a task was stopped",
    PICTURES: "in Plex except for their pictures, which follow",
    "": "waiting for a moment",
}
"""Why a key waits, in words; with any other reason it is going to be tried again."""


@frozen
class Named:
    """A key with its title at its last failure; empty if that is unknown."""

    kind: str
    id: int
    title: str

    def words(self) -> str:
        """Return the name as messages show it; what stands in “ ” can be hidden."""
        title = self.title
        if len(title) > TITLE_SHOWN:
            title = f"{title[: TITLE_SHOWN - 1]}…"
        return f"{self.kind} {self.id}" + (f" “{title}”" if title else "")


@frozen
class Waiting:
    """The keys that wait for one reason.

    `next_at` is when the first of them is due (epoch seconds), None if they are on hold; `first`
    names the ones that are due first.
    """

    reason: str
    number: int
    next_at: float | None
    first: tuple[Named, ...]


def names(first: Sequence[Named], number: int) -> str:
    """Return the names of the `first` of `number` keys in parentheses, after a space."""
    if not first:
        return ""
    more = number - len(first)
    return f" ({', '.join(named.words() for named in first)}" + (
        f" and {more:,} more)" if more else ")"
    )


def read_waiting(database: sqlite3.Connection, now: float) -> list[Waiting]:
    """Read what is due later by reason, largest group first, then what is on hold."""
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
    """Return the latest dead letters that failed after `since` (epoch seconds)."""
    rows = database.execute(
        "SELECT kind, id, title FROM dead_letter WHERE last_failed_at > ?1"
        " AND (?2 IS NULL OR reason = ?2) ORDER BY last_failed_at DESC, kind, id LIMIT ?3",
        (since, reason, MAX_NAMED),
    )
    return tuple(Named(*row) for row in rows)


DEAD = "dead"


def summary_names(database: sqlite3.Connection, now: float, since: float) -> dict[str, str]:
    """Return the names of what a run leaves: what waits, by reason, and `DEAD` for dead letters."""
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
    """Return how many missing scenes were not reported yet, and the first ones."""
    number = database.execute("SELECT count(*) FROM missing_news").fetchone()[0]
    rows = database.execute(
        "SELECT 'scene', scene_id, title FROM missing_news ORDER BY scene_id LIMIT ?",
        (MAX_NAMED,),
    )
    return int(number), tuple(Named(*row) for row in rows)
