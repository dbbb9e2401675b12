"""Forgets which Plex item holds which file, and lists the library again."""

from __future__ import annotations

from attrs import frozen

from stash2plex.app import App
from stash2plex.db import transaction
from stash2plex.store.library_troubles import LibraryTrouble
from stash2plex.sync.index_changes import read_index_changes


@frozen
class Rebuilt:
    """How many items the index holds, and the libraries whose list Plex did not give."""

    items: int
    unlisted: tuple[LibraryTrouble, ...]


def rebuild_index(app: App) -> Rebuilt:
    """Rebuild the index of Plex's files. A library whose list fails stops no other.

    Raises what `open_session` and the clients raise.
    """
    session = app.open_session()
    store = app.store
    with transaction(store.connection):
        store.plex_files.clear()
        store.plex_comparisons.clear()
    session.index.adopt_server(session.plex.check_token().machine_id)
    changes = read_index_changes(store, session, retry=True)
    # Counted in the database: a worker may read part of the list at the same time.
    return Rebuilt(store.plex_files.size(), changes.unlisted)
