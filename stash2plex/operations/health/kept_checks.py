"""Checks what Plex keeps of what is sent to it."""

from __future__ import annotations

from stash2plex.app import App
from stash2plex.errors import Stash2PlexError
from stash2plex.operations.health.checks import Check, failed, passed
from stash2plex.operations.traits import lost_fields, traits_json, traits_sentence
from stash2plex.text import count

KEPT = "what Plex keeps"


def check_kept(app: App) -> Check:
    """Report the fields that Plex does not keep although it answers 200, and other spellings.

    Also report the scenes that are left out by now although Plex shows what was written before.
    That may be what the user wants, so it fails nothing.
    """
    rows = app.store.traits.rows()
    known = " ".join(filter(None, (traits_sentence(traits_json(rows)), _left_out(app))))
    lost = [name for name in lost_fields(rows) if name not in _skipped(app)]
    if lost:
        names = ", ".join(lost)
        words = f"Plex accepts these fields but does not keep them: {names}."
        return failed(
            KEPT,
            " ".join(filter(None, (words, known))),
            f"Update Plex, or put “{' '.join(lost)}” into Skip fields so that they are not sent.",
        )
    if known:
        return passed(KEPT, known)
    written, _ = app.store.records.summary()
    nothing = "Nothing yet: nothing has been written."
    return passed(KEPT, "Plex keeps everything as it was sent." if written else nothing)


def _left_out(app: App) -> str:
    number = app.store.first_states.number_left_out()
    if not number:
        return ""
    return (
        f"{count(number, 'scene')} left out by now, by an excluded tag, not organized, or deleted"
        " in Stash: Plex still shows what was written before. “stash2plex undo --left-out” puts"
        " that back."
    )


def _skipped(app: App) -> frozenset[str]:
    """Return the fields that are not sent; none if the settings cannot be read."""
    try:
        return frozenset(app.settings().skip_fields)
    except Stash2PlexError:
        return frozenset()
