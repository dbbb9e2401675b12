"""What Stash2Plex 1.x left unfinished, as an operation."""

from __future__ import annotations

from typing import Any

from stash2plex.operations.import_legacy import NOTHING, dismiss, offered, take_over
from stash2plex.tasks.task import Call
from stash2plex.ui.lines.legacy import legacy_json, legacy_lines


def import_legacy(call: Call) -> dict[str, Any]:
    """Queue what the older version left where it kept its data, and return the numbers.

    They are zero if it has left nothing to finish.
    """
    offer = offered(call.app)
    if offer is None:
        dismiss(call.app)
        call.report("Stash2Plex 1.x has left nothing to finish.")
        return legacy_json(NOTHING)
    taken = take_over(call.app, offer.folder)
    for line in legacy_lines(taken):
        call.report(line)
    return legacy_json(taken)
