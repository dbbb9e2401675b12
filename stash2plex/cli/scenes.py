"""The command that explains a scene."""

from __future__ import annotations

import click
from rich.table import Table
from rich.text import Text

from stash2plex.cli.shell import JSON, SCENE_ID, Shell
from stash2plex.operations.explain import explain_scene, explanation_json
from stash2plex.ui.lines.scenes import explanation_lines, value_words

COLOURS = {"differs": "yellow", "kept": "cyan", "equal": "green"}


@click.command("scene")
@click.argument("scene_id", metavar="ID", type=SCENE_ID)
@JSON
@click.pass_obj
def scene_command(shell: Shell, *, scene_id: int) -> None:
    """Explain a scene: its match, its place in the queue, and each field's three values."""
    with shell.app() as app:
        known = explain_scene(app, scene_id)
    shell.show(explanation_json(known), explanation_lines(known))
    if shell.as_json:
        return
    hide = shell.logs.redactor.value
    table = Table(box=None, header_style="bold")
    for name in ("Field", "State", "Stash", "Plex", "Last written"):
        table.add_column(name)
    for view in known.fields:
        state = Text(view.state.replace("_", " "), style=COLOURS.get(view.state, ""))
        values = (Text(hide(value_words(value))) for value in (view.stash, view.plex, view.written))
        table.add_row(str(view.name), state, *values)
    shell.out.print(table)
