"""Runs a drain with Stash's progress bar, and reports its end."""

from __future__ import annotations

from contextlib import suppress

from attrs import evolve

from stash2plex.errors import ConfigError, ServerError
from stash2plex.operations.foreground import drain_here
from stash2plex.store.runs import Begun
from stash2plex.sync.goals import PATIENCE, TASK_PATIENCE, Foreground
from stash2plex.tasks.task import Call
from stash2plex.tasks.worker import leave_to_worker
from stash2plex.ui.progress import StashProgress

WORKER_GOES_ON = (
    "the background worker carries on without you and sends what waits as soon as it can."
)


def drain(call: Call, begun: Begun, name: str, part: tuple[float, float] = (0.0, 1.0)) -> str:
    """Drain with Stash's progress bar, or `part` of it; returns a sentence about what was done."""
    # An unusable setting is reported at once, even while another process drains.
    choice = call.app.open_session().settings.background_worker
    goes_on = bool(call.server_connection) and choice != "off"
    usual = TASK_PATIENCE if goes_on else PATIENCE
    patience = call.whole("max_wait", round(usual), 0, 86_400)
    goal = Foreground(name, patience=float(patience), run_id=begun.id)
    if goes_on:
        goal = evolve(goal, advice=WORKER_GOES_ON)
    observer = StashProgress(call.stderr, call.logger, name, part=part)
    summary = drain_here(call.app, goal, observer, lambda: False, begun.at)
    text = f"{name}: {summary.sentence()}"
    if summary.error is not None:
        if goes_on and isinstance(summary.error, (ServerError, ConfigError)):
            # The worker waits for the server, or for the setting to be corrected.
            with suppress(ServerError):
                leave_to_worker(call)
        # Stash logs the error that a task answers with.
        raise summary.error.with_words(text)
    call.report(text)
    observer.repeat()
    leave_to_worker(call)
    return text
