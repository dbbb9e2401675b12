"""Compares Stash with Plex for a user who is waiting for the report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from attrs import evolve

from stash2plex.app import App
from stash2plex.errors import Interrupted
from stash2plex.sync.observer import Observer
from stash2plex.sync.reconcile import Scope
from stash2plex.sync.report import Report


def reconcile_library(
    app: App,
    scope: Scope,
    *,
    dry_run: bool = False,
    observer: Observer,
    stopped: Callable[[], bool],
    run_id: int = 0,
) -> Report:
    """Compare Stash, the records and Plex, queue what differs, and keep the report.

    A dry run changes nothing: it does the same on a copy of the database. Raises what
    `App.open_session` raises; a server that fails later leaves a partial report with its `error`.
    """
    if dry_run:
        with app.rehearsal() as copy:
            report = reconcile_library(copy, scope, observer=observer, stopped=stopped)
        return evolve(report, dry_run=True)
    run = app.make_reconciliation(app.open_session(), scope, run_id)
    with closing(run.pages()) as pages:
        for progress in pages:
            observer.progress(progress)
            if stopped():
                run.give_up(Interrupted("It was stopped."))
                break
    report = run.report()
    app.store.reports.keep(report.started_at, report.as_dict())
    return report
