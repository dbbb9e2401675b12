"""The operation that returns the history of writes."""

from __future__ import annotations

from typing import Any

from stash2plex.db import MAX_INTEGER
from stash2plex.operations.history import list_runs, list_writes
from stash2plex.tasks.task import MAX_ROWS, Call


def history(call: Call) -> dict[str, Any]:
    """Return a page of writes, or of their runs."""
    limit = call.whole("limit", 50, 1, MAX_ROWS)
    offset = call.whole("offset", 0, 0, 2**53)
    if call.arguments.get("runs") is True:
        return list_runs(call.app, limit, offset).as_json()
    scene_id = call.whole("scene_id", 0, 1, MAX_INTEGER) or None
    run_id = call.whole("run_id", 0, 1, MAX_INTEGER) or None
    page = list_writes(call.app, scene_id=scene_id, run_id=run_id, limit=limit, offset=offset)
    return page.as_json()
