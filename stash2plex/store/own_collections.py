"""The collections of Plex that did not exist before we put an item into them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from attrs import frozen

from stash2plex.db import drop_meta, get_meta, set_meta
from stash2plex.store.meta import COLLECTIONS_LEFT


@frozen
class OwnCollections:
    """Our collections in one database, by library and folded name.

    Whatever writes here joins the transaction of the caller.
    """

    connection: sqlite3.Connection

    def names(self, server: str, section_id: str) -> set[str]:
        """List ours in a library."""
        rows = self.connection.execute(
            "SELECT name FROM own_collection WHERE server = ? AND section_id = ?",
            (server, section_id),
        )
        return {str(row[0]) for row in rows}

    def sections(self, server: str) -> list[str]:
        """List the libraries that have any."""
        rows = self.connection.execute(
            "SELECT DISTINCT section_id FROM own_collection WHERE server = ?", (server,)
        )
        return [str(row[0]) for row in rows]

    def add(self, server: str, section_id: str, names: Iterable[str]) -> None:
        """Keep that collections are ours."""
        self.connection.executemany(
            "INSERT OR IGNORE INTO own_collection (server, section_id, name) VALUES (?, ?, ?)",
            [(server, section_id, name) for name in names],
        )

    def forget(self, server: str, section_id: str, names: Iterable[str]) -> None:
        """Forget collections that are gone."""
        self.connection.executemany(
            "DELETE FROM own_collection WHERE server = ? AND section_id = ? AND name = ?",
            [(server, section_id, name) for name in names],
        )

    # -- items that left them -------------------------------------------------------------

    def note_left(self) -> None:
        """Record that items left collections, which may be empty now."""
        set_meta(self.connection, COLLECTIONS_LEFT, "1")

    @property
    def were_left(self) -> bool:
        """Whether items left collections since the empty ones were last deleted."""
        return get_meta(self.connection, COLLECTIONS_LEFT) is not None

    def looked_at(self) -> None:
        """Record that the empty ones were deleted."""
        drop_meta(self.connection, COLLECTIONS_LEFT)
