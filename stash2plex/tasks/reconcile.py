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
from stash2plex.tasks.context import Context
from stash2plex.tasks.drain import drain, leave_to_worker, same_error
from stash2plex.ui.progress import StashProgress

COMPARING, DRAINING = (0.0, 0.5), (0.5, 1.0)
"""The halves of the progress bar."""


def reconcile_all(context: Context) -> dict[str, Any]:
    """Compare every scene; also names the Plex items that no scene has."""
    return _reconcile(context, Scope.ALL, "Reconcile Library (All)")


def reconcile_recent(context: Context) -> dict[str, Any]:
    """Compare the scenes that changed in Stash within a day."""
    return _reconcile(context, Scope.RECENT, "Reconcile Library (Recent)")


def reconcile_7days(context: Context) -> dict[str, Any]:
    """Compare the scenes that changed in Stash within a week."""
    return _reconcile(context, Scope.WEEK, "Reconcile Library (Last 7 Days)")


def reconcile_missing_metadata(context: Context) -> dict[str, Any]:
    """Look only for Plex items that show nothing but a title."""
    return _reconcile(context, Scope.MISSING_METADATA, "Reconcile Missing Metadata Only")


def _reconcile(context: Context, scope: Scope, name: str) -> dict[str, Any]:
    """Answer the report. Findings go out at once: a person pressed a button to have Plex right."""
    with context.running(name) as begun:
        return _compare(context, scope, name, begun)


def _compare(context: Context, scope: Scope, name: str, begun: Begun) -> dict[str, Any]:
    observer = StashProgress(context.stderr, context.logger, name, part=COMPARING)
    report = reconcile_library(
        context.app, scope, observer=observer, stopped=lambda: False, run_id=begun.id
    )
    value = report.as_dict()
    lines = report_lines(value)
    for line in lines:
        context.logger.info("%s: %s", name, line)
    if report.error is not None:
        with suppress(ServerError):
            leave_to_worker(context)
        # Stash logs the error of an answer by itself.
        raise same_error(report.error, f"{name}: {lines[-1]}")
    if report.queued or begun.found:
        drain(context, begun, name, DRAINING)
    else:
        observer = StashProgress(context.stderr, context.logger, name, part=DRAINING)
        observer.progress(Progress(ended=True))
    return value
