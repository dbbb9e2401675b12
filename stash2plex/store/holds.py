"""Keeps whether all sending is held back: by a pause, or by a first run that has not started.

Saves are recorded meanwhile. It is one row, so a process that was killed changes nothing about it.
"""

from __future__ import annotations

import sqlite3

from attrs import frozen

from stash2plex.db import drop_meta, get_meta, set_meta, transaction
from stash2plex.errors import OnHold
from stash2plex.store.meta import HOLD, SET_UP_STEP
from stash2plex.text import local

PAUSE, SET_UP = "pause", "set_up"
"""What holds sending back: the user's pause, or the first run until its start."""

STEPS = ("plex", "library", "files", "start")
"""The steps of the first run."""


@frozen
class Hold:
    """What holds all sending back, and since when (epoch seconds)."""

    by: str
    since: float

    @property
    def what(self) -> str:
        """The hold in words."""
        if self.by == SET_UP:
            return "The set-up has not been finished, so nothing is sent yet."
        return f"Paused by you since {local(self.since)}. What you save is recorded."

    @property
    def fix(self) -> str:
        """What lets sending go on."""
        button = "Start" if self.by == SET_UP else "Go on"
        return f"Press “{button}” on the page of Stash2Plex."

    def error(self) -> OnHold:
        """Return the error of a drain that must not send now."""
        return OnHold(self.what, self.fix)


def read_hold(connection: sqlite3.Connection) -> Hold | None:
    """Read what holds all sending back; None if nothing does."""
    text = get_meta(connection, HOLD)
    if text is None:
        return None
    by, _, since = text.partition(" ")
    return Hold(SET_UP if by == SET_UP else PAUSE, float(since) if since.isdigit() else 0.0)


def hold(connection: sqlite3.Connection, by: str, now: float) -> Hold:
    """Hold all sending back from `now` on, unless it is held already; returns what holds it."""
    with transaction(connection):
        known = read_hold(connection)
        if known is None:
            set_meta(connection, HOLD, f"{by} {now:.0f}")
            known = Hold(by, float(int(now)))
    return known


def release(connection: sqlite3.Connection) -> bool:
    """Let sending go on; returns whether it was held back."""
    with transaction(connection):
        was_held = read_hold(connection) is not None
        drop_meta(connection, HOLD, SET_UP_STEP)
    return was_held


def reach_step(connection: sqlite3.Connection, step: str) -> None:
    """Store which step of the first run the user has reached."""
    with transaction(connection):
        set_meta(connection, SET_UP_STEP, step)
