"""Collects what helps others to find a fault: versions, settings, health, status, and the log."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from stash2plex.app import App
from stash2plex.config import SPECS, Settings
from stash2plex.datadir import LOG_NAME
from stash2plex.db import SCHEMA_NUMBER
from stash2plex.errors import Stash2PlexError
from stash2plex.operations.health.checks import Check
from stash2plex.operations.health.report import read_health
from stash2plex.operations.status import look_at_status
from stash2plex.store.identity import alias_key
from stash2plex.version import VERSION

LOG_LINES = 60
"""How many of the last lines of worker.log are shown."""

TAIL_BYTES = 65_536

SHOWN = frozenset(("skip_fields", "reconcile_interval", "background_worker"))
"""Settings with texts that reveal nothing: they are words of ours."""


@frozen
class Report:
    """What was collected, with every name still in it.

    `key` makes the pseudonyms of this data folder; empty if there is no database. `secrets` must
    not be shown, wherever they turn up. `status` is None if it could not be read.
    """

    versions: Mapping[str, str]
    settings: Sequence[str]
    health: Sequence[Check]
    status: Mapping[str, Any] | None
    log: Sequence[str]
    key: bytes = b""
    secrets: tuple[str, ...] = ()


def read_report(app: App) -> Report:
    """Collect everything; a server that is down is part of the report."""
    health = read_health(app)
    settings, problem = _settings(app)
    token = settings.plex_token if settings else ""
    return Report(
        versions=versions(),
        settings=[problem] if settings is None else changed_settings(settings),
        health=health,
        status=look_at_status(app),
        log=log_tail(app.folder),
        key=alias_key(app.store.connection),
        secrets=tuple(secret for secret in (token,) if secret),
    )


def report_of_health(checks: Sequence[Check]) -> Report:
    """Report a data folder that cannot be opened or found: only what was checked is known."""
    return Report(versions(), (), checks, None, ())


def versions() -> dict[str, str]:
    """Return what runs here: the plugin, Python, SQLite and the system, without a host's name."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    libc = "-".join(part for part in platform.libc_ver() if part)
    return {
        "Stash2Plex": f"{VERSION}, schema {SCHEMA_NUMBER}",
        "Python": python,
        "SQLite": sqlite3.sqlite_version,
        "system": " ".join(filter(None, (sys.platform, platform.machine(), libc))),
    }


def changed_settings(settings: Settings) -> list[str]:
    """List the settings that differ from their defaults; most texts only as “set”."""
    default = Settings()
    lines = []
    for spec in SPECS:
        value = getattr(settings, spec.key)
        if value == getattr(default, spec.key):
            continue
        if spec.key == "skip_fields":
            value = " ".join(sorted(str(field) for field in value))
        shown = spec.type != "STRING" or spec.key in SHOWN
        lines.append(f"{spec.key} = {value}" if shown else f"{spec.key} is set")
    return lines


def log_tail(folder: str, lines: int = LOG_LINES) -> list[str]:
    """Return the last lines of worker.log; none if it cannot be read."""
    try:
        with open(os.path.join(folder, LOG_NAME), "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]


def _settings(app: App) -> tuple[Settings | None, str]:
    try:
        return app.settings(), ""
    except Stash2PlexError as error:
        return None, f"They could not be read: {error}"
