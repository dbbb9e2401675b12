"""The command that puts Plex back."""

from __future__ import annotations

import click

from stash2plex.cli.drain import drain, leave, sentence
from stash2plex.cli.shell import JSON, SCENE_ID, SCENES, WAIT, Shell
from stash2plex.model import Field
from stash2plex.operations.runs import running
from stash2plex.operations.undo import Chosen, forecast, queue_undo, undo_report
from stash2plex.text import count
from stash2plex.ui.lines.undo import forecast_lines, report_lines


@click.command()
@SCENES
@click.option(
    "--item", "items", multiple=True, metavar="KEY", help="This Plex item; can be repeated."
)
@click.option("--run", "run", type=SCENE_ID, metavar="ID", help="Only the writes of this run.")
@click.option("--all", "everything", is_flag=True, help="Every scene.")
@click.option(
    "--left-out", is_flag=True, help="Scenes that were written, and are left out of Plex by now."
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    type=click.Choice([str(name) for name in Field]),
    help="Only this field; can be repeated.",
)
@WAIT
@click.option("--dry-run", is_flag=True, help="Only show what would be put back.")
@JSON
@click.pass_obj
def undo(
    shell: Shell,
    *,
    scenes: tuple[int, ...],
    items: tuple[str, ...],
    run: int | None,
    everything: bool,
    left_out: bool,
    fields: tuple[str, ...],
    wait: int,
    dry_run: bool,
) -> None:
    """Put back what Plex showed before Stash2Plex wrote to it.

    What was changed since stays as it is. No sync writes the scenes again until you ask for them
    with “sync --scene ID”.
    """
    chosen = Chosen(
        scene_ids=scenes,
        rating_keys=items,
        run_id=run or 0,
        everything=everything,
        left_out=left_out,
        fields=frozenset(map(Field, fields)),
    )
    chosen.check()
    with shell.app() as app:
        if dry_run:
            known = forecast(app, chosen)
            shell.show(known.as_json(), forecast_lines(known))
            return
        with running(app, "stash2plex undo", in_stash=False) as begun:
            queued = queue_undo(app, chosen, run_id=begun.id)
            print_to(shell, f"{count(len(queued), 'scene')} queued to be put back.")
            summary = drain(shell, app, wait, begun)
            report = undo_report(app, queued)
        shell.show(report.as_json(), report_lines(report))
        if summary.error is not None or summary.gave_up:
            print_to(shell, sentence(summary))
        leave(summary)


def print_to(shell: Shell, text: str) -> None:
    """Print a message for the user, not data."""
    shell.err.print(text, highlight=False, markup=False)
