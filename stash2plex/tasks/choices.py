"""Operations by which the user chooses the Plex item of a scene."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import UsageError
from stash2plex.operations.choices import candidates_json, forget, keep_choice
from stash2plex.tasks.task import Call
from stash2plex.tasks.worker import leave_to_worker


def candidates(call: Call) -> dict[str, Any]:
    """Return the items that fit a scene, side by side."""
    return candidates_json(call.app, call.scene_id())


def choose_item(call: Call) -> dict[str, Any]:
    """Keep which item a scene has, and send the scene."""
    rating_key = call.text("rating_key")
    if not rating_key:
        raise UsageError("“rating_key” is missing.")
    kept = keep_choice(call.app, call.scene_id(), rating_key)
    leave_to_worker(call)
    return kept


def forget_choice(call: Call) -> dict[str, Any]:
    """Take a choice back, and look the scene up as usual."""
    forgotten = forget(call.app, call.scene_id())
    leave_to_worker(call)
    return forgotten
