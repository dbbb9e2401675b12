"""The command that takes over what Stash2Plex 1.x left unfinished."""

from __future__ import annotations

import click

from stash2plex.cli.shell import JSON, Shell
from stash2plex.operations.enqueue import enqueue_scenes
from stash2plex.operations.import_legacy import read_legacy
from stash2plex.text import count


@click.command("import-legacy")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@JSON
@click.pass_obj
def import_legacy(shell: Shell, *, folder: str) -> None:
    """Queue the scenes that Stash2Plex 1.x left unfinished; DIR is its data or plugin folder.

    Nothing in DIR is changed. Stash keeps the settings, and they keep their meaning.
    """
    legacy = read_legacy(folder)
    with shell.app() as app:
        added = enqueue_scenes(app, legacy.scene_ids)
        queued = added.queued + added.due
    queued_words = f"{count(queued, 'scene')} queued"
    lines = [
        f"{queued_words}: {len(legacy.waiting):,} were waiting, {len(legacy.dead):,} given up."
    ]
    if legacy.unreadable:
        lines.append(
            f"{count(legacy.unreadable, 'job')} could not be read; “Sync All Scenes” finds them."
        )
    if legacy.left:
        lines.append(f"Left as they are, because they are not needed: {', '.join(legacy.left)}.")
    lines.append("Run “stash2plex process”, or “Process Queue” in Stash, to send them.")
    shell.show(
        {
            "queued": queued,
            "waiting": len(legacy.waiting),
            "dead": len(legacy.dead),
            "unreadable": legacy.unreadable,
            "left": list(legacy.left),
        },
        lines,
    )
