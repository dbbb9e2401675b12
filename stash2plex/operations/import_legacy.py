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

import stash2plex
from stash2plex.app import App
from stash2plex.db import get_meta, read_id, set_meta, transaction
from stash2plex.errors import ConfigError
from stash2plex.operations.enqueue import enqueue_scenes
from stash2plex.store.meta import LEGACY_TAKEN

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
    """What was found: scene ids that were waiting or given up, and what could not be read.

    `unreadable` counts jobs; `damaged` names each file that was read only in part, and why.
    """

    folder: str
    waiting: frozenset[int]
    dead: frozenset[int]
    unreadable: int
    left: tuple[str, ...]
    damaged: tuple[str, ...] = ()

    @property
    def scene_ids(self) -> list[int]:
        """Every scene that was not finished."""
        return sorted(self.waiting | self.dead)


@frozen
class Taken:
    """What was taken over, and how many of its scenes are queued now."""

    legacy: Legacy
    queued: int


NOTHING = Taken(Legacy("", frozenset(), frozenset(), 0, ()), 0)
"""What is taken over where version 1 has left nothing."""


def take_over(app: App, folder: str) -> Taken:
    """Queue what version 1 left in a folder, and remember that this was done."""
    legacy = read_legacy(folder)
    added = enqueue_scenes(app, legacy.scene_ids)
    with transaction(app.store.connection):
        set_meta(app.store.connection, LEGACY_TAKEN, os.path.realpath(legacy.folder))
    return Taken(legacy, added.queued + added.due)


def dismiss(app: App) -> None:
    """Offer what version 1 left no longer: it was read, and none of it names a scene.

    A damaged file is still offered, because another copy of it may be put there.
    """
    found = left_behind(app)
    if found is None:
        return
    try:
        legacy = read_legacy(found[0])
    except ConfigError:
        return
    if not legacy.damaged:
        with transaction(app.store.connection):
            set_meta(app.store.connection, LEGACY_TAKEN, os.path.realpath(legacy.folder))


def offered(app: App) -> Legacy | None:
    """Return what version 1 left where it kept its data, unless it was taken over already.

    Version 1 kept it where `STASH_PLUGIN_DATA` says, else in `data` in the plugin's folder.
    """
    for folder in _places(app):
        try:
            legacy = read_legacy(folder)
        except ConfigError:
            continue
        if legacy.scene_ids:
            return legacy
    return None


def _places(app: App) -> list[str]:
    """List the folders where version 1 may have left its data, without one that was taken over."""
    plugin_dir = os.path.dirname(os.path.dirname(os.path.abspath(stash2plex.__file__)))
    taken = get_meta(app.store.connection, LEGACY_TAKEN)
    places = (app.folder, os.path.join(plugin_dir, "data"))
    return [place for place in places if os.path.realpath(place) != taken and _databases(place)]


def left_behind(app: App) -> tuple[str, int] | None:
    """Return the folder that version 1 left and how many jobs lie there, without reading the jobs.

    None if there are none, or they were taken over already. Some of them may be about one scene.
    """
    for folder in _places(app):
        try:
            number = sum(_count_jobs(path) for path in _databases(folder))
        except sqlite3.Error:
            continue
        if number:
            return folder, number
    return None


def read_legacy(folder: str) -> Legacy:
    """Read a data folder of version 1, or the plugin folder around it. Changes nothing there.

    A damaged file is read as far as possible. Raises ConfigError if there is no such data, or none
    that can be read.
    """
    for place in (folder, os.path.join(folder, "data")):
        if databases := _databases(place):
            break
    else:
        raise ConfigError(
            f"“{folder}” holds no data from Stash2Plex 1.x.",
            "Name the folder that has queue and dlq.db in it; usually it is called data and lies "
            "in the old plugin's folder.",
        )
    waiting: set[int] = set()
    given_up: set[int] = set()
    damaged: list[str] = []
    unreadable = 0
    for path in databases:
        try:
            if os.path.basename(path) == QUEUE_NAME:
                for scene_id in _queue_ids(path):
                    waiting.add(scene_id)
                    unreadable += not scene_id
            else:
                given_up.update(_dead_ids(path))
        except sqlite3.Error as error:
            damaged.append(f"“{path}” cannot be read: {error}.")
    if len(damaged) == len(databases) and not waiting | given_up:
        raise ConfigError(
            " ".join(damaged), "Run “Sync All Scenes” instead: it finds every scene that differs."
        )
    left = tuple(name for name in STATISTICS if os.path.exists(os.path.join(place, name)))
    return Legacy(
        place,
        frozenset(waiting - {0}),
        frozenset(given_up),
        unreadable,
        left,
        tuple(damaged),
    )


QUEUE_NAME = "data.db"


def _databases(folder: str) -> list[str]:
    """List the files of version 1 in a data folder: the queue, and the dead letters."""
    names = (os.path.join("queue", QUEUE_NAME), "dlq.db", os.path.join("queue", "dlq.db"))
    paths = [os.path.join(folder, name) for name in names]
    return [path for path in paths if os.path.isfile(path)]


def _queue_ids(path: str) -> Iterator[int]:
    """Yield the scene of each unfinished job; 0 if it cannot be read."""
    with closing(_open(path)) as database:
        for source in _queue_sources(database):
            query = f"SELECT data FROM {source} LIMIT {MAX_ROWS:d}"  # noqa: S608 - quoted
            for (data,) in database.execute(query):
                yield scene_id_of(data) or 0


def _queue_sources(database: sqlite3.Connection) -> list[str]:
    """List each table of a queue, with the condition for its unfinished jobs, as SQL."""
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    quoted = [str(name).replace('"', '""') for (name,) in names]
    # 0 and 1 wait, 2 was in progress, 9 failed; 5 is done.
    return [
        f'"{name}" WHERE status IN (0, 1, 2, 9)' for name in quoted if name.startswith("ack_queue")
    ]


def _count_jobs(path: str) -> int:
    with closing(_open(path)) as database:
        is_queue = os.path.basename(path) == QUEUE_NAME
        sources = _queue_sources(database) if is_queue else ["dead_letters"]
        return sum(
            int(database.execute(f"SELECT count(*) FROM {source}").fetchone()[0])  # noqa: S608 - quoted
            for source in sources
        )


def _dead_ids(path: str) -> Iterator[int]:
    with closing(_open(path)) as database:
        query = f"SELECT scene_id FROM dead_letters LIMIT {MAX_ROWS:d}"  # noqa: S608 - a constant
        for (value,) in database.execute(query):
            scene_id = read_id(value)
            if scene_id is not None:
                yield scene_id


def _open(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True)


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
