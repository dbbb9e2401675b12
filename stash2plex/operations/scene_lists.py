"""Lists of scenes for the page: by state, not in Plex, and the counts of an entity's scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stash2plex.app import App
from stash2plex.errors import ServerError
from stash2plex.lock import drain_runs
from stash2plex.model import Scene
from stash2plex.operations.reasons import reason_of
from stash2plex.rules.scene_states import (
    GIVEN_UP,
    IN_SYNC,
    LEFT_OUT,
    NOT_IN_PLEX,
    REASONS,
    TO_SEND,
)
from stash2plex.servers.stash_lists import search_scenes
from stash2plex.store.names import WAITING
from stash2plex.store.scene_lists import (
    SceneRow,
    awaited_file,
    count_entity,
    count_state,
    list_state,
)
from stash2plex.text import utc

LOOK_SECONDS = 5.0
"""How long a list waits for Stash's titles: without them it shows what is known here."""


def scenes_json(
    app: App, state: str, *, reason: str, search: str, limit: int, offset: int
) -> dict[str, Any]:
    """Return a page of the scenes in a state. Raises what Stash's client raises for a search."""
    total, rows = _page(app, state, reason, search, limit, offset)
    known = _look(app, rows)
    return {"total": total, "items": [_row_json(row, state, known.get(row.id)) for row in rows]}


def missing_json(app: App, search: str, limit: int, offset: int) -> dict[str, Any]:
    """Return a page of the scenes whose file Plex does not have."""
    total, rows = _page(app, NOT_IN_PLEX, "", search, limit, offset)
    known = _look(app, rows)
    return {"total": total, "items": [_missing_json(app, row, known.get(row.id)) for row in rows]}


def entity_json(app: App, kind: str, id_: int) -> dict[str, Any]:
    """Count the scenes of a performer, studio or tag, as far as they were synced once."""
    states = count_entity(app.store.connection, kind, id_, app.clock(), runs=drain_runs(app.folder))
    number = sum(states.values())
    settled = states.get(IN_SYNC, 0) + states.get(LEFT_OUT, 0)
    return {
        "kind": kind,
        "id": id_,
        "scenes": number,
        "not_in_sync": number - settled,
        "states": states,
    }


def _page(
    app: App, state: str, reason: str, search: str, limit: int, offset: int
) -> tuple[int, list[SceneRow]]:
    database, now, runs = app.store.connection, app.clock(), drain_runs(app.folder)
    hits = search_scenes(app.stash.link, search) if search else None
    total = count_state(database, state, now, runs=runs, reason=reason, hits=hits)
    rows = list_state(
        database, state, now, runs=runs, limit=limit, offset=offset, reason=reason, hits=hits
    )
    return total, rows


def _look(app: App, rows: Sequence[SceneRow]) -> dict[int, Scene]:
    """Read the scenes of a page from Stash; none if it does not answer."""
    try:
        return app.stash.within(LOOK_SECONDS).scenes([row.id for row in rows])
    except ServerError:
        return {}


def _titled(row: SceneRow, scene: Scene | None) -> dict[str, Any]:
    title = scene.label if scene else row.title
    path = scene.files[0].path if scene and scene.files else row.path
    return {"scene_id": row.id, "title": title or f"scene {row.id}", "path": path or None}


def _row_json(row: SceneRow, state: str, scene: Scene | None) -> dict[str, Any]:
    reason = row.standing if state == LEFT_OUT else row.waits
    since = {IN_SYNC: row.synced_at, GIVEN_UP: row.failed_at}.get(state, row.added_at)
    until = row.due_at if state not in (TO_SEND, IN_SYNC, GIVEN_UP, LEFT_OUT) else None
    return {
        **_titled(row, scene),
        "state": state,
        "reason": reason or None,
        "words": _words(row, state),
        "since": None if since is None else utc(since),
        "until": None if until is None else utc(until),
        "rating_key": row.rating_key or None,
    }


def _words(row: SceneRow, state: str) -> str | None:
    """Return why a scene is in its state, in words; None if the state says it."""
    if state == LEFT_OUT:
        return REASONS.get(row.standing)
    if state in (IN_SYNC, TO_SEND):
        return None
    if row.error:
        return row.error
    return reason_of(row.waits).words if state == GIVEN_UP else WAITING.get(row.waits)


def _missing_json(app: App, row: SceneRow, scene: Scene | None) -> dict[str, Any]:
    awaited = awaited_file(app.store.connection, row.id)
    titled = _titled(row, scene)
    scan = None
    if awaited is not None and awaited.was_asked is not None:
        scan = "asked" if awaited.was_asked else "due"
    return {
        **titled,
        "path": titled["path"] or (awaited.path if awaited else None),
        "folder": (awaited.folder if awaited else "") or None,
        "since": None if row.added_at is None else utc(row.added_at),
        "next_look_at": None if row.due_at is None else utc(row.due_at),
        "looks": row.snoozes,
        "scan": scan,
    }
