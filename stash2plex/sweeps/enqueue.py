"""Puts many scenes into the queue at once. Never talks to Plex."""

from __future__ import annotations

from collections.abc import Iterable

from stash2plex.app import App
from stash2plex.sweeps.sweep import Enqueued
from stash2plex.workqueue import BULK

CHUNK = 2_000
"""Keys of one transaction: a hook waits for the write lock no longer than that takes."""


def enqueue_all(app: App) -> Enqueued:
    """Look at every scene of Stash, and enqueue those whose record does not say the same.

    A scene that was never synced has no record and is enqueued; one that is settled would only be
    read once more to find that out.
    """
    return app.sweeper.sweep_all(app.settings(), app.stash)


def enqueue_recent(app: App, seconds: float) -> Enqueued:
    """Enqueue the scenes that changed within so many seconds, and a few from before."""
    queued = 0
    for page in app.stash.scene_ids_changed_since(app.clock() - seconds):
        queued += _enqueue(app, page)
    return Enqueued(queued, queued)


def enqueue_scenes(app: App, ids: Iterable[int]) -> Enqueued:
    """Enqueue chosen scenes."""
    queued = _enqueue(app, list(ids))
    return Enqueued(queued, queued)


def _enqueue(app: App, ids: list[int]) -> int:
    number = 0
    for start in range(0, len(ids), CHUNK):
        keys = [("scene", id_) for id_ in ids[start : start + CHUNK]]
        number += app.store.queue.add_many(keys, priority=BULK)
    return number
