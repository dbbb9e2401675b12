"""Any task or operation of the plugin, from the command line."""

from __future__ import annotations

import io
import json
from typing import Any

import click

from stash2plex.cli.shell import JSON, Shell
from stash2plex.errors import UsageError
from stash2plex.tasks.context import Context
from stash2plex.tasks.registry import MODES, find_mode


@click.command()
@click.argument("mode", type=click.Choice([mode.name for mode in MODES]), metavar="MODE")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@JSON
@click.pass_obj
def operation(shell: Shell, *, mode: str, arguments: tuple[str, ...]) -> None:
    """Run any task or operation by its mode, as Stash does.

    A value is read as JSON where it is JSON, such as “scene_ids=[1,2]”, else as text. The modes are
    in docs/reference/tasks.md.
    """
    with shell.app() as app:
        # The progress of a task is for Stash's bar, which is not here.
        context = Context(app, _read(arguments), {}, "", app.logs.logger, io.StringIO())
        output = find_mode(mode).run(context)
    if shell.as_json or not isinstance(output, str):
        click.echo(json.dumps(output, indent=2, ensure_ascii=False))
    else:
        shell.show(output, [output])


def _read(arguments: tuple[str, ...]) -> dict[str, Any]:
    """Take NAME=VALUE apart. Raises UsageError."""
    found = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"{argument[:40]!r} is not of the form NAME=VALUE.")
        try:
            found[name] = json.loads(text)
        except (ValueError, RecursionError):
            found[name] = text
    return found
