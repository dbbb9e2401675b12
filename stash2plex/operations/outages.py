"""The outage report: what `outages` answers, and its words."""

from __future__ import annotations

from typing import Any

from stash2plex.app import App
from stash2plex.store.outages import WINDOWS, measure, outage_words, read_outages, watched_since
from stash2plex.text import count, local, moment, span, utc

SHOWN = 20
"""Outages of the list, unless more are asked for."""

SERVERS = ("plex", "stash")


def read_report(app: App, limit: int = SHOWN) -> dict[str, Any]:
    """Collect the report: what goes on now, the last outages, the windows. Times of ISO 8601."""
    now = app.clock()
    outages = read_outages(app.store.connection)
    since = watched_since(app.store.connection, outages)
    windows = [measure(outages, server, days, now, since) for server in SERVERS for days in WINDOWS]
    return {
        "watched_since": utc(since),
        "current": [
            {
                "server": one.server,
                "started_at": utc(one.started_at),
                "seconds": round(one.seconds(now)),
                "kind": one.kind,
                "cause": one.cause,
                "waiting": app.store.queue.due_within(0.0),
                "next_probe_at": utc(app.store.breakers[one.server].read().next_probe_at or now),
            }
            for one in outages
            if one.ended_at is None and app.store.breakers[one.server].read().state != "closed"
        ],
        "total": len(outages),
        "outages": [
            {
                "server": one.server,
                "started_at": utc(one.started_at),
                "ended_at": None if one.ended_at is None else utc(one.ended_at),
                "seconds": round(one.seconds(now)),
                "kind": one.kind,
                "cause": one.cause,
                "cured": bool(one.cured),
                "waiting": one.waiting,
            }
            for one in outages[:limit]
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
    }


def report_lines(report: dict[str, Any]) -> list[str]:
    """Say the report in words, a line each."""
    lines = [
        f"{outage_words(one['server'], one['kind'])[0]} since "
        f"{local(moment(one['started_at']))} ({span(one['seconds'])}), "
        f"{count(one['waiting'], 'key')} waiting, next try at "
        f"{local(moment(one['next_probe_at']))}: {one['cause']}"
        for one in report["current"]
    ]
    if not report["total"]:
        return [*lines, f"No outage since {local(moment(report['watched_since']))}."]
    lines += [
        window_sentence(window) for window in report["windows"] if window["outages"] or not lines
    ]
    lines += [
        f"{one['server'].capitalize()}: {local(moment(one['started_at']))}, "
        f"{span(one['seconds'])}{'' if one['ended_at'] else ' so far'}, "
        f"{count(one['waiting'], 'key')} waited: {one['cause']}"
        for one in report["outages"]
    ]
    return lines


def window_sentence(window: dict[str, Any]) -> str:
    """Say one window in words."""
    text = (
        f"{window['server'].capitalize()}, last {window['days']} days: "
        f"{percent(window['availability'])} available, {count(window['outages'], 'outage')}"
    )
    if window["mttr_s"] is not None:
        text += f", {span(window['mttr_s'])} long on average (MTTR)"
    if window["mtbf_s"] is not None:
        text += f", {span(window['mtbf_s'])} in order between them (MTBF)"
    return text + "."


def percent(share: float) -> str:
    """Say a share; never 100 % where something is missing."""
    shown = f"{100 * share:.2f}"
    return "99.99 %" if shown == "100.00" and share < 1.0 else f"{shown} %"
