"""What the written answers of several views share."""

from __future__ import annotations

from typing import Any

AT = "2026-03-01T14:05:12Z"
NO_WORK = {
    "state": "none",
    "began_at": None,
    "ended_at": None,
    "done": 0,
    "total": None,
    "problem": None,
}
HOSTILE = "שלום <script>window.hacked = 1</script> " + "Very long harbour " * 15
"""A title of 300 characters, from right to left, with a script in it."""

SCENES: dict[str, Any] = {
    "total": 12410,
    "in_sync": 11172,
    "to_send": 1201,
    "sending": 3,
    "waiting": 0,
    "not_in_plex": 31,
    "given_up": 3,
    "left_out": 0,
    "as_of": AT,
    "left_out_because": {},
}


def settled(**more: int) -> dict[str, Any]:
    """Return counts of a library in which nothing is under way."""
    counts = {**SCENES, "to_send": 0, "sending": 0, "not_in_plex": 0, "given_up": 0, **more}
    rest = sum(counts[name] for name in ("waiting", "not_in_plex", "given_up", "left_out"))
    counts["in_sync"] = counts["total"] - rest - counts["to_send"] - counts["sending"]
    return counts
