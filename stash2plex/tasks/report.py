"""The report, as an operation."""

from __future__ import annotations

import logging
from typing import Any

from stash2plex.errors import StoreError
from stash2plex.operations.health.report import health_without_store
from stash2plex.operations.report import read_report, report_of_health
from stash2plex.tasks.task import Call
from stash2plex.ui.lines.report import report_lines


def report(call: Call) -> dict[str, Any]:
    """Return the report as lines, with every name hidden."""
    return {"report": report_lines(read_report(call.app))}


def report_of(error: StoreError, _logger: logging.Logger) -> dict[str, Any]:
    """Return the report when the database cannot be opened."""
    return {"report": report_lines(report_of_health(health_without_store(error)))}
