"""Compares the whole library with Plex once in each interval, a page at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator

from attrs import frozen

from stash2plex.db import set_meta, transaction
from stash2plex.errors import ConfigError
from stash2plex.model import Clock
from stash2plex.rules.sweep_schedule import INTERVALS
from stash2plex.store.meta import COMPARED_AT, get_number
from stash2plex.store.progress import Progress
from stash2plex.sync.reconcile import Reconciliation
from stash2plex.sync.report import report_lines
from stash2plex.sync.session import Session, Store

RETRY_SECONDS = 3600.0
"""Seconds until the next try after a comparison that did not see everything."""


@frozen
class _UnderWay:
    """A comparison that has begun, and its session."""

    session: Session
    run: Reconciliation
    pages: Generator[Progress, None, None]


class ScheduledReconcile:
    """The comparison that the clock makes due. One for each process, and one runs at a time.

    A full sweep finds what changed in Stash; this also finds what changed in Plex. `make` makes a
    comparison of everything.
    """

    def __init__(
        self, store: Store, make: Callable[[Session], Reconciliation], *, clock: Clock
    ) -> None:
        self._store = store
        self._make = make
        self._clock = clock
        self._under_way: _UnderWay | None = None
        self._due_at: float | None = None

    def step(self, session: Session) -> bool:
        """Compare the next page if that is due; returns whether there is more to do."""
        if self._under_way is not None and self._under_way.session is not session:
            # A comparison that began under other settings no longer counts.
            self.rest()
        under_way = self._under_way = self._under_way or self._begin(session)
        if under_way is None:
            return False
        try:
            next(under_way.pages)
        except StopIteration:
            self._end(under_way)
        except ConfigError:
            # The drain's gate reports it where the user looks.
            self.rest()
            return False
        return True

    def rest(self) -> None:
        """End the present comparison. What it queued stays; it starts again later."""
        if self._under_way is not None:
            self._under_way.pages.close()
            self._due_at = self._clock() + RETRY_SECONDS
        self._under_way = None

    def _begin(self, session: Session) -> _UnderWay | None:
        seconds = INTERVALS.get(session.settings.reconcile_interval)
        if seconds is None:
            return None
        now = self._clock()
        if self._due_at is None or self._due_at > now + max(seconds, RETRY_SECONDS):
            self._due_at = self._begin_to_count(now) + seconds
        if now < self._due_at or any(
            breaker.read().state != "closed" for breaker in self._store.breakers.values()
        ):
            return None
        run = self._make(session)
        return _UnderWay(session, run, run.pages())

    def _begin_to_count(self, now: float) -> float:
        """Return when the last one began; before the first, or with a clock set back, `now`."""
        known = get_number(self._store.connection, COMPARED_AT)
        if known is not None and known <= now:
            return known
        self._note(now)
        return now

    def _note(self, moment: float) -> None:
        with transaction(self._store.connection):
            set_meta(self._store.connection, COMPARED_AT, repr(moment))

    def _end(self, ended: _UnderWay) -> None:
        report = ended.run.report()
        self._under_way = None
        log = logging.getLogger(__name__)
        if report.problem is not None:
            # The breaker reports a server that is out of reach; this only waits another hour.
            self._due_at = self._clock() + RETRY_SECONDS
            log.debug("Comparing everything did not see all: %s", report.problem)
            return
        self._store.reports.keep(report.started_at, report.as_dict())
        self._note(report.started_at)
        self._due_at = None
        for line in report_lines(report.as_dict()):
            log.info(
                "Comparing everything (%s): %s", ended.session.settings.reconcile_interval, line
            )
