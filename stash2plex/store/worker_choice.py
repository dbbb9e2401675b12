"""Keeps the last known value of Background worker for the hook, which asks no server."""

from __future__ import annotations

import sqlite3

from attrs import frozen

from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.store.meta import BACKGROUND_WORKER

OFF_FRESH_SECONDS = 30.0
"""Age in seconds at which an “off” gets a new time."""


@frozen
class WorkerChoice:
    """Whether the worker is off, and the time of that “off” (epoch seconds) if it is known."""

    off: bool = False
    since: float | None = None


def read_choice(connection: sqlite3.Connection) -> WorkerChoice:
    """Read the choice; before the first one the worker is on."""
    word, _, since = (get_meta(connection, BACKGROUND_WORKER) or "").partition(" ")
    return WorkerChoice(word == "off", float(since) if since.isdigit() else None)


def keep_choice(connection: sqlite3.Connection, choice: str, now: float) -> None:
    """Store for the hook whether it may start a worker.

    An “off” is stored with its time, so that from time to time a save starts a worker to check
    whether the setting still is off.
    """
    known = read_choice(connection)
    if choice != "off":
        if get_meta(connection, BACKGROUND_WORKER) != choice:
            _write(connection, choice)
    elif not known.off or known.since is None or now - known.since >= OFF_FRESH_SECONDS:
        _write(connection, f"off {now:.0f}")


def _write(connection: sqlite3.Connection, value: str) -> None:
    with transaction(connection):
        set_meta(connection, BACKGROUND_WORKER, value)
