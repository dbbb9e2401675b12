"""The command that collects what others need to help."""

from __future__ import annotations

import sys

import click

from stash2plex.cli.shell import JSON, Shell
from stash2plex.cli.streams import json_text, write
from stash2plex.errors import ServerError, StoreError
from stash2plex.operations.health.report import health_without_stash, health_without_store
from stash2plex.operations.report import read_report, report_of_health
from stash2plex.ui.lines.report import report_lines


@click.command()
@JSON
@click.pass_obj
def report(shell: Shell) -> None:
    """Print a report that you can post: versions, health, status, and the last lines of the log.

    Titles, names, paths and hosts are pseudonyms in it, whatever the settings say, and no secret is
    in it. It is complete even if Stash, Plex or the database cannot be reached.
    """
    try:
        with shell.app() as app:
            content = read_report(app)
    except StoreError as error:
        content = report_of_health(health_without_store(error))
    except ServerError as error:
        content = report_of_health(health_without_stash(error))
    lines = report_lines(content)
    text = json_text({"report": lines}, sys.stdout) if shell.as_json else "\n".join(lines)
    write(text, sys.stdout)
