"""The commands for dead letters."""

from __future__ import annotations

import click
from attrs import evolve

from stash2plex.app import App
from stash2plex.cli.shell import JSON, SCENE_ID, SCENES, Shell
from stash2plex.errors import UsageError
from stash2plex.operations.dead_letters import (
    discard_letters,
    find_letter,
    letter_json,
    letter_keys,
    list_letters,
    purge_letters,
    recover_letters,
    retry_letters,
)
from stash2plex.operations.reasons import REASONS
from stash2plex.text import count
from stash2plex.ui.lines.dead_letters import (
    letter_line,
    letter_lines,
    removed_sentence,
    retried_sentence,
)
from stash2plex.ui.screens import letters_screen
from stash2plex.workqueue import Key

REASON = click.option(
    "--reason", type=click.Choice(sorted(REASONS)), help="Only those with this reason."
)
ALL = click.option("--all", "everything", is_flag=True, help="All of them.")


@click.group()
def dlq() -> None:
    """Show and handle dead letters: scenes that were given up."""


@dlq.command("list")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Rows.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows to skip.")
@REASON
@JSON
@click.pass_obj
def dlq_list(shell: Shell, *, limit: int, offset: int, reason: str | None) -> None:
    """List dead letters grouped by reason, newest first."""
    with shell.app() as app:
        page = list_letters(app, limit, offset, reason)
    if reason is not None:
        page = evolve(page, groups=[group for group in page.groups if group.reason == reason])
    hide = shell.logs.redactor
    lines = [letter_line(letter) for letter in page.letters]
    shell.show(
        page.as_json(),
        [*lines, f"{count(page.total, 'dead letter')} in all."],
        lambda width: letters_screen(page.letters, page.groups, width, hide),
    )


@dlq.command("show")
@click.argument("scene", type=SCENE_ID)
@click.option(
    "--kind",
    type=click.Choice(["scene", "performer", "studio", "tag", "group"]),
    default="scene",
    show_default=True,
    help="What kind of thing the number stands for.",
)
@JSON
@click.pass_obj
def dlq_show(shell: Shell, *, scene: int, kind: str) -> None:
    """Show one dead letter with its whole history."""
    with shell.app() as app:
        letter = find_letter(app, kind, scene)
    if letter is None:
        raise UsageError(f"{kind}:{scene} is not a dead letter; “dlq list” shows those that are.")
    shell.show(letter_json(letter), letter_lines(letter))


@dlq.command("retry")
@SCENES
@REASON
@ALL
@JSON
@click.pass_obj
def dlq_retry(
    shell: Shell, *, scenes: tuple[int, ...], reason: str | None, everything: bool
) -> None:
    """Put dead letters back into the queue with fresh attempts."""
    with shell.app() as app:
        changed = retry_letters(app, _chosen(app, scenes, reason, everything=everything))
    shell.show({"changed": changed}, [retried_sentence(changed)])


@dlq.command("recover")
@JSON
@click.pass_obj
def dlq_recover(shell: Shell) -> None:
    """Put dead letters that came from an outage back into the queue."""
    with shell.app() as app:
        changed = recover_letters(app).number
    shell.show({"changed": changed}, [retried_sentence(changed)])


@dlq.command("discard")
@SCENES
@REASON
@ALL
@JSON
@click.pass_obj
def dlq_discard(
    shell: Shell, *, scenes: tuple[int, ...], reason: str | None, everything: bool
) -> None:
    """Remove dead letters; Plex keeps what it has, and the next edit of a scene is sent."""
    with shell.app() as app:
        changed = discard_letters(app, _chosen(app, scenes, reason, everything=everything))
    shell.show({"changed": changed}, [removed_sentence(changed)])


@dlq.command("purge")
@click.option(
    "--days", type=click.IntRange(0, 36_500), default=30, show_default=True, help="Age in days."
)
@JSON
@click.pass_obj
def dlq_purge(shell: Shell, *, days: int) -> None:
    """Remove dead letters that last failed more than --days ago."""
    with shell.app() as app:
        changed = purge_letters(app, days).number
    shell.show({"changed": changed}, [removed_sentence(changed)])


def _chosen(
    app: App, scenes: tuple[int, ...], reason: str | None, *, everything: bool
) -> list[Key]:
    """List the keys that the options name. Raises UsageError unless exactly one option is set."""
    if sum((bool(scenes), reason is not None, everything)) != 1:
        raise UsageError("Choose the dead letters with one of --scene ID, --reason, or --all.")
    if scenes:
        return [("scene", id_) for id_ in scenes]
    return letter_keys(app, reason)
