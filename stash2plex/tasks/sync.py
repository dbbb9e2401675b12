"""Tasks and operations that queue scenes, send what is queued, or clear the queue."""

from __future__ import annotations

from collections.abc import Callable

from stash2plex.app import App
from stash2plex.operations.clear_queue import clear_queue as clear
from stash2plex.operations.enqueue import add_scenes, enqueue_all, enqueue_recent
from stash2plex.sync.sweep import Enqueued
from stash2plex.tasks.drain import drain
from stash2plex.tasks.task import Call
from stash2plex.tasks.worker import leave_to_worker
from stash2plex.text import DAY, count
from stash2plex.ui.lines.runs import begun_lines, sources_words


def process_queue(call: Call) -> str:
    """Drain the queue in the foreground."""
    name = "Process Queue"
    with call.running(name) as begun:
        for line in begun_lines(begun):
            call.report(f"{name}: {line}")
        return drain(call, begun, name)


def sync_all(call: Call) -> str:
    """Enqueue every scene, then drain."""
    return _sync(call, "Sync All Scenes", enqueue_all)


def sync_recent(call: Call) -> str:
    """Enqueue what changed within the last day, then drain."""
    return _sync(call, "Sync Recent Scenes", lambda app: enqueue_recent(app, DAY))


def _sync(call: Call, name: str, enqueue: Callable[[App], Enqueued]) -> str:
    with call.running(name) as begun:
        enqueued = enqueue(call.app)
        call.report(f"{name}: {enqueued.sentence(sources_words(begun))}")
        return drain(call, begun, name)


def sync(call: Call) -> dict[str, int]:
    """Enqueue chosen scenes."""
    changed = add_scenes(call.app, call.scene_keys())
    leave_to_worker(call)
    return {"changed": changed}


def clear_queue(call: Call) -> str:
    """Remove the keys that wait."""
    cleared = clear(call.app)
    # A save meanwhile saw the lock held and started no worker.
    leave_to_worker(call)
    text = f"Removed {count(cleared.number, 'waiting scene')}."
    if not cleared.number:
        text = "Nothing was waiting."
    if cleared.in_progress:
        text += f" {count(cleared.in_progress, 'scene')} in progress will still be sent."
    return call.report(text)
