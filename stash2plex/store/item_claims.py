"""Keeps which scenes claim the same Plex item: an item can show only one scene's data."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import frozen

from stash2plex.db import transaction
from stash2plex.model import Field
from stash2plex.rules.matching import LEVELS, Level
from stash2plex.store.records import Records
from stash2plex.store.stored_json import load_object


@frozen
class Claimant:
    """A scene that has a file of an item, and how that file was matched.

    `refused` means that the scene was refused for this item and wrote nothing since.
    """

    scene_id: int
    label: str
    level: Level
    refused: bool = False

    @property
    def rank(self) -> int:
        """Rank of the match; lower is better."""
        return LEVELS.index(self.level)


@frozen
class ItemClaims:
    """The claims on Plex items in one database: the records, and the scenes that were refused."""

    connection: sqlite3.Connection
    records: Records

    def claimants(self, rating_key: str, besides: int) -> list[Claimant]:
        """List the scenes other than `besides` that claim an item.

        A record claims nothing if the item no longer holds its file.
        """
        refused = self.connection.execute(
            "SELECT scene_id, label, matched_by FROM contested_item WHERE rating_key = ?1"
            " AND scene_id <> ?2",
            (rating_key, besides),
        )
        others = [Claimant(id_, label, Level(level), refused=True) for id_, label, level in refused]
        synced = self.connection.execute(
            "SELECT scene_id, written, matched_by FROM scene_record record"
            " WHERE rating_key = ?1 AND scene_id <> ?2"
            " AND scene_id NOT IN (SELECT scene_id FROM contested_item)"
            " AND EXISTS (SELECT 1 FROM plex_file file WHERE file.rating_key = record.rating_key"
            " AND file.path = record.plex_path)",
            (rating_key, besides),
        )
        others += [
            Claimant(id_, str((load_object(written) or {}).get(Field.TITLE, "")), Level(level))
            for id_, written, level in synced
        ]
        return sorted(others, key=lambda claimant: claimant.scene_id)

    def refuse(self, claimant: Claimant, rating_key: str) -> None:
        """Record a scene that was refused because others claim its item; it is not in sync."""
        with transaction(self.connection) as database:
            database.execute(
                "INSERT OR REPLACE INTO contested_item (scene_id, label, rating_key, matched_by)"
                " VALUES (?, ?, ?, ?)",
                (claimant.scene_id, claimant.label, rating_key, claimant.level),
            )
            self.records.invalidate([claimant.scene_id])

    def hand_over(self, rating_key: str, loser: int, winner: int) -> bool:
        """Detach a scene's record from an item that now belongs to another scene.

        Returns whether the record was attached to that item. Then `loser` may have written there
        after `winner`, so the winner is due to be compared again.
        """
        with transaction(self.connection):
            was_its = self.records.detach(loser, rating_key)
            if was_its:
                self.records.invalidate([winner])
        return was_its

    def leave(self, scene_id: int, taken: str) -> list[int]:
        """Release all of a scene's claims except the one on `taken` (“” for none).

        Returns the scenes that were refused because of the released claims.
        """
        with transaction(self.connection) as database:
            left = {
                key
                for (key,) in database.execute(
                    "SELECT rating_key FROM contested_item WHERE scene_id = ?1"
                    " UNION SELECT rating_key FROM scene_record WHERE scene_id = ?1",
                    (scene_id,),
                )
                if key != taken
            }
            database.execute("DELETE FROM contested_item WHERE scene_id = ?", (scene_id,))
            return sorted(
                {
                    other
                    for key in left
                    for (other,) in database.execute(
                        "SELECT scene_id FROM contested_item WHERE rating_key = ?", (key,)
                    )
                }
            )


def leading(claimants: Sequence[Claimant]) -> list[Claimant]:
    """Return the claimants with the best match, lowest scene id first."""
    best = min(claimant.rank for claimant in claimants)
    return sorted(
        (claimant for claimant in claimants if claimant.rank == best),
        key=lambda claimant: claimant.scene_id,
    )


def winner_of(leaders: Sequence[Claimant], *, loose: bool) -> Claimant | None:
    """Return who gets the item; None if several have an equal claim, unless `loose`."""
    return leaders[0] if loose or len(leaders) == 1 else None
