"""Holds all sending back and lets it go on; stops the tasks that run."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from stash2plex.app import PLUGIN_ID, App
from stash2plex.errors import ServerError
from stash2plex.lock import drain_runs
from stash2plex.operations.runs import settle_stops
from stash2plex.servers.stash_deeds import start_task, stop_job
from stash2plex.store.holds import SET_UP, hold, reach_step, read_hold, release
from stash2plex.store.stored_status import read_held

SYNC_ALL = "Sync All Scenes"


@frozen
class Stopped:
    """A run that was stopped, and how many keys wait since then."""

    name: str
    number: int


def held_json(app: App) -> dict[str, Any] | None:
    """Return what holds keys back, as the status shows it."""
    counts = app.store.queue.counts()
    return read_held(
        app.store.connection,
        counts.pending + counts.in_progress,
        app.store.queue.held(),
        runs=drain_runs(app.folder),
    )


def begin_set_up(app: App, step: str) -> None:
    """Hold all sending back until the start, and remember the step of the first run.

    With a Plex that is set up already this changes nothing, unless the first run is going on.
    """
    connection = app.store.connection
    known = read_hold(connection)
    if known is None and app.settings().has_plex:
        return
    if known is None:
        known = hold(connection, SET_UP, app.clock())
    if known.by == SET_UP:
        reach_step(connection, step)


def go_on(app: App) -> int:
    """End what holds sending back; returns how many scenes of stopped tasks go on."""
    release(app.store.connection)
    return app.store.runs.release_held()


def start_all(app: App) -> str:
    """End the first run, and start the task that sends every scene; returns its job in Stash.

    Raises ConfigError if Plex is not set up.
    """
    app.settings_reader.take_up().require_plex()
    release(app.store.connection)
    return start_task(app.stash.link, PLUGIN_ID, name=SYNC_ALL)


def stop_runs(app: App) -> list[Stopped]:
    """Stop every open run; its keys wait until the user asks for them again."""
    settle_stops(app)
    stopped = []
    for run in app.store.runs.opened():
        number = app.store.runs.stop(run.id)
        if number is None:
            continue
        stopped.append(Stopped(run.name, number))
        if run.job is not None:
            try:
                stop_job(app.stash.link, run.job.id)
            except ServerError as error:
                # Its keys are on hold already; the task ends when it sees nothing to do.
                app.logs.logger.warning("%s", error)
    return stopped
