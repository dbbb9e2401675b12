"""Begins and ends the run of a task or a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import evolve

from stash2plex.app import PLUGIN_ID, App
from stash2plex.errors import ServerError
from stash2plex.model import TaskJob
from stash2plex.operations.notifications import log_notifications
from stash2plex.store.runs import Begun
from stash2plex.sync.goals import HORIZON
from stash2plex.sync.stops import look, own_job


@contextmanager
def running(app: App, name: str, *, in_stash: bool) -> Iterator[Begun]:
    """Begin a run, and end it when the block ends, whatever happens.

    `in_stash` means that Stash runs this process as the task `name`. What earlier tasks left is
    settled first: here the user learns that one was stopped.
    """
    at = app.monotonic()
    if settle_stops(app):
        log_notifications(app.store.connection, app.logs.logger, app.clock(), folder=app.folder)
    begun = app.store.runs.begin(name, find_own_job(app, name) if in_stash else None, HORIZON)
    app.sweeper.run_id = begun.id
    try:
        yield evolve(begun, at=at)
    finally:
        app.sweeper.run_id = 0
        app.store.runs.end(begun.id)


def settle_stops(app: App) -> bool:
    """Ask Stash what became of the tasks that began; True if a stop put keys on hold.

    Stash forgets its jobs, so this comes before every look at the queue.
    """
    return look(app.store.runs, app.stash) > 0


def find_own_job(app: App, name: str) -> TaskJob | None:
    """Ask Stash which of its jobs this process is; None if Stash does not answer."""
    try:
        return own_job(app.stash.job_queue(), (name, PLUGIN_ID))
    except ServerError:
        return None
