"""Finds out whether the plugin was disabled in Stash, which tells plugins nothing of it."""

from __future__ import annotations

from stash2plex.app import PLUGIN_ID, App
from stash2plex.errors import ServerError

ASK_SECONDS = 2.0
"""How many seconds Stash may take to answer: the worker's other work waits meanwhile."""

APART_SECONDS = 60.0
"""How often Stash is asked if its settings file is not visible, in seconds."""


class DisabledWatch:
    """Asks Stash for its plugins when it has stored a setting: disabling one is a setting."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._stamp: str | None = None
        self._asked_at = app.monotonic()

    def disabled(self) -> bool:
        """Return whether the plugin is certainly disabled; a Stash that does not answer is not."""
        stamp = self._app.settings_reader.stamp()
        now = self._app.monotonic()
        if stamp == self._stamp if stamp else now - self._asked_at < APART_SECONDS:
            return False
        self._asked_at = now
        try:
            entries = self._app.stash.within(ASK_SECONDS).plugins()
        except ServerError:
            return False
        self._stamp = stamp
        return any(entry.id == PLUGIN_ID and not entry.enabled for entry in entries)
