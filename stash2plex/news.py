"""Reads what is new in Plex, and wakes the keys that wait for it."""

from __future__ import annotations

import logging

from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.observe import LOGGER, count
from stash2plex.plexindex import News
from stash2plex.session import Session, Store

WOKEN = "plex_listing_woken"
"""Name of the number of the last reading that keys were woken for."""


def read_news(store: Store, session: Session, *, missed: bool = False) -> News:
    """Bring the path index and the path rules up to date; returns what was read.

    Every scene that waits for a file of a name that was read now becomes due, also one that was
    given up. Raises what `PlexIndex.refresh` does.
    """
    news = session.index.refresh(session.settings.plex_library, missed=missed)
    listing = session.index.listing()
    woken = int(get_meta(store.connection, WOKEN) or 0)
    if listing != woken:
        with transaction(store.connection):
            if news.whole:
                store.path_rules.check(session.index.locations())
            keys = [("scene", id_) for id_ in store.missed.may_match(woken)]
            if keys:
                store.queue.wake(keys)
                logging.getLogger(LOGGER).debug("Plex changed: %s due.", count(len(keys), "key"))
            set_meta(store.connection, WOKEN, str(listing))
    return news
