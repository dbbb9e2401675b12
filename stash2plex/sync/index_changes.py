"""Reads what is new in Plex, and makes the keys due that wait for it."""

from __future__ import annotations

import logging

from stash2plex.db import set_meta, transaction
from stash2plex.errors import LibraryUnread
from stash2plex.store.meta import LISTING_WOKEN, get_number
from stash2plex.sync.indexing import IndexChanges
from stash2plex.sync.session import Session, Store
from stash2plex.text import count

CHUNK = 2_000
"""Keys in one transaction, so that a hook never waits long for the write lock."""


def read_index_changes(
    store: Store,
    session: Session,
    *,
    missed: bool = False,
    complete: bool = False,
    retry: bool = False,
) -> IndexChanges:
    """Bring the path index and the path rules up to date; returns what was read.

    Every scene that waits for a file whose name was read now becomes due, even one that was given
    up. The options are those of `PlexIndex.refresh`; raises what that raises.
    """
    troubled = store.library_troubles.all()
    changes = session.index.refresh(
        session.settings.plex_library, missed=missed, complete=complete, retry=retry
    )
    listing = store.plex_files.listing()
    woken = int(get_number(store.connection, LISTING_WOKEN) or 0)
    if listing != woken:
        if changes.whole:
            store.path_rules.check(store.plex_files.locations())
        partners = store.followers.new_partners(woken) if len(changes.sections) > 1 else []
        store.records.invalidate(partners)
        ids = {*store.awaited_files.may_match(woken), *partners}
        keys = [("scene", id_) for id_ in sorted(ids)]
        for start in range(0, len(keys), CHUNK):
            store.queue.wake(keys[start : start + CHUNK])
        if keys:
            logging.getLogger(__name__).debug("Plex changed: %s due.", count(len(keys), "scene"))
        with transaction(store.connection):
            set_meta(store.connection, LISTING_WOKEN, str(listing))
    if troubled.keys() - {library.section_id for library in changes.unlisted}:
        # What waits for a library that is listed again, matched or not.
        waiting = store.queue.waiting_for(LibraryUnread.reason)
        for start in range(0, len(waiting), CHUNK):
            store.queue.wake(waiting[start : start + CHUNK])
    return changes
