"""Stores the marks between two glances at Stash, and the request for a look."""

from __future__ import annotations

import json
import os
import sqlite3

from attrs import asdict

from stash2plex.db import drop_meta, get_meta, set_meta, transaction
from stash2plex.rules.sweep_schedule import Marks
from stash2plex.store.meta import LOOK_ASKED, SWEEP_MARKS
from stash2plex.store.stored_json import load_shape


def load_marks(database: sqlite3.Connection) -> Marks | None:
    """Read the marks; None before the first glance, and if they cannot be read."""
    return load_shape(get_meta(database, SWEEP_MARKS), Marks)


def marks_are_lost(database: sqlite3.Connection) -> bool:
    """Return whether there are marks that cannot be read: what changed since is unknown."""
    return get_meta(database, SWEEP_MARKS) is not None and load_marks(database) is None


def save_marks(database: sqlite3.Connection, marks: Marks) -> None:
    """Store the marks, in the caller's transaction if there is one."""
    with transaction(database):
        set_meta(database, SWEEP_MARKS, json.dumps(asdict(marks)))


def ask_for_look(database: sqlite3.Connection, run_id: int = 0) -> None:
    """Ask the draining process to read the settings, probe both servers and look, all at once.

    What the look finds belongs to the run.
    """
    with transaction(database):
        set_meta(database, LOOK_ASKED, f"{run_id} {os.urandom(4).hex()}")


def asked_look(database: sqlite3.Connection) -> str | None:
    """Return the text that identifies the pending request for a look; None if there is none."""
    return get_meta(database, LOOK_ASKED)


def look_is_asked(database: sqlite3.Connection) -> bool:
    """Return whether a look was requested and has not ended yet."""
    return asked_look(database) is not None


def asking_run(database: sqlite3.Connection) -> int:
    """Return the run that requested the look; 0 if none did."""
    run, _, _ = (asked_look(database) or "").partition(" ")
    return int(run) if run.isdecimal() else 0


def end_asked_look(database: sqlite3.Connection) -> None:
    """Record that the look has ended, with or without success."""
    drop_meta(database, LOOK_ASKED)
