"""The outage report: as a task that logs it, and as an operation."""

from __future__ import annotations

from typing import Any

from stash2plex.operations.outages import SHOWN, outage_report
from stash2plex.tasks.task import MAX_ROWS, Call
from stash2plex.ui.lines.outages import outage_lines


def outages(call: Call) -> dict[str, Any]:
    """Return the newest outages, and how available the servers were."""
    return outage_report(call.app, call.whole("limit", SHOWN, 1, MAX_ROWS))


def outage_summary(call: Call) -> dict[str, Any]:
    """Log the outages in words, and return them."""
    report = outages(call)
    for line in outage_lines(report):
        call.logger.info("%s", line)
    return report
