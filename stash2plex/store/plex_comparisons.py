"""Keeps up to when each Plex library was compared as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from attrs import frozen

from stash2plex.db import transaction


@frozen
class ComparisonMark:
    """Up to when a library was compared (Plex's clock), and when all of it was read (our clock).

    Both are epoch seconds. `preserve` is the setting that the comparison was made under.
    """

    newest_updated_at: int
    details_at: float
    preserve: bool


@frozen
class PlexComparisons:
    """The marks in one database, by the id of the library."""

    connection: sqlite3.Connection

    def get(self, section_id: str) -> ComparisonMark | None:
        """Read the mark of a library; None if it was never compared as a whole."""
        row = self.connection.execute(
            "SELECT newest_updated_at, details_at, preserve FROM plex_comparison"
            " WHERE section_id = ?",
            (section_id,),
        ).fetchone()
        return None if row is None else ComparisonMark(int(row[0]), float(row[1]), bool(row[2]))

    def put(self, marks: Mapping[str, ComparisonMark]) -> None:
        """Store marks."""
        with transaction(self.connection):
            self.connection.executemany(
                "INSERT OR REPLACE INTO plex_comparison"
                " (section_id, newest_updated_at, details_at, preserve) VALUES (?, ?, ?, ?)",
                [
                    (section_id, mark.newest_updated_at, mark.details_at, mark.preserve)
                    for section_id, mark in marks.items()
                ],
            )

    def clear(self) -> None:
        """Delete every mark."""
        with transaction(self.connection):
            self.connection.execute("DELETE FROM plex_comparison")
