"""Operations that list scenes, runs and trouble for the page."""

from __future__ import annotations

from typing import Any

from stash2plex.db import MAX_INTEGER
from stash2plex.errors import UsageError
from stash2plex.operations.scene_lists import entity_json, missing_json, scenes_json
from stash2plex.operations.trouble import trouble_json
from stash2plex.rules.scene_states import REASONS, STATES
from stash2plex.tasks.task import Call
from stash2plex.text import utc

MAX_PAGE = 100
"""How many scenes one answer lists: their titles come from Stash."""

ENTITIES = ("performer", "studio", "tag")


def trouble(call: Call) -> dict[str, Any]:
    """Return what needs the user, worst first, each with its cure."""
    return trouble_json(call.app)


def scenes(call: Call) -> dict[str, Any]:
    """Return a page of the scenes in a state."""
    state, reason = call.arguments.get("state"), call.text("reason")
    if state not in STATES:
        raise UsageError(f"“state” is {str(state)[:40]!r}; allowed: {', '.join(STATES)}.")
    if reason and reason not in REASONS:
        raise UsageError(f"“reason” is {reason[:40]!r}; allowed: {', '.join(REASONS)}.")
    limit, offset = _page(call)
    return scenes_json(
        call.app, state, reason=reason, search=call.text("search"), limit=limit, offset=offset
    )


def not_in_plex(call: Call) -> dict[str, Any]:
    """Return a page of the scenes whose file Plex does not have."""
    limit, offset = _page(call)
    return missing_json(call.app, call.text("search"), limit, offset)


def entity(call: Call) -> dict[str, Any]:
    """Return how many scenes of a performer, studio or tag are not in sync."""
    ids = {kind: call.whole(f"{kind}_id", 0, 0, MAX_INTEGER) for kind in ENTITIES}
    given = [(kind, id_) for kind, id_ in ids.items() if id_]
    if len(given) != 1:
        raise UsageError("Pass “performer_id”, “studio_id” or “tag_id”, one of them.")
    return entity_json(call.app, *given[0])


def runs(call: Call) -> dict[str, Any]:
    """Return a page of the runs, newest first."""
    total, page = call.app.store.runs.page(*_page(call))
    return {
        "total": total,
        "items": [
            {
                "id": run.id,
                "name": run.name,
                "state": run.state,
                "began_at": utc(run.began_at),
                "ended_at": None if run.ended_at is None else utc(run.ended_at),
                "queued": run.queued,
                "found": run.found,
                "done": run.done,
                "failed": run.failed,
                "later": run.later,
                "removed": run.removed,
                "held": run.held,
            }
            for run in page
        ],
    }


def _page(call: Call) -> tuple[int, int]:
    return call.whole("limit", 50, 1, MAX_PAGE), call.whole("offset", 0, 0, 2**53)
