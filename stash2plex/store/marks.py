"""The marks between two glances at Stash, and the request for a look."""

from __future__ import annotations

import json
import os
import sqlite3

from attrs import asdict

from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.rules.sweep_schedule import Marks
from stash2plex.servers.wire import make_converter, structure

NAME = "upkeep"
"""Name of the one stored value that holds the marks."""


ASKED = "look_asked"
"""Name of the mark by which one process asks the one that drains for a look, for a person waits."""


def load_marks(database: sqlite3.Connection) -> Marks | None:
    """Read the marks; None before the first glance."""
    text = get_meta(database, NAME)
    if text is None:
        return None
    return structure(make_converter(), json.loads(text), Marks, "Stash", "the marks")


def save_marks(database: sqlite3.Connection, marks: Marks) -> None:
    """Store the marks, in the transaction of the caller if there is one."""
    with transaction(database):
        set_meta(database, NAME, json.dumps(asdict(marks)))


def ask_for_look(database: sqlite3.Connection, run_id: int = 0) -> None:
    """Have the process that drains read the settings, ask both servers and look, all at once.

    What the look finds belongs to the run.
    """
    with transaction(database):
        set_meta(database, ASKED, f"{run_id} {os.urandom(4).hex()}")


def asked_look(database: sqlite3.Connection) -> str | None:
    """Return what tells a wish for a look from the one before; None where there is none."""
    return get_meta(database, ASKED)


def look_is_asked(database: sqlite3.Connection) -> bool:
    """Whether a look was asked for and is not through yet."""
    return asked_look(database) is not None


def asking_run(database: sqlite3.Connection) -> int:
    """Return the run that asked for a look; 0 where none did."""
    return int((asked_look(database) or "0").partition(" ")[0])


def end_asked_look(database: sqlite3.Connection) -> None:
    """Note that a look is through, be it with or without success."""
    with transaction(database):
        database.execute("DELETE FROM meta WHERE name = ?", (ASKED,))
