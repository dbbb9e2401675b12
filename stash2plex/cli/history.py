"""The command that shows what was written to Plex."""

from __future__ import annotations

import click

from stash2plex.cli.shell import JSON, SCENE_ID, Shell
from stash2plex.operations.history import list_runs, list_writes
from stash2plex.ui.lines.history import history_lines, run_lines


@click.command("history")
@click.option("--scene", "scene", type=SCENE_ID, metavar="ID", help="The writes of this scene.")
@click.option("--run", "run", type=SCENE_ID, metavar="ID", help="The writes of this run.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Rows.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows to skip.")
@JSON
@click.pass_obj
def history(shell: Shell, *, scene: int | None, run: int | None, limit: int, offset: int) -> None:
    """List what was written to Plex, newest first: without options, the runs."""
    with shell.app() as app:
        if scene is None and run is None:
            runs = list_runs(app, limit, offset)
            shell.show(runs.as_json(), run_lines(runs))
            return
        page = list_writes(app, scene_id=scene, run_id=run, limit=limit, offset=offset)
    shell.show(page.as_json(), history_lines(page))
