"""Counts the progress of a drain, stores it for every process, and shows it to an observer."""

from __future__ import annotations

import logging

from stash2plex.db import transaction
from stash2plex.model import Clock
from stash2plex.store.progress import Progress, ProgressBook, Tally, Wait
from stash2plex.sync.observer import Observer
from stash2plex.sync.session import Store
from stash2plex.text import count

BOOK_SECONDS = 0.5
"""Seconds between two writes of the row that every process sees."""

COUNT_SECONDS = 2.0
"""Seconds between two counts of the backlog; in between it is estimated."""


class Showing:
    """Shows how far a drain is. A key that is due within `horizon` seconds counts as due.

    `tally` counts; `monotonic` returns seconds since an arbitrary time.
    """

    def __init__(
        self,
        store: Store,
        book: ProgressBook,
        observer: Observer,
        tally: Tally,
        *,
        horizon: float,
        monotonic: Clock,
    ) -> None:
        self._store = store
        self._book = book
        self._observer = observer
        self._tally = tally
        self._horizon = horizon
        self._monotonic = monotonic
        self._booked_at = 0.0
        self._counted_at = 0.0
        self._counted = self._handled_then = 0

    def begin(self) -> None:
        """Write the row at once: other processes learn from it which process drains."""
        self._count()
        self._book.write(self._now())

    def show(self, wait: Wait | None = None) -> None:
        """Show the present state; `wait` is why the drain is waiting, None while it works."""
        if self._monotonic() - self._counted_at >= COUNT_SECONDS:
            self._count()
        progress = self._now(wait)
        if self._monotonic() - self._booked_at >= BOOK_SECONDS:
            self._booked_at = self._monotonic()
            self._write(progress)
        self._observer.progress(progress)

    @property
    def handled(self) -> int:
        """How many keys were handled, whatever the result."""
        return self._tally.handled

    def restart_rate(self) -> None:
        """Leave an outage out of the rate."""
        self._tally.restart_rate()

    def end_burst(self) -> None:
        """End a burst of work, if there was one, so that the next one counts from zero."""
        if not self._tally.handled:
            return
        final = self._end()
        parts = [f"{count(final.done, 'scene')} in sync"]
        parts += [f"{final.failed:,} given up"] if final.failed else []
        parts += [f"{final.later:,} put off"] if final.later else []
        logging.getLogger(__name__).info("%s.", ", ".join(parts))
        self._tally.restart()
        self._handled_then = 0

    def end(self) -> Progress:
        """Write, show and return the final state."""
        final = self._end()
        self._observer.progress(final)
        return final

    def _end(self) -> Progress:
        self._count()
        final = self._now(ended=True)
        self._write(final)
        return final

    def _count(self) -> None:
        self._counted = self._store.queue.due_within(self._horizon)
        self._counted_at = self._monotonic()
        self._handled_then = self._tally.handled

    def _now(self, wait: Wait | None = None, *, ended: bool = False) -> Progress:
        left = max(0, self._counted - (self._tally.handled - self._handled_then))
        return self._tally.now(left, wait, ended=ended)

    def _write(self, progress: Progress) -> None:
        """Store the progress and, in the same commit, the counters."""
        with transaction(self._store.connection):
            self._book.write(progress)
            self._store.meter.flush(self._store.connection)
