"""Lists the copies of the database, and takes one back."""

from __future__ import annotations

from stash2plex.copies import Copy, list_copies
from stash2plex.errors import StoreUnavailable
from stash2plex.lock import drain_lock
from stash2plex.model import Clock
from stash2plex.store.restore import Restored, find_copy, restore

__all__ = ["Copy", "Restored", "list_copies", "take_back"]


def take_back(data_folder: str, name: str | None, clock: Clock) -> Restored:
    """Replace the database by the copy with a name, or by the newest.

    Raises UsageError if there is no such copy, StoreUnavailable while a process sends scenes, and
    what `restore` raises.
    """
    copy = find_copy(data_folder, name)
    lock = drain_lock(data_folder)
    if not lock.acquire():
        raise StoreUnavailable(
            "A worker or a task is sending scenes now; nothing was changed.",
            "Set the plugin's setting Background worker to off, wait ten seconds until the worker "
            "has ended, and run this again.",
        )
    try:
        return restore(data_folder, copy, clock)
    finally:
        lock.release()
