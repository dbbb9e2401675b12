"""The circuit breaker of one server, kept in the database so that every process sees it."""

from __future__ import annotations

import sqlite3
from random import Random

from attrs import evolve, frozen

from stash2plex.db import transaction
from stash2plex.errors import Refused, ServerError, Unavailable
from stash2plex.model import Clock

THRESHOLD = 3
"""How many failures in a row open the breaker."""

PROBE_BASE, PROBE_CAP = 2.0, 60.0
"""Seconds until the first probe, and the longest wait between two probes."""

UNAVAILABLE, LOGIN, REFUSED = "unavailable", "login", "refused"
"""Kinds of an outage: out of reach; token, key or session refused; refused for another reason."""

OUTAGES_LIMIT = 5_000
"""How many outages are kept: enough for years, and a bound for a Plex that flaps."""


@frozen
class BreakerState:
    """The state of the breaker. `since` and `next_probe_at` are epoch seconds.

    `refused` means that the server does not let us in, as opposed to being down.
    """

    state: str = "closed"
    failures: int = 0
    since: float = 0.0
    probes: int = 0
    next_probe_at: float = 0.0
    reason: str = ""
    refused: bool = False


class Breaker:
    """Decides whether keys may be claimed.

    Closed: the server works. Open: nothing is claimed, and a probe is due from time to time. Half
    open: a probe got through, and the next real answer decides.
    """

    def __init__(
        self, connection: sqlite3.Connection, server: str, clock: Clock, random: Random
    ) -> None:
        self._db = connection
        self._server = server.lower()
        self._clock = clock
        self._random = random

    def read(self) -> BreakerState:
        """Read the state; a server without a row is closed."""
        row = self._db.execute(
            "SELECT state, failures, since, probes, next_probe_at, reason, refused FROM breaker"
            " WHERE server = ?",
            (self._server,),
        ).fetchone()
        if row is None:
            return BreakerState()
        state, failures, since, probes, next_probe_at, reason, refused = row
        return BreakerState(state, failures, since, probes, next_probe_at, reason, bool(refused))

    def failed(self, error: ServerError, waiting: int) -> BreakerState:
        """Count a failure, and open the breaker if necessary.

        Three failures in a row open it. A refusal, a failure while half open, or a server that asks
        for a wait opens it at once. `waiting` is how many keys wait, for the outage's row.
        """
        now = self._clock()
        with transaction(self._db):
            old = self.read()
            refused = isinstance(error, Refused)
            failures = old.failures + 1
            asked = error.retry_after if isinstance(error, Unavailable) else None
            opens = failures >= THRESHOLD or refused or bool(asked) or old.state != "closed"
            probes = old.probes + 1 if opens else old.probes
            delay = max(self._probe_delay(probes), asked or 0.0)
            # If a server comes back and refuses, that is another outage.
            begins = opens and (old.state == "closed" or old.refused != refused)
            new = BreakerState(
                state="open" if opens else "closed",
                failures=failures,
                since=now if begins or old.state == "closed" else old.since,
                probes=probes,
                next_probe_at=now + delay if opens else 0.0,
                reason=str(error),
                refused=refused,
            )
            self._write(new)
            if begins:
                self._end_outage()
                self._db.execute(
                    "INSERT INTO outage (server, started_at, cause, waiting, kind)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (self._server, now, str(error), waiting, outage_kind(error)),
                )
                self._db.execute(
                    "DELETE FROM outage WHERE seq <= (SELECT max(seq) FROM outage) - ?",
                    (OUTAGES_LIMIT,),
                )
        return new

    def probed(self) -> None:
        """Record that a probe got through: one real request may try."""
        with transaction(self._db):
            old = self.read()
            if old.state == "open":
                self._write(evolve(old, state="half_open"))

    def succeeded(self) -> bool:
        """Record a real success; returns whether it ended an outage."""
        old = self.read()
        if old == BreakerState():
            return False
        with transaction(self._db):
            self._db.execute("DELETE FROM breaker WHERE server = ?", (self._server,))
            self._end_outage()
        return old.state != "closed"

    def reset(self) -> None:
        """Clear the state: it comes from an address or a log-in that is no longer set."""
        with transaction(self._db):
            self._db.execute("DELETE FROM breaker WHERE server = ?", (self._server,))
            self._end_outage(cured=True)

    def _end_outage(self, *, cured: bool = False) -> None:
        self._db.execute(
            "UPDATE outage SET ended_at = ?, cured = ? WHERE server = ? AND ended_at IS NULL",
            (self._clock(), int(cured), self._server),
        )

    def hasten(self) -> None:
        """Make the next probe due now: a setting changed, or the user asked."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE breaker SET next_probe_at = 0 WHERE server = ?", (self._server,)
            )

    def _probe_delay(self, probes: int) -> float:
        longest = min(PROBE_CAP, PROBE_BASE * 2.0 ** min(probes - 1, 16))
        return longest * self._random.uniform(0.8, 1.0) if longest < PROBE_CAP else PROBE_CAP

    def _write(self, state: BreakerState) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO breaker (server, state, failures, since, probes,"
            " next_probe_at, reason, refused) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._server,
                state.state,
                state.failures,
                state.since,
                state.probes,
                state.next_probe_at,
                state.reason,
                int(state.refused),
            ),
        )


def outage_kind(error: ServerError) -> str:
    """Return which kind of outage an error begins."""
    if not isinstance(error, Refused):
        return UNAVAILABLE
    return LOGIN if error.wants_login else REFUSED
