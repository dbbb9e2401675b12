"""Measures how long a save waits for us, in some of the hooks; Health Check judges it.

Only Linux shows when a process began; elsewhere nothing is measured. The hook imports this module
only for the few saves that measure.
"""

import json
import os
import sqlite3
import sys
import time

from stash2plex.db import HOOK_COST, drop_meta, get_meta, set_meta

APART = 60.0
"""Seconds between two samples, once `SAMPLES_LIMIT` is reached."""

SAMPLES_LIMIT = 5
"""How many samples are kept."""

MAX_SECONDS = 60.0
"""A longer time is discarded: the machine slept, or its clocks disagree."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def process_age() -> float | None:
    """Return the seconds since this process began, before any shim; None if that is unknown.

    A shim that becomes Python (`exec`) is the same process.
    """
    try:
        with open("/proc/self/stat", "rb") as file:
            # The name before the last parenthesis may contain spaces.
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return None
    return age if 0.0 <= age < MAX_SECONDS else None


def interpreter() -> str:
    """Return the path of this Python, whatever started it."""
    try:
        real = os.readlink("/proc/self/exe")
    except OSError:
        return sys.executable
    # In a virtual environment, the link is needed to find its packages.
    return sys.executable if os.path.realpath(sys.executable) == real else real


def note_cost(database: sqlite3.Connection, began: float, now: float) -> None:
    """Store what this save has cost so far.

    `began` is the monotonic time at which our code began, after Python's start; `now` is in seconds
    since the epoch.
    """
    age = process_age()
    if age is None:
        return
    start = max(0.0, age - (time.monotonic() - began))
    known = read_cost(database) or {"ms": [], "start_ms": []}
    value = {
        "python": interpreter(),
        "ms": [*known["ms"], round(1000 * age)][-SAMPLES_LIMIT:],
        "start_ms": [*known["start_ms"], round(1000 * start)][-SAMPLES_LIMIT:],
    }
    due = now + APART if len(value["ms"]) == SAMPLES_LIMIT else 0.0
    # Not worth a flush to disk or a wait for another writer: the key is safe already.
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA busy_timeout = 0")
    try:
        # Rounded down, so that a save in the same second measures too while samples are missing.
        set_meta(database, HOOK_COST, f"{int(due)} {json.dumps(value)}")
    except sqlite3.OperationalError:
        return


def read_cost(database: sqlite3.Connection) -> "dict[str, Any] | None":
    """Read the samples: the interpreter, milliseconds of each save, and those before our code.

    None if there are none, or if they cannot be read.
    """
    try:
        value = json.loads((get_meta(database, HOOK_COST) or "").partition(" ")[2])
        samples = [*value["ms"], *value["start_ms"]]
        usable = samples and all(isinstance(sample, (int, float)) for sample in samples)
        return dict(value) if usable and isinstance(value["python"], str) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def forget_cost(database: sqlite3.Connection) -> None:
    """Delete the samples, because Stash may start Python in another way from now on."""
    drop_meta(database, HOOK_COST)
