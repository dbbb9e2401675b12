"""Commands that look after the dead letters."""

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
    "--reason", type=click.Choice(sorted(REASONS)), help="Only those of this reason."
)
ALL = click.option("--all", "everything", is_flag=True, help="All of them.")


@click.group()
def dlq() -> None:
    """Look after the dead letters: scenes that were given up."""


@dlq.command("list")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Rows.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows to pass over.")
@REASON
@JSON
@click.pass_obj
def dlq_list(shell: Shell, *, limit: int, offset: int, reason: str | None) -> None:
    """List the dead letters under their reasons, newest first."""
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
    help="What the number stands for.",
)
@JSON
@click.pass_obj
def dlq_show(shell: Shell, *, scene: int, kind: str) -> None:
    """Show one dead letter with its whole history."""
    with shell.app() as app:
        letter = find_letter(app, kind, scene)
    if letter is None:
        raise UsageError(f"{kind}:{scene} is no dead letter; “dlq list” shows those that are.")
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
    """Put dead letters back with fresh attempts."""
    with shell.app() as app:
        changed = retry_letters(app, _chosen(app, scenes, reason, everything=everything))
    shell.show({"changed": changed}, [retried_sentence(changed)])


@dlq.command("recover")
@JSON
@click.pass_obj
def dlq_recover(shell: Shell) -> None:
    """Put those back that died of an outage."""
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
    """Forget dead letters; Plex keeps what it has, and the next edit of a scene is sent."""
    with shell.app() as app:
        changed = discard_letters(app, _chosen(app, scenes, reason, everything=everything))
    shell.show({"changed": changed}, [removed_sentence(changed)])


@dlq.command("purge")
@click.option("--days", type=click.IntRange(0, 36_500), default=30, show_default=True, help="Age.")
@JSON
@click.pass_obj
def dlq_purge(shell: Shell, *, days: int) -> None:
    """Forget dead letters that last failed so many days ago."""
    with shell.app() as app:
        changed = purge_letters(app, days).number
    shell.show({"changed": changed}, [removed_sentence(changed)])


def _chosen(
    app: App, scenes: tuple[int, ...], reason: str | None, *, everything: bool
) -> list[Key]:
    """List the keys that the options name. Raises UsageError unless exactly one of them does."""
    if sum((bool(scenes), reason is not None, everything)) != 1:
        raise UsageError("Say which dead letters: one of --scene ID, --reason, or --all.")
    if scenes:
        return [("scene", id_) for id_ in scenes]
    return letter_keys(app, reason)
