"""Tasks and operations that say what is off: health, outages."""

from __future__ import annotations

import logging
from typing import Any

from stash2plex.errors import StoreError
from stash2plex.logs.handlers import ASKED_FOR
from stash2plex.operations.health.checks import health_lines, health_sentence
from stash2plex.operations.health.report import health_without_store, read_health
from stash2plex.operations.outages import SHOWN, read_report, report_lines
from stash2plex.tasks.context import Context

MOST_ROWS = 1_000


def health(context: Context) -> dict[str, Any]:
    """Answer the checks."""
    return {"checks": [check.as_json() for check in read_health(context.app)]}


def health_check(context: Context) -> dict[str, Any]:
    """Log a summary and the checks that need the user, and answer all of them."""
    checks = read_health(context.app)
    lines = health_lines(checks)
    context.logger.log(
        logging.WARNING if lines else logging.INFO, "Health Check: %s", health_sentence(checks)
    )
    for line in lines:
        context.logger.warning("%s", line, extra={ASKED_FOR: True})
    return {"checks": [check.as_json() for check in checks]}


def health_of(error: StoreError) -> dict[str, Any]:
    """Answer the checks where the database cannot be opened."""
    return {"checks": [check.as_json() for check in health_without_store(error)]}


def outages(context: Context) -> dict[str, Any]:
    """Answer the outages and what they come to."""
    return read_report(context.app, context.whole("limit", SHOWN, 1, MOST_ROWS))


def outage_summary(context: Context) -> dict[str, Any]:
    """Log the outages in words, and answer them."""
    report = outages(context)
    for line in report_lines(report):
        context.logger.info("%s", line)
    return report
