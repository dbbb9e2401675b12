"""What was last written for each scene, and which entities it showed then."""

from __future__ import annotations

import json
import sqlite3

from stash2plex.db import transaction
from stash2plex.model import Record, Scene

COLUMNS = (
    "scene_id, rating_key, section_id, plex_path, matched_by, fingerprint, written, cover_tag, "
    "cover_etag, poster_hash, background_hash, synced_at"
)


class Records:
    """The sync records in one database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def get(self, scene_id: int) -> Record | None:
        """Read the record of a scene, None where it was never synced."""
        row = self._db.execute(
            f"SELECT {COLUMNS} FROM scene_record WHERE scene_id = ?",  # noqa: S608 - a constant
            (scene_id,),
        ).fetchone()
        if row is None:
            return None
        values = dict(zip(COLUMNS.split(", "), row, strict=True))
        return Record(**{**values, "written": json.loads(values["written"])})

    def put(self, record: Record, scene: Scene) -> None:
        """Store a record together with what the scene showed."""
        links = {
            *(("performer", performer.id) for performer in scene.performers),
            *(("tag", tag.id) for tag in scene.tags),
            *(("group", group.id) for group in scene.groups),
        }
        if scene.studio:
            links.add(("studio", scene.studio.id))
        with transaction(self._db):
            self._db.execute(
                f"INSERT OR REPLACE INTO scene_record ({COLUMNS})"  # noqa: S608 - a constant
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.scene_id,
                    record.rating_key,
                    record.section_id,
                    record.plex_path,
                    record.matched_by,
                    record.fingerprint,
                    json.dumps(record.written, sort_keys=True),
                    record.cover_tag,
                    record.cover_etag,
                    record.poster_hash,
                    record.background_hash,
                    record.synced_at,
                ),
            )
            self._replace_links(record.scene_id, links)

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

    def forget(self, scene_id: int) -> None:
        """Drop the record of a scene that Stash no longer has; Plex keeps what it holds."""
        with transaction(self._db):
            self._db.execute("DELETE FROM scene_record WHERE scene_id = ?", (scene_id,))
            self._db.execute("DELETE FROM scene_link WHERE scene_id = ?", (scene_id,))

    def forget_fingerprints(self, scene_ids: list[int]) -> None:
        """Have the next run compare these scenes with Plex, whatever the records say.

        What was last written stays known: the comparison needs it.
        """
        with transaction(self._db):
            self._db.executemany(
                "UPDATE scene_record SET fingerprint = '' WHERE scene_id = ?",
                [(id_,) for id_ in scene_ids],
            )

    def scenes_showing(self, kind: str, entity_id: int) -> list[int]:
        """List the scenes that showed an entity when they were last synced."""
        rows = self._db.execute(
            "SELECT scene_id FROM scene_link WHERE kind = ? AND id = ?", (kind, entity_id)
        )
        return [int(row[0]) for row in rows]

    def summary(self) -> tuple[int, float | None]:
        """Count the synced scenes, and say when the last one was synced (epoch seconds)."""
        row = self._db.execute("SELECT count(*), max(synced_at) FROM scene_record").fetchone()
        return int(row[0]), row[1]
