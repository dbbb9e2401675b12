"""Puts many scenes into the queue at once. Never talks to Plex."""

from __future__ import annotations

from collections.abc import Iterable

from stash2plex.app import App
from stash2plex.db import transaction
from stash2plex.servers.scenepages import SCENES_PER_READ
from stash2plex.sync.sweep import ChangeFilter, Enqueued
from stash2plex.workqueue import URGENT, Key

CHUNK = 2_000
"""Keys in one transaction, so that a hook never waits long for the write lock."""


def enqueue_all(app: App) -> Enqueued:
    """Look at every scene in Stash, and enqueue those that differ from their record.

    A scene that was never synced has no record and is enqueued. A settled one is not: it would only
    be read again to find that out.
    """
    return app.sweeper.sweep_all(app.settings_reader.take_up(), app.stash)


def enqueue_recent(app: App, seconds: float) -> Enqueued:
    """Do the same for the scenes that changed within `seconds`, and a few from before.

    A scene that was deleted meanwhile is enqueued, so that the worker sees it.
    """
    store, run_id = app.store, app.sweeper.run_id
    settings = app.settings_reader.take_up()
    change_filter = ChangeFilter(
        store.queue, store.records, settings, store.scenes, revive=True, run_id=run_id
    )
    enqueued = Enqueued()
    for page in app.stash.scene_ids_changed_since(app.clock() - seconds):
        for start in range(0, len(page), SCENES_PER_READ):
            ids = page[start : start + SCENES_PER_READ]
            scenes = app.stash.scenes(ids)
            gone = [id_ for id_ in ids if id_ not in scenes and id_ not in scenes.unreadable]
            enqueued += change_filter.take(scenes.values(), gone, scenes.unreadable)
    return enqueued


def add_scenes(app: App, keys: Iterable[Key]) -> int:
    """Make chosen keys due at once, as a save does; returns how many there are.

    Scenes that were put back are taken in again: the user asks for them.
    """
    wanted = list(keys)
    with transaction(app.store.connection):
        app.store.undo_marks.withdraw(id_ for kind, id_ in wanted if kind == "scene")
        return app.store.queue.add_many(wanted, priority=URGENT)


def enqueue_scenes(app: App, ids: Iterable[int]) -> Enqueued:
    """Enqueue chosen scenes, whatever their records hold, also those that were put back."""
    chosen = list(dict.fromkeys(ids))
    queued = 0
    for start in range(0, len(chosen), CHUNK):
        ids_now = chosen[start : start + CHUNK]
        with transaction(app.store.connection):
            app.store.undo_marks.withdraw(ids_now)
            keys = [("scene", id_) for id_ in ids_now]
            queued += app.store.queue.enqueue(keys, run_id=app.sweeper.run_id)
    return Enqueued(queued, len(chosen) - queued)
