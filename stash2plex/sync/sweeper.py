"""Runs what upkeep makes due, a page at a time, in the process that holds the drain lock.

The requests are made in a thread, so that a drain goes on meanwhile; everything else happens in
the thread that calls `step`.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from attrs import evolve

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
    Enqueued,
    Sieve,
    Steps,
    find_vanished,
    full_sweep,
    poll,
    run_through,
)
from stash2plex.text import count

RETRY_SECONDS = 5.0
"""After a look that found no Stash: three in a row open the breaker, which then has the say."""


class Sweeper:
    """Looks at Stash when a look is due, and does what follows from it.

    One for each process; `plugin_id` is whose stored settings a glance watches.
    """

    def __init__(self, store: Store, plugin_id: str, *, clock: Clock, monotonic: Clock) -> None:
        self._store = store
        self._plugin_id = plugin_id
        self._clock = clock
        self._monotonic = monotonic
        self._log = logging.getLogger(__name__)
        self._pool: ThreadPoolExecutor | None = None
        self._steps: Steps[None] | None = None
        self._answer: Future[Any] | None = None
        self._settings: Settings | None = None
        self._looked_at: float | None = None
        self._configured = ""
        self._said = ""
        self.run_id = 0
        """The run of this process that what is found belongs to; 0 where there is none."""
        self.settings_moved = False
        """The stored settings are not those of the last glance: they have to be read again."""
        self.jobs_run = False
        """A job of Stash runs, or will, that changes what scenes show."""

    # -- for the drain loop ---------------------------------------------------------------

    def step(self, settings: Settings, stash: Stash, *, by_clock: bool, seconds: float) -> bool:
        """Do the next bit, waiting at most so long for Stash. True while there is more to do.

        `by_clock` lets the interval make a full sweep due. A failure is told to the breaker and
        the log, and everything that was due stays so.
        """
        if settings != self._settings:
            # What was begun under other settings, or seen under them, counts no more.
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
        """Leave what is under way; it is still due for whoever comes next."""
        if self._steps is not None:
            self._steps.close()
        self._steps = self._answer = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _advance(self, settings: Settings, stash: Stash, *, by_clock: bool, seconds: float) -> bool:
        if self._steps is None:
            if not self._look_is_due():
                return False
            self._looked_at = self._monotonic()
            self._steps = self._work(settings, stash, by_clock=by_clock)
            self._ask(next(self._steps))
        assert self._answer is not None
        wait([self._answer], timeout=seconds)
        if not self._answer.done():
            return True
        answer = self._answer.result()
        self._store.breakers["stash"].succeeded()
        try:
            self._ask(self._steps.send(answer))
        except StopIteration:
            self._steps = self._answer = None
            end_asked_look(self._store.connection)
        return True

    def _look_is_due(self) -> bool:
        return (
            self._looked_at is None
            or self._monotonic() - self._looked_at >= LOOK_SECONDS
            or look_is_asked(self._store.connection)
        )

    def _ask(self, request: Any) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="sweep")
        self._answer = self._pool.submit(request)

    def _failed(self, error: ServerError) -> None:
        if isinstance(error, (Unavailable, Refused)):
            self._looked_at = self._monotonic() - LOOK_SECONDS + RETRY_SECONDS
            self._store.breakers["stash"].failed(error, self._store.queue.due_within(0.0))
        if str(error) != self._said:
            self._said = str(error)
            self._log.warning("Looking for changes in Stash failed; it is tried again: %s", error)

    # -- a person's wish ------------------------------------------------------------------

    def sweep_all(self, settings: Settings, stash: Stash) -> Enqueued:
        """Compare every scene now, dead letters and all. Raises what Stash's client raises."""
        found: list[Enqueued] = []

        def steps() -> Steps[None]:
            marks, _ = yield from self._look(settings, stash)
            sieve = self._sieve(settings, revive=True)
            found.append((yield from self._sweep(marks, sieve, stash)))

        self._settings = settings
        self._looked_at = self._monotonic()
        run_through(steps())
        return found[0]

    # -- what is done ---------------------------------------------------------------------

    def _work(self, settings: Settings, stash: Stash, *, by_clock: bool) -> Steps[None]:
        """Glance, then sweep or poll, as is due; the marks move when all of it is done."""
        sieve = self._sieve(settings)
        marks, found = yield from self._look(settings, stash)
        cause = sweep_cause(marks, settings.reconcile_interval, self._clock(), by_clock=by_clock)
        if cause:
            sieve.revive = cause == SETTINGS_CAUSE
            every = yield from self._sweep(marks, sieve, stash)
            self._log.info("Every scene was compared, because %s: %s", cause, every.sentence())
            return
        queued = 0
        for kind in found.vanished:
            queued += yield from find_vanished(sieve, stash, kind)
        for kind, after in found.polls.items():
            polled = yield from poll(sieve, stash, kind, after)
            if polled is None:
                marks = ask_for_sweep(marks, self._clock(), "many studios have changed")
                self._looked_at = None
            else:
                queued += polled.queued
        save_marks(self._store.connection, marks)
        if queued:
            self._log.info("%s queued: changed in Stash unseen.", count(queued, "key"))

    def _sieve(self, settings: Settings, *, revive: bool = False) -> Sieve:
        """Make a sieve for the run of this process, or for the one that asked it for a look."""
        run_id = self.run_id or asking_run(self._store.connection)
        return Sieve(self._store.queue, self._store.records, settings, revive, run_id)

    def _look(self, settings: Settings, stash: Stash) -> Steps[tuple[Marks, Look]]:
        """Glance; returns what the marks become, and what must be polled before they do.

        Why a full sweep is due is stored at once: a kill must not lose it.
        """
        connection = self._store.connection
        old = load_marks(connection)
        digest = settings_digest(settings)
        now = self._clock()
        glance: Glance = yield partial(stash.glance, self._plugin_id, old.last_job if old else 0)
        if old is None:
            found = self._first_look(glance, now, digest)
        else:
            found = look(old, glance, now, digest)
            if found.renumbered:
                glance = yield partial(stash.glance, self._plugin_id, 0)
                found = look(evolve(old, last_job=0), glance, now, digest)
        self.settings_moved = self._configured not in ("", glance.configured)
        self._configured = glance.configured
        marks = found.marks
        if aside := rebuild_mark(connection):
            cause = f"the database was damaged and set aside as {aside}"
            marks = evolve(marks, sweep_at=now, cause=cause)
        self.jobs_run = bool(marks.jobs)
        save_marks(connection, marks if old is None else evolve(marks, kinds=old.kinds))
        return marks, found

    def _first_look(self, glance: Glance, now: float, digest: str) -> Look:
        """Set the first marks; where the old ones are lost, every scene has to be compared."""
        found = first_look(glance, now, digest)
        if not marks_are_lost(self._store.connection):
            return found
        self._log.warning("What was last seen of Stash cannot be read; every scene is compared.")
        cause = "what was last seen of Stash could not be read"
        return evolve(found, marks=ask_for_sweep(found.marks, now, cause))

    def _sweep(self, marks: Marks, sieve: Sieve, stash: Stash) -> Steps[Enqueued]:
        """Compare every scene; only a complete pass makes it no longer due."""
        began = self._clock()
        found = yield from full_sweep(sieve, stash)
        with transaction(self._store.connection):
            save_marks(self._store.connection, swept(marks, began))
            clear_rebuild_mark(self._store.connection)
        return found
