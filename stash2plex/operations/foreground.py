"""Drains in the foreground, or watches the process that drains already."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from stash2plex.app import App
from stash2plex.lock import drain_lock, show_presence
from stash2plex.operations.run_observer import RunObserver
from stash2plex.operations.server_probe import ServerProbe
from stash2plex.store.marks import ask_for_look, look_is_asked
from stash2plex.store.names import summary_names
from stash2plex.store.progress import Progress
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Observer
from stash2plex.sync.worker import Summary

WATCH_STEP = 0.5
LOOK_PATIENCE = 10.0
"""Seconds that the other process gets for its look before an empty queue counts as empty."""


def drain_here(
    app: App,
    goal: Foreground,
    shown_to: Observer,
    stopped: Callable[[], bool],
    began: float | None = None,
) -> Summary:
    """Drain until the goal is met, in this process or another. `began` is when the run began.

    `began` is monotonic time. Only one process drains a data folder. While another one does, it is
    asked to look at Stash, and the progress of this run's keys is shown. If it ends or dies with
    work left, this process carries on.
    """
    observer = RunObserver(app.store.runs, goal.run_id, shown_to, app.monotonic)
    began = app.monotonic() if began is None else began
    for breaker in app.store.breakers.values():
        # The user is waiting: ask a server that was down now, not at its next probe.
        breaker.hasten()
    lock = drain_lock(app.folder)
    asked_at: float | None = None
    probe = ServerProbe(app, goal)
    shown = Progress()
    while True:
        if lock.acquire():
            presence = show_presence(app.folder, app.sleep)
            try:
                summary = app.drain(goal, observer, stopped)
                return observer.summary(summary, app.monotonic() - began)
            finally:
                presence.release()
                lock.release()
        if asked_at is None:
            asked_at = app.monotonic()
            ask_for_look(app.store.connection, goal.run_id)
            probe.ask()
        looks = app.monotonic() - asked_at < LOOK_PATIENCE and look_is_asked(app.store.connection)
        left = app.store.queue.due_within(goal.horizon)
        theirs = app.book.read(left)
        if theirs.ended:
            # That is the row of an earlier drain; the other process has not begun this one.
            theirs = Progress(left=left)
        shown = evolve(theirs, ended=False)
        error, gave_up = probe.verdict(theirs.wait, left)
        if not (left or looks) or gave_up or stopped():
            shown = evolve(shown, ended=True)
            observer.progress(shown)
            waiting = tuple(app.store.queue.waiting_reasons())
            seconds = app.monotonic() - began
            names = summary_names(app.store.connection, app.clock(), app.clock() - seconds)
            summary = Summary(shown, 0.0, waiting, gave_up, error, names=names)
            return observer.summary(summary, seconds)
        observer.progress(shown)
        app.sleep(WATCH_STEP)
