"""Commands that look after the dead letters."""

from __future__ import annotations

import click

from stash2plex.app import App
from stash2plex.cli.shell import DAY, JSON, SCENES, Shell
from stash2plex.errors import UsageError
from stash2plex.operations.reasons import REASONS
from stash2plex.text import count, local
from stash2plex.ui.dead_letters import letter_json, letter_lines, letters_json
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
        dead = app.store.dead_letters
        letters = dead.page(limit, offset, reason)
        groups = [group for group in dead.groups() if reason in (None, group.reason)]
        total = dead.total(reason)
    hide = shell.logs.curtain
    lines = [
        f"{one.kind}:{one.id} ({one.reason}, {local(one.last_failed_at)}): {one.error}"
        for one in letters
    ]
    shell.show(
        letters_json(letters, total, groups),
        [*lines, f"{count(total, 'dead letter')} in all."],
        lambda width: letters_screen(letters, groups, width, hide),
    )


@dlq.command("show")
@click.argument("scene", type=click.IntRange(1, 2**63 - 1))
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
        letter = app.store.dead_letters.find(kind, scene)
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
        changed = app.store.queue.redrive(_chosen(app, scenes, reason, everything=everything))
    shell.show({"changed": changed}, [f"Put {count(changed, 'dead letter')} back into the queue."])


@dlq.command("recover")
@JSON
@click.pass_obj
def dlq_recover(shell: Shell) -> None:
    """Put those back that died of an outage."""
    with shell.app() as app:
        changed = app.store.queue.redrive(app.store.dead_letters.recoverable())
    shell.show({"changed": changed}, [f"Put {count(changed, 'dead letter')} back into the queue."])


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
        changed = app.store.queue.discard(_chosen(app, scenes, reason, everything=everything))
    shell.show({"changed": changed}, [f"Removed {count(changed, 'dead letter')}."])


@dlq.command("purge")
@click.option("--days", type=click.IntRange(0, 36_500), default=30, show_default=True, help="Age.")
@JSON
@click.pass_obj
def dlq_purge(shell: Shell, *, days: int) -> None:
    """Forget dead letters that last failed so many days ago."""
    with shell.app() as app:
        changed = app.store.queue.clear_dead(before=app.clock() - days * DAY)
    shell.show({"changed": changed}, [f"Removed {count(changed, 'dead letter')}."])


def _chosen(
    app: App, scenes: tuple[int, ...], reason: str | None, *, everything: bool
) -> list[Key]:
    """List the keys that the options name. Raises UsageError unless exactly one of them does."""
    if sum((bool(scenes), reason is not None, everything)) != 1:
        raise UsageError("Say which dead letters: one of --scene ID, --reason, or --all.")
    if scenes:
        return [("scene", id_) for id_ in scenes]
    return app.store.dead_letters.keys(reason)
