"""The command that takes over what Stash2Plex 1.x left unfinished."""

from __future__ import annotations

import click

from stash2plex.cli.shell import JSON, Shell
from stash2plex.operations.import_legacy import take_over
from stash2plex.ui.lines.legacy import legacy_json, legacy_lines


@click.command("import-legacy")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@JSON
@click.pass_obj
def import_legacy(shell: Shell, *, folder: str) -> None:
    """Queue the scenes that Stash2Plex 1.x left unfinished; DIR is its data or plugin folder.

    Nothing in DIR is changed. Stash keeps the settings, and they keep their meaning.
    """
    with shell.app() as app:
        taken = take_over(app, folder)
    shell.show(legacy_json(taken), legacy_lines(taken))
