"""Tasks and operations that explain scenes or preview a sync, and write nothing."""

from __future__ import annotations

from typing import Any

from stash2plex.db import MAX_INTEGER
from stash2plex.errors import UsageError
from stash2plex.logs.handlers import ASKED_FOR
from stash2plex.operations.explain import explain_scene, explanation_json
from stash2plex.operations.preview import preview_all, preview_scenes
from stash2plex.tasks.task import Call
from stash2plex.ui.lines.preview import preview_lines
from stash2plex.ui.lines.scenes import explanation_lines, field_lines


def preview(call: Call) -> dict[str, Any]:
    """Log what a sync of one scene or of all would write."""
    scene_id = call.whole("scene_id", 0, 0, MAX_INTEGER)
    app = call.app
    previewed = preview_scenes(app, [scene_id]) if scene_id else preview_all(app)
    for line in preview_lines(previewed):
        call.logger.info("%s", line, extra={ASKED_FOR: True})
    return previewed.as_json()


def scene(call: Call) -> dict[str, Any]:
    """Return everything known about a scene."""
    scene_id = call.whole("scene_id", 0, 0, MAX_INTEGER)
    if not scene_id:
        raise UsageError("“scene_id” is missing; pass the id of a scene in Stash.")
    known = explain_scene(call.app, scene_id)
    for line in (*explanation_lines(known), *field_lines(known)):
        call.logger.debug("%s", line)
    return explanation_json(known)
