"""The command that compares Stash with Plex."""

from __future__ import annotations

import sys

import click

from stash2plex.app import App
from stash2plex.cli.drain import drain, drained, leave, sentence
from stash2plex.cli.shell import JSON, WAIT, Shell, StopSignals
from stash2plex.operations.reconcile import reconcile_library
from stash2plex.operations.runs import running
from stash2plex.operations.status import last_report
from stash2plex.sync.reconcile import Scope
from stash2plex.sync.report import Report, report_lines
from stash2plex.ui.terminal import TerminalProgress


@click.command()
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.ALL.value,
    show_default=True,
    help="Every scene, those that changed in Stash within 24 hours or 7 days, or only Plex items "
    "that show nothing but a title.",
)
@click.option("--dry-run", is_flag=True, help="Only show what differs; change nothing.")
@click.option("--last", is_flag=True, help="Show the report of the last run instead.")
@WAIT
@JSON
@click.pass_obj
def reconcile(shell: Shell, *, scope: str, dry_run: bool, last: bool, wait: int) -> None:
    """Compare Stash with Plex, queue what differs, then process the queue."""
    with shell.app() as app:
        if last:
            value = last_report(app)
            shell.show(value, report_lines(value) if value else ["Nothing was reconciled yet."])
            return
        if dry_run:
            report = _compare(shell, app, scope, dry_run=True)
            shell.show({**report.as_dict(), "drained": None}, report_lines(report.as_dict()))
            sys.exit(report.error.exit_code if report.error is not None else 0)
        with running(app, "stash2plex reconcile", in_stash=False) as begun:
            report = _compare(shell, app, scope, run_id=begun.id)
            value = report.as_dict()
            if report.error is not None or not (report.queued or begun.found):
                shell.show({**value, "drained": None}, report_lines(value))
                sys.exit(report.error.exit_code if report.error is not None else 0)
            if not shell.as_json:
                shell.show(value, report_lines(value))
            summary = drain(shell, app, wait, begun)
        shell.show({**value, "drained": drained(summary)}, [sentence(summary)])
        leave(summary)


def _compare(
    shell: Shell, app: App, scope: str, *, dry_run: bool = False, run_id: int = 0
) -> Report:
    stop = StopSignals()
    with TerminalProgress(shell.err) as observer:
        return reconcile_library(
            app,
            Scope(scope),
            dry_run=dry_run,
            observer=observer,
            stopped=stop.wanted,
            run_id=run_id,
        )
