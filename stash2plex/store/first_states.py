"""Keeps what each Plex item showed before our first write to it. This is never pruned."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from attrs import frozen

from stash2plex.model import Clock, Field
from stash2plex.rules.first_state import Before, FirstState, plain_fields, read_fields
from stash2plex.store.meta import MACHINE_ID
from stash2plex.store.stored_json import load_object

OF_SCENE = (
    "SELECT scene_id, rating_key, server, section_id, path, at, fields, before_history, ours,"
    " uploads, undone_at FROM first_state WHERE scene_id = ? ORDER BY at"
)
GET = (
    "SELECT scene_id, rating_key, server, section_id, path, at, fields, before_history, ours,"
    " uploads, undone_at FROM first_state WHERE rating_key = ? AND server ="
    " coalesce((SELECT value FROM meta WHERE name = ?), '')"
)
KEEP_OURS = (
    "UPDATE first_state SET ours = (SELECT '{\"written\":' || written || ',\"shown\":' || shown"
    ' || \',"removed":\' || removed || \',"poster_hash":"\' || poster_hash'
    ' || \'","background_hash":"\' || background_hash || \'"}\' FROM scene_record record'
    " WHERE record.scene_id = first_state.scene_id"
    " AND record.rating_key = first_state.rating_key)"
    " WHERE EXISTS (SELECT 1 FROM scene_record record"
    " WHERE record.scene_id = first_state.scene_id"
    " AND record.rating_key = first_state.rating_key)"
)
"""Keeps what a record knows of its item, before the record is taken from it."""

KEEP_FOLLOWERS = (
    "UPDATE first_state SET ours = (SELECT record FROM follower"
    " WHERE follower.rating_key = first_state.rating_key"
    " AND follower.scene_id = first_state.scene_id)"
    " WHERE EXISTS (SELECT 1 FROM follower WHERE follower.rating_key = first_state.rating_key"
    " AND follower.scene_id = first_state.scene_id)"
)
"""The same for the items that follow."""

KEEP_ALL = (KEEP_OURS, KEEP_FOLLOWERS)
KEEP_SCENE = (f"{KEEP_OURS} AND scene_id = ?", f"{KEEP_FOLLOWERS} AND scene_id = ?")


@frozen
class FirstStates:
    """The first states in one database. `clock` returns seconds since the epoch.

    Everything here joins the transaction of the caller.
    """

    connection: sqlite3.Connection
    clock: Clock

    @property
    def server(self) -> str:
        """The id of the Plex server that is written to; empty before the first."""
        row = self.connection.execute(
            "SELECT value FROM meta WHERE name = ?", (MACHINE_ID,)
        ).fetchone()
        return str(row[0]) if row else ""

    def get(self, rating_key: str) -> FirstState | None:
        """Read the first state of an item of the present server; None if nothing is kept of it."""
        row = self.connection.execute(GET, (rating_key, MACHINE_ID)).fetchone()
        return None if row is None else _read(row)

    def of_scene(self, scene_id: int) -> list[FirstState]:
        """List the first states of a scene's items, also of those on an earlier server."""
        rows = self.connection.execute(OF_SCENE, (scene_id,))
        return [_read(row) for row in rows]

    def scene_of_item(self, rating_key: str) -> int | None:
        """Return the scene that wrote to an item of the present server last; None if none did."""
        state = self.get(rating_key)
        return None if state is None or state.undone_at is not None else state.scene_id

    def written_scenes(self, after: int = 0, limit: int = -1) -> list[int]:
        """List up to `limit` scenes above an id whose items hold what we wrote; -1 for all."""
        rows = self.connection.execute(
            "SELECT DISTINCT scene_id FROM first_state WHERE undone_at IS NULL AND scene_id > ?"
            " ORDER BY scene_id LIMIT ?",
            (after, limit),
        )
        return [int(row[0]) for row in rows]

    def left_out_scenes(self) -> list[int]:
        """List the scenes whose items hold what we wrote although they are left out by now.

        They have an excluded tag, are not organized any more, or have left Stash.
        """
        rows = self.connection.execute(
            "SELECT DISTINCT scene_id FROM first_state WHERE undone_at IS NULL AND (scene_id IN"
            " (SELECT id FROM scene WHERE standing IN ('excluded', 'not_organized'))"
            " OR scene_id IN (SELECT scene_id FROM orphan)) ORDER BY scene_id"
        )
        return [int(row[0]) for row in rows]

    def number_left_out(self) -> int:
        """Count those of them whose item Plex still lists."""
        (number,) = self.connection.execute(
            "SELECT count(DISTINCT scene_id) FROM first_state WHERE undone_at IS NULL AND (scene_id"
            " IN (SELECT id FROM scene WHERE standing IN ('excluded', 'not_organized'))"
            " OR scene_id IN (SELECT scene_id FROM orphan))"
            " AND rating_key IN (SELECT rating_key FROM plex_file)"
        ).fetchone()
        return int(number)

    def keep(self, state: FirstState, new: Mapping[Field, Before]) -> None:
        """Keep more fields of an item; what was put back before counts no more."""
        fresh = state.undone_at is not None
        fields = {**({} if fresh else state.fields), **new}
        self.connection.execute(
            "INSERT INTO first_state (scene_id, rating_key, server, section_id, path, at, fields,"
            " before_history, uploads) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (rating_key, server) DO UPDATE SET scene_id = excluded.scene_id,"
            " section_id = excluded.section_id, path = excluded.path, at = excluded.at,"
            " fields = excluded.fields, before_history = excluded.before_history,"
            " ours = CASE WHEN undone_at IS NULL THEN ours ELSE '' END, undone_at = NULL",
            (
                state.scene_id,
                state.rating_key,
                state.server,
                state.section_id,
                state.path,
                self.clock() if fresh else state.at,
                _text(fields),
                int(state.before_history and not fresh),
                state.uploads,
            ),
        )

    def count_uploads(self, rating_key: str, number: int) -> None:
        """Count pictures that were sent to an item."""
        if number:
            self.connection.execute(
                "UPDATE first_state SET uploads = uploads + ? WHERE rating_key = ? AND server = ?",
                (number, rating_key, self.server),
            )

    def put_back(self, state: FirstState, left: Mapping[Field, Before], *, is_done: bool) -> None:
        """Record that an item shows again what it showed first, except the fields that are `left`.

        If all `is_done`, what it showed first stays kept, and the next write begins a new one.
        """
        self.connection.execute(
            "UPDATE first_state SET undone_at = ?, fields = ? WHERE rating_key = ? AND server = ?",
            (
                self.clock() if is_done else None,
                _text(state.fields if is_done else left),
                state.rating_key,
                state.server,
            ),
        )

    def number(self) -> int:
        """Count the items that hold what we wrote."""
        (number,) = self.connection.execute(
            "SELECT count(*) FROM first_state WHERE undone_at IS NULL"
        ).fetchone()
        return int(number)


def keep_ours(connection: sqlite3.Connection, scene_id: int | None = None) -> None:
    """Keep what the records of a scene, or all, know of their items, which they will leave."""
    values = () if scene_id is None else (scene_id,)
    for statement in KEEP_ALL if scene_id is None else KEEP_SCENE:
        connection.execute(statement, values)


def _text(fields: Mapping[Field, Before]) -> str:
    return json.dumps(plain_fields(fields), separators=(",", ":"))


def _read(row: tuple[object, ...]) -> FirstState:
    scene_id, key, server, section_id, path, at, fields, early, ours, uploads, undone_at = row
    return FirstState(
        scene_id,  # type: ignore[arg-type]  # typed by the table, here and below
        key,  # type: ignore[arg-type]
        server,  # type: ignore[arg-type]
        section_id,  # type: ignore[arg-type]
        path,  # type: ignore[arg-type]
        at,  # type: ignore[arg-type]
        read_fields(load_object(fields) or {}),  # type: ignore[arg-type]
        bool(early),
        load_object(ours) or {},  # type: ignore[arg-type]
        uploads,  # type: ignore[arg-type]
        undone_at,  # type: ignore[arg-type]
    )
