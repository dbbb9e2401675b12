"""Keeps how the Plex server treats edits, as far as that is known."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from attrs import frozen

from stash2plex.db import get_meta, transaction
from stash2plex.model import Clock, Field
from stash2plex.rules.traits import Learnt, Trait, Traits
from stash2plex.store.meta import MACHINE_ID


@frozen
class KnownTrait:
    """A trait of the server, and since when it is known (epoch seconds)."""

    trait: Trait
    field: Field | None
    since: float


class ServerTraits:
    """The traits of one server in one database; those of other servers stay stored."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._db = connection
        self._clock = clock
        self._version = ""
        self._known: Traits | None = None

    @property
    def known(self) -> Traits:
        """What is known now. It is read once; later this process adds what it learns."""
        if self._known is None:
            self._known = Traits(frozenset((row.trait, row.field) for row in self.rows()))
        return self._known

    def adopt(self, version: str) -> None:
        """Load the traits of the server whose id is stored, for this version.

        Traits of another version of the server are dropped: it may behave differently.
        """
        self._version, self._known = version, None
        with transaction(self._db):
            self._db.execute(
                "DELETE FROM server_trait WHERE machine_id = ? AND version <> ?",
                (self._machine_id(), version),
            )

    def learn(self, learnt: Iterable[Learnt], forgotten: Iterable[Learnt] = ()) -> list[Learnt]:
        """Store traits, and delete those that are no longer true; returns the new ones."""
        new = [each for each in learnt if each not in self.known.known]
        gone = [each for each in forgotten if each in self.known.known]
        if new or gone:
            self._known = self.known.with_learnt(new, gone)
            with transaction(self._db):
                self._store(new, gone)
        return new

    def _store(self, new: Iterable[Learnt], gone: Iterable[Learnt]) -> None:
        machine_id, now = self._machine_id(), self._clock()
        self._db.executemany(
            "DELETE FROM server_trait WHERE machine_id = ? AND trait = ? AND field = ?",
            [(machine_id, trait, field or "") for trait, field in gone],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO server_trait (machine_id, trait, field, version, since)"
            " VALUES (?, ?, ?, ?, ?)",
            [(machine_id, trait, field or "", self._version, now) for trait, field in new],
        )

    def rows(self) -> list[KnownTrait]:
        """List the traits of the present server, oldest first."""
        rows = self._db.execute(
            "SELECT trait, field, since FROM server_trait WHERE machine_id = ?"
            " ORDER BY since, trait, field",
            (self._machine_id(),),
        )
        traits, fields = set(Trait), {*Field, ""}
        return [
            KnownTrait(Trait(trait), Field(field) if field else None, since)
            for trait, field, since in rows
            if trait in traits and field in fields
        ]

    def _machine_id(self) -> str:
        return get_meta(self._db, MACHINE_ID) or ""
