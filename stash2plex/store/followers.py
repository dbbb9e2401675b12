"""The items that follow a scene besides its first one, because its file is in several libraries."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from attrs import asdict, evolve, frozen

from stash2plex.db import transaction
from stash2plex.model import Record
from stash2plex.store.first_states import keep_ours
from stash2plex.store.records import ANNOUNCED_LIMIT, COLUMNS, with_pictures
from stash2plex.store.stored_json import load_object

NEW_PARTNERS = (
    "SELECT DISTINCT record.scene_id FROM plex_file new CROSS JOIN plex_file old"
    " ON old.name = new.name AND old.path = new.path AND old.section_id <> new.section_id"
    " CROSS JOIN scene_record record"
    " ON record.rating_key = old.rating_key AND record.plex_path = old.path"
    " WHERE new.listing > ? AND NOT EXISTS (SELECT 1 FROM follower"
    " WHERE follower.scene_id = record.scene_id AND follower.rating_key = new.rating_key)"
)


@frozen
class Followers:
    """The records of following items in one database."""

    connection: sqlite3.Connection

    def of(self, scene_id: int) -> dict[str, Record]:
        """Return what was last written to the items that follow a scene, by rating key."""
        rows = self.connection.execute(
            "SELECT rating_key, record FROM follower WHERE scene_id = ?", (scene_id,)
        )
        records = {key: _load(text) for key, text in rows.fetchall()}
        return {key: record for key, record in records.items() if record is not None}

    def announce(self, records: Iterable[Record]) -> None:
        """Record what the next edits will leave in Plex, like `Records.announce`."""
        with transaction(self.connection):
            for record in records:
                old = self.of(record.scene_id).get(record.rating_key)
                old = old or evolve(record, written={})
                announced = (*old.announced, record.written)[-ANNOUNCED_LIMIT:]
                self._put(evolve(old, fingerprint="", announced=announced, removed=record.removed))

    def put(self, scene_id: int, records: Iterable[Record], unsure: Iterable[str] = ()) -> None:
        """Store the records of the items that follow a scene now.

        The stored records of the items in `unsure` stay, with what was announced; all others no
        longer follow the scene.
        """
        with transaction(self.connection):
            held = self.of(scene_id)
            if held:
                self.forget(scene_id)
            for record in (*(held[key] for key in unsure if key in held), *records):
                self._put(record)

    def put_pictures(self, record: Record) -> None:
        """Store what a record knows of pictures, if its item still follows the scene."""
        held = self.of(record.scene_id).get(record.rating_key)
        if held is not None:
            self._put(with_pictures(held, record))

    def _put(self, record: Record) -> None:
        values = {name: value for name, value in asdict(record).items() if name in COLUMNS}
        self.connection.execute(
            "INSERT OR REPLACE INTO follower (scene_id, rating_key, record) VALUES (?, ?, ?)",
            (record.scene_id, record.rating_key, json.dumps(values, sort_keys=True)),
        )

    def forget(self, scene_id: int) -> None:
        """Forget the items that follow a scene."""
        with transaction(self.connection):
            keep_ours(self.connection, scene_id)
            self.connection.execute("DELETE FROM follower WHERE scene_id = ?", (scene_id,))

    def replace(self, record: Record) -> None:
        """Store another record of an item that follows."""
        with transaction(self.connection):
            self._put(record)

    def is_taken(self, rating_key: str, scene_id: int) -> bool:
        """Whether an item follows a scene with a lower id; an item can show only one scene."""
        row = self.connection.execute(
            "SELECT 1 FROM follower WHERE rating_key = ? AND scene_id < ? LIMIT 1",
            (rating_key, scene_id),
        ).fetchone()
        return row is not None

    def new_partners(self, listing: int) -> list[int]:
        """List the scenes whose file was also found in another library after a listing."""
        return [scene_id for (scene_id,) in self.connection.execute(NEW_PARTNERS, (listing,))]


def _load(text: str) -> Record | None:
    """Read a record; None if it cannot be read."""
    values: dict[str, Any] = load_object(text) or {}
    known = {name: value for name, value in values.items() if name in COLUMNS}
    try:
        record = Record(**known)
    except TypeError:
        return None
    if not (isinstance(record.written, dict) and isinstance(record.removed, dict)):
        return None
    return evolve(record, announced=tuple(record.announced))
