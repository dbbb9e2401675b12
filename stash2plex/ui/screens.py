"""What a terminal shows: the same facts as the lines of a log, laid out for 30 columns or more.

Colour only repeats what the words mean, so nothing is lost without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stash2plex.operations.health.checks import FAILED, PASSED, SKIPPED, Check
from stash2plex.operations.reasons import reason_of
from stash2plex.store.dead_letters import DeadLetter
from stash2plex.store.dead_letters import Group as ReasonGroup
from stash2plex.store.outages import outage_words
from stash2plex.text import count, local, moment, span
from stash2plex.ui.lines.health import MARKS
from stash2plex.ui.lines.outages import percent
from stash2plex.ui.lines.status import (
    held_line,
    lost_line,
    named_rows,
    scenes_line,
    waits_words,
)

NARROW = 70
"""Columns below which a table becomes a list."""

COLOURS = {PASSED: "green", SKIPPED: "yellow", FAILED: "bold red"}

Hide = Callable[[str], str]


def status_screen(status: dict[str, Any], hide: Hide) -> RenderableType:
    """Lay the status out: what is going on, the queue, Plex, and what was done so far."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(overflow="fold")
    queue, plex, worker = status["queue"], status["plex"], status["worker"]
    parts: list[RenderableType] = []
    left = queue["pending"] + queue["in_progress"]
    handled = worker["handled"] or 0
    if worker["running"] and left:
        total = handled + left
        # In a table of its own: a bar alone does not end its line.
        bar = Table.grid(expand=True)
        bar.add_row(ProgressBar(total=total, completed=handled))
        parts.append(bar)
    rows.add_row("Now", _now(status, hide))
    rows.add_row("Queue", _queue(queue))
    if status["scenes"]["as_of"] is not None:
        rows.add_row("Scenes", scenes_line(status["scenes"]).removeprefix("Scenes: "))
    if line := held_line(status):
        rows.add_row("On hold", Text(hide(line), style="yellow"))
    for head, text in named_rows(status):
        rows.add_row(head, Text(hide(text)))
    rows.add_row("Plex", _plex(plex, hide))
    if lost := lost_line(status):
        rows.add_row("Not kept", Text(lost, style="yellow"))
    if status["stash"]["problem"]:
        rows.add_row("Stash", Text(hide(status["stash"]["problem"]), style="red"))
    last = status["last_sync_at"]
    synced = f"{count(status['synced'], 'scene')}"
    rows.add_row("In sync", synced + (f", the last at {local(moment(last))}" if last else ""))
    rows.add_row("So far", _metrics(status["metrics"]))
    return Group(*parts, rows)


def _now(status: dict[str, Any], hide: Hide) -> Text:
    worker, breaker = status["worker"], status["breaker"]
    if words := waits_words(worker):
        return Text(hide(words), style="yellow")
    if breaker["state"] != "closed":
        since = local(moment(breaker["since"]))
        return Text(hide(f"waiting for Plex since {since}: {breaker['reason']}"), style="yellow")
    if not worker["running"]:
        off = status["background_worker"] == "off"
        return Text("idle; only tasks send anything" if off else "idle")
    text = f"the {worker['origin']} is running (process {worker['pid']})"
    if status["eta_s"] is not None:
        text += f", {status['rate_per_s']:.1f}/s, about {span(status['eta_s'])} left"
    return Text(text, style="green")


def _queue(queue: dict[str, int]) -> Text:
    text = Text(
        f"{queue['pending']:,} due, {queue['in_progress']:,} in progress, "
        f"{queue['waiting']:,} waiting for later"
    )
    if queue["dead"]:
        text.append(f", {queue['dead']:,} given up", style="red")
    return text


def _plex(plex: dict[str, Any], hide: Hide) -> Text:
    if not plex["reachable"]:
        return Text(hide(plex["problem"] or "not reachable"), style="red")
    titles = hide(f"“{plex['library']}”") if plex["library"] else "no library listed yet"
    return Text(f"{plex['version']}, {titles}, {count(plex['items'], 'item')}")


