"""Any task or operation of the plugin, from the command line."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import click

from stash2plex.cli.shell import JSON, Shell
from stash2plex.cli.streams import json_text, write
from stash2plex.errors import UsageError
from stash2plex.tasks.registry import TASKS, find_task
from stash2plex.tasks.task import Call


@click.command()
@click.argument("mode", type=click.Choice([task.mode for task in TASKS]), metavar="MODE")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@JSON
@click.pass_obj
def operation(shell: Shell, *, mode: str, arguments: tuple[str, ...]) -> None:
    """Run any task or operation by its mode, as Stash does.

    A value is read as JSON if it is JSON, such as “scene_ids=[1,2]”, else as text. The modes are
    in docs/reference/tasks.md.
    """
    with shell.app() as app:
        # A task's progress is meant for Stash's bar, which does not exist here.
        call = Call(app, _read(arguments), {}, "", app.logs.logger, io.StringIO())
        output = find_task(mode).run(call)
    if shell.as_json or not isinstance(output, str):
        write(json_text(output, sys.stdout), sys.stdout)
    else:
        shell.show(output, [output])


def _read(arguments: tuple[str, ...]) -> dict[str, Any]:
    """Parse each NAME=VALUE. Raises UsageError."""
    values = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"{argument[:40]!r} does not have the form NAME=VALUE.")
        try:
            values[name] = json.loads(text)
        except (ValueError, RecursionError):
            values[name] = text
    return values
