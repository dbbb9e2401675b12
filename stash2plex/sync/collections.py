"""Knows which collections we made, and deletes those that are empty after items were put back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from stash2plex.db import transaction
from stash2plex.errors import ServerError, Stash2PlexError
from stash2plex.model import Clock, Field
from stash2plex.rules.spelling import fold, folds
from stash2plex.servers.plex import Plex
from stash2plex.sync.in_flight import InFlight, Step
from stash2plex.sync.session import Matched, Session, Store
from stash2plex.sync.writes import Plan
from stash2plex.text import count

LIST_SECONDS = 10.0
"""How long a list of collections is waited for, if the settings allow more."""

AGAIN_SECONDS = 60.0
"""Seconds until the empty collections are looked for again after a failure."""


class Collections:
    """Learns once in a drain, and only where a new name is written, which collections exist.

    Belongs to the thread of the database. `monotonic` returns seconds since an arbitrary time.
    """

    def __init__(self, store: Store, flight: InFlight, monotonic: Clock) -> None:
        self._store = store
        self._flight = flight
        self._monotonic = monotonic
        self._log = logging.getLogger(__name__)
        self._listed: dict[str, set[str] | None] = {}
        """The folded names by library; None where Plex does not list them."""
        self._is_cleaning = False
        self._may_be_empty = store.own_collections.were_left
        self._not_before = monotonic()

    @property
    def busy(self) -> bool:
        """Whether the empty ones are being looked for."""
        return self._is_cleaning

    # -- which are ours -------------------------------------------------------------------

    def list_first(
        self, matches: Sequence[Matched], session: Session, then: Callable[[], None]
    ) -> bool:
        """List the collections that must be known before scenes are written, and go on with `then`.

        Returns False if nothing has to be listed; then `then` is not called.
        """
        wanted: dict[str, set[str]] = {}
        for matched in matches:
            names = folds(matched.desired.lists.get(Field.COLLECTION, ()))
            for file in (matched.match.file, *matched.match.also):
                if names and file.section_id not in self._listed:
                    wanted.setdefault(file.section_id, set()).update(names)
        server = self._store.first_states.server
        sections = [
            section_id
            for section_id, names in wanted.items()
            if names - self._store.own_collections.names(server, section_id)
        ]
        if not sections:
            return False

        def listed(titles: Mapping[str, set[str] | None]) -> None:
            self._listed.update(titles)
            then()

        def failed(_error: Exception) -> None:
            listed(dict.fromkeys(sections))

        self._flight.start(partial(_list, session.plex, sections), Step(listed, failed))
        return True

    def announce(self, plans: Sequence[Plan]) -> None:
        """Keep which collections a write makes. Belongs to the transaction of the caller."""
        server = self._store.first_states.server
        for plan in plans:
            change = plan.change.lists.get(Field.COLLECTION)
            section_id = plan.job.item.section_id
            there = self._listed.get(section_id)
            if change is None or there is None:
                continue
            new = folds(change.wanted) - there
            if new:
                there |= new
                self._store.own_collections.add(server, section_id, new)

    # -- which are empty ------------------------------------------------------------------

    def note_left(self) -> None:
        """Record that items left collections. Belongs to the transaction of the caller."""
        self._store.own_collections.note_left()
        self._may_be_empty = True

    def clean_up(self, session: Session) -> None:
        """Delete ours that are empty, once everything that was asked for is put back."""
        if self._is_cleaning or not self._may_be_empty or self._monotonic() < self._not_before:
            return
        if self._store.undo_marks.any_asked():
            return
        own, server = self._store.own_collections, self._store.first_states.server
        ours = {section_id: own.names(server, section_id) for section_id in own.sections(server)}
        self._is_cleaning = True
        self._flight.start(
            partial(_delete_empty, session.plex, ours), Step(self._cleaned, self._failed)
        )

    def _cleaned(self, gone: Mapping[str, set[str]]) -> None:
        self._is_cleaning = self._may_be_empty = False
        own, server = self._store.own_collections, self._store.first_states.server
        with transaction(self._store.connection):
            for section_id, names in gone.items():
                own.forget(server, section_id, names)
                self._listed.pop(section_id, None)
            own.looked_at()
        number = sum(map(len, gone.values()))
        if number:
            self._log.info("Deleted %s that Stash2Plex made.", count(number, "empty collection"))

    def _failed(self, error: Exception) -> None:
        self._is_cleaning = False
        self._not_before = self._monotonic() + AGAIN_SECONDS
        if not isinstance(error, Stash2PlexError):
            self._log.error("A fault in Stash2Plex:", exc_info=error)
        self._log.debug("The empty collections could not be deleted: %s", error)


def _list(plex: Plex, sections: Sequence[str]) -> dict[str, set[str] | None]:
    listed: dict[str, set[str] | None] = {}
    for section_id in sections:
        try:
            rows = plex.collections(section_id, LIST_SECONDS)
            listed[section_id] = {fold(row.title) for row in rows}
        except ServerError:
            # Then none counts as ours, and all stay.
            listed[section_id] = None
    return listed


def _delete_empty(plex: Plex, ours: Mapping[str, set[str]]) -> dict[str, set[str]]:
    gone: dict[str, set[str]] = {}
    for section_id, names in ours.items():
        for row in plex.collections(section_id, LIST_SECONDS):
            if fold(row.title) in names and row.is_empty and not row.is_smart:
                plex.delete_collection(row.rating_key)
                gone.setdefault(section_id, set()).add(fold(row.title))
    return gone
