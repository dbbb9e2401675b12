"""Operations that show, check and save the settings, and list what can be picked for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stash2plex.errors import UsageError
from stash2plex.operations.libraries import libraries_json
from stash2plex.operations.settings import check_values, save_values, settings_json
from stash2plex.servers.stash_lists import search_tags
from stash2plex.tasks.task import Call
from stash2plex.tasks.worker import leave_to_worker

MAX_TAGS = 100
"""How many tags one answer lists."""


def settings(call: Call) -> dict[str, Any]:
    """Return every setting; the token only as set or not."""
    return settings_json(call.app)


def check_settings(call: Call) -> dict[str, Any]:
    """Check values before they are saved."""
    return check_values(call.app, _values(call))


def save_settings(call: Call) -> dict[str, Any]:
    """Save the given settings, and let the worker take them up."""
    saved = save_values(call.app, _values(call))
    if saved["saved"]:
        leave_to_worker(call)
    return saved


def tags(call: Call) -> dict[str, Any]:
    """List tags of Stash by a part of their name."""
    limit = call.whole("limit", 20, 1, MAX_TAGS)
    total, rows = search_tags(call.app.stash.link, call.text("search"), limit)
    return {
        "total": total,
        "tags": [
            {"id": row.id, "name": row.name, "aliases": row.aliases, "scenes": row.scene_count}
            for row in rows
        ],
    }


def libraries(call: Call) -> dict[str, Any]:
    """List Plex's libraries, and whether each can be used."""
    return libraries_json(call.app)


def _values(call: Call) -> Mapping[str, object]:
    values = call.arguments.get("values")
    if not isinstance(values, dict):
        raise UsageError("“values” must be an object of settings by their keys.")
    return values
