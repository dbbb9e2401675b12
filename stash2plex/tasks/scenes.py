"""Tasks and operations that explain scenes or preview a sync, and write nothing."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import UsageError
from stash2plex.logs.handlers import ASKED_FOR
from stash2plex.operations.explain import (
    explain_scene,
    explanation_json,
    explanation_lines,
    field_lines,
)
from stash2plex.operations.preview import preview_all, preview_scenes
from stash2plex.tasks.context import Context

MOST_ID = 2**63 - 1


def preview(context: Context) -> dict[str, Any]:
    """Log what a sync of one scene or of all would write."""
    scene_id = context.whole("scene_id", 0, 0, MOST_ID)
    app = context.app
    found = preview_scenes(app, [scene_id]) if scene_id else preview_all(app)
    for line in found.lines():
        context.logger.info("%s", line, extra={ASKED_FOR: True})
    return found.as_json()


def scene(context: Context) -> dict[str, Any]:
    """Answer all that is known of a scene."""
    scene_id = context.whole("scene_id", 0, 0, MOST_ID)
    if not scene_id:
        raise UsageError("“scene_id” is missing: the id of a scene in Stash.")
    known = explain_scene(context.app, scene_id)
    for line in (*explanation_lines(known), *field_lines(known)):
        context.logger.debug("%s", line)
    return explanation_json(known)
