"""Tasks that compare Stash with Plex, queue what differs, and process the queue."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from stash2plex.errors import ServerError
from stash2plex.operations.reconcile import reconcile_library
from stash2plex.store.progress import Progress
from stash2plex.store.runs import Begun
from stash2plex.sync.reconcile import Scope
from stash2plex.sync.report import report_lines
from stash2plex.tasks.drain import drain
from stash2plex.tasks.task import Call
from stash2plex.tasks.worker import leave_to_worker
from stash2plex.ui.progress import StashProgress

COMPARING, DRAINING = (0.0, 0.5), (0.5, 1.0)
"""Which part of the progress bar each stage fills."""


def reconcile_all(call: Call) -> dict[str, Any]:
    """Compare every scene; also list the Plex items that no scene has."""
    return _reconcile(call, Scope.ALL, "Reconcile Library (All)")


def reconcile_recent(call: Call) -> dict[str, Any]:
    """Compare the scenes that changed in Stash within the last day."""
    return _reconcile(call, Scope.RECENT, "Reconcile Library (Recent)")


def reconcile_7days(call: Call) -> dict[str, Any]:
    """Compare the scenes that changed in Stash within the last week."""
    return _reconcile(call, Scope.WEEK, "Reconcile Library (Last 7 Days)")


def reconcile_missing_metadata(call: Call) -> dict[str, Any]:
    """Look for Plex items that show nothing but a title."""
    return _reconcile(call, Scope.MISSING_METADATA, "Reconcile Missing Metadata Only")


def _reconcile(call: Call, scope: Scope, name: str) -> dict[str, Any]:
    """Return the report. Findings are sent at once: the user pressed a button to fix Plex."""
    with call.running(name) as begun:
        return _compare(call, scope, name, begun)


def _compare(call: Call, scope: Scope, name: str, begun: Begun) -> dict[str, Any]:
    observer = StashProgress(call.stderr, call.logger, name, part=COMPARING)
    report = reconcile_library(
        call.app, scope, observer=observer, stopped=lambda: False, run_id=begun.id
    )
    value = report.as_dict()
    lines = report_lines(value)
    for line in lines:
        call.logger.info("%s: %s", name, line)
    if report.error is not None:
        with suppress(ServerError):
            leave_to_worker(call)
        # Stash logs the error that a task answers with.
        raise report.error.with_words(f"{name}: {lines[-1]}")
    if report.queued or begun.found:
        drain(call, begun, name, DRAINING)
    else:
        observer = StashProgress(call.stderr, call.logger, name, part=DRAINING)
        observer.progress(Progress(ended=True))
    return value
