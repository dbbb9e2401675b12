"""The command line: the same deeds as in Stash, for a terminal and for scripts.

Data goes to stdout, messages and the progress bar to stderr. Exit codes: 0 done, 1 some scenes
failed, 2 bad usage or configuration, 3 a server is out of reach, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from attrs import define
from rich.console import Console
from rich.table import Table

from stash2plex.app import App, open_app, store_errors_mapped
from stash2plex.cliconfig import CliOptions, resolve
from stash2plex.enqueue import enqueue_all, enqueue_recent, enqueue_scenes
from stash2plex.errors import Stash2PlexError, UsageError
from stash2plex.foreground import drain_here
from stash2plex.observe import count, local, log_to_terminal
from stash2plex.status import read_status, status_lines
from stash2plex.terminal import TerminalProgress
from stash2plex.version import VERSION
from stash2plex.worker import PATIENCE, Goal, Summary

DAY = 86_400.0


@define
class Shell:
    """What every command gets: the options, and where to write."""

    options: CliOptions
    as_json: bool
    out: Console
    err: Console

    @contextmanager
    def app(self) -> Iterator[App]:
        """Open the application; configuration problems go to stderr."""
        resolved = resolve(self.options, os.environ)
        app = open_app(
            resolved.data_dir,
            resolved.address,
            overrides=resolved.settings,
            warn=lambda text: self.err.print(f"[yellow]{text}[/]", highlight=False),
        )
        try:
            with store_errors_mapped(resolved.data_dir):
                yield app
        finally:
            app.close()

    def show(self, value: Any, lines: list[str]) -> None:
        """Print data: as JSON where asked for, else in words."""
        if self.as_json:
            click.echo(json.dumps(value, indent=2, ensure_ascii=False))
        else:
            for line in lines:
                self.out.print(line, highlight=False, markup=False)


WAIT = click.option(
    "--wait",
    metavar="SECONDS",
    type=click.IntRange(0, 86_400),
    default=round(PATIENCE),
    show_default=True,
    help="How long to wait for a server that is down.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="stash2plex")
@click.option(
    "--stash-url", metavar="URL", help="Address of Stash. Default: http://127.0.0.1:9999."
)
@click.option("--plex-url", metavar="URL", help="Address of Plex. Default: the plugin's setting.")
@click.option(
    "--plex-library",
    metavar="NAMES",
    help="Libraries, comma-separated. Default: the plugin's setting.",
)
@click.option(
    "--data-dir",
    metavar="FOLDER",
    help="Folder of stash2plex.db. Default: the plugin's own, found through Stash.",
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    help="TOML file. Default: ~/.config/stash2plex/config.toml.",
)
@click.option("--json", "as_json", is_flag=True, help="Print data as JSON.")
@click.option("--debug", is_flag=True, help="Explain every decision on stderr.")
@click.pass_context
def cli(
    context: click.Context,
    stash_url: str | None,
    plex_url: str | None,
    plex_library: str | None,
    data_dir: str | None,
    config_file: str | None,
    as_json: bool,
    debug: bool,
) -> None:
    """Keep Plex equal to what you curate in Stash.

    Secrets come from the environment (STASH2PLEX_STASH_API_KEY, STASH2PLEX_PLEX_TOKEN) or the TOML
    file, never from a flag: the process list shows flags to everyone.
    """
    log_to_terminal(sys.stderr, debug=debug)
    flags = {"plex_url": plex_url, "plex_library": plex_library}
    options = CliOptions(
        stash_url=stash_url,
        data_dir=data_dir,
        config_file=config_file,
        settings={key: value for key, value in flags.items() if value},
    )
    context.obj = Shell(options, as_json, Console(), Console(stderr=True))


@cli.command()
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


@cli.command()
@WAIT
@click.pass_obj
def process(shell: Shell, *, wait: int) -> None:
    """Send everything that is due to Plex, with a progress bar."""
    with shell.app() as app:
        finish(shell, drain(shell, app, wait))


@cli.command()
@click.option("--all", "everything", is_flag=True, help="Every scene.")
@click.option("--recent", is_flag=True, help="Scenes that changed within 24 hours.")
@click.option(
    "--scene",
    "scenes",
    type=click.IntRange(1, 2**63 - 1),
    multiple=True,
    metavar="ID",
    help="This scene; may be given several times.",
)
@WAIT
@click.pass_obj
def sync(
    shell: Shell, *, everything: bool, recent: bool, scenes: tuple[int, ...], wait: int
) -> None:
    """Queue scenes, then process the queue."""
    if sum((everything, recent, bool(scenes))) != 1:
        raise UsageError("Say which scenes: one of --all, --recent, or --scene ID.")
    with shell.app() as app:
        if everything:
            found = enqueue_all(app)
        elif recent:
            found = enqueue_recent(app, DAY)
        else:
            found = enqueue_scenes(app, scenes)
        shell.err.print(found.sentence(), highlight=False)
        finish(shell, drain(shell, app, wait))


@cli.group()
def dlq() -> None:
    """Look after the dead letters: scenes that were given up."""


@dlq.command("list")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Rows.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows to pass over.")
@click.pass_obj
def dlq_list(shell: Shell, *, limit: int, offset: int) -> None:
    """List the dead letters, newest first."""
    with shell.app() as app:
        rows = app.store.queue.dead_letters(limit, offset)
        total = app.store.queue.counts().dead
    if shell.as_json:
        names = (
            "kind",
            "id",
            "title",
            "reason",
            "error",
            "attempts",
            "first_failed_at",
            "last_failed_at",
        )
        shell.show(
            {"total": total, "items": [dict(zip(names, row, strict=True)) for row in rows]}, []
        )
        return
    table = Table(box=None, header_style="bold")
    for name in ("Scene", "Title", "Reason", "Last failed", "What happened"):
        table.add_column(name)
    for kind, id_, title, reason, error, _, _, last in rows:
        table.add_row(f"{kind}:{id_}", title, reason, local(last), error)
    shell.out.print(table)
    shell.out.print(f"{count(total, 'dead letter')} in all.", highlight=False)


@dlq.command("retry")
@click.option(
    "--scene",
    "scenes",
    type=click.IntRange(1, 2**63 - 1),
    multiple=True,
    metavar="ID",
    help="Only this scene; may be given several times.",
)
@click.option("--reason", help="Only those of this reason, such as not_in_plex.")
@click.pass_obj
def dlq_retry(shell: Shell, *, scenes: tuple[int, ...], reason: str | None) -> None:
    """Put dead letters back with fresh attempts."""
    with shell.app() as app:
        keys = [("scene", id_) for id_ in scenes] if scenes else None
        changed = app.store.queue.redrive(keys, reason=reason)
    shell.show({"changed": changed}, [f"Put {count(changed, 'dead letter')} back into the queue."])


@dlq.command("discard")
@click.argument("scenes", type=click.IntRange(1, 2**63 - 1), nargs=-1, required=True)
@click.pass_obj
def dlq_discard(shell: Shell, *, scenes: tuple[int, ...]) -> None:
    """Forget the dead letters of these scenes."""
    with shell.app() as app:
        changed = app.store.queue.discard([("scene", id_) for id_ in scenes])
    shell.show({"changed": changed}, [f"Removed {count(changed, 'dead letter')}."])


@dlq.command("purge")
@click.option("--days", type=click.IntRange(0, 36_500), default=30, show_default=True, help="Age.")
@click.pass_obj
def dlq_purge(shell: Shell, *, days: int) -> None:
    """Forget dead letters that last failed so many days ago."""
    with shell.app() as app:
        changed = app.store.queue.clear_dead(before=app.clock() - days * DAY)
    shell.show({"changed": changed}, [f"Removed {count(changed, 'dead letter')}."])


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """Show it all with two stand-in servers on this machine (needs the source checkout)."""
    try:
        from stash2plex_testing.demo import main as run_demo  # noqa: PLC0415 - not in the archive
    except ImportError as error:
        raise UsageError(
            "The demo needs the stand-in servers of the source checkout; run “make demo” there."
        ) from error
    sys.exit(run_demo(list(arguments)))


def drain(shell: Shell, app: App, wait: int) -> Summary:
    """Drain in the foreground with a progress bar."""
    stop = StopSignals()
    with TerminalProgress(shell.err) as observer:
        return drain_here(
            app,
            Goal("command line", foreground=True, patience=float(wait)),
            observer,
            stop.wanted,
        )


def finish(shell: Shell, summary: Summary) -> NoReturn:
    """Print what a drain did and leave with the exit code that says the same."""
    done = summary.progress
    value = {
        "done": done.done,
        "failed": done.failed,
        "later": done.later,
        "left": done.left,
        "seconds": round(summary.seconds, 2),
        "gave_up": summary.gave_up or None,
    }
    shell.show(value, [summary.sentence()])
    if summary.error is not None:
        sys.exit(summary.error.exit_code)
    sys.exit(3 if summary.gave_up else 1 if done.failed else 0)


class StopSignals:
    """Turns the first Ctrl-C or SIGTERM into a request to end, with everything given back."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        if self._asked:
            # The second one means it; leases and transactions survive any end.
            os._exit(130)
        self._asked = True

    def wanted(self) -> bool:
        """Say whether to end now."""
        return self._asked


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line; errors become one sentence and an exit code."""
    run: Callable[..., Any] = cli.main
    try:
        run(args=arguments, prog_name="stash2plex", standalone_mode=False)
    except Stash2PlexError as error:
        click.echo(f"stash2plex: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader, such as head, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)
    sys.exit(0)
