"""How many writes may be under way at once: found out from how Plex answers."""

from __future__ import annotations

START, MOST = 2.0, 6.0
FLAT, STEEP = 3.0, 8.0
"""Latency against the best seen: below the first more is tried, above the second less is."""


class Pacer:
    """Additive increase, multiplicative decrease. No sleeps: it only says how many may fly.

    Latency through Plex's single writer grows with the number in flight, so it stops rising by
    itself near the point where one more only waits.
    """

    def __init__(self) -> None:
        self._limit = START
        self._best = 0.0

    @property
    def limit(self) -> int:
        """Writes that may be in flight now."""
        return max(1, int(self._limit))

    def succeeded(self, seconds: float) -> None:
        """Learn from an edit that took so long; 0 says nothing."""
        if seconds <= 0.0:
            return
        # The best fades upwards, so that one lucky answer is not the measure for ever.
        self._best = min(self._best * 1.01, seconds) if self._best else seconds
        if seconds > STEEP * self._best:
            self._limit = max(1.0, self._limit / 2)
        elif seconds <= FLAT * self._best:
            self._limit = min(MOST, self._limit + 1.0 / self._limit)

    def failed(self) -> None:
        """Halve after an error."""
        self._limit = max(1.0, self._limit / 2)

    def restart(self) -> None:
        """Begin with one after an outage."""
        self._limit = 1.0
        self._best = 0.0
