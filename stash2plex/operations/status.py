"""The status object: what every process of a data folder knows, as one plain value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import asdict

from stash2plex.app import App
from stash2plex.config import Settings
from stash2plex.errors import Stash2PlexError
from stash2plex.lock import drain_runs
from stash2plex.operations.notifications import held_sentence
from stash2plex.operations.reasons import reason_of
from stash2plex.store.metrics import read_metrics
from stash2plex.store.names import Named, names, read_waiting
from stash2plex.store.runs import Held
from stash2plex.store.worker_choice import WorkerChoice, read_choice
from stash2plex.sync.report import summary_of, summary_sentence
from stash2plex.sync.worker import WAITING
from stash2plex.text import count, local, moment, span, utc
from stash2plex.version import VERSION
from stash2plex.workqueue import STOPPED

GLANCE_SECONDS = 2.0
"""How long the status waits for Plex: it is a glance, not a test."""


def read_status(app: App) -> dict[str, Any]:
    """Collect the status (contract §5); nothing is written.

    Never fails because a server does not answer.
    """
    settings, plex = _glance_at_plex(app)
    choice = read_choice(app.store.connection)
    off = settings.background_worker == "off" if settings else choice.off
    counts = app.store.queue.counts()
    left = counts.pending + counts.in_progress
    progress = app.book.read(left)
    runs = drain_runs(app.folder)
    # Without a drain nobody has anything in hand; the next one takes it over.
    pending, in_progress = (counts.pending, counts.in_progress) if runs else (left, 0)
    stash = app.store.breakers["stash"].read()
    synced, last = app.store.records.summary()
    breaker = app.store.breakers["plex"].read()
    moving = runs and left > 0 and progress.rate > 0.0 and not progress.note
    return {
        "queue": {
            "pending": pending,
            "in_progress": in_progress,
            "waiting": counts.waiting,
            "dead": counts.dead,
        },
        "synced": synced,
        "last_sync_at": None if last is None else utc(last),
        "rate_per_s": round(progress.rate, 2) if moving else 0.0,
        "eta_s": round(left / progress.rate) if moving else None,
        "breaker": {
            "state": breaker.state,
            "since": utc(breaker.since) if breaker.since else None,
            "reason": breaker.reason or None,
            "refused": breaker.refused,
        },
        "worker": {
            "running": runs,
            "pid": progress.pid if runs else None,
            "since": utc(progress.started_at) if runs and progress.started_at else None,
            "origin": progress.origin if runs else None,
            "note": progress.note or None if runs else None,
            "handled": progress.handled if runs else None,
        },
        "held": _held(app, choice, nobody_sends=off and not runs, pending=pending),
        "stash": {"problem": stash.reason if stash.state != "closed" else None},
        "plex": plex,
        "metrics": _metrics(app),
        "background_worker": "off" if off else "auto",
        "reconcile": {"last": _last_reconcile(app)},
        "named": _named(app),
        "version": VERSION,
    }


def _held(
    app: App, choice: WorkerChoice, *, nobody_sends: bool, pending: int
) -> dict[str, Any] | None:
    """Say what holds keys back: that the user stopped a task, or switched the worker off."""
    held = app.store.runs.held()
    if held is not None:
        return {"by": "stop", "since": utc(held.since), "task": held.name, "scenes": held.number}
    if not nobody_sends or not pending:
        return None
    since = utc(choice.since) if choice.since else None
    return {"by": "off", "since": since, "task": None, "scenes": pending}


def _named(app: App) -> dict[str, Any]:
    """Name the first scenes that wait and that were given up, by reason."""
    connection = app.store.connection

    def scenes(first: Sequence[Named]) -> list[dict[str, Any]]:
        return [asdict(one) for one in first]

    return {
        "waiting": [
            {"reason": one.reason, "number": one.number, "first": scenes(one.first)}
            for one in read_waiting(connection, app.clock())
        ],
        "dead": [
            {"reason": one.reason, "number": one.number, "first": scenes(one.first)}
            for one in app.store.dead_letters.groups()
        ],
    }


def named_lines(status: dict[str, Any]) -> list[str]:
    """Return what waits and what was given up, a line for each reason, with the first names."""

    def line(head: str, why: str, group: dict[str, Any]) -> str:
        first = [Named(**one) for one in group["first"]]
        return f"{head}: {group['number']:,} {why}{names(first, group['number'])}."

    return [
        *(
            line("Waiting", WAITING.get(one["reason"], "to be tried again"), one)
            for one in status["named"]["waiting"]
            # What is held has a sentence of its own.
            if one["reason"] != STOPPED
        ),
        *(
            line("Given up", f"because {reason_of(one['reason']).words}", one)
            for one in status["named"]["dead"]
        ),
    ]


def _last_reconcile(app: App) -> dict[str, Any] | None:
    report = app.store.reports.last()
    return None if report is None else summary_of(report)


def _metrics(app: App) -> dict[str, Any]:
    metrics = read_metrics(app.store.connection)
    edit = metrics.edit
    return {
        "scenes": metrics.scenes,
        "fields": metrics.fields,
        "dead": metrics.dead,
        "retried": metrics.retried,
        "put_off": metrics.put_off,
        "edit_seconds": {
            "count": edit.number,
            "mean": edit.mean(),
            "p50_below": edit.below(0.5),
            "p95_below": edit.below(0.95),
        },
    }


def _glance_at_plex(app: App) -> tuple[Settings | None, dict[str, Any]]:
    """Return the settings, None where they could not be read, and what Plex answers."""
    settings: Settings | None = None
    known: dict[str, Any] = {
        "reachable": False,
        "version": None,
        "library": None,
        "items": 0,
        "problem": None,
    }
    try:
        settings = app.settings()
        settings.require_plex()
    except Stash2PlexError as error:
        known["problem"] = str(error)
        return settings, known
    plex = app.make_plex(settings, most_seconds=GLANCE_SECONDS)
    files = app.store.plex_files
    known["items"] = files.size()
    known["library"] = ", ".join(files.titles() or settings.plex_library) or None
    try:
        known["version"] = plex.identity().version
        known["reachable"] = True
    except Stash2PlexError as error:
        known["problem"] = str(error)
    finally:
        plex.close()
    return settings, known


def status_lines(status: dict[str, Any]) -> list[str]:
    """Say the status in words, a line each."""
    queue, plex, breaker, worker = (status[key] for key in ("queue", "plex", "breaker", "worker"))
    lines = [
        (
            f"Queue: {queue['pending']:,} due, {queue['in_progress']:,} in progress, "
            f"{queue['waiting']:,} waiting for later, {queue['dead']:,} given up."
        ),
        *named_lines(status),
        f"In sync: {count(status['synced'], 'scene')}"
        + (
            f", the last at {local(moment(status['last_sync_at']))}."
            if status["last_sync_at"]
            else "."
        ),
    ]
    written = status["metrics"]["scenes"].get("written", 0)
    if written:
        lines.append(f"So far: {count(written, 'scene')} written{_pace(status['metrics'])}.")
    if plex["reachable"]:
        items = count(plex["items"], "item")
        lines.append(f"Plex: {plex['version']}, {_titles(plex['library'])}, {items} known.")
    else:
        lines.append(f"Plex: {plex['problem'] or 'not reachable now.'}")
    if status["stash"]["problem"]:
        lines.append(f"Stash: {status['stash']['problem']}")
    if line := held_line(status):
        lines.append(line)
    if last := status["reconcile"]["last"]:
        lines.append(summary_sentence(last, local(moment(last["started_at"]))))
    note = (worker["note"] or "").removeprefix(plex["problem"] or "").strip()
    # What was just said of Plex is not said again.
    if breaker["state"] != "closed" and not worker["note"]:
        words = "Plex has refused us" if breaker["refused"] else "Waiting for Plex"
        lines.append(f"{words} since {local(moment(breaker['since']))}: {breaker['reason']}")
    if worker["running"]:
        text = f"The {worker['origin']} is running (process {worker['pid']})"
        if status["eta_s"] is not None:
            text += f", {status['rate_per_s']:.1f} per second, about {span(status['eta_s'])} left"
        lines.append(text + ".")
        if note:
            lines.append(f"It waits: {note.replace(chr(10), ' ')}")
    elif status["background_worker"] == "off":
        lines.append("No worker is running: background_worker is off, only tasks send anything.")
    else:
        lines.append("No worker is running now; the next change in Stash starts one.")
    return lines


def held_line(status: dict[str, Any]) -> str:
    """Say which stopped task holds keys back, and what lets them go on; empty for none."""
    held = status["held"]
    if held is None or held["by"] != "stop":
        return ""
    return held_sentence(Held(held["task"], moment(held["since"]), held["scenes"]))


def _pace(metrics: dict[str, Any]) -> str:
    edit = metrics["edit_seconds"]
    if edit["mean"] is None:
        return ""
    text = f", an edit takes {1000 * edit['mean']:.0f} ms"
    return text + (f", 95 % below {edit['p95_below']:g} s" if edit["p95_below"] else "")


def _titles(library: str | None) -> str:
    return f"“{library}”" if library else "no library listed yet"
