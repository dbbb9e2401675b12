"""The identity of a data folder: the id that Plex knows, and the key for pseudonyms."""

from __future__ import annotations

import secrets
import sqlite3
import uuid

from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.store.meta import CLIENT_ID, OBFUSCATE, PSEUDONYM_KEY


def make_identity(connection: sqlite3.Connection) -> None:
    """Create the identity if it is missing: once in the life of a data folder."""
    if get_meta(connection, CLIENT_ID) and get_meta(connection, PSEUDONYM_KEY):
        return
    with transaction(connection):
        # Another process may have been faster while this one waited for the lock.
        if not get_meta(connection, CLIENT_ID):
            set_meta(connection, CLIENT_ID, str(uuid.uuid4()))
        if not get_meta(connection, PSEUDONYM_KEY):
            set_meta(connection, PSEUDONYM_KEY, secrets.token_hex(16))


def client_id(connection: sqlite3.Connection) -> str:
    """Return the id by which Plex knows this data folder (plex.md §1.2)."""
    return get_meta(connection, CLIENT_ID) or ""


def alias_key(connection: sqlite3.Connection) -> bytes:
    """Return the key for the pseudonyms that replace names in logs."""
    return bytes.fromhex(get_meta(connection, PSEUDONYM_KEY) or "")


def key_in_use(connection: sqlite3.Connection) -> bytes | None:
    """Return the key if the last known settings hide names, else None."""
    return alias_key(connection) if get_meta(connection, OBFUSCATE) else None


def keep_hiding(connection: sqlite3.Connection, *, hides: bool) -> None:
    """Store for other processes whether the settings hide titles and paths in logs."""
    if hides != bool(get_meta(connection, OBFUSCATE)):
        with transaction(connection):
            set_meta(connection, OBFUSCATE, "on" if hides else "")