def _metrics(metrics: dict[str, Any]) -> str:
    scenes, edit = metrics["scenes"], metrics["edit_seconds"]
    text = f"{count(scenes.get('written', 0), 'scene')} written, "
    text += f"{scenes.get('equal', 0) + scenes.get('skipped', 0):,} needed no change"
    if edit["mean"] is not None:
        text += f"; an edit takes {1000 * edit['mean']:.0f} ms"
    return text


def health_screen(checks: Sequence[Check], width: int, hide: Hide) -> RenderableType:
    """Lay the checks out. Below each failed one stands what to do."""
    table = Table.grid(padding=(0, 2 if width >= NARROW else 1))
    table.add_column(no_wrap=True)
    if width >= NARROW:
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        text = Text(hide(check.detail))
        mark = Text(MARKS[check.state], COLOURS[check.state])
        if check.fix:
            text.append(f"\n→ {hide(check.fix)}", style="bold")
        if width >= NARROW:
            table.add_row(mark, Text(check.name, "bold"), text)
        else:
            table.add_row(mark, Text.assemble((check.name, "bold"), "\n", text))
    return table


def outages_screen(report: dict[str, Any], width: int, hide: Hide) -> RenderableType:
    """Lay the outage report out: what is going on, the windows, the last outages."""
    parts: list[RenderableType] = []
    for outage in report["current"]:
        since = local(moment(outage["started_at"]))
        parts.append(
            Text(
                f"{outage_words(outage['server'], outage['kind'])[0]} since {since} "
                f"({span(outage['seconds'])}), {count(outage['waiting'], 'scene')} waiting, "
                f"next try at {local(moment(outage['next_probe_at']))}",
                style="red",
            )
        )
    if not report["total"]:
        since = local(moment(report["watched_since"]))
        return Group(*parts, Text(f"No outage since {since}."))
    windows = Table(box=None, header_style="bold", padding=(0, 1))
    for name in ("Server", "Days", "Outages", "Available", "MTTR", "MTBF"):
        windows.add_column(name, justify="left" if name == "Server" else "right")
    for window in report["windows"]:
        windows.add_row(
            window["server"].capitalize(),
            str(window["days"]),
            str(window["outages"]),
            percent(window["availability"]),
            "–" if window["mttr_s"] is None else span(window["mttr_s"]),
            "–" if window["mtbf_s"] is None else span(window["mtbf_s"]),
        )
    parts.append(windows)
    last = Table(box=None, header_style="bold", padding=(0, 1))
    for name in ("Began", "Length", "Waited"):
        last.add_column(name, no_wrap=True)
    last.add_column("Cause", overflow="fold")
    for outage in report["outages"]:
        length = span(outage["seconds"]) + ("" if outage["ended_at"] else " so far")
        cause = hide(outage["cause"])
        last.add_row(local(moment(outage["started_at"])), length, str(outage["waiting"]), cause)
    return Group(*parts, Text(""), last) if width >= NARROW else Group(*parts)


def letters_screen(
    letters: Sequence[DeadLetter], groups: Sequence[ReasonGroup], width: int, hide: Hide
) -> RenderableType:
    """Lay dead letters out under their reasons, with what to do about each."""
    if not groups:
        return Text("No dead letters.")
    parts: list[RenderableType] = []
    for group in groups:
        reason = reason_of(group.reason)
        head = f"{group.number:,} because {reason.words} ({group.reason})"
        parts.append(Text(head, style="bold"))
        parts.append(Text(f"→ {reason.fix}"))
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, min_width=10)
        table.add_column(overflow="fold")
        if width >= NARROW:
            table.add_column(no_wrap=True)
        for letter in letters:
            if letter.reason == group.reason:
                title = hide(f"“{letter.title}”") if letter.title else ""
                cells = [f"{letter.kind}:{letter.id}", title, local(letter.last_failed_at)]
                table.add_row(*cells[: len(table.columns)])
        parts += [table, Text("")]
    return Group(*parts)
