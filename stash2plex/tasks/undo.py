"""The task that puts Plex back, and the operation that puts chosen scenes back."""

from __future__ import annotations

from stash2plex.db import MAX_INTEGER
from stash2plex.errors import UsageError
from stash2plex.model import OPAQUE_ID, Field
from stash2plex.operations.undo import (
    Chosen,
    forecast,
    is_second_press,
    queue_undo,
    remember_press,
    undo_report,
)
from stash2plex.operations.undo import undo as undo_scenes
from stash2plex.tasks.drain import drain
from stash2plex.tasks.task import MAX_IDS, Call
from stash2plex.tasks.worker import leave_to_worker
from stash2plex.text import count
from stash2plex.ui.lines.undo import forecast_lines, report_lines

NAME = "Put Plex Back"


def put_back(call: Call) -> str:
    """Show what would be put back; a second press within ten minutes does it."""
    app, everything = call.app, Chosen(everything=True)
    if not is_second_press(app):
        known = forecast(app, everything)
        lines = forecast_lines(known)
        if known.queued:
            remember_press(app, acts=False)
            lines.append("Press it again within ten minutes to do that.")
        return _report(call, lines)
    remember_press(app, acts=True)
    with call.running(NAME) as begun:
        scenes = queue_undo(app, everything, run_id=begun.id)
        call.report(f"{NAME}: {count(len(scenes), 'scene')} queued.")
        try:
            drain(call, begun, NAME)
        finally:
            text = _report(call, report_lines(undo_report(app, scenes)))
    return text


def _report(call: Call, lines: list[str]) -> str:
    for line in lines:
        call.report(f"{NAME}: {line}")
    return f"{NAME}: {' '.join(line.strip() for line in lines)}"


def undo(call: Call) -> dict[str, int]:
    """Put chosen scenes back, or count what that would do."""
    chosen = _chosen(call)
    if call.arguments.get("dry_run") is True:
        return forecast(call.app, chosen).as_json()
    known = undo_scenes(call.app, chosen)
    leave_to_worker(call)
    return known.as_json()


def _chosen(call: Call) -> Chosen:
    given = call.arguments
    scenes = call.scene_keys() if given.get("scene_ids") else []
    return Chosen(
        scene_ids=[id_ for _, id_ in scenes],
        rating_keys=_texts(given.get("rating_keys"), "rating_keys"),
        run_id=call.whole("run_id", 0, 1, MAX_INTEGER),
        everything=given.get("all") is True,
        left_out=given.get("left_out") is True,
        fields=read_field_names(_texts(given.get("fields"), "fields")),
    )


def _texts(value: object, name: str) -> list[str]:
    """Read a list of short words; none for a missing one."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_IDS:
        raise UsageError(f"“{name}” must be a list of at most {MAX_IDS:,} words.")
    words = [str(word) for word in value]
    if not all(OPAQUE_ID.fullmatch(word) for word in words):
        raise UsageError(f"“{name}” has something that is not one of its words.")
    return words


def read_field_names(names: list[str]) -> frozenset[Field]:
    """Read the names of fields. Raises UsageError that lists the known ones."""
    known = {str(name): name for name in Field}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"There is no field {unknown[0]!r}. Known fields: {', '.join(known)}.")
    return frozenset(known[name] for name in names)
