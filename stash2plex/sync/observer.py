"""Who is shown the progress of a drain."""

from __future__ import annotations

from typing import Protocol

from stash2plex.store.progress import Progress


class Observer(Protocol):
    """Is told of progress, as often as the drain likes; says it as often as is good."""

    def progress(self, progress: Progress) -> None:
        """Show a moment of the drain."""


class Silent:
    """Shows nothing: the background worker's progress is in the database."""

    def progress(self, progress: Progress) -> None:
        """Show nothing."""
