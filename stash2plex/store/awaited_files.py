"""The files of scenes that Plex does not have, and which scenes may match since Plex changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from attrs import frozen

from stash2plex.db import transaction
from stash2plex.model import StashFile
from stash2plex.rules.matching import Rule, folded_ends, folded_parts, is_below, map_path

FILES_A_SCENE = 50
"""Files of one scene that are waited for."""


@frozen
class AwaitedFiles:
    """The files that are waited for, in one database."""

    connection: sqlite3.Connection

    def note(self, scene_id: int, files: Sequence[StashFile], rules: Sequence[Rule]) -> list[str]:
        """Wait for the files of a scene; returns the paths that no scan was asked for yet."""
        paths = {file.path: file.size for file in files[:FILES_A_SCENE]}
        with transaction(self.connection) as database:
            known = database.execute("SELECT path FROM missed_file WHERE scene_id = ?", (scene_id,))
            database.executemany(
                "DELETE FROM missed_file WHERE scene_id = ? AND path = ?",
                [(scene_id, path) for (path,) in known.fetchall() if path not in paths],
            )
            database.executemany(
                "INSERT INTO missed_file (scene_id, path, name, parent, size)"
                " VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET parent = excluded.parent, size = excluded.size",
                [
                    (scene_id, path, *folded_ends(map_path(path, rules)), size)
                    for path, size in paths.items()
                ],
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
                "DELETE FROM missed_file WHERE scene_id = ?",
                [(scene_id,) for scene_id in scene_ids],
            )

    def any(self) -> bool:
        """Say whether any file is waited for."""
        return self.connection.execute("SELECT 1 FROM missed_file LIMIT 1").fetchone() is not None

    def may_match(self, since: int) -> list[int]:
        """List the scenes that a Plex file read after the reading `since` may be of.

        It has the name; and the folder's name, or no size that speaks against it.
        """
        rows = self.connection.execute(
            "SELECT DISTINCT missed.scene_id FROM missed_file missed CROSS JOIN plex_file found"
            " ON found.name = missed.name AND (found.folder = missed.parent"
            " OR coalesce(found.size = missed.size, 1)) WHERE found.listing > ?",
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
