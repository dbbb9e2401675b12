"""Keeps what was last written for each scene, and which entities it showed then."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable

from attrs import evolve, frozen

from stash2plex.db import transaction
from stash2plex.model import Field, Record, Scene
from stash2plex.store.first_states import keep_ours
from stash2plex.store.stored_json import load_list, load_object

COLUMNS = (
    "scene_id",
    "rating_key",
    "section_id",
    "plex_path",
    "matched_by",
    "fingerprint",
    "written",
    "cover_tag",
    "cover_etag",
    "poster_hash",
    "background_hash",
    "synced_at",
    "removed",
    "announced",
    "files",
    "shown",
    "unread",
    "verified",
    "tries",
)
"""The columns of `scene_record`, in the order of the statements below."""

JSON_COLUMNS = ("written", "removed", "announced", "shown", "unread")

GET = (
    "SELECT scene_id, rating_key, section_id, plex_path, matched_by, fingerprint, written,"
    " cover_tag, cover_etag, poster_hash, background_hash, synced_at, removed, announced, files,"
    " shown, unread, verified, tries FROM scene_record WHERE scene_id = ?"
)

PUT = (
    "INSERT OR REPLACE INTO scene_record (scene_id, rating_key, section_id, plex_path, matched_by,"
    " fingerprint, written, cover_tag, cover_etag, poster_hash, background_hash, synced_at,"
    " removed, announced, files, shown, unread, verified, tries)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

DROP = (
    "DELETE FROM scene_record WHERE scene_id = ?",
    "DELETE FROM follower WHERE scene_id = ?",
    "DELETE FROM scene_link WHERE scene_id = ?",
    "DELETE FROM orphan WHERE scene_id = ?",
)

ANNOUNCED_LIMIT = 5
"""How many announced edits of a scene are kept: each but the first means another kill."""

ORPHANS_LIMIT = 10_000
"""How many items whose scene is gone are kept, newest first."""


@frozen
class Orphan:
    """A Plex item that holds what we wrote for a scene that Stash no longer has.

    `since` is when this was noticed, in seconds since the epoch.
    """

    scene_id: int
    title: str
    rating_key: str
    section_id: str
    plex_path: str
    since: float


class Records:
    """The sync records in one database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def get(self, scene_id: int) -> Record | None:
        """Read the record of a scene; None if it was never synced.

        A record that cannot be read counts as none: the scene is synced again, which replaces it.
        """
        row = self._db.execute(GET, (scene_id,)).fetchone()
        if row is None:
            return None
        values = dict(zip(COLUMNS, row, strict=True))
        written, removed = load_object(values["written"]), load_object(values["removed"])
        if written is None or removed is None:
            return None
        announced = tuple(
            entry for entry in load_list(values["announced"]) if isinstance(entry, dict)
        )
        known = {
            "written": written,
            "removed": removed,
            "announced": announced,
            "shown": load_object(values["shown"]) or {},
            "unread": _of_fields(load_object(values["unread"]) or {}),
            "verified": bool(values["verified"]),
        }
        return Record(**{**values, **known})

    def announce(self, records: Iterable[Record]) -> None:
        """Record what the next edits will leave in Plex, in one transaction.

        If the process is killed before it knows that Plex accepted an edit, our value can still be
        distinguished from one of the user. `put` ends the announcement.
        """
        with transaction(self._db):
            for record in records:
                old = self.get(record.scene_id)
                if old is not None and old.rating_key != record.rating_key:
                    keep_ours(self._db, record.scene_id)
                if old is None or old.rating_key != record.rating_key:
                    # Nothing in this item is ours yet.
                    old = evolve(record, written={})
                announced = old.announced
                if record.written not in announced:
                    announced = (*announced, record.written)[-ANNOUNCED_LIMIT:]
                # What the user removed was seen in Plex, whatever becomes of the edit.
                removed = record.removed
                self._insert(evolve(old, fingerprint="", announced=announced, removed=removed))

    def put(self, record: Record, scene: Scene) -> None:
        """Store a record together with what the scene showed; its item stops being an orphan."""
        links = {
            *(("performer", performer.id) for performer in scene.performers),
            *(("tag", tag.id) for tag in scene.tags),
            *(("group", group.id) for group in scene.groups),
        }
        if scene.studio:
            links.add(("studio", scene.studio.id))
        with transaction(self._db):
            self._insert(record)
            self._db.execute(
                "DELETE FROM orphan WHERE rating_key = ? OR scene_id = ?",
                (record.rating_key, record.scene_id),
            )
            self._replace_links(record.scene_id, links)

    # -- reading back ---------------------------------------------------------------------

    def unread_ids(self, limit: int) -> list[int]:
        """List up to `limit` scenes whose last write has not been read back yet."""
        rows = self._db.execute(
            "SELECT scene_id FROM scene_record WHERE unread <> '{}' AND fingerprint <> ''"
            " AND rating_key <> '' ORDER BY scene_id LIMIT ?",
            (limit,),
        )
        return [int(scene_id) for (scene_id,) in rows]

    def drop_unread(self, scene_id: int) -> None:
        """Forget that a write was not read back: its record cannot be read."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE scene_record SET unread = '{}' WHERE scene_id = ?", (scene_id,)
            )

    def keep_reading(self, old: Record, new: Record) -> bool:
        """Store what reading back showed; False where the scene was written once more since."""
        with transaction(self._db):
            held = self.get(old.scene_id)
            # Pictures go out meanwhile; that is no other write.
            if held is None or with_pictures(held, old) != old:
                return False
            self._insert(with_pictures(new, held))
            return True

    def put_pictures(self, record: Record) -> None:
        """Store what a record knows of pictures, unless the scene has another item by now.

        A fingerprint that says that the user's pictures stay is stored where the texts are settled.
        Belongs to the transaction of the caller.
        """
        self._db.execute(
            "UPDATE scene_record SET cover_tag = ?, cover_etag = ?, poster_hash = ?,"
            " background_hash = ?, fingerprint = CASE WHEN fingerprint <> ''"
            " AND ? = fingerprint || '+kept' THEN ? ELSE fingerprint END"
            " WHERE scene_id = ? AND rating_key = ?",
            (
                record.cover_tag,
                record.cover_etag,
                record.poster_hash,
                record.background_hash,
                record.fingerprint,
                record.fingerprint,
                record.scene_id,
                record.rating_key,
            ),
        )

    def _insert(self, record: Record) -> None:
        values = [(name, getattr(record, name)) for name in COLUMNS]
        self._db.execute(
            PUT,
            [
                json.dumps(value, sort_keys=True) if name in JSON_COLUMNS else value
                for name, value in values
            ],
        )

    def _replace_links(self, scene_id: int, links: set[tuple[str, int]]) -> None:
        old = set(
            self._db.execute("SELECT kind, id FROM scene_link WHERE scene_id = ?", (scene_id,))
        )
        self._db.executemany(
            "DELETE FROM scene_link WHERE kind = ? AND id = ? AND scene_id = ?",
            [(*link, scene_id) for link in old - links],
        )
        self._db.executemany(
            "INSERT INTO scene_link (kind, id, scene_id) VALUES (?, ?, ?)",
            [(*link, scene_id) for link in links - old],
        )

    def forget(self, scene_id: int, now: float) -> None:
        """Delete the record of a scene that Stash no longer has; Plex keeps what it holds.

        Its item is recorded as an orphan, unless another scene has taken it over.
        """
        with transaction(self._db):
            self._note_orphan(scene_id, now)
            keep_ours(self._db, scene_id)
            self._db.execute("DELETE FROM scene_record WHERE scene_id = ?", (scene_id,))
            self._db.execute("DELETE FROM follower WHERE scene_id = ?", (scene_id,))
            self._db.execute("DELETE FROM scene_link WHERE scene_id = ?", (scene_id,))

    def drop(self, scene_id: int) -> None:
        """Delete the record of a scene whose item shows again what it showed before any write."""
        with transaction(self._db):
            keep_ours(self._db, scene_id)
            for statement in DROP:
                self._db.execute(statement, (scene_id,))

    def replace(self, record: Record) -> None:
        """Store another record of a scene."""
        with transaction(self._db):
            self._insert(record)

    def is_orphan(self, scene_id: int) -> bool:
        """Whether a scene has left Stash and its item still holds what we wrote."""
        row = self._db.execute("SELECT 1 FROM orphan WHERE scene_id = ?", (scene_id,)).fetchone()
        return row is not None

    def invalidate(self, scene_ids: Iterable[int]) -> None:
        """Make the next run compare these scenes with Plex, whatever their records hold.

        What was last written is kept, because the comparison needs it.
        """
        with transaction(self._db):
            self._db.executemany(
                "UPDATE scene_record SET fingerprint = '' WHERE scene_id = ?",
                [(id_,) for id_ in scene_ids],
            )

    def invalidate_files(self, files: Iterable[tuple[str, str]]) -> None:
        """Do the same for the scenes that were matched by these files (rating key and path)."""
        with transaction(self._db):
            self._db.executemany(
                "UPDATE scene_record SET fingerprint = '' WHERE rating_key = ? AND plex_path = ?",
                files,
            )

    def invalidate_all(self) -> None:
        """Do the same for every scene."""
        with transaction(self._db):
            self._db.execute("UPDATE scene_record SET fingerprint = ''")

    def detach_all(self) -> None:
        """Detach every record from its item, because another server has other ids."""
        with transaction(self._db):
            keep_ours(self._db)
            self._db.execute("UPDATE scene_record SET rating_key = '', fingerprint = ''")
            self._db.execute("DELETE FROM follower")

    def detach(self, scene_id: int, rating_key: str) -> bool:
        """Detach a scene's record from an item; returns False if it was not attached to it."""
        with transaction(self._db):
            keep_ours(self._db, scene_id)
            return bool(
                self._db.execute(
                    "UPDATE scene_record SET rating_key = '' WHERE scene_id = ? AND rating_key = ?",
                    (scene_id, rating_key),
                ).rowcount
            )

    def newest_item(self) -> str | None:
        """Return the rating key of the item that was synced last."""
        row = self._db.execute(
            "SELECT rating_key FROM scene_record ORDER BY synced_at DESC LIMIT 1"
        ).fetchone()
        return None if row is None else str(row[0])

    def _note_orphan(self, scene_id: int, now: float) -> None:
        record = self.get(scene_id)
        if record is None:
            return
        heirs = self._db.execute(
            "SELECT 1 FROM scene_record WHERE rating_key = ? AND scene_id <> ? LIMIT 1",
            (record.rating_key, scene_id),
        ).fetchone()
        if heirs:
            return
        title = str(record.written.get(Field.TITLE) or re.split(r"[\\/]", record.plex_path)[-1])
        self._db.execute(
            "INSERT OR REPLACE INTO orphan (scene_id, title, rating_key, section_id, plex_path,"
            " since) VALUES (?, ?, ?, ?, ?, ?)",
            (scene_id, title, record.rating_key, record.section_id, record.plex_path, now),
        )
        self._db.execute(
            "DELETE FROM orphan WHERE scene_id IN (SELECT scene_id FROM orphan"
            " ORDER BY since DESC, scene_id DESC LIMIT -1 OFFSET ?)",
            (ORPHANS_LIMIT,),
        )

    def orphans(self, limit: int = ORPHANS_LIMIT) -> list[Orphan]:
        """List the items whose scene is gone, newest first."""
        rows = self._db.execute(
            "SELECT scene_id, title, rating_key, section_id, plex_path, since FROM orphan"
            " ORDER BY since DESC, scene_id DESC LIMIT ?",
            (limit,),
        )
        return [Orphan(*row) for row in rows]

    def scenes_showing(self, kind: str, entity_id: int) -> list[int]:
        """List the scenes that showed an entity when they were last synced."""
        rows = self._db.execute(
            "SELECT scene_id FROM scene_link WHERE kind = ? AND id = ?", (kind, entity_id)
        )
        return [int(row[0]) for row in rows]

    def shown_entities(self, kind: str) -> set[int]:
        """List the entities of a kind that any scene showed when it was last synced."""
        return {
            int(row[0])
            for row in self._db.execute(
                "SELECT DISTINCT id FROM scene_link WHERE kind = ?", (kind,)
            )
        }

    def ids_between(self, after: int, upto: int) -> set[int]:
        """List the synced scenes with ids above `after`, up to and including `upto`."""
        return {
            int(row[0])
            for row in self._db.execute(
                "SELECT scene_id FROM scene_record WHERE scene_id > ? AND scene_id <= ?",
                (after, upto),
            )
        }

    def summary(self) -> tuple[int, float | None]:
        """Return how many scenes are synced, and when the last one was (epoch seconds)."""
        row = self._db.execute(
            "SELECT count(*), max(synced_at) FROM scene_record WHERE synced_at > 0"
        ).fetchone()
        return int(row[0]), row[1]


def _of_fields(known: dict[str, object]) -> dict[str, object]:
    """Leave out what is no field of ours: a row that is damaged."""
    fields = {str(name) for name in Field}
    return {name: value for name, value in known.items() if name in fields}


def with_pictures(record: Record, held: Record | None) -> Record:
    """Return a record with what another one of the same item knows about the pictures."""
    if held is None or held.rating_key != record.rating_key:
        return record
    return evolve(
        record,
        cover_tag=held.cover_tag,
        cover_etag=held.cover_etag,
        poster_hash=held.poster_hash,
        background_hash=held.background_hash,
    )
