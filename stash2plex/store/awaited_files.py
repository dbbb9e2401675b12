"""Keeps the files that Plex does not have, and finds the scenes that may match after a change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from attrs import frozen

from stash2plex.db import transaction
from stash2plex.model import StashFile
from stash2plex.rules.matching import Rule, folded_ends, folded_parts, is_below, map_path

FILES_A_SCENE = 50
"""How many files of one scene are awaited."""


@frozen
class AwaitedFiles:
    """The awaited files in one database."""

    connection: sqlite3.Connection

    def note(self, scene_id: int, files: Sequence[StashFile], rules: Sequence[Rule]) -> list[str]:
        """Await the files of a scene; returns the paths without a scan request so far."""
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
        """Record which folder Plex is to scan for a file."""
        with transaction(self.connection) as database:
            database.execute(
                "UPDATE missed_file SET section_id = ?, folder = ? WHERE scene_id = ? AND path = ?",
                (section_id, folder, scene_id, path),
            )

    def forget(self, scene_ids: Iterable[int]) -> None:
        """Stop awaiting the files of scenes that were found or are gone."""
        with transaction(self.connection) as database:
            database.executemany(
                "DELETE FROM missed_file WHERE scene_id = ?",
                [(scene_id,) for scene_id in scene_ids],
            )

    def any(self) -> bool:
        """Return whether any file is awaited."""
        return self.connection.execute("SELECT 1 FROM missed_file LIMIT 1").fetchone() is not None

    def may_match(self, since: int) -> list[int]:
        """List the scenes that may match a Plex file that was read after the reading `since`.

        The file has the same name, and either the same folder name or no contradicting size.
        """
        rows = self.connection.execute(
            "SELECT DISTINCT missed.scene_id FROM missed_file missed CROSS JOIN plex_file found"
            " ON found.name = missed.name AND (found.folder = missed.parent"
            " OR coalesce(found.size = missed.size, 1)) WHERE found.listing > ?",
            (since,),
        )
        return [scene_id for (scene_id,) in rows]

    def any_below(self, section_id: str, folder: str, locations: Sequence[str]) -> bool:
        """Whether a scan of a Plex folder was meant to find a file that a scene waits for.

        `locations` are those of the library: a file may lie in several, and Plex has one folder of
        it. An empty folder is the whole library.
        """
        rows = self.connection.execute(
            "SELECT DISTINCT section_id, folder FROM missed_file WHERE section_id <> ''"
        ).fetchall()
        tops = [folded_parts(location) for location in ([folder] if folder else locations)]
        return any(
            (not folder and asked == section_id)
            or any(is_below((*folded_parts(below), ""), top) for top in tops)
            for asked, below in rows
        )
