"""Answers of the operations as their schema has them, for tests and pictures of the page."""

from __future__ import annotations

from typing import Any

from stash2plex_testing.page import first_run, history, library, now, scene, settings, trouble
from stash2plex_testing.page.common import AT, HOSTILE, SCENES, settled
from stash2plex_testing.page.now import FRESH, PAGE, WELL, at_step, change, page
from stash2plex_testing.page.settings import SETTINGS, setting
from stash2plex_testing.page.trouble import dead_letters

__all__ = [
    "ANSWERS",
    "AT",
    "FRESH",
    "FRIENDLY",
    "HOSTILE",
    "PAGE",
    "SCENES",
    "SETTINGS",
    "WELL",
    "at_step",
    "change",
    "dead_letters",
    "page",
    "setting",
    "settled",
]

ANSWERS: dict[str, Any] = {
    **now.ANSWERS,
    **first_run.ANSWERS,
    **trouble.ANSWERS,
    **library.ANSWERS,
    **history.ANSWERS,
    **settings.ANSWERS,
    **scene.ANSWERS,
}


def _friendly(value: Any) -> Any:
    """Replace the title that is there to break things."""
    if isinstance(value, dict):
        return {name: _friendly(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_friendly(one) for one in value]
    return "Paper Boats at the Weir" if value == HOSTILE else value


FRIENDLY: dict[str, Any] = _friendly(ANSWERS)
"""Every answer without the title that is there to break things, for pictures."""
