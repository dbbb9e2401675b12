"""Works out from Plex's latency how many writes may be in flight at once."""

from __future__ import annotations

START, MAX_PARALLEL = 2.0, 6.0
FLAT, STEEP = 3.0, 8.0
"""Latency as a multiple of the best: up to `FLAT` the limit grows, above `STEEP` it halves."""


class Pacer:
    """Limits writes in flight by additive increase and multiplicative decrease. Never sleeps.

    Latency through Plex's single writer grows with the number in flight, so the limit stops rising
    near the point where one more write would only wait.
    """

    def __init__(self) -> None:
        self._limit = START
        self._best = 0.0

    @property
    def limit(self) -> int:
        """How many writes may be in flight now."""
        return max(1, int(self._limit))

    def succeeded(self, seconds: float) -> None:
        """Adjust the limit after an edit that took `seconds`; 0 is ignored."""
        if seconds <= 0.0:
            return
        # The best rises slowly, so that one lucky answer is not the measure forever.
        self._best = min(self._best * 1.01, seconds) if self._best else seconds
        if seconds > STEEP * self._best:
            self._limit = max(1.0, self._limit / 2)
        elif seconds <= FLAT * self._best:
            self._limit = min(MAX_PARALLEL, self._limit + 1.0 / self._limit)

    def failed(self) -> None:
        """Halve the limit after an error."""
        self._limit = max(1.0, self._limit / 2)

    def restart(self) -> None:
        """Start again with one write after an outage."""
        self._limit = 1.0
        self._best = 0.0
