"""Keeps which Plex item the user chose for a scene, by the scene's file and the item's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import frozen

from stash2plex.db import transaction

GET = "SELECT stash_path, plex_path, scene_id, chosen_at FROM item_choice WHERE stash_path = ?"


@frozen
class ItemChoice:
    """The user's choice; `chosen_at` is in epoch seconds."""

    stash_path: str
    plex_path: str
    scene_id: int
    chosen_at: float


@frozen
class ItemChoices:
    """The choices in one database."""

    connection: sqlite3.Connection

    def of(self, paths: Sequence[str]) -> ItemChoice | None:
        """Return the choice for the first of a scene's files that has one."""
        for path in paths:
            row = self.connection.execute(GET, (path,)).fetchone()
            if row is not None:
                return ItemChoice(*row)
        return None

    def keep(self, choice: ItemChoice) -> None:
        """Store a choice; an earlier one for the same file ends."""
        with transaction(self.connection) as database:
            database.execute(
                "INSERT OR REPLACE INTO item_choice (stash_path, plex_path, scene_id, chosen_at)"
                " VALUES (?, ?, ?, ?)",
                (choice.stash_path, choice.plex_path, choice.scene_id, choice.chosen_at),
            )

    def forget(self, scene_id: int, paths: Sequence[str]) -> int:
        """Delete the choices for a scene and its files; returns how many there were."""
        with transaction(self.connection) as database:
            gone = database.execute(
                "DELETE FROM item_choice WHERE scene_id = ?", (scene_id,)
            ).rowcount
            gone += database.executemany(
                "DELETE FROM item_choice WHERE stash_path = ?", [(path,) for path in paths]
            ).rowcount
        return max(0, gone)
