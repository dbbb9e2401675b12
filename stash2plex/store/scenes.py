"""Every known scene of Stash, with its standing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from attrs import frozen

from stash2plex.db import set_meta, transaction
from stash2plex.model import Clock
from stash2plex.rules.scene_states import FREE, UNKNOWN
from stash2plex.store.meta import SCENES_AS_OF, get_number
from stash2plex.store.undo_marks import UndoMarks

PUT_SQL = "UPDATE scene SET standing = ?2 WHERE id = ?1 AND standing <> ?2"
DOUBT_SQL = (
    "UPDATE scene SET standing = ?2 WHERE id = ?1"
    " AND standing IN ('in_sync', 'excluded', 'not_organized', 'no_metadata')"
)


@frozen
class Scenes:
    """The scenes in one database. `clock` gives seconds since the epoch.

    Triggers maintain `place` in the table; only `standing` is written here.
    """

    connection: sqlite3.Connection
    clock: Clock

    @property
    def undo_marks(self) -> UndoMarks:
        """What was put back of scenes."""
        return UndoMarks(self.connection, self.clock)

    def stand(self, scene_id: int, standing: str) -> None:
        """Store a scene's standing, now that its key is done."""
        self._put({scene_id: standing}, PUT_SQL)

    def see(self, standings: Mapping[int, str]) -> None:
        """Store the standings of scenes that Stash has just shown.

        Where nothing is known, a standing that only a drain can find out stays, such as that Plex
        does not have the scene.
        """
        unknown = {id_: standing for id_, standing in standings.items() if standing == UNKNOWN}
        self._put(unknown, DOUBT_SQL)
        self._put(
            {id_: standing for id_, standing in standings.items() if id_ not in unknown}, PUT_SQL
        )

    def _put(self, standings: Mapping[int, str], statement: str) -> None:
        with transaction(self.connection) as database:
            new = database.executemany(
                "INSERT INTO scene (id, standing) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
                standings.items(),
            ).rowcount
            database.executemany(statement, standings.items())
            if new > 0:
                self._moved()

    def forget(self, scene_ids: Iterable[int]) -> None:
        """Forget scenes that Stash no longer has."""
        with transaction(self.connection) as database:
            gone = database.executemany(
                "DELETE FROM scene WHERE id = ?", [(id_,) for id_ in scene_ids]
            ).rowcount
            if gone > 0:
                self._moved()

    def absent(self, after: int, upto: int, there: Iterable[int]) -> tuple[list[int], list[int]]:
        """List known scenes with ids above `after` and up to `upto` inclusive that are not `there`.

        First those whose key is nowhere, then those in the queue or among the dead letters.
        """
        listed = set(there)
        rows = self.connection.execute(
            "SELECT id, place FROM scene WHERE id > ? AND id <= ? ORDER BY id", (after, upto)
        )
        gone = [(id_, place) for id_, place in rows if id_ not in listed]
        return (
            [id_ for id_, place in gone if place == FREE],
            [id_ for id_, place in gone if place != FREE],
        )

    @property
    def are_listed(self) -> bool:
        """Whether all scenes of Stash have been seen once."""
        return get_number(self.connection, SCENES_AS_OF) is not None

    def all_seen(self) -> None:
        """Record that the known scenes are now those of Stash."""
        with transaction(self.connection) as database:
            set_meta(database, SCENES_AS_OF, f"{self.clock():.3f}")

    def confirm_none(self) -> None:
        """Record the same if Stash has no scene and none is known."""
        if self.connection.execute("SELECT 1 FROM scene LIMIT 1").fetchone() is None:
            self.all_seen()

    def confirm(self, number: int) -> None:
        """Record the same if Stash has as many scenes as are known, and all have been seen."""
        if self.are_listed:
            (known,) = self.connection.execute("SELECT count(*) FROM scene").fetchone()
            if known == number:
                self.all_seen()

    def _moved(self) -> None:
        if self.are_listed:
            self.all_seen()
