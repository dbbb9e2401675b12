"""Sets a damaged database aside and creates a new one.

Nothing important is lost: what Plex should hold is in Stash, and the next drain compares every
scene. The hook imports this only if its database is damaged.
"""

import os
import sqlite3
import time

from stash2plex.datadir import DATABASE_NAME
from stash2plex.db import connect, drop_meta, get_meta, set_meta, store_error, transaction
from stash2plex.errors import StoreDamaged, StoreUnavailable
from stash2plex.lock import FileLock
from stash2plex.store.meta import REBUILD

REPAIR_SECONDS = 10.0
"""How many seconds a save waits for another process that repairs."""


def replace_damaged(folder: str) -> None:
    """Set the database of a folder aside, unless another process has done so already.

    The damaged file stays beside the new one, with the time in its name.
    """
    path = os.path.join(folder, DATABASE_NAME)
    lock = FileLock(os.path.join(folder, "repair.lock"))
    give_up = time.monotonic() + REPAIR_SECONDS
    while not lock.acquire():
        if time.monotonic() > give_up:
            raise StoreUnavailable(f"“{path}” is damaged, and another process is repairing it.")
        time.sleep(0.02)
    try:
        if not _is_damaged(path):
            return
        aside = f"{path}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
        for end in ("", "-wal", "-shm"):
            if os.path.exists(path + end):
                os.replace(path + end, aside + end)
        database = connect(path)
        try:
            with transaction(database):
                set_meta(database, REBUILD, os.path.basename(aside))
        finally:
            database.close()
    finally:
        lock.release()


def _is_damaged(path: str) -> bool:
    try:
        database = connect(path)
    except StoreDamaged:
        return True
    try:
        return bool(database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.Error as error:
        # A locked database, or one on a failing disk, is not replaced.
        mapped = store_error(error, path)
        if isinstance(mapped, StoreDamaged):
            return True
        raise mapped from error
    finally:
        database.close()


def rebuild_mark(database: sqlite3.Connection) -> str | None:
    """Return the name of the file that was set aside, until every scene is queued."""
    return get_meta(database, REBUILD)


def clear_rebuild_mark(database: sqlite3.Connection) -> None:
    """Record that every scene was queued."""
    drop_meta(database, REBUILD)
