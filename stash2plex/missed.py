"""The files of scenes that Plex does not have, and which scenes may match since Plex changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from attrs import frozen

from stash2plex.db import transaction
from stash2plex.matching import folded_name, folded_parts, is_below

FILES_A_SCENE = 50
"""Files of one scene that are waited for."""


@frozen
class Missed:
    """The files that are waited for, in one database."""

    connection: sqlite3.Connection

    def note(self, scene_id: int, paths: Sequence[str]) -> list[str]:
        """Wait for the files of a scene; returns those that no scan was asked for yet."""
        paths = list(dict.fromkeys(paths))[:FILES_A_SCENE]
        with transaction(self.connection) as database:
            known = database.execute("SELECT path FROM missed_file WHERE scene_id = ?", (scene_id,))
            database.executemany(
                "DELETE FROM missed_file WHERE scene_id = ? AND path = ?",
                [(scene_id, path) for (path,) in known.fetchall() if path not in paths],
            )
            database.executemany(
                "INSERT INTO missed_file (scene_id, path, name) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                [(scene_id, path, folded_name(path)) for path in paths],
            )
            rows = database.execute(
                "SELECT path FROM missed_file WHERE scene_id = ? AND section_id = ''", (scene_id,)
            )
            return [path for (path,) in rows]

    def asked(self, scene_id: int, path: str, section_id: str, folder: str) -> None:
        """Note what Plex is to scan for a file."""
        with transaction(self.connection) as database:
            database.execute(
                "UPDATE missed_file SET section_id = ?, folder = ? WHERE scene_id = ? AND path = ?",
                (section_id, folder, scene_id, path),
            )

    def forget(self, scene_ids: Iterable[int]) -> None:
        """Wait no longer for scenes that were found, or are gone."""
        with transaction(self.connection) as database:
            database.executemany(
                "DELETE FROM missed_file WHERE scene_id = ?", [(one,) for one in scene_ids]
            )

    def any(self) -> bool:
        """Say whether any file is waited for."""
        return self.connection.execute("SELECT 1 FROM missed_file LIMIT 1").fetchone() is not None

    def may_match(self, since: int) -> list[int]:
        """List the scenes that wait for the name of a Plex file read after the reading `since`."""
        rows = self.connection.execute(
            "SELECT DISTINCT missed.scene_id FROM missed_file missed CROSS JOIN plex_file found"
            " ON found.name = missed.name WHERE found.listing > ?",
            (since,),
        )
        return [scene_id for (scene_id,) in rows]

    def any_below(self, section_id: str, folder: str) -> bool:
        """Say whether a file is waited for that a scan of a folder of Plex was to find."""
        if not folder:
            row = self.connection.execute(
                "SELECT 1 FROM missed_file WHERE section_id = ?", (section_id,)
            ).fetchone()
            return row is not None
        top = folded_parts(folder)
        rows = self.connection.execute(
            "SELECT DISTINCT folder FROM missed_file WHERE section_id = ?", (section_id,)
        )
        return any(is_below((*folded_parts(below), ""), top) for (below,) in rows)
