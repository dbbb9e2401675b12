"""What was taken over from version 1, in words and as a plain value."""

from __future__ import annotations

from typing import Any

from stash2plex.operations.import_legacy import Taken
from stash2plex.text import count


def legacy_json(taken: Taken) -> dict[str, Any]:
    """Return the numbers, and what was left."""
    legacy = taken.legacy
    return {
        "queued": taken.queued,
        "waiting": len(legacy.waiting),
        "dead": len(legacy.dead),
        "unreadable": legacy.unreadable,
        "damaged": list(legacy.damaged),
        "left": list(legacy.left),
    }


def legacy_lines(taken: Taken) -> list[str]:
    """Return what was queued, what could not be read, and what to do next."""
    legacy = taken.legacy
    queued = f"{count(taken.queued, 'scene')} queued"
    lines = [f"{queued}: {len(legacy.waiting):,} were waiting, {len(legacy.dead):,} given up."]
    if legacy.unreadable:
        lines.append(
            f"{count(legacy.unreadable, 'job')} could not be read; “Sync All Scenes” finds them."
        )
    lines += legacy.damaged
    if legacy.damaged:
        lines.append("“Sync All Scenes” finds what was not read.")
    if legacy.left:
        lines.append(f"Left as they are, because they are not needed: {', '.join(legacy.left)}.")
    lines.append("Run “stash2plex process”, or “Process Queue” in Stash, to send them.")
    return lines
