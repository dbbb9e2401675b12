"""Forgets which Plex item holds which file, and lists the library again."""

from __future__ import annotations

from stash2plex.app import App
from stash2plex.db import transaction
from stash2plex.sync.index_changes import read_index_changes


def rebuild_index(app: App) -> int:
    """Rebuild the index of Plex's files; returns how many items it holds.

    Raises what `open_session` and the clients raise.
    """
    session = app.open_session()
    store = app.store
    with transaction(store.connection):
        store.plex_files.clear()
        store.plex_comparisons.clear()
    session.index.adopt_server(session.plex.check_token().machine_id)
    read_index_changes(store, session)
    # Counted in the database: a worker may read part of the list at the same time.
    return store.plex_files.size()
