"""Tasks and operations that look, and change nothing in Plex."""

from __future__ import annotations

from typing import Any

from stash2plex.db import transaction
from stash2plex.operations.status import read_status, status_lines
from stash2plex.sync.index_changes import read_news
from stash2plex.tasks.task import Call
from stash2plex.text import count


def queue_status(call: Call) -> dict[str, Any]:
    """Log the status in words."""
    status = read_status(call.app)
    for line in status_lines(status):
        call.logger.info("%s", line)
    return status


def status(call: Call) -> dict[str, Any]:
    """Answer the status object."""
    return read_status(call.app)


def clear_match_cache(call: Call) -> str:
    """Forget the path index, and list Plex afresh."""
    session = call.app.open_session()
    store = call.app.store
    with transaction(store.connection):
        store.plex_files.clear()
        store.plex_comparisons.clear()
    session.index.adopt_server(session.plex.check_token().machine_id)
    read_news(store, session)
    # Not what this process read: a worker that looks at Plex at the same time reads a part of it.
    return call.say(f"The Plex index was rebuilt: {count(store.plex_files.size(), 'item')}.")
