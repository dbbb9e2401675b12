"""Tasks and operations that look, and change nothing in Plex."""

from __future__ import annotations

from typing import Any

from stash2plex.db import transaction
from stash2plex.operations.runs import settle_stops
from stash2plex.operations.status import read_status, status_lines
from stash2plex.sync.index_changes import read_news
from stash2plex.tasks.context import Context
from stash2plex.text import count


def queue_status(context: Context) -> dict[str, Any]:
    """Log the status in words."""
    value = status(context)
    for line in status_lines(value):
        context.logger.info("%s", line)
    return value


def status(context: Context) -> dict[str, Any]:
    """Answer the status object."""
    settle_stops(context.app)
    return read_status(context.app)


def clear_match_cache(context: Context) -> str:
    """Forget the path index, and list Plex afresh."""
    session = context.app.open_session()
    store = context.app.store
    with transaction(store.connection):
        store.plex_files.clear()
        store.plex_comparisons.clear()
    session.index.adopt_server(session.plex.check_token().machine_id)
    read_news(store, session)
    # Not what this process read: a worker that looks at Plex at the same time reads a part of it.
    return context.say(f"The Plex index was rebuilt: {count(store.plex_files.size(), 'item')}.")
