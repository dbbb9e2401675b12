"""Keeps what the servers did: decides whose fault a failure is, and informs the breakers."""

from __future__ import annotations

import logging

from stash2plex.errors import ServerError
from stash2plex.model import Clock
from stash2plex.rules.pacing import Pacer
from stash2plex.store.breaker import Breaker
from stash2plex.sync.session import Store
from stash2plex.text import span
from stash2plex.workqueue import Key

FAILURES_LIMIT = 10_000
"""For how many keys the last failure is kept, to see whether the server worked since."""


class Evidence:
    """Counts the writes that Plex accepted, and reports successes and failures to the breakers.

    A key that failed is to blame if Plex accepted another write since the key was claimed or last
    failed; if not, the server is. `clock` returns seconds since the epoch, `monotonic` seconds
    since an arbitrary time.
    """

    def __init__(self, store: Store, pacer: Pacer, *, clock: Clock, monotonic: Clock) -> None:
        self._store = store
        self._pacer = pacer
        self._clock = clock
        self._monotonic = monotonic
        self._log = logging.getLogger(__name__)
        self._writes_at_failure: dict[Key, int] = {}
        self.writes = 0
        """How many writes Plex accepted. Reads do not count: it may fail only writes."""
        self.answered_at = monotonic()
        """When a server last did what it was asked for."""

    # -- keys -----------------------------------------------------------------------------

    def plex_works(self, key: Key, writes_before: int) -> bool:
        """Return whether Plex accepted a write since a key was claimed or, if earlier, failed.

        `writes_before` is how many it had accepted when the key was claimed.
        """
        return self.writes > min(writes_before, self._writes_at_failure.get(key, self.writes))

    def key_failed(self, key: Key) -> None:
        """Record when a key failed, so that its next failure can be judged."""
        if len(self._writes_at_failure) < FAILURES_LIMIT:
            self._writes_at_failure[key] = self.writes

    def forget(self, key: Key) -> None:
        """Drop the failures of a key that is done or was given up."""
        self._writes_at_failure.pop(key, None)

    # -- servers --------------------------------------------------------------------------

    def wrote(self, seconds: float) -> None:
        """Record that Plex accepted a write, whose edit took `seconds` (0 without an edit)."""
        self.writes += 1
        self._pacer.succeeded(seconds)
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

    def failed(self, error: ServerError) -> None:
        """Record that a server was unavailable or refused; this may open its breaker."""
        breaker = self.breaker(error)
        was_open = breaker.read().state != "closed"
        counts = self._store.queue.counts()
        after = breaker.failed(error, counts.pending + counts.in_progress)
        self._pacer.failed()
        if after.state == "open" and not was_open:
            self._log.warning("%s Waiting for %s; nothing is lost.", error, error.server)

    def breaker(self, error: ServerError) -> Breaker:
        """Return the breaker of the server that an error came from."""
        return self._store.breakers[error.server.lower()]
