"""The status: as a task that logs it, and as an operation."""

from __future__ import annotations

from typing import Any

from stash2plex.operations.status import look_at_status, stored_status
from stash2plex.store.stored_status import is_stored
from stash2plex.tasks.task import Call
from stash2plex.ui.lines.status import status_lines


def queue_status(call: Call) -> dict[str, Any]:
    """Log the status in words, and return it."""
    value = status(call)
    for line in status_lines(value):
        call.logger.info("%s", line)
    return value


def status(call: Call) -> dict[str, Any]:
    """Return the status object; with `stored`, only what the database knows."""
    return stored_status(call.app) if is_stored(call.arguments) else look_at_status(call.app)
