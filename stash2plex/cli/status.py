"""Commands that look, and change nothing."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

import click
from rich.live import Live

from stash2plex.app import App
from stash2plex.cli.shell import JSON, Shell
from stash2plex.errors import ServerError, StoreError
from stash2plex.operations.health.checks import check_lines, health_sentence
from stash2plex.operations.health.report import (
    health_without_stash,
    health_without_store,
    read_health,
)
from stash2plex.operations.outages import SHOWN, read_report, report_lines
from stash2plex.operations.runs import settle_stops
from stash2plex.operations.status import read_status, status_lines
from stash2plex.store.metrics import read_metrics
from stash2plex.store.outages import read_outages
from stash2plex.ui.prometheus import prometheus_text
from stash2plex.ui.screens import health_screen, outages_screen, status_screen

WATCH_SECONDS = 2.0


@click.command()
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until Ctrl-C.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "prometheus"]),
    default="text",
    show_default=True,
    help="How it is printed; prometheus is the text exposition format.",
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
            text = prometheus_text(_look(app), read_metrics(connection), outages, app.clock())
            click.echo(text, nl=False)
        elif watch and shell.out.is_terminal and not shell.as_json:
            _watch(shell, app)
        else:
            _print(shell, app)
            while watch:
                time.sleep(WATCH_SECONDS)
                _print(shell, app)


def _look(app: App) -> dict[str, Any]:
    settle_stops(app)
    return read_status(app)


def _print(shell: Shell, app: App) -> None:
    value = _look(app)
    screen = partial(status_screen, value, shell.logs.curtain)
    shell.show(value, status_lines(value), lambda _: screen())


def _watch(shell: Shell, app: App) -> None:
    """Keep one screen up to date, until a person has seen enough."""
    with Live(console=shell.out, auto_refresh=False) as live:
        while True:
            live.update(status_screen(_look(app), shell.logs.curtain), refresh=True)
            time.sleep(WATCH_SECONDS)


@click.command()
@JSON
@click.pass_obj
def health(shell: Shell) -> None:
    """Check everything, and say what to do about what is wrong.

    Exit codes: 0 all is well, 3 a server is out of reach, 2 a setting is wrong, 1 anything else.
    """
    try:
        with shell.app() as app:
            checks = read_health(app)
    except StoreError as error:
        checks = health_without_store(error)
    except ServerError as error:
        checks = health_without_stash(error)
    hide = shell.logs.curtain
    lines = [*check_lines(checks), health_sentence(checks)]
    shell.show(
        {"checks": [check.as_json() for check in checks]},
        lines,
        lambda width: health_screen(checks, width, hide),
    )
    codes = {check.exit_code for check in checks if not check.ok}
    sys.exit(max(codes, default=0))


@click.command()
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=SHOWN, show_default=True, help="Outages."
)
@JSON
@click.pass_obj
def outages(shell: Shell, *, limit: int) -> None:
    """Show the outages of both servers, and how available they were."""
    with shell.app() as app:
        report = read_report(app, limit)
    hide = shell.logs.curtain
    shell.show(report, report_lines(report), lambda width: outages_screen(report, width, hide))
