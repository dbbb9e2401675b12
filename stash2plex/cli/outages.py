"""The command that shows the outages of both servers."""

from __future__ import annotations

import click

from stash2plex.cli.shell import JSON, Shell
from stash2plex.operations.outages import SHOWN, outage_report
from stash2plex.ui.lines.outages import outage_lines
from stash2plex.ui.screens import outages_screen


@click.command()
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000),
    default=SHOWN,
    show_default=True,
    help="How many outages.",
)
@JSON
@click.pass_obj
def outages(shell: Shell, *, limit: int) -> None:
    """Show the outages of both servers, and how available they were."""
    with shell.app() as app:
        report = outage_report(app, limit)
    hide = shell.logs.redactor
    shell.show(report, outage_lines(report), lambda width: outages_screen(report, width, hide))
