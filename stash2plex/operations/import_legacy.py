"""Reads what Stash2Plex 1.x left in its data folder: the scenes that it still had to do.

Its queue and its dead letters hold Python pickles. They are never loaded: that would run whatever
code they hold. The scene's number is read from the stream of pickle instructions instead.
"""

from __future__ import annotations

import os
import pickletools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

from attrs import frozen

from stash2plex.db import read_id
from stash2plex.errors import ConfigError

MAX_ROWS = 1_000_000
MAX_BYTES = 4 * 2**20
"""Limit for one job; a job with pictures in it takes less than a tenth."""

STATISTICS = (
    "stats.json", "circuit_breaker.json", "outage_history.json", "recovery_state.json",
    "reconciliation_state.json", "sync_timestamps.json", "device_id.json",
)  # fmt: skip
"""Files that are recognised and left alone: what they hold is worked out again."""


ASIDE = ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "FRAME")
"""Instructions between a key and its value that carry neither."""
REFERENCES = ("GET", "BINGET", "LONG_BINGET")
"""References to an earlier value, which a number never is."""


@frozen
class Legacy:
    """What was found: scene ids that were waiting or given up, and what could not be read."""

    waiting: frozenset[int]
    dead: frozenset[int]
    unreadable: int
    left: tuple[str, ...]

    @property
    def scene_ids(self) -> list[int]:
        """Every scene that was not finished."""
        return sorted(self.waiting | self.dead)


def read_legacy(folder: str) -> Legacy:
    """Read a data folder of version 1, or the plugin folder around it. Changes nothing there.

    Raises ConfigError if there is no such data.
    """
    for place in (folder, os.path.join(folder, "data")):
        queue = os.path.join(place, "queue", "data.db")
        dead = os.path.join(place, "dlq.db")
        inner = os.path.join(place, "queue", "dlq.db")
        databases = [path for path in (queue, dead, inner) if os.path.isfile(path)]
        if not databases:
            continue
        waiting: set[int] = set()
        given_up: set[int] = set()
        unreadable = 0
        if os.path.isfile(queue):
            for scene_id in _queue_ids(queue):
                waiting.add(scene_id)
                unreadable += not scene_id
        for path in (dead, inner):
            if os.path.isfile(path):
                given_up.update(_dead_ids(path))
        left = tuple(name for name in STATISTICS if os.path.exists(os.path.join(place, name)))
        return Legacy(frozenset(waiting - {0}), frozenset(given_up), unreadable, left)
    raise ConfigError(
        f"“{folder}” holds no data from Stash2Plex 1.x.",
        "Name the folder that has queue and dlq.db in it; usually it is called data and lies in "
        "the old plugin's folder.",
    )


def _queue_ids(path: str) -> Iterator[int]:
    """Yield the scene of each unfinished job; 0 if it cannot be read."""
    with closing(_open(path)) as database:
        tables = [
            str(row[0])
            for row in _rows(database, path, "SELECT name FROM sqlite_master WHERE type = 'table'")
            if str(row[0]).startswith("ack_queue")
        ]
        for table in tables:
            name = table.replace('"', '""')
            # 0 and 1 wait, 2 was in progress, 9 failed; 5 is done.
            query = f'SELECT data FROM "{name}" WHERE status IN (0, 1, 2, 9) LIMIT {MAX_ROWS:d}'  # noqa: S608 - quoted
            for (data,) in _rows(database, path, query):
                yield scene_id_of(data) or 0


def _dead_ids(path: str) -> set[int]:
    with closing(_open(path)) as database:
        query = f"SELECT DISTINCT scene_id FROM dead_letters LIMIT {MAX_ROWS:d}"  # noqa: S608 - a constant
        ids = (read_id(scene_id) for (scene_id,) in _rows(database, path, query))
        return {id_ for id_ in ids if id_ is not None}


def _open(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True)


def _rows(database: sqlite3.Connection, path: str, query: str) -> Iterator[tuple[object, ...]]:
    try:
        yield from database.execute(query)
    except sqlite3.Error as error:
        raise ConfigError(f"“{path}” cannot be read: {error}.") from error


def scene_id_of(data: object) -> int | None:
    """Return the scene's number in a pickled job without loading it; None if there is none.

    The job is a flat dictionary: the key `scene_id` is followed by its value, a number or a text.
    """
    if not isinstance(data, bytes) or len(data) > MAX_BYTES:
        return None
    named = False
    try:
        for instruction, argument, _ in pickletools.genops(data):
            if named and instruction.name not in ASIDE:
                return None if instruction.name in REFERENCES else read_id(argument)
            if argument == "scene_id" and isinstance(argument, str):
                named = True
    except (ValueError, IndexError, OverflowError, UnicodeError):
        return None
    return None
