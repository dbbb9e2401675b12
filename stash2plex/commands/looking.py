"""Commands that look, and change nothing."""

from __future__ import annotations

import time

import click

from stash2plex.commands.shell import Shell
from stash2plex.status import read_status, status_lines


@click.command()
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until Ctrl-C.")
@click.pass_obj
def status(shell: Shell, *, watch: bool) -> None:
    """Show queue, worker and Plex."""
    with shell.app() as app:
        while True:
            value = read_status(app)
            if watch and not shell.as_json:
                shell.out.clear()
            shell.show(value, status_lines(value))
            if not watch:
                return
            time.sleep(2.0)
