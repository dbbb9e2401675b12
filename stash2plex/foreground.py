"""Draining in the foreground: by this process, or by watching the one that does it already."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from stash2plex.app import App
from stash2plex.errors import Refused, Stash2PlexError, Unavailable
from stash2plex.lock import drain_lock, show_presence
from stash2plex.show.naming import summary_names
from stash2plex.show.observe import Observer, span
from stash2plex.show.progress import Progress
from stash2plex.sweeps.upkeep import ask_for_look, look_is_asked
from stash2plex.worker import Goal, Summary

WATCH_STEP = 0.5
REFUSAL_SECONDS = 3.0
"""Time for the other process to try once more before its refusal is believed."""

LOOK_PATIENCE = 10.0
"""Seconds that the other process has for its look, before an empty queue is believed."""


def drain_here(app: App, goal: Goal, observer: Observer, stopped: Callable[[], bool]) -> Summary:
    """Drain until the goal is met, whoever does it.

    Only one process drains a data folder. While another does, it is asked to look at Stash and its
    progress is shown; when it ends or dies with work left, this one carries on.
    """
    for name in app.store.breakers.values():
        # A person waits: ask a server that was down now, not when its next probe is due.
        name.hasten()
    lock = drain_lock(app.folder)
    start = app.monotonic()
    closed_since: float | None = None
    asked_at: float | None = None
    shown = Progress()
    while True:
        if lock.acquire():
            presence = show_presence(app.folder, app.sleep)
            try:
                summary = app.drain(goal, observer, stopped)
                return evolve(summary, seconds=app.monotonic() - start)
            finally:
                presence.release()
                lock.release()
        if asked_at is None:
            asked_at = app.monotonic()
            ask_for_look(app.store.connection)
        looks = app.monotonic() - asked_at < LOOK_PATIENCE and look_is_asked(app.store.connection)
        left = app.store.queue.due_within(goal.horizon)
        theirs = app.book.read(left)
        if theirs.ended:
            # The row of an earlier burst; the other process has not begun this one.
            theirs = Progress(left=left)
        shown = evolve(theirs, ended=False)
        gave_up = ""
        error: Stash2PlexError | None = None
        state = app.store.breakers["plex"].read()
        if state.refused and app.monotonic() - start >= REFUSAL_SECONDS:
            error = Refused("Plex", state.reason)
            gave_up = state.reason
        elif theirs.note and left:
            closed_since = app.monotonic() if closed_since is None else closed_since
            if app.monotonic() - closed_since >= goal.patience:
                error = Unavailable("Plex", theirs.note.splitlines()[0])
                reason = theirs.note.splitlines()[0]
                gave_up = f"{reason} Waited {span(goal.patience)}; run the task again later."
        else:
            closed_since = None
        if not (left or looks) or gave_up or stopped():
            shown = evolve(shown, ended=True)
            observer.progress(shown)
            waiting = tuple(app.store.queue.waiting_reasons())
            seconds = app.monotonic() - start
            names = summary_names(app.store.connection, app.clock(), app.clock() - seconds)
            return Summary(shown, seconds, waiting, gave_up, error, names)
        observer.progress(shown)
        app.sleep(WATCH_STEP)
