"""The command that compares Stash with Plex."""

from __future__ import annotations

import sys

import click

from stash2plex.commands.shell import JSON, WAIT, Shell, StopSignals, drain, drained, leave
from stash2plex.compare.reconcile import Scope
from stash2plex.compare.reports import ReportBook, report_lines
from stash2plex.show.terminal import TerminalProgress


@click.command()
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.ALL.value,
    show_default=True,
    help="Every scene, those that changed in Stash within 24 hours or 7 days, or only Plex items "
    "that show nothing but a title.",
)
@click.option("--dry-run", is_flag=True, help="Only say what differs; change nothing.")
@click.option("--last", is_flag=True, help="Show the report of the last run instead.")
@WAIT
@JSON
@click.pass_obj
def reconcile(shell: Shell, *, scope: str, dry_run: bool, last: bool, wait: int) -> None:
    """Compare Stash with Plex, queue what differs, then process the queue."""
    with shell.app() as app:
        if last:
            value = ReportBook(app.store.connection).last()
            shell.show(value, report_lines(value) if value else ["Nothing was reconciled yet."])
            return
        stop = StopSignals()
        with TerminalProgress(shell.err) as observer:
            report = app.reconcile(
                Scope(scope), dry_run=dry_run, observer=observer, stopped=stop.wanted
            )
        value = report.as_dict()
        lines = report_lines(value)
        if dry_run or report.error is not None or not report.queued:
            shell.show({**value, "drained": None}, lines)
            sys.exit(report.error.exit_code if report.error is not None else 0)
        if not shell.as_json:
            shell.show(value, lines)
        summary = drain(shell, app, wait)
        shell.show({**value, "drained": drained(summary)}, [summary.sentence()])
        leave(summary)
