"""Reads what was given up: each dead letter with its history, and the counts by reason."""

from __future__ import annotations

import sqlite3
from typing import Any

from attrs import frozen

from stash2plex.store.key_state import Failure
from stash2plex.store.names import Named, first_dead

RECOVERABLE = (
    "SELECT kind, id FROM dead_letter WHERE reason = 'unavailable'"
    " OR reason IN ('transient', 'not_found', 'too_large') AND EXISTS (SELECT 1 FROM outage"
    " WHERE started_at <= last_failed_at AND coalesce(ended_at, last_failed_at) >= last_failed_at)"
)
"""Dead letters that an outage can have caused; other reasons concern the scene alone."""


@frozen
class DeadLetter:
    """A key that was given up. Times are epoch seconds; `history` is oldest first.

    `path` is the scene's first file as Stash sees it; empty if it is unknown.
    """

    kind: str
    id: int
    title: str
    path: str
    reason: str
    error: str
    attempts: int
    first_failed_at: float
    last_failed_at: float
    history: tuple[Failure, ...] = ()


@frozen
class Group:
    """The dead letters with one reason: how many, when the last one failed, and the newest."""

    reason: str
    number: int
    last_failed_at: float
    first: tuple[Named, ...] = ()


class DeadLetters:
    """Reads the dead letters of one database; `Queue` changes them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def total(self, reason: str | None = None, search: str = "") -> int:
        """Count all dead letters, or those with a reason and a text in title or path."""
        given = {"reason": reason, "search": search}
        statement = TOTAL if reason is None else TOTAL_OF_REASON
        return int(self._db.execute(statement, given).fetchone()[0])

    def page(
        self, limit: int, offset: int = 0, reason: str | None = None, search: str = ""
    ) -> list[DeadLetter]:
        """Read a page of dead letters with their history, newest failure first.

        Only those with a reason and a text in title or path, if these are given.
        """
        given = {"reason": reason, "search": search, "limit": limit, "offset": offset}
        statement = PAGE if reason is None else PAGE_OF_REASON
        return [self._letter(row) for row in self._db.execute(statement, given).fetchall()]

    def find(self, kind: str, id_: int) -> DeadLetter | None:
        """Read one dead letter; None if the key is not one."""
        row = self._db.execute(
            FIND,
            (kind, id_),
        ).fetchone()
        return None if row is None else self._letter(row)

    def recoverable(self) -> list[tuple[str, int]]:
        """List the keys that were given up because of an outage.

        Their server was unavailable at the end, or their last failure was an odd answer during an
        outage.
        """
        return list(self._db.execute(RECOVERABLE))

    def _letter(self, row: tuple[Any, ...]) -> DeadLetter:
        history = self._db.execute(
            "SELECT at, reason, error FROM failure WHERE kind = ? AND id = ? ORDER BY seq", row[:2]
        )
        named = dict(zip(COLUMNS, row, strict=True))
        return DeadLetter(**named, history=tuple(Failure(*failure) for failure in history))


@frozen
class Span:
    """The dead letters with one reason: how many, since when, and when one failed last."""

    reason: str
    number: int
    first_at: float
    last_at: float


def read_spans(connection: sqlite3.Connection) -> list[Span]:
    """Count the dead letters by reason, largest number first."""
    return [Span(*row) for row in connection.execute(SPANS)]


def read_dead_keys(
    connection: sqlite3.Connection, reason: str | None = None
) -> list[tuple[str, int]]:
    """List the keys of all dead letters, or of those with a reason."""
    rows = connection.execute(
        "SELECT kind, id FROM dead_letter WHERE ?1 IS NULL OR reason = ?1", (reason,)
    )
    return list(rows)


def read_groups(connection: sqlite3.Connection, since: float = 0.0) -> list[Group]:
    """Count the dead letters that failed after `since` by reason, largest group first."""
    rows = connection.execute(
        "SELECT reason, count(*), max(last_failed_at) FROM dead_letter"
        " WHERE last_failed_at > ? GROUP BY reason ORDER BY 2 DESC, 1",
        (since,),
    )
    return [
        Group(reason, number, last, first_dead(connection, since, reason))
        for reason, number, last in rows.fetchall()
    ]


COLUMNS = (
    "kind",
    "id",
    "title",
    "path",
    "reason",
    "error",
    "attempts",
    "first_failed_at",
    "last_failed_at",
)
TOTAL = (
    "SELECT count(*) FROM dead_letter WHERE (:search = ''"
    " OR instr(lower(title), lower(:search)) OR instr(lower(path), lower(:search)))"
)
TOTAL_OF_REASON = f"{TOTAL} AND reason = :reason"
PAGE = (
    "SELECT kind, id, title, path, reason, error, attempts, first_failed_at, last_failed_at"
    " FROM dead_letter WHERE (:search = ''"
    " OR instr(lower(title), lower(:search)) OR instr(lower(path), lower(:search)))"
    " ORDER BY last_failed_at DESC, kind, id LIMIT :limit OFFSET :offset"
)
PAGE_OF_REASON = (
    "SELECT kind, id, title, path, reason, error, attempts, first_failed_at, last_failed_at"
    " FROM dead_letter WHERE reason = :reason AND (:search = ''"
    " OR instr(lower(title), lower(:search)) OR instr(lower(path), lower(:search)))"
    " ORDER BY last_failed_at DESC, kind, id LIMIT :limit OFFSET :offset"
)
SPANS = (
    "SELECT reason, count(*), min(first_failed_at), max(last_failed_at) FROM dead_letter"
    " GROUP BY reason ORDER BY 2 DESC, 1"
)
FIND = (
    "SELECT kind, id, title, path, reason, error, attempts, first_failed_at, last_failed_at"
    " FROM dead_letter WHERE kind = ? AND id = ?"
)
