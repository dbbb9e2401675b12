"""The operation that the page polls."""

from __future__ import annotations

from typing import Any

from stash2plex.store.stored_page import read_page
from stash2plex.tasks.task import Call


def page(call: Call) -> dict[str, Any]:
    """Return what the page shows all the time, from the database alone."""
    return read_page(call.app.store.connection, call.app.folder, call.app.clock())
