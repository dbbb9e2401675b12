"""Keeps the libraries that Plex does not list: why, since when, and when the next try is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from attrs import asdict, frozen

from stash2plex.db import drop_meta, meta_beginning, set_meta, transaction
from stash2plex.errors import ServerError
from stash2plex.model import Section
from stash2plex.store.meta import LIBRARY_TROUBLE
from stash2plex.store.stored_json import load_shape

RETRY_BASE, RETRY_CAP = 10.0, 300.0
"""Seconds until a library is tried again, doubled with each failure, up to the maximum."""


@frozen
class LibraryTrouble:
    """A library whose list failed. Times are in seconds since the epoch.

    `locations` are its folders, `failures` counts the tries so far.
    """

    section_id: str
    title: str
    error: str
    since: float
    failures: int
    retry_at: float
    locations: list[str]

    def words(self) -> str:
        """Return the library and what is wrong with it, in words."""
        return f"Plex does not list “{self.title}”: {self.error}"


@frozen
class LibraryTroubles:
    """The libraries whose list failed, in one database, so that every process sees them."""

    connection: sqlite3.Connection

    def all(self) -> dict[str, LibraryTrouble]:
        """Return the troubles by the id of the library."""
        rows = meta_beginning(self.connection, LIBRARY_TROUBLE)
        troubles = [load_shape(value, LibraryTrouble) for _, value in rows]
        return {trouble.section_id: trouble for trouble in troubles if trouble is not None}

    def failed(self, section: Section, error: ServerError, now: float) -> LibraryTrouble:
        """Record that the list of a library failed."""
        old = self.all().get(section.id)
        failures = 1 if old is None else old.failures + 1
        delay = min(RETRY_CAP, RETRY_BASE * 2.0 ** min(failures - 1, 16))
        new = LibraryTrouble(
            section.id,
            section.title,
            error.what,
            now if old is None else min(old.since, now),
            failures,
            now + delay,
            list(section.locations),
        )
        with transaction(self.connection):
            set_meta(self.connection, LIBRARY_TROUBLE + section.id, json.dumps(asdict(new)))
        return new

    def forget(self, section_ids: Collection[str]) -> None:
        """Drop the trouble of libraries that are listed again or are gone."""
        if section_ids:
            drop_meta(
                self.connection, *(LIBRARY_TROUBLE + section_id for section_id in section_ids)
            )
