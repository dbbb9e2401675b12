"""Begins and ends the run of a task or a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import evolve

from stash2plex.app import PLUGIN_ID, App
from stash2plex.errors import ServerError
from stash2plex.model import TaskJob
from stash2plex.operations.notifications import tell
from stash2plex.store.runs import Begun
from stash2plex.sync.goals import HORIZON
from stash2plex.sync.stops import look, own_job


@contextmanager
def running(app: App, name: str, *, in_stash: bool) -> Iterator[Begun]:
    """Begin a run for what follows, and end it afterwards, whatever happens.

    `in_stash` says that Stash runs this process as the task of that `name`. What earlier tasks
    left is settled first: the user learns here of one that was stopped.
    """
    at = app.monotonic()
    if settle_stops(app):
        tell(app.store.connection, app.logs.logger, app.clock(), folder=app.folder)
    begun = app.store.runs.begin(name, find_own_job(app, name) if in_stash else None, HORIZON)
    app.sweeper.run_id = begun.id
    try:
        yield evolve(begun, at=at)
    finally:
        app.sweeper.run_id = 0
        app.store.runs.end(begun.id)


def settle_stops(app: App) -> bool:
    """Ask Stash what became of the tasks that began; True where a stop held keys back.

    Stash forgets its jobs, so whoever looks at the queue does this first.
    """
    return look(app.store.runs, app.stash) > 0


def find_own_job(app: App, name: str) -> TaskJob | None:
    """Ask Stash which of its jobs this process is; a Stash that does not answer has none."""
    try:
        return own_job(app.stash.job_queue(), (name, PLUGIN_ID))
    except ServerError:
        return None
