"""What a run finds when it begins, in words."""

from __future__ import annotations

from stash2plex.store.runs import Begun
from stash2plex.text import count, local


def sources_words(begun: Begun) -> str:
    """Name what made the keys due that a run found."""
    names = [
        f"“{source.name}” at {local(source.began_at)}" if source.name else "saves"
        for source in begun.sources
    ]
    return "from " + (" and ".join(names) or "saves")


def begun_lines(begun: Begun) -> list[str]:
    """Return what a run found when it began, a line each."""
    if not begun.found:
        return []
    lines = [f"{count(begun.found, 'key')} due already ({sources_words(begun)})."]
    if begun.taken_up:
        held = count(begun.taken_up, "key")
        lines.append(f"Taken up again: {held} on hold since a task was stopped.")
    return lines
