"""The interface for showing the progress of a drain."""

from __future__ import annotations

from typing import Protocol

from stash2plex.store.progress import Progress


class Observer(Protocol):
    """Receives every progress update and throttles what it displays."""

    def progress(self, progress: Progress) -> None:
        """Show the state of the drain."""


class Silent:
    """Shows nothing: the background worker's progress is in the database."""

    def progress(self, progress: Progress) -> None:
        """Show nothing."""
