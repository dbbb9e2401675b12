"""Keeps the folders of Plex's movie libraries that are not chosen."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from attrs import frozen

from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.model import Section
from stash2plex.store.meta import OTHER_LIBRARIES
from stash2plex.store.stored_json import load_shape


@frozen
class OtherFolder:
    """A folder of a library that is not chosen, and the library's title."""

    title: str
    path: str


@frozen
class OtherLibraries:
    """The libraries that are not chosen, in one database, so that every process sees them."""

    connection: sqlite3.Connection

    def keep(self, sections: Iterable[Section]) -> None:
        """Store them; nothing is written if they are the same as before."""
        folders = [
            {"title": section.title, "path": path}
            for section in sections
            for path in section.locations
        ]
        text = json.dumps(folders, ensure_ascii=False)
        if text != (get_meta(self.connection, OTHER_LIBRARIES) or "[]"):
            with transaction(self.connection):
                set_meta(self.connection, OTHER_LIBRARIES, text)

    def folders(self) -> list[OtherFolder]:
        """Return their folders."""
        return load_shape(get_meta(self.connection, OTHER_LIBRARIES), list[OtherFolder]) or []
