"""The command line: the same actions as in Stash, for a terminal and for scripts.

Data goes to stdout, messages and the progress bar to stderr. Exit codes: 0 done, 1 some scenes
failed, 2 bad usage or configuration, 3 a server is out of reach, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import click

from stash2plex.cli.completion import completion
from stash2plex.cli.config import CliOptions
from stash2plex.cli.dead_letters import dlq
from stash2plex.cli.demo import demo
from stash2plex.cli.file_names import restart_with_utf8_names
from stash2plex.cli.health import health
from stash2plex.cli.history import history
from stash2plex.cli.import_legacy import import_legacy
from stash2plex.cli.operation import operation
from stash2plex.cli.outages import outages
from stash2plex.cli.probe import probe_plex
from stash2plex.cli.reconcile import reconcile
from stash2plex.cli.report import report
from stash2plex.cli.restore import restore_command
from stash2plex.cli.scenes import scene_command
from stash2plex.cli.service import serve
from stash2plex.cli.shell import Shell
from stash2plex.cli.status import status
from stash2plex.cli.streams import (
    PlainConsole,
    PlainContext,
    ReaderGone,
    leave,
    prepare_streams,
    write,
)
from stash2plex.cli.sync import process, sync
from stash2plex.cli.undo import undo
from stash2plex.errors import Stash2PlexError
from stash2plex.logs.handlers import Logs, plain
from stash2plex.version import VERSION


@click.group(
    commands=[
        status,
        health,
        report,
        outages,
        process,
        sync,
        scene_command,
        reconcile,
        dlq,
        history,
        undo,
        serve,
        operation,
        probe_plex,
        import_legacy,
        restore_command,
        completion,
        demo,
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(VERSION, prog_name="stash2plex")
@click.option(
    "--stash-url", metavar="URL", help="Address of Stash. Default: http://127.0.0.1:9999."
)
@click.option(
    "--stash-certificate",
    metavar="FILE",
    help="Certificate that Stash shows, if it made its own: stash.crt beside its configuration.",
)
@click.option("--plex-url", metavar="URL", help="Address of Plex. Default: the plugin's setting.")
@click.option(
    "--plex-library",
    metavar="NAMES",
    help="Library names, comma-separated. Default: the plugin's setting.",
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
    stash_certificate: str | None,
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
    flags = {"plex_url": plex_url, "plex_library": plex_library}
    options = CliOptions(
        stash_url=stash_url,
        stash_certificate=stash_certificate,
        data_dir=data_dir,
        config_file=config_file,
        settings={key: value for key, value in flags.items() if value},
    )
    logs = Logs(sys.stderr, for_stash=False, debug=debug)
    context.obj = Shell(options, as_json, PlainConsole(), PlainConsole(stderr=True), logs)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line. An error becomes one sentence and an exit code."""
    restart_with_utf8_names()
    prepare_streams()
    for command in (cli, *cli.commands.values(), *dlq.commands.values()):
        command.context_class = PlainContext
    run: Callable[..., Any] = cli.main
    try:
        run(args=arguments, prog_name="stash2plex", standalone_mode=False)
    except Stash2PlexError as error:
        with suppress(ReaderGone):
            write(f"stash2plex: {plain(str(error))}", sys.stderr)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        with suppress(BrokenPipeError):
            error.show(sys.stderr)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except (ReaderGone, BrokenPipeError):
        leave()
        sys.exit(0)
    sys.exit(0)
