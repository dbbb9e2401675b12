"""Runs the polls and sweeps that are due, a page at a time, in the process that drains.

The requests run in a thread, so that the drain goes on meanwhile; everything else happens in the
thread that calls `step`.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from attrs import define, evolve

from stash2plex.config import Settings
from stash2plex.db import transaction
from stash2plex.errors import Refused, ServerError, Unavailable
from stash2plex.model import Clock, Glance
from stash2plex.rules.sweep_schedule import (
    LOOK_SECONDS,
    SETTINGS_CAUSE,
    Look,
    Marks,
    ask_for_sweep,
    first_look,
    look,
    settings_digest,
    sweep_cause,
    swept,
)
from stash2plex.servers.stash import Stash
from stash2plex.store.marks import (
    asking_run,
    end_asked_look,
    load_marks,
    look_is_asked,
    marks_are_lost,
    save_marks,
)
from stash2plex.store.repair import clear_rebuild_mark, rebuild_mark
from stash2plex.sync.session import Store
from stash2plex.sync.sweep import (
    ChangeFilter,
    Enqueued,
    Request,
    Steps,
    find_vanished,
    full_sweep,
    poll,
    run_through,
)
from stash2plex.text import count

RETRY_SECONDS = 5.0
"""Seconds after a look that failed: three failures in a row open the breaker, which then rules."""


@define
class _UnderWay:
    """The steps that are being done, and the answer that they wait for."""

    steps: Steps[None]
    answer: Future[Any]


class LibrarySweeper:
    """Looks at Stash when a look is due, and does what follows from it.

    One for each process; a glance watches the stored settings of `plugin_id`.
    """

    def __init__(self, store: Store, plugin_id: str, *, clock: Clock, monotonic: Clock) -> None:
        self._store = store
        self._plugin_id = plugin_id
        self._clock = clock
        self._monotonic = monotonic
        self._log = logging.getLogger(__name__)
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: _UnderWay | None = None
        self._settings: Settings | None = None
        self._looked_at: float | None = None
        self._configured: str | None = None
        self._reported: str | None = None
        self._named: set[int] = set()
        self.run_id = 0
        """The run of this process that new keys belong to; 0 if there is none."""
        self.settings_moved = False
        """Whether the stored settings changed since the last glance, so they must be read again."""
        self.jobs_run = False
        """Whether a job in Stash runs, or will run, that changes what scenes show."""

    # -- for the drain loop ---------------------------------------------------------------

    def step(self, settings: Settings, stash: Stash, *, by_clock: bool, seconds: float) -> bool:
        """Do the next step; returns whether there is more to do.

        Waits up to `seconds` for Stash. With `by_clock`, the interval can make a full sweep due. A
        failure is reported to the breaker and the log, and everything that was due stays due.
        """
        if settings != self._settings:
            # What began, or was seen, under other settings no longer counts.
            self.rest()
            self._settings = settings
            self._looked_at = None
            self.settings_moved = False
        try:
            return self._advance(settings, stash, by_clock=by_clock, seconds=seconds)
        except ServerError as error:
            self.rest()
            self._failed(error)
            end_asked_look(self._store.connection)
            return False

    def rest(self) -> None:
        """End what is under way; it stays due for the next drain."""
        if self._under_way is not None:
            self._under_way.steps.close()
        self._under_way = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _advance(self, settings: Settings, stash: Stash, *, by_clock: bool, seconds: float) -> bool:
        under_way = self._under_way
        if under_way is None:
            if not self._look_is_due():
                return False
            self._looked_at = self._monotonic()
            steps = self._work(settings, stash, by_clock=by_clock)
            under_way = self._under_way = _UnderWay(steps, self._ask(next(steps)))
        wait([under_way.answer], timeout=seconds)
        if not under_way.answer.done():
            return True
        answer = under_way.answer.result()
        self._store.breakers["stash"].succeeded()
        try:
            under_way.answer = self._ask(under_way.steps.send(answer))
        except StopIteration:
            self._under_way = None
            end_asked_look(self._store.connection)
        return True

    def _look_is_due(self) -> bool:
        return (
            self._looked_at is None
            or self._monotonic() - self._looked_at >= LOOK_SECONDS
            or look_is_asked(self._store.connection)
        )

    def _ask(self, request: Request) -> Future[Any]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="sweep")
        return self._pool.submit(request)

    def _failed(self, error: ServerError) -> None:
        if isinstance(error, (Unavailable, Refused)):
            self._looked_at = self._monotonic() - LOOK_SECONDS + RETRY_SECONDS
            self._store.breakers["stash"].failed(error, self._store.queue.due_within(0.0))
        if str(error) != self._reported:
            self._reported = str(error)
            self._log.warning("Looking for changes in Stash failed; it is tried again: %s", error)

    # -- what the user asks for -----------------------------------------------------------

    def sweep_all(self, settings: Settings, stash: Stash) -> Enqueued:
        """Compare every scene now, including dead letters. Raises what Stash's client raises."""
        self._settings = settings
        self._looked_at = self._monotonic()
        return run_through(self._look_and_sweep(settings, stash))

    def _look_and_sweep(self, settings: Settings, stash: Stash) -> Steps[Enqueued]:
        marks, _ = yield from self._look(settings, stash)
        return (yield from self._sweep(marks, self._change_filter(settings, revive=True), stash))

    # -- what is done ---------------------------------------------------------------------

    def _work(self, settings: Settings, stash: Stash, *, by_clock: bool) -> Steps[None]:
        """Glance, then sweep or poll if due; the marks move when everything is done."""
        change_filter = self._change_filter(settings)
        marks, seen = yield from self._look(settings, stash)
        cause = sweep_cause(marks, settings.reconcile_interval, self._clock(), by_clock=by_clock)
        if cause is not None:
            change_filter.revive = cause == SETTINGS_CAUSE
            every = yield from self._sweep(marks, change_filter, stash)
            self._log.info("Every scene was compared, because %s: %s", cause, every.sentence())
            return
        queued = 0
        for kind in seen.vanished:
            queued += yield from find_vanished(change_filter, stash, kind)
        for kind, after in seen.polls.items():
            polled = yield from poll(change_filter, stash, kind, after)
            if polled is None:
                marks = ask_for_sweep(marks, self._clock(), "many studios have changed")
                self._looked_at = None
            else:
                queued += polled.queued
        save_marks(self._store.connection, marks)
        if not self._store.scenes.are_listed:
            yield from full_sweep(evolve(change_filter, queues=False), stash)
        else:
            self._store.scenes.confirm(marks.kinds["scene"].count)
        if queued:
            self._log.info("%s queued: changed in Stash unseen.", count(queued, "scene"))

    def _change_filter(self, settings: Settings, *, revive: bool = False) -> ChangeFilter:
        """Make a filter for the run of this process, or for the run that asked for a look."""
        run_id = self.run_id or asking_run(self._store.connection)
        store = self._store
        return ChangeFilter(
            store.queue,
            store.records,
            settings,
            store.scenes,
            revive,
            run_id,
            named=self._named,
        )

    def _look(self, settings: Settings, stash: Stash) -> Steps[tuple[Marks, Look]]:
        """Glance; returns the new marks, and what must be polled before they are stored.

        The reason for a full sweep is stored at once, so that a kill does not lose it.
        """
        connection = self._store.connection
        old = load_marks(connection)
        digest = settings_digest(settings)
        now = self._clock()
        glance: Glance = yield partial(stash.glance, self._plugin_id, old.last_job if old else 0)
        if old is None:
            seen = self._first_look(glance, now, digest)
        else:
            seen = look(old, glance, now, digest)
            if seen.renumbered:
                glance = yield partial(stash.glance, self._plugin_id, 0)
                seen = look(evolve(old, last_job=0), glance, now, digest)
        self.settings_moved = self._configured not in (None, glance.configured)
        self._configured = glance.configured
        marks = seen.marks
        if aside := rebuild_mark(connection):
            cause = f"the database was damaged and set aside as {aside}"
            marks = evolve(marks, sweep_at=now, cause=cause)
        self.jobs_run = bool(marks.jobs)
        save_marks(connection, marks if old is None else evolve(marks, kinds=old.kinds))
        return marks, seen

    def _first_look(self, glance: Glance, now: float, digest: str) -> Look:
        """Set the first marks; if old ones are lost, every scene has to be compared."""
        seen = first_look(glance, now, digest)
        if not marks_are_lost(self._store.connection):
            return seen
        self._log.warning("What was last seen of Stash cannot be read; every scene is compared.")
        cause = "what was last seen of Stash could not be read"
        return evolve(seen, marks=ask_for_sweep(seen.marks, now, cause))

    def _sweep(self, marks: Marks, change_filter: ChangeFilter, stash: Stash) -> Steps[Enqueued]:
        """Compare every scene; only a complete pass ends the reason for it."""
        began = self._clock()
        enqueued = yield from full_sweep(change_filter, stash)
        with transaction(self._store.connection):
            save_marks(self._store.connection, swept(marks, began))
            clear_rebuild_mark(self._store.connection)
        return enqueued
