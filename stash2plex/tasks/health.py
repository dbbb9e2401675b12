"""Health Check: as a task that logs it, and as an operation."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from stash2plex.errors import StoreError
from stash2plex.logs.handlers import ASKED_FOR
from stash2plex.operations.health.checks import Check
from stash2plex.operations.health.report import health_without_store, read_health
from stash2plex.store.meta import HEALTH_AT, keep_number
from stash2plex.tasks.task import Call
from stash2plex.ui.lines.health import health_lines, health_sentence


def health(call: Call) -> dict[str, Any]:
    """Return the checks."""
    return _answer(_run(call))


def health_check(call: Call) -> dict[str, Any]:
    """Log a summary and the checks that need the user, and return all of them."""
    return _logged(_run(call), call.logger)


def _run(call: Call) -> list[Check]:
    """Run every check, and record when, if the database can be written."""
    checks = read_health(call.app)
    with suppress(sqlite3.Error):
        keep_number(call.app.store.connection, HEALTH_AT, call.app.clock())
    return checks


def health_of(error: StoreError, _logger: logging.Logger) -> dict[str, Any]:
    """Return the checks when the database cannot be opened."""
    return _answer(health_without_store(error))


def health_check_of(error: StoreError, logger: logging.Logger) -> dict[str, Any]:
    """Log and return the checks where the database cannot be opened."""
    return _logged(health_without_store(error), logger)


def _logged(checks: list[Check], logger: logging.Logger) -> dict[str, Any]:
    lines = health_lines(checks)
    logger.log(
        logging.WARNING if lines else logging.INFO, "Health Check: %s", health_sentence(checks)
    )
    for line in lines:
        logger.warning("%s", line, extra={ASKED_FOR: True})
    return _answer(checks)


def _answer(checks: Sequence[Check]) -> dict[str, Any]:
    return {"checks": [check.as_json() for check in checks]}
