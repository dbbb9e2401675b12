"""The task that rebuilds the index of Plex's files."""

from __future__ import annotations

from stash2plex.operations.rebuild_index import rebuild_index
from stash2plex.tasks.task import Call
from stash2plex.text import count


def clear_match_cache(call: Call) -> str:
    """Clear the index, and list Plex again."""
    rebuilt = rebuild_index(call.app)
    text = f"The Plex index was rebuilt: {count(rebuilt.items, 'item')}."
    missing = "".join(f" {trouble.words()}" for trouble in rebuilt.unlisted)
    return call.report(text + missing)
