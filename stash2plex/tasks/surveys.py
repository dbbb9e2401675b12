"""Operations that survey every scene in the background, and the job that Stash runs for them."""

from __future__ import annotations

from typing import Any

from stash2plex.errors import UsageError
from stash2plex.model import Field
from stash2plex.operations.surveys import NAMES, carry_out, changes_json, comparison_json
from stash2plex.store.surveys import SurveyKind
from stash2plex.tasks.task import MAX_ROWS, Call
from stash2plex.ui.progress import StashProgress


def count_changes(call: Call) -> dict[str, Any]:
    """Return how many scenes a sync would change, as far as they were counted."""
    return changes_json(call.app, start=call.flag("start"))


def compare(call: Call) -> dict[str, Any]:
    """Return what differs between Stash and Plex, as far as it was compared."""
    field = call.text("field")
    if field and field not in set(Field):
        raise UsageError(f"“field” is {field[:40]!r}, which is no field.")
    return comparison_json(
        call.app,
        start=call.flag("start"),
        field=field,
        limit=call.whole("limit", 50, 1, MAX_ROWS),
        offset=call.whole("offset", 0, 0, 2**53),
    )


def survey(call: Call) -> str:
    """Do the survey that one of the two operations began; without one there is nothing to do."""
    kind = next((kind for kind in SurveyKind if kind == call.arguments.get("kind")), None)
    if kind is not None:
        observer = StashProgress(call.stderr, call.logger, NAMES[kind])
        if carry_out(call.app, kind, call.text("word"), observer):
            return call.report("It has ended; the page shows it.")
    return call.report("There is nothing to do.")
