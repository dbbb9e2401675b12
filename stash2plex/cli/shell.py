"""What every command gets, and how a drain on a terminal begins and ends."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from attrs import define
from rich.console import Console, RenderableType

from stash2plex.app import App, open_app, store_errors_mapped
from stash2plex.cli.config import CliOptions, resolve
from stash2plex.errors import Stash2PlexError
from stash2plex.logs.handlers import Logs, plain
from stash2plex.operations.foreground import drain_here
from stash2plex.store.runs import Begun
from stash2plex.sync.worker import PATIENCE, Goal, Summary
from stash2plex.ui.terminal import TerminalProgress

CONTROL = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that JSON leaves as they are and a terminal obeys."""


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
        """Open the application; what an error says is hidden where that is asked for."""
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
            fix = error.fix and self.logs.curtain(error.fix)
            raise error.with_words(self.logs.curtain(error.what), fix) from error
        finally:
            app.close()

    def show(
        self, value: Any, lines: list[str], screen: Callable[[int], RenderableType] | None = None
    ) -> None:
        """Print data: as JSON where asked for, laid out on a terminal, else in words.

        `screen` makes the layout for so many columns.
        """
        if self.as_json:
            text = json.dumps(value, indent=2, ensure_ascii=False)
            # What a terminal would take for an order is spelt out; it is the same JSON.
            click.echo(CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
        elif screen is not None and self.out.is_terminal:
            self.out.print(screen(self.out.width), highlight=False)
        else:
            for line in lines:
                self.out.print(plain(self.logs.curtain(line)), highlight=False, markup=False)


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

SCENES = click.option(
    "--scene",
    "scenes",
    type=click.IntRange(1, 2**63 - 1),
    multiple=True,
    metavar="ID",
    help="This scene; may be given several times.",
)


def drain(shell: Shell, app: App, wait: int, begun: Begun) -> Summary:
    """Drain for a run in the foreground with a progress bar."""
    stop = StopSignals()
    with TerminalProgress(shell.err) as observer:
        return drain_here(
            app,
            Goal("command line", foreground=True, patience=float(wait), run_id=begun.id),
            observer,
            stop.wanted,
            begun.at,
        )


def drained(summary: Summary) -> dict[str, Any]:
    """Say what a drain did as JSON has it."""
    done = summary.progress
    return {
        "done": done.done,
        "failed": done.failed,
        "later": done.later,
        "left": done.left,
        "seconds": round(summary.seconds, 2),
        "gave_up": summary.gave_up or None,
    }


def finish(shell: Shell, summary: Summary) -> NoReturn:
    """Print what a drain did and leave with the exit code that says the same."""
    shell.show(drained(summary), [summary.sentence()])
    leave(summary)


def leave(summary: Summary) -> NoReturn:
    """Leave with the exit code that says what a drain did."""
    if summary.error is not None:
        sys.exit(summary.error.exit_code)
    sys.exit(3 if summary.gave_up else 1 if summary.progress.failed else 0)


class StopSignals:
    """Turns the first Ctrl-C or SIGTERM into a request to end, with everything given back."""

    def __init__(self) -> None:
        self._asked = False
        self.number = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, _frame: object) -> None:
        if self._asked:
            # The second one means it; leases and transactions survive any end.
            os._exit(130)
        self._asked = True
        self.number = number

    def wanted(self) -> bool:
        """Say whether to end now."""
        return self._asked
