"""Shows a run how its own keys fare, whichever process works on them."""

from __future__ import annotations

import math

from attrs import define, evolve, field

from stash2plex.model import Clock
from stash2plex.store.progress import Progress, RateWindow
from stash2plex.store.runs import Runs
from stash2plex.sync.observer import Observer
from stash2plex.sync.worker import Summary

READ_SECONDS = 0.2
"""Seconds between two reads of how a run's keys fare."""


@define
class RunObserver:
    """Shows what became of the keys that a run queued or found.

    Every process counts the keys that it works on, so this is also right beside a worker. `left`
    stays everything that the drain waits for, and the rate counts everything that is done. Without
    a run (`run_id` 0) the drain's own figures are shown.
    """

    runs: Runs
    run_id: int
    observer: Observer
    monotonic: Clock
    _window: RateWindow = field(init=False)
    _shown: Progress = field(factory=Progress)
    _read_at: float = -math.inf

    def __attrs_post_init__(self) -> None:
        self._window = RateWindow(self.monotonic(), self.runs.handled())

    def progress(self, progress: Progress) -> None:
        """Show the state of the drain."""
        self.observer.progress(self.seen(progress))

    def seen(self, progress: Progress) -> Progress:
        """Return the state of the drain with the run's own figures."""
        if not self.run_id:
            return progress
        now = self.monotonic()
        if progress.ended or now - self._read_at >= READ_SECONDS:
            self._read_at = now
            self._shown = self._read(now, waits=progress.wait is not None)
        own = self._shown
        return evolve(progress, done=own.done, failed=own.failed, later=own.later, rate=own.rate)

    def _read(self, now: float, *, waits: bool) -> Progress:
        handled = self.runs.handled()
        if waits:
            self._window.restart(now, handled)
        rate = self._window.rate(now, handled)
        run = self.runs.read(self.run_id)
        return Progress(run.done, run.failed, run.later, rate=rate) if run else self._shown

    def summary(self, summary: Summary, seconds: float) -> Summary:
        """Return the summary of a drain with the run's own figures."""
        run = self.runs.read(self.run_id) if self.run_id else None
        return evolve(
            summary,
            progress=self.seen(evolve(summary.progress, ended=True)),
            seconds=seconds,
            wanted=run.wanted if run else 0,
            removed=run.removed if run else 0,
        )
