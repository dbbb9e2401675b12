"""The command that finds out how a Plex server treats edits."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import click

from stash2plex.app import make_probe_client
from stash2plex.cli.config import read_file
from stash2plex.cli.shell import JSON, Shell
from stash2plex.config import Settings, parse_settings, read_environment
from stash2plex.errors import ConfigError, UsageError
from stash2plex.operations.probe.run import Probed, compare, probe
from stash2plex.operations.probe.snapshot import put_back
from stash2plex.servers.plexraw import PlexRaw
from stash2plex.ui.lines.probe import left_lines, probe_lines

KEPT = os.path.join("~", ".stash2plex-probe.json")
"""Where the items' values are kept until they are restored."""

UPLOADS = (
    "Also upload a picture of 2 × 3 dots to the first item, twice? Plex cannot delete "
    "uploads; the poster that is shown now is chosen again afterwards."
)


@click.command("probe-plex")
@click.option(
    "--item",
    "items",
    multiple=True,
    metavar="ID",
    help="An item to try: its id, or its address in Plex Web. Three are best.",
)
@click.option("--restore", is_flag=True, help="Put back what a killed probe changed.")
@click.option(
    "--uploads/--no-uploads",
    default=None,
    help="Upload a picture, which Plex cannot delete. Default: ask on a terminal, else no.",
)
@click.option(
    "--compare",
    "compares",
    is_flag=True,
    help="Show where the tests' stand-in answers differently (needs the source checkout).",
)
@click.option(
    "--kept",
    metavar="FILE",
    default=KEPT,
    show_default=True,
    help="Where the items' values are kept until they are restored.",
)
@click.option("--report", metavar="FILE", help="Also write the answers to this file, as JSON.")
@JSON
@click.pass_obj
def probe_plex(
    shell: Shell,
    *,
    items: tuple[str, ...],
    restore: bool,
    uploads: bool | None,
    compares: bool,
    kept: str,
    report: str | None,
) -> None:
    """Find out how your Plex treats edits, using items that you name.

    It writes to these items, restores everything afterwards, and prints a table without titles,
    paths, addresses or tokens, so you can post it. Ctrl-C restores too; after a kill, run
    --restore.
    """
    path = os.path.abspath(os.path.expanduser(kept))
    keys = list(dict.fromkeys(_key_of(item) for item in items))
    if not (keys or restore):
        raise UsageError("Name items with --item, preferably three of one library.")
    fake_answers = _stand_in() if compares else None
    client = make_probe_client(_settings(shell))
    try:
        if restore:
            _put_back(shell, client, path)
            return
        probed = _probe(shell, client, keys, path, uploads=_may_upload(shell, uploads))
    finally:
        client.close()
    other = None
    if fake_answers is not None:
        other = fake_answers(len(keys), uploads="identical upload twice" in probed.answers)
    value = probed.as_json()
    if other is not None:
        value["differs_from_stand_in"] = compare(probed.answers, other)
    if report:
        with open(report, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2)
    shell.show(value, probe_lines(probed, other))
    _end(shell, list(probed.left), path)


def _key_of(item: str) -> str:
    """Return an item's id, given as it is or inside an address of Plex Web."""
    match = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", item) or re.search(
        r"metadata(?:%2F|/)([A-Za-z0-9_-]{1,64})", item
    )
    if match is None:
        raise UsageError("--item takes an id such as 1234, or the address of the item in Plex Web.")
    return match[match.lastindex or 0]


def _settings(shell: Shell) -> Settings:
    """Read how to reach Plex: from this command line, or from the plugin's settings in Stash."""
    given: dict[str, Any] = dict(read_file(shell.options.config_file, os.environ))
    given |= read_environment(os.environ)
    given |= shell.options.settings
    settings, problems = parse_settings(given)
    if problems:
        raise ConfigError(problems[0])
    if settings.plex_url:
        return settings
    with shell.app() as app:
        settings = app.settings()
        settings.require_plex()
        return settings


def _may_upload(shell: Shell, uploads: bool | None) -> bool:
    if uploads is not None:
        return uploads
    return shell.err.is_terminal and click.confirm(UPLOADS, default=False, err=True)


def _probe(shell: Shell, client: PlexRaw, keys: list[str], path: str, *, uploads: bool) -> Probed:
    def note(name: str) -> None:
        if shell.err.is_terminal:
            shell.err.print(name, highlight=False, markup=False)

    return probe(
        client,
        keys,
        path,
        uploads=uploads,
        monotonic=time.monotonic,
        sleep=time.sleep,
        note=note,
    )


def _put_back(shell: Shell, client: PlexRaw, path: str) -> None:
    left = put_back(client, path)
    shell.show({"left": left}, [] if left else ["Everything is as it was before the probe."])
    _end(shell, left, path)


def _end(shell: Shell, left: list[str], path: str) -> None:
    """Name what could not be restored, and exit with 1 if there is anything."""
    for line in left_lines(left, path):
        shell.err.print(line, highlight=False, markup=False)
    if left:
        sys.exit(1)


def _stand_in() -> Callable[..., Mapping[str, Any]]:
    """Return what asks the stand-in of Plex the same questions."""
    try:
        from stash2plex_testing.probing import (  # noqa: PLC0415 - not in the archive
            fake_answers,
        )
    except ImportError as error:
        raise UsageError(
            "--compare needs the stand-in of the source checkout; run it there."
        ) from error
    return fake_answers
