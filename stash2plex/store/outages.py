"""Outages of both servers: when, how long, why, and the availability that follows.

The breaker writes the rows; everything here but `read_outages` is pure.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import frozen

from stash2plex.store.breaker import LOGIN, REFUSED, UNAVAILABLE
from stash2plex.store.meta import WATCHED_SINCE, get_number
from stash2plex.text import DAY

WINDOWS = (7, 30, 365)
"""The windows that are summed up, in days."""


@frozen
class Outage:
    """A time in which a server accepted no work. Times are epoch seconds.

    `ended_at` is None while it goes on; `waiting` counts the keys that waited when it began. `kind`
    distinguishes a server that refuses from one that is out of reach; `cured` means that a changed
    setting ended it.
    """

    server: str
    started_at: float
    ended_at: float | None
    cause: str
    waiting: int
    kind: str = UNAVAILABLE
    cured: bool = False

    @property
    def now(self) -> str:
        """The words for an outage that is going on."""
        return outage_words(self.server, self.kind)[0]

    @property
    def then(self) -> str:
        """The words for an outage that is over."""
        return outage_words(self.server, self.kind)[1]

    def seconds(self, now: float) -> float:
        """Return its length so far in seconds; 0 if the clock was set back."""
        return max(0.0, (now if self.ended_at is None else self.ended_at) - self.started_at)


def outage_words(server: str, kind: str) -> tuple[str, str]:
    """Return the words for an outage that is going on and for one that is over."""
    name = server.capitalize()
    log_in = "token" if server == "plex" else "log-in"
    return {
        LOGIN: (f"{name} has refused the {log_in}", f"{name} refused the {log_in}"),
        REFUSED: (f"{name} cannot be used", f"{name} could not be used"),
    }.get(kind, (f"{name} is out of reach", f"{name} was out of reach"))


@frozen
class Window:
    """The last days of one server. Times in seconds.

    `watched` is how much of the window was watched; `down` how much of that was an outage.
    `repair` is the mean length of an outage (MTTR), `between` the mean time without one per outage
    that began (MTBF); both are None without outages. `availability` is a share from 0 to 1.
    """

    server: str
    days: int
    outages: int
    watched: float
    down: float
    repair: float | None
    between: float | None
    availability: float


def measure(
    outages: Sequence[Outage], server: str, days: int, now: float, watched_since: float
) -> Window:
    """Sum up the last `days` of a server. Overlapping outages count as one."""
    end = now
    start = min(end, max(now - days * DAY, watched_since))
    merged = _merge(outages, server, now)
    inside = [(max(start, left), min(end, right)) for left, right in merged if right >= start]
    watched = end - start
    down = min(watched, sum(right - left for left, right in inside))
    lengths = [right - left for left, right in merged if right >= start]
    begun = sum(left >= start for left, _ in merged)
    return Window(
        server=server,
        days=days,
        outages=len(inside),
        watched=watched,
        down=down,
        repair=sum(lengths) / len(lengths) if lengths else None,
        between=(watched - down) / begun if begun else None,
        availability=1.0 - down / watched if watched > 0.0 else float(not inside),
    )


def daily(
    outages: Sequence[Outage], server: str, days: int, now: float, watched_since: float
) -> list[float | None]:
    """Return for each of the last `days` (UTC), oldest first, which share the server was there.

    None for a day on which nothing was watched.
    """
    merged = _merge(outages, server, now)
    today = now - now % DAY
    shares: list[float | None] = []
    for number in range(days - 1, -1, -1):
        start = max(today - number * DAY, watched_since)
        end = min(today - number * DAY + DAY, now)
        if end <= start:
            shares.append(None)
            continue
        down = sum(max(0.0, min(end, right) - max(start, left)) for left, right in merged)
        shares.append(1.0 - down / (end - start))
    return shares


def _merge(outages: Sequence[Outage], server: str, now: float) -> list[tuple[float, float]]:
    """Merge the overlapping outages of a server; none ends or begins after `now`."""
    merged: list[tuple[float, float]] = []
    spans = sorted(
        (min(now, outage.started_at), min(now, outage.started_at + outage.seconds(now)))
        for outage in outages
        if outage.server == server
    )
    for left, right in spans:
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged


def read_outages(connection: sqlite3.Connection) -> list[Outage]:
    """Read every outage on record, newest first."""
    rows = connection.execute(
        "SELECT server, started_at, ended_at, cause, waiting, kind, cured FROM outage"
        " ORDER BY seq DESC"
    )
    return [Outage(*row) for row in rows]


def watched_since(connection: sqlite3.Connection, outages: Sequence[Outage]) -> float:
    """Return since when outages are recorded, in epoch seconds."""
    since = get_number(connection, WATCHED_SINCE) or 0.0
    return min([since, *(outage.started_at for outage in outages)])
