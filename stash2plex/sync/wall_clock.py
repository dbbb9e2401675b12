"""Notices that the wall clock was set back, so that no key waits because of that."""

from __future__ import annotations

import logging

from stash2plex.model import Clock
from stash2plex.store.queue import Queue
from stash2plex.text import span

CLOCK_SLACK = 2.0
"""Clock corrections up to this many seconds are ignored."""


class WallClock:
    """Compares the wall clock with the monotonic clock, and corrects the queue.

    `clock` returns seconds since the epoch, `monotonic` seconds since an arbitrary time.
    """

    def __init__(self, queue: Queue, clock: Clock, monotonic: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._monotonic = monotonic
        self._offset = clock() - monotonic()

    def check_start(self) -> None:
        """Correct the queue if the clock was set back since the queue was last written."""
        self._correct(self._queue.newest_trace() - self._clock())

    def check(self) -> None:
        """Correct the queue if the clock was set back since the last check."""
        offset = self._clock() - self._monotonic()
        self._correct(self._offset - offset)
        self._offset = offset

    def _correct(self, seconds: float) -> None:
        if seconds > CLOCK_SLACK and self._queue.clock_set_back(seconds):
            logging.getLogger(__name__).info("The clock was set back by %s.", span(seconds))
