"""Tasks that send: they queue scenes where asked to, then drain with a progress bar."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from attrs import evolve

from stash2plex.app import App
from stash2plex.errors import ConfigError, ServerError, Stash2PlexError
from stash2plex.hook import worker_request
from stash2plex.operations.enqueue import enqueue_all, enqueue_recent
from stash2plex.operations.foreground import drain_here
from stash2plex.operations.run_view import begun_lines, sources_words
from stash2plex.rules.sweep_schedule import is_stale
from stash2plex.starter import start_worker
from stash2plex.store.marks import load_marks
from stash2plex.store.runs import Begun
from stash2plex.sync.sweep import Enqueued
from stash2plex.sync.worker import PATIENCE, TASK_PATIENCE, Goal
from stash2plex.tasks.context import Context
from stash2plex.ui.progress import StashProgress

DAY = 86_400.0
WORKER_GOES_ON = (
    "the background worker goes on without you, and what waits goes out as soon as it can."
)


def process_queue(context: Context) -> str:
    """Drain the queue in the foreground."""
    name = "Process Queue"
    with context.running(name) as begun:
        for line in begun_lines(begun):
            context.say(f"{name}: {line}")
        return drain(context, begun, name)


def sync_all(context: Context) -> str:
    """Enqueue every scene, then drain."""
    return _sync(context, "Sync All Scenes", enqueue_all)


def sync_recent(context: Context) -> str:
    """Enqueue what changed within a day, then drain."""
    return _sync(context, "Sync Recent Scenes", lambda app: enqueue_recent(app, DAY))


def _sync(context: Context, name: str, enqueue: Callable[[App], Enqueued]) -> str:
    with context.running(name) as begun:
        found = enqueue(context.app)
        context.say(f"{name}: {found.sentence(sources_words(begun))}")
        return drain(context, begun, name)


def drain(context: Context, begun: Begun, name: str, part: tuple[float, float] = (0.0, 1.0)) -> str:
    """Drain with Stash's progress bar, or `part` of it; returns what was done, in words."""
    # A setting that cannot be used is reported at once, even while another process drains.
    choice = context.app.open_session().settings.background_worker
    goes_on = bool(context.server_connection) and choice != "off"
    usual = TASK_PATIENCE if goes_on else PATIENCE
    patience = context.whole("max_wait", round(usual), 0, 86_400)
    goal = Goal(name, foreground=True, patience=float(patience), run_id=begun.id)
    if goes_on:
        goal = evolve(goal, advice=WORKER_GOES_ON)
    observer = StashProgress(context.stderr, context.logger, name, part=part)
    summary = drain_here(context.app, goal, observer, lambda: False, begun.at)
    text = f"{name}: {summary.sentence()}"
    if summary.error is not None:
        if goes_on and isinstance(summary.error, (ServerError, ConfigError)):
            # It waits for the server, or for the setting to be mended.
            with suppress(ServerError):
                leave_to_worker(context)
        # Stash logs the error of an answer by itself.
        raise same_error(summary.error, text)
    context.say(text)
    observer.repeat()
    leave_to_worker(context)
    return text


def same_error(error: Stash2PlexError, text: str) -> Stash2PlexError:
    """Make an error of the same kind with another text."""
    arguments = (error.server, text) if isinstance(error, ServerError) else (text,)
    return type(error)(*arguments)


def leave_to_worker(context: Context) -> bool:
    """Start the background worker where keys are left for later and the person wants one."""
    if not context.server_connection:
        # On a command line: the worker would not know how to reach Stash.
        return False
    # A key that a killed process had in hand counts too: the worker takes it over.
    if context.app.store.queue.is_empty():
        return False
    if context.app.settings_reader.take_up().background_worker == "off":
        return False
    return _start(context)


def _start(context: Context) -> bool:
    request = worker_request(context.server_connection)
    return start_worker(context.app.folder, context.plugin_dir, request)


def wake(context: Context) -> dict[str, Any]:
    """Start the background worker when work is due, or when it was long that one looked at Stash.

    Without a Plex to send to, nothing is looked for.
    """
    app = context.app
    settings = app.settings_reader.take_up()
    due = app.store.queue.due_within(0.0)
    stale = is_stale(load_marks(app.store.connection), app.clock())
    looks = stale and settings.has_plex and settings.background_worker != "off"
    started = leave_to_worker(context) if due else looks and _start(context)
    return {"started": started, "due": due}
