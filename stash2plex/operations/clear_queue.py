"""Removes everything that waits in the queue."""

from __future__ import annotations

from attrs import frozen

from stash2plex.app import App
from stash2plex.lock import drain_lock


@frozen
class Cleared:
    """How many keys were removed, and how many are in progress and stay."""

    number: int
    in_progress: int


def clear_queue(app: App) -> Cleared:
    """Remove the keys that are not in progress.

    If no process drains, keys that a dead process had in progress are removed too. A save that
    sees the lock held meanwhile starts no worker, so the caller starts one if one is wanted.
    """
    lock = drain_lock(app.folder)
    try:
        if lock.acquire():
            app.store.queue.take_over()
        number = app.store.queue.clear_waiting()
        return Cleared(number, app.store.queue.counts().in_progress)
    finally:
        lock.release()
