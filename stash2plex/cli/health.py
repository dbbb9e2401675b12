"""The command that checks everything."""

from __future__ import annotations

import sys

import click

from stash2plex.cli.shell import JSON, Shell
from stash2plex.errors import ServerError, StoreError
from stash2plex.operations.health.report import (
    health_without_stash,
    health_without_store,
    read_health,
)
from stash2plex.ui.lines.health import check_lines, health_sentence
from stash2plex.ui.screens import health_screen


@click.command()
@JSON
@click.pass_obj
def health(shell: Shell) -> None:
    """Check everything, and show what to do about what is wrong.

    Exit codes: 0 all is well, 3 a server is out of reach, 2 a setting is wrong, 1 anything else.
    """
    try:
        with shell.app() as app:
            checks = read_health(app)
    except StoreError as error:
        checks = health_without_store(error)
    except ServerError as error:
        checks = health_without_stash(error)
    hide = shell.logs.redactor
    lines = [*check_lines(checks), health_sentence(checks)]
    shell.show(
        {"checks": [check.as_json() for check in checks]},
        lines,
        lambda width: health_screen(checks, width, hide),
    )
    codes = {check.exit_code for check in checks if not check.ok}
    sys.exit(max(codes, default=0))
