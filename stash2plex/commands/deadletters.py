"""Commands that look after the dead letters."""

from __future__ import annotations

import click
from rich.table import Table
from rich.text import Text

from stash2plex.commands.shell import DAY, SCENES, Shell
from stash2plex.observe import count, local, plain


@click.group()
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
        # Titles are anybody's: none is markup, none moves the cursor.
        table.add_row(f"{kind}:{id_}", Text(plain(title)), reason, local(last), Text(plain(error)))
    shell.out.print(table)
    shell.out.print(f"{count(total, 'dead letter')} in all.", highlight=False)


@dlq.command("retry")
@SCENES
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
