"""Copies of the database from before an update: the way back to the version that made them.

Migrations go one way. So the process that migrates copies the database first; `stash2plex restore`
takes a copy back.
"""

import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress

from stash2plex.datadir import give_to_owner

if sys.platform == "win32":  # pragma: no cover - Windows only
    import shutil

    def free_bytes(folder: str) -> int:
        """Return how many bytes of the disk are free."""
        return shutil.disk_usage(folder).free
else:

    def free_bytes(folder: str) -> int:
        """Return how many bytes of the disk are free for this user."""
        status = os.statvfs(folder)
        return status.f_bavail * status.f_frsize


FOLDER = "copies"
"""The folder of the copies in the data folder."""

KEPT = 2
"""How many copies are kept: the newest."""

SPARE_BYTES = 16 * 1024 * 1024
"""Bytes that stay free beside the copy and the migrated database, which may grow as large."""

MAX_SECONDS = 60.0
"""Seconds after which a copy that cannot be made is given up."""

PART = ".part"
"""The end of the name of a copy that is not complete."""

NAME = re.compile(r"stash2plex-(\d{8}-\d{6})-schema(\d+)\.db")


class Copy:
    """A copy: its file's name, when it was made (local time) and the schema that it has."""

    def __init__(self, folder: str, name: str) -> None:
        match = NAME.fullmatch(name)
        if match is None:
            raise ValueError(name)
        self.name = name
        self.path = os.path.join(folder, name)
        self.made_at = time.mktime(time.strptime(match[1], "%Y%m%d-%H%M%S"))
        self.schema = int(match[2])


def list_copies(data_folder: str) -> list[Copy]:
    """List the copies of a data folder, newest first."""
    folder = os.path.join(data_folder, FOLDER)
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [Copy(folder, name) for name in sorted(names, reverse=True) if NAME.fullmatch(name)]


def make_copy(path: str, schema: int, now: float) -> str:
    """Copy the database at `path`; returns the name of the copy.

    `now` is in seconds since the epoch. Call it in a transaction that has changed nothing yet: then
    nothing is stored meanwhile. Raises OSError if there is no room, and sqlite3.Error.
    """
    folder = os.path.join(os.path.dirname(path), FOLDER)
    if not os.path.isdir(folder):
        os.mkdir(folder, 0o700)
        give_to_owner(folder)
    size = sum(os.path.getsize(path + end) for end in ("", "-wal") if os.path.exists(path + end))
    if free_bytes(folder) < 2 * size + SPARE_BYTES:
        raise OSError(f"the disk has no room for {size:,} bytes")
    while True:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
        name = f"stash2plex-{stamp}-schema{schema}.db"
        made = os.path.join(folder, name)
        if not os.path.exists(made):
            break
        now += 1
    part = made + PART
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        # Another connection reads: SQLite refuses to copy by one that is about to write.
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target, progress=_deadline(time.monotonic() + MAX_SECONDS))
        give_to_owner(part)
        os.replace(part, made)
    finally:
        with suppress(OSError):
            os.remove(part)
    return name


def _deadline(end: float) -> Callable[[int, int, int], None]:
    """Return what ends a copy at a monotonic time: SQLite would wait for a lock without end."""

    def check(_status: int, _left: int, _total: int) -> None:
        if time.monotonic() > end:
            raise TimeoutError("it took too long")

    return check


def drop_old_copies(data_folder: str) -> None:
    """Delete all copies but the newest `KEPT`, and what a killed process left of one."""
    folder = os.path.join(data_folder, FOLDER)
    for copy in list_copies(data_folder)[KEPT:]:
        with suppress(OSError):
            os.remove(copy.path)
    with suppress(OSError):
        for name in os.listdir(folder):
            if NAME.fullmatch(name.removesuffix(PART)) and name.endswith(PART):
                os.remove(os.path.join(folder, name))


def keep_copy(path: str, schema: int, now: float) -> str:
    """Copy the database before a migration; returns why that was not possible, else “”.

    The arguments are those of `make_copy`. An update does not fail for want of a copy.
    """
    try:
        make_copy(path, schema, now)
    except (OSError, sqlite3.Error) as error:
        return (error.strerror if isinstance(error, OSError) else None) or str(error)
    drop_old_copies(os.path.dirname(path))
    return ""
