"""The command that takes back a copy of the database from before an update."""

from __future__ import annotations

import os
import time

import click

from stash2plex.cli.config import resolve
from stash2plex.cli.shell import JSON, Shell
from stash2plex.copies import Copy
from stash2plex.db import SCHEMA_NUMBER
from stash2plex.operations.copies import Restored, list_copies, take_back
from stash2plex.text import local


@click.command("restore")
@click.argument("name", required=False)
@click.option("--list", "lists", is_flag=True, help="List the copies, and change nothing.")
@JSON
@click.pass_obj
def restore_command(shell: Shell, *, name: str | None, lists: bool) -> None:
    """Take back the copy of the database that an update made, to return to the version before it.

    NAME is one of the listed copies; without it, the newest is taken. What is queued now stays
    queued, and the present database is kept as a copy. Disable both entries of the plugin in Stash
    first, and install the older version before you enable them.
    """
    folder = resolve(shell.options, os.environ).data_dir
    if lists:
        copies = list_copies(folder)
        shell.show([copy_row(copy) for copy in copies], copy_lines(copies))
        return
    done = take_back(folder, name, time.time)
    shell.show(restored_row(done), restored_lines(done))


def copy_row(copy: Copy) -> dict[str, object]:
    """Return a copy as JSON."""
    return {
        "name": copy.name,
        "made_at": copy.made_at,
        "schema": copy.schema,
        "bytes": os.path.getsize(copy.path),
    }


def copy_lines(copies: list[Copy]) -> list[str]:
    """Describe copies in words."""
    if not copies:
        return ["There is no copy: one is made before an update changes the database."]
    return [
        f"{copy.name}: made {local(copy.made_at)}, schema {copy.schema}, "
        f"{os.path.getsize(copy.path):,} bytes."
        for copy in copies
    ]


def restored_row(done: Restored) -> dict[str, object]:
    """Return as JSON what was taken back."""
    return {
        "restored": done.name,
        "schema": done.schema,
        "replaced": done.replaced,
        "queued": done.keys,
        "compared": done.compared,
    }


def restored_lines(done: Restored) -> list[str]:
    """Describe in words what was taken back."""
    lines = [
        f"{done.name} was taken back. The database that it replaced is kept as {done.replaced}.",
        f"Changes that were queued and are carried over: {done.keys:,}.",
        f"Scenes that were written since the copy, and are compared again: {done.compared:,}.",
    ]
    if done.schema < SCHEMA_NUMBER:
        lines.append(
            "Install the older version of the plugin now. This one would bring the database up "
            "to date again at the next save."
        )
    return lines
