"""Puts many scenes into the queue at once. Never talks to Plex."""

from __future__ import annotations

from collections.abc import Iterable

from stash2plex.app import App
from stash2plex.workqueue import BULK

CHUNK = 2_000
"""Keys of one transaction: a hook waits for the write lock no longer than that takes."""


def enqueue_all(app: App) -> int:
    """Enqueue every scene of Stash; returns how many."""
    return _enqueue(app, app.stash.scene_ids())


def enqueue_recent(app: App, seconds: float) -> int:
    """Enqueue the scenes that changed within so many seconds, and a few from before."""
    return _enqueue(app, app.stash.scene_ids_changed_since(app.clock() - seconds))


def enqueue_scenes(app: App, ids: Iterable[int]) -> int:
    """Enqueue chosen scenes."""
    return _enqueue(app, [list(ids)])


def _enqueue(app: App, pages: Iterable[list[int]]) -> int:
    number = 0
    for page in pages:
        for start in range(0, len(page), CHUNK):
            keys = [("scene", id_) for id_ in page[start : start + CHUNK]]
            number += app.store.queue.add_many(keys, priority=BULK)
    return number
