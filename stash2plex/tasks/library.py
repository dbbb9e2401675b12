"""Operations about Plex's libraries: how paths map, what is there, and what no scene has."""

from __future__ import annotations

from typing import Any

from stash2plex.operations.library import library_json, unknown_json
from stash2plex.operations.paths import paths_json
from stash2plex.operations.preview import preview_some as preview_a_few
from stash2plex.tasks.task import MAX_ROWS, Call

MAX_SCENES = 50
"""How many scenes a small preview shows."""


def paths(call: Call) -> dict[str, Any]:
    """Look up a sample of scenes with the present rules or with a trial."""
    given = call.arguments.get("path_map")
    return paths_json(call.app, None if given is None else call.text("path_map", 20_000))


def library(call: Call) -> dict[str, Any]:
    """Return the share in sync, the last looks and the libraries."""
    return library_json(call.app)


def unknown_files(call: Call) -> dict[str, Any]:
    """Return a page of the files in Plex that no scene has."""
    return unknown_json(
        call.app,
        call.text("section_id"),
        call.text("search"),
        call.whole("limit", 50, 1, MAX_ROWS),
        call.whole("offset", 0, 0, 2**53),
    )


def preview_some(call: Call) -> dict[str, Any]:
    """Return what a sync of a few scenes would write; by default of ten that change."""
    chosen = [id_ for _, id_ in call.scene_keys()] if "scene_ids" in call.arguments else None
    return preview_a_few(call.app, chosen, call.whole("limit", 10, 1, MAX_SCENES))
