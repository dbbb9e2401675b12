"""Keeps what the servers answered last when they were asked who they are."""

from __future__ import annotations

import json
import sqlite3

from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.servers.plex import ServerIdentity
from stash2plex.store.meta import CONFIGURED, PLEX_SEEN, STASH_SEEN
from stash2plex.store.stored_json import load_object

FRESH_SECONDS = 60.0
"""Age in seconds at which the time of an answer is stored again."""


def keep_plex_seen(
    connection: sqlite3.Connection, identity: ServerIdentity, now: float, ms: float | None = None
) -> None:
    """Store who Plex is. `ms` is how long the answer took, in milliseconds."""
    seen = {"version": identity.version, "name": identity.name, "ms": ms, "at": now}
    with transaction(connection):
        set_meta(connection, PLEX_SEEN, json.dumps(seen))


def keep_stash_seen(connection: sqlite3.Connection, version: str, now: float) -> None:
    """Store the version of Stash; an unchanged one at most once a minute."""
    known = load_object(get_meta(connection, STASH_SEEN)) or {}
    at = known.get("at")
    if known.get("version") == version and isinstance(at, float) and 0 <= now - at < FRESH_SECONDS:
        return
    with transaction(connection):
        set_meta(connection, STASH_SEEN, json.dumps({"version": version, "at": now}))


def keep_configured(connection: sqlite3.Connection, *, has_plex: bool) -> None:
    """Store whether the settings name a Plex, for readers that ask no server."""
    value = "yes" if has_plex else "no"
    if get_meta(connection, CONFIGURED) != value:
        with transaction(connection):
            set_meta(connection, CONFIGURED, value)
