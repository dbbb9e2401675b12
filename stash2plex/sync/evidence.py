"""Counts what the servers did: evidence about failures, reported to the breakers."""

from __future__ import annotations

import logging
from collections import Counter

from stash2plex.errors import ServerError
from stash2plex.model import Clock
from stash2plex.rules.endpoints import COVERS, PLEX_ENDPOINTS
from stash2plex.rules.pacing import Pacer
from stash2plex.store.breaker import Breaker
from stash2plex.sync.session import Store
from stash2plex.text import span

SCENES, ENTITIES, ITEMS, EDITS = "scenes", "entities", "items", "edits"
"""What the servers do: Stash reads scenes, and lists those of an entity; Plex reads items, and
accepts edits."""


class Evidence:
    """Counts what the servers did, and reports successes and failures to the breakers.

    A failure is about its own item if the server did the same for another one after the request
    began. `clock` returns seconds since the epoch, `monotonic` seconds since an arbitrary time.
    """

    def __init__(self, store: Store, pacer: Pacer, *, clock: Clock, monotonic: Clock) -> None:
        self._store = store
        self._pacer = pacer
        self._clock = clock
        self._monotonic = monotonic
        self._log = logging.getLogger(__name__)
        self._done: Counter[str] = Counter()
        self.answered_at = monotonic()
        """When a server last did what it was asked for."""

    # -- deeds ----------------------------------------------------------------------------

    def mark(self, deed: str) -> int:
        """Return the mark of this moment, to be asked later what was done since."""
        return self._done[deed]

    def since(self, deed: str, mark: int) -> bool:
        """Whether a server did a deed after the moment of a mark."""
        return self._done[deed] > mark

    def did(self, deed: str) -> None:
        """Record that a server did a deed.

        Only an edit counts as Plex working: it may read well and fail every write.
        """
        self._done[deed] += 1
        if deed is EDITS:
            self.answered("plex")
        elif deed is not ITEMS:
            self.answered("stash")

    # -- servers --------------------------------------------------------------------------

    def wrote(self, seconds: float, *, edited: bool) -> None:
        """Record that Plex holds a scene, whose edit lasted `seconds` (0 where there was none).

        `edited` is whether a value was changed for that.
        """
        self._pacer.succeeded(seconds)
        if edited:
            self.did(EDITS)
        else:
            self.answered("plex")

    def answered(self, server: str) -> None:
        """Record a real success of a server, which may end an outage."""
        self.answered_at = self._monotonic()
        breaker = self._store.breakers[server]
        state = breaker.read()
        if breaker.succeeded():
            words = "lets us in again" if state.refused else "is back"
            took = span(self._clock() - state.since)
            self._log.info("%s %s after %s.", server.capitalize(), words, took)
            self._store.pictures.hasten((COVERS,) if server == "stash" else PLEX_ENDPOINTS)

    def failed(self, error: ServerError) -> None:
        """Record that a server was unavailable or refused; this may open its breaker."""
        breaker = self.breaker(error)
        was_open = breaker.read().state != "closed"
        counts = self._store.queue.counts()
        after = breaker.failed(error, counts.pending + counts.in_progress)
        self._pacer.failed()
        if after.state == "open" and not was_open:
            self._log.warning("%s Waiting for %s; nothing is lost.", error, error.server)

    def slowed(self) -> None:
        """Record a failure of one item, which may be the first sign of too much at once."""
        self._pacer.failed()

    def breaker(self, error: ServerError) -> Breaker:
        """Return the breaker of the server that an error came from."""
        return self._store.breakers[error.server.lower()]
