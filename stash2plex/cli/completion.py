"""Completion of commands and options in the shell."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from stash2plex.cli.streams import write


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    Put it where the shell looks: “stash2plex completion bash >> ~/.bashrc”, or “stash2plex
    completion fish > ~/.config/fish/completions/stash2plex.fish”.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    group = context.find_root().command
    write(kind(group, {}, "stash2plex", "_STASH2PLEX_COMPLETE").source(), sys.stdout)
