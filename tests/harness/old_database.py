"""Databases as older versions left them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from stash2plex import migrations

A_RECORD_SQL = (
    "INSERT INTO scene_record (scene_id, rating_key, section_id, plex_path, matched_by,"
    " fingerprint, written, synced_at) VALUES (4, '7', '1', '/a', 'path', 'f', '{}', 5.0)"
)
"""Stores a record in every schema."""

FOLDER = os.path.dirname(migrations.__file__)


@contextmanager
def old_database(path: str, version: int) -> Iterator[sqlite3.Connection]:
    """Make a database of a schema's version; what is written to it is committed at the end."""
    old = sqlite3.connect(path)
    try:
        for name in sorted(os.listdir(FOLDER)):
            if name[:4].isdigit() and int(name[:4]) <= version:
                with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                    old.executescript(file.read())
        old.execute(f"PRAGMA user_version = {version}")
        yield old
        old.commit()
    finally:
        old.close()
