"""The status object: what every process of a data folder knows, as one plain value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import asdict

from stash2plex.app import App, make_plex
from stash2plex.db import get_meta
from stash2plex.errors import Stash2PlexError
from stash2plex.lock import drain_runs
from stash2plex.operations.notifications import held_sentence
from stash2plex.operations.reasons import reason_of
from stash2plex.store.dead_letters import DeadLetters
from stash2plex.store.metrics import read_metrics
from stash2plex.store.names import WAITING, Named, names, read_waiting
from stash2plex.store.reports import ReportBook
from stash2plex.store.runs import Held
from stash2plex.sync.report import summary_of, summary_sentence
from stash2plex.sync.stops import look as look_for_stops
from stash2plex.text import count, local, moment, span, utc
from stash2plex.version import VERSION
from stash2plex.workqueue import STOPPED

GLANCE_SECONDS = 2.0
"""How long the status waits for Plex: it is a glance, not a test."""


def read_status(app: App) -> dict[str, Any]:
    """Collect the status (contract §5). Never fails because a server does not answer."""
    look_for_stops(app.store.runs, app.stash)
    counts = app.store.queue.counts()
    left = counts.pending + counts.in_progress
    progress = app.book.read(left)
    runs = drain_runs(app.folder)
    # Without a drain nobody has anything in hand; the next one takes it over.
    pending, in_progress = (counts.pending, counts.in_progress) if runs else (left, 0)
    stash = app.store.breakers["stash"].read()
    synced, last = app.store.records.summary()
    breaker = app.store.breakers["plex"].read()
    plex = _glance_at_plex(app)
    wait = progress.wait if runs else None
    moving = runs and left > 0 and progress.rate > 0.0 and progress.wait is None
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
            "note": wait and "\n".join(filter(None, (wait.why, wait.outlook))),
            "why": wait and wait.why,
            "outlook": wait and wait.outlook,
            "handled": progress.handled if runs else None,
        },
        "held": _held(app, runs=runs, pending=pending),
        "stash": {"problem": stash.reason if stash.state != "closed" else None},
        "plex": plex,
        "metrics": _metrics(app),
        "background_worker": "auto" if app.worker_wanted() else "off",
        "reconcile": {"last": _last_reconcile(app)},
        "named": _named(app),
        "version": VERSION,
    }


def _held(app: App, *, runs: bool, pending: int) -> dict[str, Any] | None:
    """Say what holds keys back: that the user stopped a task, or switched the worker off."""
    held = app.store.runs.held()
    if held is not None:
        return {"by": "stop", "since": utc(held.since), "task": held.name, "scenes": held.number}
    word, _, since = (get_meta(app.store.connection, "background_worker") or "").partition(" ")
    if word != "off" or runs or not pending:
        return None
    since_then = utc(float(since)) if since else None
    return {"by": "off", "since": since_then, "task": None, "scenes": pending}


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
            for one in DeadLetters(connection).groups()
        ],
    }


def named_rows(status: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what waits and what was given up, a head and a text for each reason.

    The text names the first of them.
    """

    def row(head: str, why: str, group: dict[str, Any]) -> tuple[str, str]:
        first = [Named(**one) for one in group["first"]]
        return head, f"{group['number']:,} {why}{names(first, group['number'])}."

    return [
        *(
            row("Waiting", WAITING.get(one["reason"], "to be tried again"), one)
            for one in status["named"]["waiting"]
            # What is held has a sentence of its own.
            if one["reason"] != STOPPED
        ),
        *(
            row("Given up", f"because {reason_of(one['reason']).words}", one)
            for one in status["named"]["dead"]
        ),
    ]


def _last_reconcile(app: App) -> dict[str, Any] | None:
    report = ReportBook(app.store.connection).last()
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


def _glance_at_plex(app: App) -> dict[str, Any]:
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
        plex = make_plex(settings, app.client_id(), most_seconds=GLANCE_SECONDS)
    except Stash2PlexError as error:
        known["problem"] = str(error)
        return known
    files = app.store.plex_files
    known["items"] = files.size()
    known["library"] = ", ".join(files.titles() or settings.plex_library) or None
    try:
        known["version"] = plex.identity().version
        known["reachable"] = True
    except Stash2PlexError as error:
        known["problem"] = str(error)
        return known
    finally:
        plex.close()
    return known


def status_lines(status: dict[str, Any]) -> list[str]:
    """Say the status in words, a line each."""
    queue, plex, breaker, worker = (status[key] for key in ("queue", "plex", "breaker", "worker"))
    lines = [
        (
            f"Queue: {queue['pending']:,} due, {queue['in_progress']:,} in progress, "
            f"{queue['waiting']:,} waiting for later, {queue['dead']:,} given up."
        ),
        *(f"{head}: {text}" for head, text in named_rows(status)),
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
    if breaker["state"] != "closed" and worker["why"] is None:
        words = "Plex has refused us" if breaker["refused"] else "Waiting for Plex"
        lines.append(f"{words} since {local(moment(breaker['since']))}: {breaker['reason']}")
    if worker["running"]:
        text = f"The {worker['origin']} is running (process {worker['pid']})"
        if status["eta_s"] is not None:
            text += f", {status['rate_per_s']:.1f} per second, about {span(status['eta_s'])} left"
        lines.append(text + ".")
        # What was just said of Plex is not said again.
        waits = [worker["outlook"] if worker["why"] == plex["problem"] else waits_words(worker)]
        lines += [f"It waits: {words}" for words in waits if words]
    elif status["background_worker"] == "off":
        lines.append("No worker is running: background_worker is off, only tasks send anything.")
    else:
        lines.append("No worker is running now; the next change in Stash starts one.")
    return lines


def held_line(status: dict[str, Any]) -> str | None:
    """Return which stopped task holds keys back, and what lets them go on; None for none."""
    held = status["held"]
    if held is None or held["by"] != "stop":
        return None
    return held_sentence(Held(held["task"], moment(held["since"]), held["scenes"]))


def waits_words(worker: dict[str, Any]) -> str | None:
    """Return why the worker of a status stands still and when it goes on; None while it works."""
    return " ".join(filter(None, (worker["why"], worker["outlook"]))) or None


def _pace(metrics: dict[str, Any]) -> str:
    edit = metrics["edit_seconds"]
    if edit["mean"] is None:
        return ""
    text = f", an edit takes {1000 * edit['mean']:.0f} ms"
    return text + (f", 95 % below {edit['p95_below']:g} s" if edit["p95_below"] else "")


def _titles(library: str | None) -> str:
    return f"“{library}”" if library else "no library listed yet"
