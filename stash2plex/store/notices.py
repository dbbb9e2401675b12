"""Keeps what the user was notified of, and the trouble that waits to be reported."""

from __future__ import annotations

import sqlite3

from stash2plex.db import drop_meta, get_meta, set_meta, transaction
from stash2plex.hook import last_notified
from stash2plex.store.meta import NOTIFIED_AT, TROUBLE, TROUBLE_NOTIFIED


def notified_at(database: sqlite3.Connection, now: float) -> float:
    """Return when the user was last notified. If the clock was set back, that is now at most."""
    return min(now, last_notified(get_meta(database, NOTIFIED_AT), now))


def mark_notified(database: sqlite3.Connection, now: float) -> None:
    """Record that everything until now was reported."""
    with transaction(database):
        database.execute("DELETE FROM missing_news")
        set_meta(database, NOTIFIED_AT, str(now))


def note_trouble(database: sqlite3.Connection, text: str) -> None:
    """Store the message about an unusable setting, unless it was reported already."""
    if get_meta(database, TROUBLE_NOTIFIED) != text:
        with transaction(database):
            set_meta(database, TROUBLE, text)


def take_trouble(database: sqlite3.Connection) -> str | None:
    """Return the message about an unusable setting, and mark it as reported."""
    text = get_meta(database, TROUBLE)
    if text is not None:
        with transaction(database):
            set_meta(database, TROUBLE_NOTIFIED, text)
            drop_meta(database, TROUBLE)
    return text


def read_setting_trouble(database: sqlite3.Connection) -> str | None:
    """Return the message about an unusable setting, reported or not; None if all can be used."""
    return get_meta(database, TROUBLE) or get_meta(database, TROUBLE_NOTIFIED)


def end_trouble(database: sqlite3.Connection) -> None:
    """Delete the message: the settings can be used."""
    if get_meta(database, TROUBLE) or get_meta(database, TROUBLE_NOTIFIED):
        drop_meta(database, TROUBLE, TROUBLE_NOTIFIED)
