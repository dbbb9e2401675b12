"""The outage report, as the operation `outages` answers it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from stash2plex.app import App
from stash2plex.store.outages import WINDOWS, Outage, daily, measure, read_outages, watched_since
from stash2plex.text import DAY, utc

SHOWN = 20
"""How many outages are listed by default."""

PICTURE_DAYS = 90
"""How many days the picture of the page shows."""

SERVERS = ("plex", "stash")


def outage_report(app: App, limit: int = SHOWN) -> dict[str, Any]:
    """Collect the report: present outages, the last ones, the windows. Times are ISO 8601."""
    now = app.clock()
    outages = read_outages(app.store.connection)
    since = watched_since(app.store.connection, outages)
    windows = [measure(outages, server, days, now, since) for server in SERVERS for days in WINDOWS]
    return {
        "watched_since": utc(since),
        "current": [
            {
                "server": outage.server,
                "started_at": utc(outage.started_at),
                "seconds": round(outage.seconds(now)),
                "kind": outage.kind,
                "cause": outage.cause,
                "waiting": app.store.queue.due_within(0.0),
                "next_probe_at": utc(app.store.breakers[outage.server].read().next_probe_at or now),
            }
            for outage in outages
            if outage.ended_at is None
            and app.store.breakers[outage.server].read().state != "closed"
        ],
        "total": len(outages),
        "outages": [
            {
                "server": outage.server,
                "started_at": utc(outage.started_at),
                "ended_at": None if outage.ended_at is None else utc(outage.ended_at),
                "seconds": round(outage.seconds(now)),
                "kind": outage.kind,
                "cause": outage.cause,
                "cured": bool(outage.cured),
                "waiting": outage.waiting,
            }
            for outage in outages[:limit]
        ],
        "windows": [
            {
                "server": window.server,
                "days": window.days,
                "outages": window.outages,
                "down_s": round(window.down),
                "mttr_s": None if window.repair is None else round(window.repair),
                "mtbf_s": None if window.between is None else round(window.between),
                "availability": round(window.availability, 6),
            }
            for window in windows
        ],
        "days": _days(outages, now, since),
    }


def _days(outages: Sequence[Outage], now: float, since: float) -> list[dict[str, Any]]:
    """Return the picture of the last days: each server's share, and how many outages began."""
    plex, stash = (daily(outages, server, PICTURE_DAYS, now, since) for server in SERVERS)
    first = now - now % DAY - (PICTURE_DAYS - 1) * DAY
    begun = Counter(int((outage.started_at - first) // DAY) for outage in outages)
    return [
        {
            "date": utc(first + number * DAY)[:10],
            "plex": _share(plex[number]),
            "stash": _share(stash[number]),
            "outages": begun[number],
        }
        for number in range(PICTURE_DAYS)
    ]


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
