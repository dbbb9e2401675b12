"""The command that shows the status."""

from __future__ import annotations

import sys
import time
from functools import partial

import click
from rich.live import Live

from stash2plex.app import App
from stash2plex.cli.shell import JSON, Shell
from stash2plex.cli.streams import write
from stash2plex.operations.status import look_at_status
from stash2plex.store.metrics import read_metrics
from stash2plex.store.outages import read_outages
from stash2plex.ui.lines.status import status_lines
from stash2plex.ui.prometheus import prometheus_text
from stash2plex.ui.screens import status_screen

WATCH_SECONDS = 2.0


@click.command()
@click.option("--watch", is_flag=True, help="Refresh every two seconds, until Ctrl-C.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "prometheus"]),
    default="text",
    show_default=True,
    help="Output format; prometheus is its text exposition format.",
)
@JSON
@click.pass_obj
def status(shell: Shell, *, watch: bool, shape: str) -> None:
    """Show queue, worker, Plex and what was done so far."""
    shell.as_json = shell.as_json or shape == "json"
    with shell.app() as app:
        if shape == "prometheus":
            connection = app.store.connection
            outages = read_outages(connection)
            text = prometheus_text(
                look_at_status(app), read_metrics(connection), outages, app.clock()
            )
            write(text, sys.stdout, end="")
        elif watch and shell.out.is_terminal and not shell.as_json:
            _watch(shell, app)
        else:
            _print(shell, app)
            while watch:
                time.sleep(WATCH_SECONDS)
                _print(shell, app)


def _print(shell: Shell, app: App) -> None:
    value = look_at_status(app)
    screen = partial(status_screen, value, shell.logs.redactor)
    shell.show(value, status_lines(value), lambda _: screen())


def _watch(shell: Shell, app: App) -> None:
    """Keep one screen up to date until Ctrl-C."""
    with Live(console=shell.out, auto_refresh=False) as live:
        while True:
            live.update(status_screen(look_at_status(app), shell.logs.redactor), refresh=True)
            time.sleep(WATCH_SECONDS)
