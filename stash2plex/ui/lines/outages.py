"""The outage report in words."""

from __future__ import annotations

from typing import Any

from stash2plex.store.outages import outage_words
from stash2plex.text import count, local, moment, span


def outage_lines(report: dict[str, Any]) -> list[str]:
    """Return the report in words, one line a fact."""
    lines = [
        f"{outage_words(outage['server'], outage['kind'])[0]} since "
        f"{local(moment(outage['started_at']))} ({span(outage['seconds'])}), "
        f"{count(outage['waiting'], 'scene')} waiting, next try at "
        f"{local(moment(outage['next_probe_at']))}: {outage['cause']}"
        for outage in report["current"]
    ]
    if not report["total"]:
        return [*lines, f"No outage since {local(moment(report['watched_since']))}."]
    lines += [
        window_sentence(window) for window in report["windows"] if window["outages"] or not lines
    ]
    lines += [
        f"{outage['server'].capitalize()}: {local(moment(outage['started_at']))}, "
        f"{span(outage['seconds'])}{'' if outage['ended_at'] else ' so far'}, "
        f"{count(outage['waiting'], 'scene')} waited: {outage['cause']}"
        for outage in report["outages"]
    ]
    return lines


def window_sentence(window: dict[str, Any]) -> str:
    """Return one window in words."""
    text = (
        f"{window['server'].capitalize()}, last {window['days']} days: "
        f"{percent(window['availability'])} available, {count(window['outages'], 'outage')}"
    )
    if window["mttr_s"] is not None:
        text += f", {span(window['mttr_s'])} each on average (MTTR)"
    if window["mtbf_s"] is not None:
        text += f", {span(window['mtbf_s'])} without trouble between them (MTBF)"
    return text + "."


def percent(share: float) -> str:
    """Return a share in percent; never 100 % for anything less."""
    shown = f"{100 * share:.2f}"
    return "99.99 %" if shown == "100.00" and share < 1.0 else f"{shown} %"
