"""Scenes whose pictures wait, and the endpoints that they wait for."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from attrs import frozen

from stash2plex.db import transaction
from stash2plex.model import Clock
from stash2plex.rules.endpoints import ALL, EndpointState, is_blocked

FRESH = ""
"""What pictures wait for that no endpoint has failed for."""


SELECT = "SELECT scene_id, tag, waits_for, attempts, failures, suspect, begun FROM waiting_picture"
OF_A_SCENE = f"{SELECT} WHERE scene_id = ?"
DUE = f"{SELECT} WHERE waits_for = ? AND due_at <= ? ORDER BY begun, due_at LIMIT ?"
OLDEST = f"{SELECT} WHERE waits_for = ? ORDER BY begun, due_at LIMIT ?"
FIRST_DUE = """
WITH kinds (name) AS (VALUES (?), (?), (?), (?)),
  firsts (name, due_at) AS (
    SELECT name, (SELECT min(due_at) FROM waiting_picture WHERE waits_for = name) FROM kinds
  )
SELECT name, due_at FROM firsts WHERE due_at IS NOT NULL
"""

PICTURES = "pictures"
"""The reason of scenes that are in Plex but for their pictures."""


@frozen
class WaitingPicture:
    """A scene whose pictures are still to be sent.

    `tag` is that of its cover. `attempts` counts failures that were about this item alone,
    `failures` all; `waits_for` is the endpoint that failed, empty for none. `suspect` says that
    the endpoint has served others since it failed for this scene. `begun` counts how often the
    process ended while they were sent.
    """

    scene_id: int
    tag: str
    waits_for: str
    attempts: int
    failures: int
    suspect: bool
    begun: int = 0


class WaitingPictures:
    """The pictures that wait in one database. `clock` gives seconds since the epoch."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._db = connection
        self._clock = clock

    # -- scenes ---------------------------------------------------------------------------

    def add(self, scene_id: int, tag: str) -> None:
        """Have the pictures of a scene sent; another cover than before begins with a clean record.

        Belongs to the transaction of the caller.
        """
        self._db.execute(
            "INSERT INTO waiting_picture (scene_id, tag, due_at) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (scene_id) DO UPDATE SET tag = ?2, due_at = min(due_at, ?3),"
            " attempts = 0, failures = 0, suspect = 0, begun = 0",
            (scene_id, tag, self._clock()),
        )

    def get(self, scene_id: int) -> WaitingPicture | None:
        """Return what waits of a scene, None for nothing."""
        row = self._db.execute(OF_A_SCENE, (scene_id,)).fetchone()
        return None if row is None else _read(row)

    def due(self, waits_for: str, limit: int) -> list[WaitingPicture]:
        """List those that are due and wait for an endpoint, or `FRESH` ones, oldest first.

        Those that may end the process go last.
        """
        rows = self._db.execute(DUE, (waits_for, self._clock(), limit))
        return [_read(row) for row in rows]

    def oldest(self, waits_for: str, limit: int) -> list[WaitingPicture]:
        """List those that wait for an endpoint, due or not, the one that was tried first first."""
        rows = self._db.execute(OLDEST, (waits_for, limit))
        return [_read(row) for row in rows]

    def begin(self, waiting: WaitingPicture) -> None:
        """Record that pictures are sent now, in case that ends the process."""
        self._db.execute(
            "UPDATE waiting_picture SET begun = begun + 1 WHERE scene_id = ? AND tag = ?",
            (waiting.scene_id, waiting.tag),
        )

    def put_off(
        self, waiting: WaitingPicture, delay: float, *, waits_for: str, attempts: int
    ) -> None:
        """Have a scene wait for `delay` seconds after a failure; a newer cover is not held up."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE waiting_picture SET due_at = ?, waits_for = ?, attempts = ?,"
                " failures = failures + 1, suspect = 0, begun = 0 WHERE scene_id = ? AND tag = ?",
                (self._clock() + delay, waits_for, attempts, waiting.scene_id, waiting.tag),
            )

    def finish(self, waiting: WaitingPicture) -> None:
        """Take a scene out, unless it has a newer cover."""
        self._db.execute(
            "DELETE FROM waiting_picture WHERE scene_id = ? AND tag = ?",
            (waiting.scene_id, waiting.tag),
        )

    def drop(self, scene_id: int) -> None:
        """Take a scene out: nothing is to be sent to its item any more."""
        self._db.execute("DELETE FROM waiting_picture WHERE scene_id = ?", (scene_id,))

    def keep_back(self, scene_id: int, seconds: float) -> None:
        """Start no pictures of a scene for `seconds`: its item is being put back."""
        self._db.execute(
            "UPDATE waiting_picture SET due_at = ? WHERE scene_id = ?",
            (self._clock() + seconds, scene_id),
        )

    def counts(self) -> dict[str, int]:
        """Count the scenes by what they wait for."""
        return dict(
            self._db.execute("SELECT waits_for, count(*) FROM waiting_picture GROUP BY waits_for")
        )

    def waiting_reasons(self) -> list[tuple[str, int, float | None]]:
        """Return what waits as the queue does: a reason, how many, when the first is due."""
        number = sum(self.counts().values())
        return [(PICTURES, number, self.next_due_at(sits_out=False))] if number else []

    def next_due_at(self, *, sits_out: bool) -> float | None:
        """Return when the next pictures may be sent, None where none wait.

        With `sits_out`, those that wait for an endpoint that is shut do not count.
        """
        firsts = self.first_due()
        if not firsts:
            return None
        shut = {state.name: state for state in self.endpoints() if state.is_shut}
        times = []
        for waits_for, due_at in firsts.items():
            blocked = waits_for in shut or (waits_for == FRESH and is_blocked(shut))
            if not (blocked and sits_out):
                tries = [shut[name].next_try_at for name in shut if waits_for in (FRESH, name)]
                times.append(min(tries) if blocked else due_at)
        return min(times, default=None)

    def first_due(self) -> dict[str, float]:
        """Return when the first of each kind is due, by what it waits for."""
        return dict(self._db.execute(FIRST_DUE, (FRESH, *ALL)))

    # -- endpoints ------------------------------------------------------------------------

    def endpoints(self) -> list[EndpointState]:
        """List the endpoints that failed last."""
        rows = self._db.execute(
            "SELECT name, failures, since, probes, next_try_at, reason FROM endpoint ORDER BY name"
        )
        return [EndpointState(*row) for row in rows]

    def set_endpoint(self, state: EndpointState) -> None:
        """Keep what is known of an endpoint."""
        with transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO endpoint (name, failures, since, probes, next_try_at,"
                " reason) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    state.name,
                    state.failures,
                    state.since,
                    state.probes,
                    state.next_try_at,
                    state.reason,
                ),
            )

    def endpoint_works(self, name: str) -> None:
        """Forget the failures of an endpoint; what waits for it is due now, and suspect."""
        with transaction(self._db):
            self._db.execute("DELETE FROM endpoint WHERE name = ?", (name,))
            self._db.execute(
                "UPDATE waiting_picture SET waits_for = '', suspect = 1, due_at = min(due_at, ?)"
                " WHERE waits_for = ?",
                (self._clock(), name),
            )

    def hasten(self, names: Collection[str]) -> None:
        """Have endpoints tried now: their server is back, or settings changed."""
        with transaction(self._db):
            self._db.executemany(
                "UPDATE endpoint SET next_try_at = ? WHERE name = ?",
                [(self._clock(), name) for name in names],
            )


def _read(row: tuple[int, str, str, int, int, int, int]) -> WaitingPicture:
    return WaitingPicture(*row[:5], suspect=bool(row[5]), begun=row[6])
