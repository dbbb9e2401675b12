"""Defines what every command gets, and the options that several share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from attrs import define
from rich.console import Console, RenderableType

from stash2plex.app import App, open_app, store_errors_mapped
from stash2plex.cli.config import CliOptions, resolve
from stash2plex.cli.streams import json_text, write
from stash2plex.db import MAX_INTEGER
from stash2plex.errors import Stash2PlexError
from stash2plex.logs.handlers import Logs, plain
from stash2plex.sync.goals import PATIENCE


@define
class Shell:
    """What every command gets: the options, and where to write."""

    options: CliOptions
    as_json: bool
    out: Console
    err: Console
    logs: Logs

    @contextmanager
    def app(self) -> Iterator[App]:
        """Open the application. The text of an error is hidden if the user wants that."""
        resolved = resolve(self.options, os.environ)
        app = open_app(
            resolved.data_dir,
            resolved.address,
            overrides=resolved.settings,
            logs=self.logs,
        )
        try:
            with store_errors_mapped(app):
                yield app
        except Stash2PlexError as error:
            fix = error.fix and self.logs.redactor(error.fix)
            raise error.with_words(self.logs.redactor(error.what), fix) from error
        finally:
            app.close()

    def show(
        self, value: Any, lines: list[str], screen: Callable[[int], RenderableType] | None = None
    ) -> None:
        """Print data: as JSON if asked for, laid out on a terminal, else in words.

        `screen` makes the layout for a number of columns.
        """
        if self.as_json:
            write(json_text(value, sys.stdout), sys.stdout)
        elif screen is not None and self.out.is_terminal:
            self.out.print(screen(self.out.width), highlight=False)
        else:
            for line in lines:
                self.out.print(plain(self.logs.redactor(line)), highlight=False, markup=False)


def _switch_to_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.find_object(Shell).as_json = True  # type: ignore[union-attr]  # the group made it


JSON = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_switch_to_json,
    help="Print data as JSON.",
)

WAIT = click.option(
    "--wait",
    metavar="SECONDS",
    type=click.IntRange(0, 86_400),
    default=round(PATIENCE),
    show_default=True,
    help="How long to wait for a server that is down.",
)

SCENE_ID = click.IntRange(1, MAX_INTEGER)

SCENES = click.option(
    "--scene",
    "scenes",
    type=SCENE_ID,
    multiple=True,
    metavar="ID",
    help="This scene; can be repeated.",
)


class StopSignals:
    """Turns the first Ctrl-C or SIGTERM into a request to end in order."""

    def __init__(self) -> None:
        self._asked = False
        self.number = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, _frame: object) -> None:
        if self._asked:
            # A second one ends at once; leases and transactions survive that.
            os._exit(130)
        self._asked = True
        self.number = number

    def wanted(self) -> bool:
        """Return whether to end now."""
        return self._asked
