"""Inspects the database file: whether it is intact, and whether it can be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from attrs import frozen

from stash2plex.db import sqlite_code, store_error

STEPS = 100_000
"""SQLite instructions between two looks at the clock."""


@frozen
class Integrity:
    """What a read of the whole database found.

    `damage` is SQLite's description of the damage, empty if there is none. `complete` is False if
    the time ran out first.
    """

    damage: str = ""
    complete: bool = True


def read_through(
    connection: sqlite3.Connection, path: str, expired: Callable[[], bool]
) -> Integrity:
    """Read the whole database, until `expired` returns True.

    Raises StoreError if `path` cannot be read.
    """
    connection.set_progress_handler(expired, STEPS)
    try:
        verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if sqlite_code(error) == sqlite3.SQLITE_INTERRUPT:
            return Integrity(complete=False)
        raise store_error(error, path) from error
    except sqlite3.Error as error:
        return Integrity(str(error))
    finally:
        connection.set_progress_handler(None, 0)
    return Integrity("" if verdict == "ok" else verdict)


def try_to_write(connection: sqlite3.Connection, path: str) -> None:
    """Take and release the write lock. Raises StoreError if `path` cannot be written."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise store_error(error, path) from error
