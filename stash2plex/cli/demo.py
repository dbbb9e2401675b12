"""The demo, for a source checkout."""

from __future__ import annotations

import sys

import click

from stash2plex.errors import UsageError


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """Show everything with two stand-in servers on this machine (needs the source checkout)."""
    try:
        from stash2plex_testing.demo import main as run_demo  # noqa: PLC0415 - not in the archive
    except ImportError as error:
        raise UsageError(
            "The demo needs the stand-in servers of the source checkout; run “make demo” there."
        ) from error
    sys.exit(run_demo(list(arguments)))
