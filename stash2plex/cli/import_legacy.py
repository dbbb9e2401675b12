"""The command that takes over what Stash2Plex 1.x left."""

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
    """Queue the scenes that Stash2Plex 1.x had not done; DIR is its data or plugin folder.

    Nothing in DIR is changed. Settings are kept by Stash and keep their meaning.
    """
    found = read_legacy(folder)
    with shell.app() as app:
        added = enqueue_scenes(app, found.scene_ids)
        queued = added.queued + added.due
    queued_words = f"{count(queued, 'scene')} queued"
    lines = [f"{queued_words}: {len(found.waiting):,} were waiting, {len(found.dead):,} given up."]
    if found.unreadable:
        lines.append(
            f"{count(found.unreadable, 'job')} could not be read; “Sync All Scenes” finds them."
        )
    if found.left:
        lines.append(f"Left as they are, nothing in them is needed: {', '.join(found.left)}.")
    lines.append("Run “stash2plex process”, or “Process Queue” in Stash, to send them.")
    shell.show(
        {
            "queued": queued,
            "waiting": len(found.waiting),
            "dead": len(found.dead),
            "unreadable": found.unreadable,
            "left": list(found.left),
        },
        lines,
    )
