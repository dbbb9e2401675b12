"""Builds the status object: what every process of a data folder knows, as one plain value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict

from stash2plex.app import App
from stash2plex.config import Settings
from stash2plex.errors import Stash2PlexError
from stash2plex.operations.runs import settle_stops
from stash2plex.operations.traits import traits_json
from stash2plex.store.dead_letters import read_groups
from stash2plex.store.metrics import read_metrics
from stash2plex.store.names import Named, read_waiting
from stash2plex.store.stored_status import held_by, read_stored_status
from stash2plex.store.worker_choice import read_choice
from stash2plex.sync.report import summary_of

GLANCE_SECONDS = 2.0
"""How many seconds the status waits for Plex: it is a quick look, not a test."""


def look_at_status(app: App) -> dict[str, Any]:
    """Settle what earlier tasks left, read the status, and store what must be hidden.

    Commands that ask no server, such as `outages`, learn from that what to hide.
    """
    settle_stops(app)
    status = read_status(app)
    app.settings_reader.keep_hiding()
    return status


def read_status(app: App) -> dict[str, Any]:
    """Collect the status (contract §5); nothing is written.

    A server that does not answer does not make it fail.
    """
    settings, plex = _glance_at_plex(app)
    status = stored_status(app)
    off = settings.background_worker == "off" if settings else status["background_worker"] == "off"
    return {
        **status,
        "held": _held(app, status, off=off),
        "plex": plex,
        "metrics": _metrics(app),
        "background_worker": "off" if off else "auto",
        "reconcile": {"last": _last_reconcile(app)},
        "named": _named(app),
    }


def stored_status(app: App) -> dict[str, Any]:
    """Return what the database knows, without asking a server."""
    return read_stored_status(app.store.connection, app.folder, app.clock())


def _held(app: App, status: Mapping[str, Any], *, off: bool) -> dict[str, Any] | None:
    """Return what holds keys back under the present settings."""
    held: dict[str, Any] | None = status["held"]
    if held is not None and held["by"] != "off":
        return held
    nobody_sends = off and not status["worker"]["running"]
    since = read_choice(app.store.connection).since
    return held_by(
        None,
        off_since="" if since is None else f"{since:.0f}",
        idle=status["queue"]["pending"] if nobody_sends else 0,
    )


def _named(app: App) -> dict[str, Any]:
    """Name the first scenes that wait and that were given up, by reason."""
    connection = app.store.connection

    def scenes(first: Sequence[Named]) -> list[dict[str, Any]]:
        return [asdict(scene) for scene in first]

    return {
        "waiting": [
            {"reason": group.reason, "number": group.number, "first": scenes(group.first)}
            for group in read_waiting(connection, app.clock())
        ],
        "dead": [
            {"reason": group.reason, "number": group.number, "first": scenes(group.first)}
            for group in read_groups(app.store.connection)
        ],
    }


def last_report(app: App) -> dict[str, Any] | None:
    """Return the report of the last reconcile; None before the first."""
    return app.store.reports.last()


def _last_reconcile(app: App) -> dict[str, Any] | None:
    report = last_report(app)
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
    """Return the settings (None if they could not be read) and what Plex answers."""
    settings: Settings | None = None
    known: dict[str, Any] = {
        "reachable": False,
        "version": None,
        "library": None,
        "items": 0,
        "problem": None,
        "traits": traits_json(app.store.traits.rows()),
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
    known["library"] = ", ".join(files.titles()) or settings.plex_library.text or None
    try:
        known["version"] = plex.identity().version
        known["reachable"] = True
    except Stash2PlexError as error:
        known["problem"] = str(error)
    finally:
        plex.close()
    return settings, known
