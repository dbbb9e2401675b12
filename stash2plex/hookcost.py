"""What a save waits for us: measured by a hook now and then, judged by Health Check.

Only Linux tells when a process began; elsewhere nothing is measured. The hook imports this for the
few saves that measure.
"""

import json
import os
import sqlite3
import sys
import time

from stash2plex.db import HOOK_COST, get_meta, set_meta, transaction

APART = 60.0
"""Seconds between two samples, once there are as many as are kept."""

SAMPLES_LIMIT = 5
"""Samples that are kept."""

MAX_SECONDS = 60.0
"""A longer time is not believed: the machine slept, or its clocks do not fit."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def process_age() -> float | None:
    """Return the seconds since this process was made, before any shim; None if that is not known.

    A shim that becomes Python (`exec`) is the same process.
    """
    try:
        with open("/proc/self/stat", "rb") as file:
            # The name before the last parenthesis may hold blanks.
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return None
    return age if 0.0 <= age < MAX_SECONDS else None


def interpreter() -> str:
    """Return the path of this Python itself, whatever started it."""
    try:
        real = os.readlink("/proc/self/exe")
    except OSError:
        return sys.executable
    # In a virtual environment the link is what finds its packages.
    return sys.executable if os.path.realpath(sys.executable) == real else real


def note_cost(database: sqlite3.Connection, began: float, now: float) -> None:
    """Keep what this save has cost so far.

    `began` is when Python had started and our code began, by the monotonic clock; `now` is in
    seconds since the epoch.
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
    # Worth neither a flush to disk nor a wait for another writer: the key is safe.
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA busy_timeout = 0")
    try:
        # Rounded down: a save in the same second measures too while samples are missing.
        set_meta(database, HOOK_COST, f"{int(due)} {json.dumps(value)}")
    except sqlite3.OperationalError:
        return


def read_cost(database: sqlite3.Connection) -> "dict[str, Any] | None":
    """Read the samples: the interpreter, milliseconds of each save, and those before our code.

    None where there are none, or something else.
    """
    try:
        value = json.loads((get_meta(database, HOOK_COST) or "").partition(" ")[2])
        samples = [*value["ms"], *value["start_ms"]]
        usable = samples and all(isinstance(sample, (int, float)) for sample in samples)
        return dict(value) if usable and isinstance(value["python"], str) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def forget_cost(database: sqlite3.Connection) -> None:
    """Forget the samples, because Stash may start Python another way from now on."""
    with transaction(database):
        database.execute("DELETE FROM meta WHERE name = ?", (HOOK_COST,))
