"""Starts the background worker: for the operation `wake`, and for tasks that leave keys."""

from __future__ import annotations

from typing import Any

from stash2plex.hook import worker_request
from stash2plex.rules.sweep_schedule import is_stale
from stash2plex.start_trouble import record_trouble, start_trouble, take_trouble
from stash2plex.starter import start_worker
from stash2plex.store.holds import read_hold
from stash2plex.store.marks import load_marks
from stash2plex.tasks.task import Call


def leave_to_worker(call: Call) -> bool:
    """Start the background worker if keys or pictures are left; returns whether.

    It is not started if the user turned it off.
    """
    if not call.server_connection:
        # On the command line: the worker would not know how to reach Stash.
        return False
    if read_hold(call.app.store.connection):
        return False
    # A key that a killed process had claimed counts too: the worker takes it over.
    if call.app.store.queue.is_empty() and not call.app.store.pictures.counts():
        return False
    if call.app.settings_reader.take_up().background_worker == "off":
        return False
    return _start(call)


def _start(call: Call) -> bool:
    folder = call.app.folder
    try:
        return start_worker(folder, call.plugin_dir, worker_request(call.server_connection))
    except OSError as error:
        trouble = start_trouble(folder, error)
        record_trouble(folder, trouble)
        take_trouble(folder)
        call.logger.warning("%s %s", trouble.what, trouble.fix)
        return False


def wake(call: Call) -> dict[str, Any]:
    """Start the background worker if work is due, or if the last look at Stash is too old.

    If no Plex is set up, no look is due.
    """
    app = call.app
    settings = app.settings_reader.take_up()
    due = app.store.queue.due_within(0.0)
    stale = is_stale(load_marks(app.store.connection), app.clock())
    held = read_hold(app.store.connection)
    looks = held is None and stale and settings.has_plex and settings.background_worker != "off"
    pictures_at = app.store.pictures.next_due_at(sits_out=False)
    waits = due or (pictures_at is not None and pictures_at <= app.clock())
    started = leave_to_worker(call) if waits else looks and _start(call)
    return {"started": started, "due": due}
