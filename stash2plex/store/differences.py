"""Keeps what the last comparison without consequences found, field by field."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from attrs import frozen

from stash2plex.db import transaction
from stash2plex.store.stored_json import load

ADD = (
    "INSERT INTO difference (scene_id, title, rating_key, field, stash, plex, written)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
PAGE = (
    "SELECT scene_id, title, rating_key, field, stash, plex, written FROM difference"
    " WHERE ? IN ('', field) ORDER BY seq LIMIT ? OFFSET ?"
)


@frozen
class Difference:
    """A field that differs, with its value in Stash, in Plex, and as it was last written."""

    scene_id: int
    title: str
    rating_key: str
    field: str
    stash: object
    plex: object
    written: object


@frozen
class Differences:
    """The differences in one database."""

    connection: sqlite3.Connection

    def clear(self) -> None:
        """Delete all."""
        with transaction(self.connection) as database:
            database.execute("DELETE FROM difference")

    def add(self, differences: Iterable[Difference]) -> None:
        """Store differences behind those that are there."""
        rows = [
            (
                difference.scene_id,
                difference.title,
                difference.rating_key,
                difference.field,
                *(
                    json.dumps(value)
                    for value in (difference.stash, difference.plex, difference.written)
                ),
            )
            for difference in differences
        ]
        if rows:
            with transaction(self.connection) as database:
                database.executemany(ADD, rows)

    def page(self, field: str, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return a page as plain values; an empty `field` means every field."""
        return [
            {
                "scene_id": scene_id,
                "title": title,
                "rating_key": rating_key,
                "field": name,
                "stash": load(stash),
                "plex": load(plex),
                "written": load(written),
            }
            for scene_id, title, rating_key, name, stash, plex, written in self.connection.execute(
                PAGE, (field, limit, offset)
            )
        ]

    def total(self, field: str) -> int:
        """Count the differences; an empty `field` means every field."""
        query = "SELECT COUNT(*) FROM difference WHERE ? IN ('', field)"
        return int(self.connection.execute(query, (field,)).fetchone()[0])

    def scenes_by_field(self) -> dict[str, int]:
        """Count the scenes that differ in each field, the most first."""
        query = (
            "SELECT field, COUNT(DISTINCT scene_id) FROM difference GROUP BY field ORDER BY 2 DESC"
        )
        return dict(self.connection.execute(query).fetchall())
