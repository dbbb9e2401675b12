"""What a run finds when it begins, in words."""

from __future__ import annotations

from stash2plex.store.runs import Begun
from stash2plex.text import count, local


def sources_words(begun: Begun) -> str:
    """Name what queued the keys that were due when a run began."""
    names = [
        f"“{source.name}” at {local(source.began_at)}" if source.name else "saves"
        for source in begun.sources
    ]
    return "from " + (" and ".join(names) or "saves")


def begun_lines(begun: Begun) -> list[str]:
    """Return what a run found when it began, one line a fact."""
    if not begun.found:
        return []
    verb = "is" if begun.found == 1 else "are"
    lines = [f"{count(begun.found, 'scene')} {verb} due already ({sources_words(begun)})."]
    if begun.taken_up:
        held = count(begun.taken_up, "scene")
        lines.append(f"Off hold again: {held} that waited since a task was stopped.")
    return lines
