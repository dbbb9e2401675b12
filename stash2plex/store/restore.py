"""Takes back a copy of the database, and carries over what was queued since it was made.

The contents are replaced in one transaction. So a save at that moment waits and finds either
database whole, and a kill changes nothing.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from attrs import frozen

from stash2plex.copies import Copy, drop_old_copies, list_copies, make_copy
from stash2plex.datadir import DATABASE_NAME
from stash2plex.db import BUSY_SECONDS, SCHEMA_NUMBER, store_error, transaction
from stash2plex.errors import StoreDamaged, StoreTooNew, StoreUnavailable, UsageError
from stash2plex.model import Clock

HOLDS = 7
"""The first schema whose queue can keep a key on hold."""


@frozen
class Restored:
    """What was taken back. `replaced` is the copy of the database that was in its place.

    `keys` counts the queued and given-up objects that were carried over, `compared` the scenes
    that were written to Plex since the copy was made, and are compared again.
    """

    name: str
    schema: int
    replaced: str
    keys: int
    compared: int


def find_copy(data_folder: str, name: str | None) -> Copy:
    """Return the copy with a name, or the newest. Raises UsageError if there is none."""
    copies = list_copies(data_folder)
    if not copies:
        raise UsageError(
            f"There is no copy in “{data_folder}”. One is made before an update changes the "
            "database."
        )
    chosen = next((copy for copy in copies if name in (None, copy.name)), None)
    if chosen is None:
        names = ", ".join(copy.name for copy in copies)
        raise UsageError(f"There is no copy “{name}”. There are: {names}.")
    return chosen


def restore(data_folder: str, copy: Copy, clock: Clock) -> Restored:
    """Replace the database by a copy. Only the holder of the drain lock may call this.

    Raises StoreDamaged or StoreTooNew for a copy that cannot be used, and StoreError.
    """
    _check(copy)
    path = os.path.join(data_folder, DATABASE_NAME)
    try:
        with closing(_open(path, copy)) as connection, transaction(connection):
            schema = int(connection.execute("PRAGMA main.user_version").fetchone()[0])
            try:
                replaced = make_copy(path, schema, clock())
            except OSError as error:
                raise StoreUnavailable(
                    f"The present database cannot be kept as a copy: {error.strerror or error}.",
                    "Free some disk space. Nothing was changed.",
                ) from error
            keys = connection.execute(KEYS_SQL).fetchall()
            changed = connection.execute(CHANGED_SQL).fetchall()
            _replace(connection)
            _queue(connection, keys, copy.schema, clock())
            _queue(connection, [("scene", id_, 1, None, None) for (id_,) in changed], 0, clock())
            connection.execute(f"PRAGMA main.user_version = {copy.schema:d}")
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    drop_old_copies(data_folder)
    return Restored(copy.name, copy.schema, replaced, len(keys), len(changed))


def _check(copy: Copy) -> None:
    """Refuse a copy that is damaged or newer than this version."""
    try:
        with closing(sqlite3.connect(_read_only(copy.path), uri=True)) as connection:
            schema = connection.execute("PRAGMA user_version").fetchone()[0]
            is_whole = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except sqlite3.Error as error:
        raise store_error(error, copy.path) from error
    if not is_whole or schema != copy.schema:
        raise StoreDamaged(f"The copy “{copy.path}” is damaged.", "Take another one.")
    if schema > SCHEMA_NUMBER:
        raise StoreTooNew(
            f"The copy “{copy.path}” is of a newer Stash2Plex (schema {schema}, this one knows "
            f"{SCHEMA_NUMBER}).",
            "Update the plugin, or take another copy.",
        )


def _read_only(path: str) -> str:
    """Return the address of a file that nothing changes: SQLite writes nothing beside it."""
    return f"{Path(path).absolute().as_uri()}?mode=ro&immutable=1"


def _open(path: str, copy: Copy) -> sqlite3.Connection:
    """Open the present database, whatever its schema, with the copy attached as `kept`."""
    if not os.path.exists(path):
        raise StoreUnavailable(f"“{path}” does not exist.", "Run Health Check first.")
    connection = sqlite3.connect(
        Path(path).absolute().as_uri(), uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    try:
        connection.execute("ATTACH ? AS kept", (_read_only(copy.path),))
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _replace(connection: sqlite3.Connection) -> None:
    """Put the copy's tables, rows, indexes and triggers in the place of the present ones."""
    for kind in ("trigger", "view", "table"):
        for (drop,) in connection.execute(DROPS_SQL, (kind,)).fetchall():
            connection.execute(drop)
    objects = connection.execute(OBJECTS_SQL).fetchall()
    for kind, sql, fill in objects:
        if kind == "table":
            connection.execute(sql)
            connection.execute(fill)
    for kind, sql, _ in objects:
        if kind != "table":
            connection.execute(sql)
    if connection.execute(HAS_SEQUENCE_SQL).fetchone():
        connection.execute("DELETE FROM main.sqlite_sequence")
        connection.execute("INSERT INTO main.sqlite_sequence SELECT * FROM kept.sqlite_sequence")


def _queue(
    connection: sqlite3.Connection,
    keys: list[tuple[str, int, int, float | None, float | None]],
    schema: int,
    now: float,
) -> None:
    """Add keys (kind, id, priority, added, due) to the queue; a time of None is now."""
    most = 2 if schema >= HOLDS else 1
    connection.executemany(
        QUEUE_SQL,
        [
            (kind, id_, min(priority, most), now if added is None else added, due or now)
            for kind, id_, priority, added, due in keys
        ],
    )


KEYS_SQL = (
    "SELECT kind, id, priority, added_at, due_at FROM main.queue"
    " UNION ALL SELECT kind, id, 1, NULL, NULL FROM main.dead_letter"
)
"""Every key that is not done. Every schema has these columns."""

CHANGED_SQL = (
    "SELECT scene_id FROM main.scene_record EXCEPT SELECT now.scene_id FROM main.scene_record now"
    " JOIN kept.scene_record old ON old.scene_id = now.scene_id AND old.synced_at = now.synced_at"
    " UNION SELECT scene_id FROM kept.scene_record"
    " WHERE scene_id NOT IN (SELECT scene_id FROM main.scene_record)"
)
"""The scenes whose record is not the one that the copy has."""

QUEUE_SQL = (
    "INSERT INTO main.queue (kind, id, priority, added_at, due_at) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (kind, id) DO UPDATE SET generation = generation + 1,"
    " due_at = min(due_at, excluded.due_at), priority = min(priority, excluded.priority)"
)

DROPS_SQL = (
    "SELECT printf('DROP %s main.\"%w\"', type, name) FROM main.sqlite_master"
    " WHERE type = ? AND name NOT LIKE 'sqlite_%'"
)
"""The statements that empty the database: SQLite writes them, because it binds no names."""

OBJECTS_SQL = (
    'SELECT type, sql, printf(\'INSERT INTO main."%w" SELECT * FROM kept."%w"\', name, name)'
    " FROM kept.sqlite_master"
    " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
)
"""What the copy consists of, and what fills a table with its rows; the indexes of keys have no
text of their own."""

HAS_SEQUENCE_SQL = "SELECT 1 FROM kept.sqlite_master WHERE name = 'sqlite_sequence'"
