"""Keeps the pictures that were sent and not looked at since, and those that Plex did not keep."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from attrs import frozen

from stash2plex.model import Clock, Field

SETTLES = 2.0
"""Seconds after which a picture is looked at: Plex's list lags a little (plex.md §4.2)."""

ADD = (
    "INSERT INTO picture_check (rating_key, field, scene_id, hash, shown, tries, lost, due_at)"
    " VALUES (?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO UPDATE SET"
    " scene_id = excluded.scene_id, shown = excluded.shown, due_at = excluded.due_at,"
    " tries = excluded.tries, hash = excluded.hash,"
    " lost = CASE WHEN lost = 2 AND hash = excluded.hash THEN 2 ELSE 0 END"
)
DUE = (
    "SELECT rating_key, field, scene_id, hash, shown, tries, lost FROM picture_check"
    " WHERE lost <> 1 AND due_at <= ? ORDER BY due_at LIMIT ?"
)
LOST_OF_A_KIND = (
    "SELECT rating_key, field, scene_id, hash, shown, tries, lost FROM picture_check"
    " WHERE lost = 1 AND field = ?"
)
WAITS, LOST, SENT_AGAIN = 0, 1, 2
"""What is known of a picture: nothing, that Plex did not keep it, that it was sent again since."""


@frozen
class PictureCheck:
    """A picture of an item that is to be looked at.

    `hash` is that of its bytes; `shown` is the address of the picture before, empty if the field
    was not locked. `tries` counts how often it was chosen since. `lost` is one of the three above.
    """

    rating_key: str
    field: Field
    scene_id: int
    hash: str
    shown: str
    tries: int = 0
    lost: int = WAITS


@frozen
class PictureChecks:
    """The pictures in one database. `clock` returns seconds since the epoch.

    What writes belongs to the transaction of the caller.
    """

    connection: sqlite3.Connection
    clock: Clock

    def add(self, check: PictureCheck) -> None:
        """Have a picture looked at; that it was sent again after it was lost stays known."""
        self.connection.execute(
            ADD,
            (
                check.rating_key,
                check.field,
                check.scene_id,
                check.hash,
                check.shown,
                check.tries,
                self.clock() + SETTLES,
            ),
        )

    def due(self, limit: int) -> list[PictureCheck]:
        """List up to `limit` pictures to look at, those first that were sent first."""
        rows = self.connection.execute(DUE, (self.clock(), limit))
        return [_read(row) for row in rows]

    def lost(self, name: Field) -> list[PictureCheck]:
        """List the pictures of a kind that Plex did not keep."""
        rows = self.connection.execute(LOST_OF_A_KIND, (name,))
        return [_read(row) for row in rows]

    def mark(self, check: PictureCheck, lost: int) -> None:
        """Store what is known of a picture."""
        self.connection.execute(
            "UPDATE picture_check SET lost = ? WHERE rating_key = ? AND field = ? AND hash = ?",
            (lost, check.rating_key, check.field, check.hash),
        )

    def end(self, checks: Iterable[PictureCheck]) -> None:
        """Forget pictures; newer ones of the same items stay."""
        self.connection.executemany(
            "DELETE FROM picture_check WHERE rating_key = ? AND field = ? AND hash = ?",
            [(check.rating_key, check.field, check.hash) for check in checks],
        )

    def drop(self, scene_id: int) -> None:
        """Forget the pictures of a scene: something else is right on its items now."""
        self.connection.execute("DELETE FROM picture_check WHERE scene_id = ?", (scene_id,))


def _read(row: tuple[str, str, int, str, str, int, int]) -> PictureCheck:
    return PictureCheck(row[0], Field(row[1]), *row[2:])
