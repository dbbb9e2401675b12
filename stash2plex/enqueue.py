"""Puts many scenes into the queue at once. Never talks to Plex."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from stash2plex.app import App
from stash2plex.apply import is_settled
from stash2plex.config import Settings
from stash2plex.desired import desired_state, reason_to_skip
from stash2plex.model import Scene
from stash2plex.observe import count
from stash2plex.repair import clear_rebuild_mark, rebuild_mark
from stash2plex.workqueue import BULK

CHUNK = 2_000
"""Keys of one transaction: a hook waits for the write lock no longer than that takes."""


@frozen
class Enqueued:
    """How many scenes were looked at, and how many of them are in the queue now."""

    seen: int
    queued: int

    def sentence(self) -> str:
        """Say it to a person."""
        if self.queued == self.seen:
            return f"{count(self.seen, 'scene')} queued."
        settled = self.seen - self.queued
        return f"{count(self.queued, 'scene')} queued; {settled:,} need nothing."


def enqueue_all(app: App) -> Enqueued:
    """Look at every scene of Stash, and enqueue those whose record does not say the same.

    A scene that was never synced has no record and is enqueued; one that is settled would only be
    read once more to find that out.
    """
    settings = app.settings()
    seen = queued = 0
    for page in app.stash.all_scenes():
        seen += len(page)
        queued += _enqueue(app, [scene.id for scene in page if _is_due(app, settings, scene)])
    return Enqueued(seen, queued)


def rebuild_if_asked(app: App) -> str | None:
    """Enqueue every scene after a damaged database was set aside; says so to a person."""
    aside = rebuild_mark(app.store.connection)
    if aside is None:
        return None
    found = enqueue_all(app)
    clear_rebuild_mark(app.store.connection)
    return (
        f"The database was damaged. It was set aside as {aside}, a fresh one was made, and every "
        f"scene is compared with Plex again: {found.sentence()}"
    )


def _is_due(app: App, settings: Settings, scene: Scene) -> bool:
    if reason_to_skip(scene, settings):
        return False
    desired = desired_state(scene, settings)
    return not desired.empty and not is_settled(scene, desired, app.store.records.get(scene.id))


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
