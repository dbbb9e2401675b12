"""Where an answer shows a scene, and what it becomes where that one scene cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stash2plex_testing.stash.images import Reply
from stash2plex_testing.stash.records import Scene

Place = tuple[str | int, ...]


def place_of(reply: Reply, scene: Scene) -> Place | None:
    """Return where the answer to a query shows a scene; None where it does not."""
    try:
        data = json.loads(reply.body)["data"]
    except (ValueError, KeyError, TypeError):
        return None
    return next((place for place, row in _rows(data) if _is(row, scene)), None)


def without(reply: Reply, place: Place, message: str) -> Reply:
    """Return an answer whose scene at a place failed: null up to what may be null (stash.md §5.1).

    A scene found alone may be null; one of a list may not, nor may the list.
    """
    answer = json.loads(reply.body)
    if len(place) == 1:
        answer["data"][place[0]] = None
    else:
        answer["data"] = None
    errors = [*answer.get("errors", []), {"message": message, "path": [*place, "files"]}]
    body = json.dumps({"errors": errors, "data": answer["data"]}).encode()
    return Reply(200, body, "application/json")


def _rows(data: Any) -> Iterator[tuple[Place, Any]]:
    for key, value in (data or {}).items():
        if not isinstance(value, dict):
            continue
        rows = value.get("scenes")
        if isinstance(rows, list):
            yield from (((key, "scenes", number), row) for number, row in enumerate(rows))
        else:
            yield (key,), value


def _is(row: Any, scene: Scene) -> bool:
    """Whether a row is of a scene: by its id, else by its time alone, as in a glance."""
    if row.keys() == {"updated_at"}:
        return bool(row["updated_at"] == scene.updated_at)
    return bool(row.get("id") == str(scene.id))
