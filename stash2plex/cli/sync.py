"""The commands that send."""

from __future__ import annotations

import click

from stash2plex.cli.drain import drain, finish
from stash2plex.cli.shell import JSON, SCENES, WAIT, Shell
from stash2plex.errors import UsageError
from stash2plex.operations.enqueue import enqueue_all, enqueue_recent, enqueue_scenes
from stash2plex.operations.preview import preview_all, preview_recent, preview_scenes
from stash2plex.operations.runs import running
from stash2plex.text import DAY
from stash2plex.ui.lines.preview import preview_lines
from stash2plex.ui.lines.runs import begun_lines, sources_words


@click.command()
@WAIT
@JSON
@click.pass_obj
def process(shell: Shell, *, wait: int) -> None:
    """Send everything that is due to Plex, with a progress bar."""
    with shell.app() as app:
        with running(app, "stash2plex process", in_stash=False) as begun:
            for line in begun_lines(begun):
                shell.err.print(line, highlight=False, markup=False)
            summary = drain(shell, app, wait, begun)
        finish(shell, summary)


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every scene.")
@click.option("--recent", is_flag=True, help="Scenes that changed within 24 hours.")
@SCENES
@WAIT
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
@JSON
@click.pass_obj
def sync(
    shell: Shell,
    *,
    everything: bool,
    recent: bool,
    scenes: tuple[int, ...],
    wait: int,
    dry_run: bool,
) -> None:
    """Queue scenes, then process the queue."""
    if sum((everything, recent, bool(scenes))) != 1:
        raise UsageError("Choose the scenes with one of --all, --recent, or --scene ID.")
    with shell.app() as app:
        if dry_run:
            if everything:
                previewed = preview_all(app)
            elif recent:
                previewed = preview_recent(app, DAY)
            else:
                previewed = preview_scenes(app, scenes)
            shell.show(previewed.as_json(), preview_lines(previewed))
            return
        with running(app, "stash2plex sync", in_stash=False) as begun:
            if everything:
                enqueued = enqueue_all(app)
            elif recent:
                enqueued = enqueue_recent(app, DAY)
            else:
                enqueued = enqueue_scenes(app, scenes)
            text = enqueued.sentence(sources_words(begun))
            shell.err.print(text, highlight=False, markup=False)
            summary = drain(shell, app, wait, begun)
        finish(shell, summary)
