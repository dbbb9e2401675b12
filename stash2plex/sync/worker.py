"""The one drain loop, for the background worker, Process Queue and the command line."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from random import Random

from attrs import define, field, frozen

from stash2plex.db import transaction
from stash2plex.errors import ConfigError, Interrupted, Refused, Stash2PlexError
from stash2plex.model import Clock, Sleep
from stash2plex.rules.pacing import Pacer
from stash2plex.store.names import DEAD, summary_names
from stash2plex.store.notices import note_trouble
from stash2plex.store.progress import Progress, ProgressBook, Tally
from stash2plex.sync.gate import Closed, Gate
from stash2plex.sync.observer import Observer
from stash2plex.sync.pipeline import Pipeline
from stash2plex.sync.plex_watch import PlexWatch
from stash2plex.sync.scheduled_reconcile import Routine
from stash2plex.sync.session import Session, Store
from stash2plex.sync.settings_watch import SettingsWatch
from stash2plex.sync.stops import StopWatch
from stash2plex.sync.sweeper import Sweeper
from stash2plex.text import count, local, span
from stash2plex.workqueue import STOPPED

HORIZON = 20.0
"""Seconds: Process Queue sits out retries that are due within this time, and names the rest.

Shorter than the first snooze, lest one scene that Plex does not have holds up every task."""

PATIENCE = 300.0
"""Seconds that a foreground drain waits for a server that is down, unless told otherwise."""

TASK_PATIENCE = 45.0
"""The same for a task of Stash that has a background worker behind it: it has Stash's one job slot,
and leaves it within a minute, slow time-outs included."""

PROBE_SECONDS = 15.0
"""How long such a task waits for a sign of life of Plex, if the settings allow more."""

SCAN_PATIENCE = 60.0
"""Seconds without work that a foreground drain waits for folders that Plex is to scan."""

CLOCK_SLACK = 2.0
"""Seconds that a clock may be corrected by without a word."""

SWITCHED_OFF = "background_worker is off."
"""Why a worker ended that was not wanted any more."""

STEP = 0.25
BOOK_SECONDS = 0.5
COUNT_SECONDS = 2.0
"""Between two counts of the backlog; in between it is reckoned."""


@frozen
class Goal:
    """When a drain ends.

    Foreground: when nothing is due within `horizon`, or a server is down for `patience`.
    Background: after `idle` without work, or `patience` without Stash. All in seconds. A `service`
    is in the background, but was started by a person: `background_worker` says nothing to it.
    `advice` is what to do when `patience` is over. `run_id` is the run that this drain is part of,
    0 where there is none.
    """

    origin: str
    foreground: bool
    horizon: float = HORIZON
    patience: float = PATIENCE
    idle: float = 900.0
    service: bool = False
    advice: str = "run the task again later."
    run_id: int = 0


@frozen
class Summary:
    """What a drain did, and what it left: reason, how many, when the first is due.

    `names` holds the first names of each reason, and of what was given up. `wanted` counts the keys
    that its run queued or found, `removed` those of them that the user took out of the queue
    meanwhile.
    """

    progress: Progress
    seconds: float
    waiting: tuple[tuple[str, int, float | None], ...]
    gave_up: str = ""
    error: Stash2PlexError | None = None
    wanted: int = 0
    removed: int = 0
    names: Mapping[str, str] = field(factory=dict)

    def sentence(self) -> str:
        """Say it to a person."""
        done = self.progress
        parts = [f"{count(done.done, 'scene')} in sync after {span(self.seconds)}"]
        end = self.gave_up[:1].upper() + self.gave_up[1:]
        if not (done.handled or done.left or self.wanted or self.waiting):
            return f"nothing was due. {end}".rstrip()
        if done.failed:
            parts.append(f"{done.failed:,} given up{self.names.get(DEAD, '')}")
        if self.removed:
            parts.append(f"{self.removed:,} removed from the queue meanwhile")
        text = ", ".join(parts) + "."
        for reason, number, due in self.waiting:
            why = WAITING.get(reason, "to be tried again") + self.names.get(reason, "")
            again = "" if due is None else f", next at {local(due)}"
            text += f" {number:,} {why}{again}."
        if self.gave_up and done.left:
            text += f" Stopped with {done.left:,} left, nothing is lost: {self.gave_up}"
        elif end:
            text += f" {end}"
        return text


WAITING = {
    "not_in_plex": "not in Plex yet",
    "unavailable": "waiting for a server",
    STOPPED: "on hold, because a task was stopped",
    "": "waiting a moment",
}


@define
class Drain:
    """Claims keys while any are due and the servers take them.

    `open_session` reads the settings and makes the clients, `settings_watch` knows when that is
    due, `worker_wanted` is what any process read last; `stopped` says that the process should
    end. Only the holder of the drain lock may run one.
    """

    store: Store
    open_session: Callable[[], Session]
    settings_watch: SettingsWatch
    worker_wanted: Callable[[], bool]
    sweeper: Sweeper
    routine: Routine
    book: ProgressBook
    observer: Observer
    goal: Goal
    clock: Clock
    monotonic: Clock
    sleep: Sleep
    random: Random
    stopped: Callable[[], bool]
    _session: Session | None = None
    _pipeline: Pipeline | None = None
    _gate: Gate = field(init=False)
    _watch: PlexWatch = field(init=False)
    _stops: StopWatch = field(init=False)
    _tally: Tally = field(init=False)
    _closed_since: float | None = None
    _worked_at: float = 0.0
    _alive_at: float = 0.0
    _booked_at: float = 0.0
    _counted_at: float = -COUNT_SECONDS
    _counted: int = 0
    _handled_then: int = 0
    _said: str = ""
    _offset: float = 0.0

    def run(self) -> Summary:
        """Drain until the goal is met. Raises Refused and ConfigError in the foreground only."""
        self._tally = Tally(self.goal.origin, self.clock)
        self._watch = PlexWatch(self.store, self.clock, self.monotonic)
        self._gate = Gate(
            self.store,
            self.open_session,
            self.settings_watch,
            Pacer(),
            self.clock,
            self.monotonic,
            heeds_off=not (self.goal.foreground or self.goal.service),
            most_seconds=PROBE_SECONDS if self.goal.patience <= TASK_PATIENCE else math.inf,
        )
        self._stops = StopWatch(self.store.runs, self.monotonic, self.goal.run_id)
        start = self._worked_at = self._alive_at = self.monotonic()
        # This process may log in where the last one could not.
        self.store.breakers["stash"].hasten()
        taken = self.store.queue.take_over()
        self._heed_clock(self.store.queue.newest_trace() - self.clock())
        self._offset = self.clock() - self.monotonic()
        log = logging.getLogger(__name__)
        if taken:
            log.info("Carrying on with %s that an ended run had in hand.", count(taken, "key"))
        # Others learn which process drains from this row, also while there is nothing to do.
        self.book.write(self._progress(fresh=True))
        gave_up = ""
        error: Stash2PlexError | None = None
        try:
            gave_up, error = self._loop()
        finally:
            self.sweeper.rest()
            self.routine.rest()
            self._stops.close()
            if self._pipeline:
                self._pipeline.close()
            if self._session:
                self._session.plex.close()
            final = self._progress(ended=True, fresh=True)
            self._write_book(final)
            self.observer.progress(final)
        waiting = tuple(self.store.queue.waiting_reasons())
        seconds = self.monotonic() - start
        names = summary_names(self.store.connection, self.clock(), self.clock() - seconds)
        return Summary(final, seconds, waiting, gave_up, error, names=names)

    def _loop(self) -> tuple[str, Stash2PlexError | None]:
        while True:
            if self.stopped():
                return "it was asked to stop.", Interrupted("Stopped.")
            offset = self.clock() - self.monotonic()
            self._heed_clock(self._offset - offset)
            self._offset = offset
            self._heed_stops()
            closed = self._look_at_gate()
            if closed is not None:
                ended = self._at_closed_gate(closed)
                if ended is not None:
                    return ended, closed.error
                continue
            if self._gate.switched_off:
                return SWITCHED_OFF, None
            half_open = self._half_open()
            if not half_open:
                if self._closed_since is not None:
                    self._tally.restart_rate()
                # A probe that got through is not the end of an outage; a real answer is.
                self._closed_since = None
                self._said = ""
            pipeline = self._pipeline
            assert pipeline is not None
            self._watch_plex()
            assert self._session is not None
            self._stops.be_sure(self._session.stash)
            self._alive_at = max(self._alive_at, pipeline.answered_at)
            if not pipeline.busy:
                self._alive_at = self.monotonic()
            if self._gate.changing:
                # What is in flight ends; what waits for its write is read again.
                pipeline.give_back()
            else:
                pipeline.fill(single=half_open)
            sweeping = self._sweep(STEP if not pipeline.busy else 0.0)
            if not (sweeping or self.goal.foreground):
                assert self._session is not None
                sweeping = self.routine.step(self._session)
            if pipeline.busy:
                self._worked_at = self.monotonic()
                pipeline.collect(STEP)
                self._show("")
            elif not sweeping and self._idle():
                return "", None

    def _heed_stops(self) -> None:
        """Hold what the user stopped in another process, and give back what of it is in hand."""
        if self._session is None or self._pipeline is None:
            return
        if self._stops.step(self._session.stash):
            self._pipeline.give_back_held()

    def _sweep(self, seconds: float) -> bool:
        """Do the next bit of looking after the library; True while there is more of it."""
        session = self._session
        assert session is not None
        return self.sweeper.step(
            session.settings, session.stash, by_clock=not self.goal.foreground, seconds=seconds
        )

    def _heed_clock(self, seconds: float) -> None:
        """Let no key wait for a clock that was set back by so many seconds."""
        if seconds > CLOCK_SLACK and self.store.queue.clock_set_back(seconds):
            logging.getLogger(__name__).info("The clock was set back by %s.", span(seconds))

    # -- the gate -------------------------------------------------------------------------

    def _has_work(self) -> bool:
        """Whether the gate has to be looked at: a key is due or in hand, or it asks for it."""
        if self._busy or self.sweeper.settings_moved or self._gate.wants_look:
            return True
        if self._gate.heeds_off and not self.worker_wanted():
            # Another process has read that the worker is off.
            return True
        due = self.store.queue.next_due_at()
        return due is not None and due <= self.clock()

    @property
    def _busy(self) -> bool:
        return self._pipeline is not None and self._pipeline.busy

    def _look_at_gate(self) -> Closed | None:
        """Return why nothing may be claimed, or None. Takes up settings that have changed."""
        if self._gate.session is not None and not self._has_work():
            return None
        if self._pipeline is not None and self._pipeline.config_error is not None:
            self._gate.doubt(self._pipeline.config_error)
            self._pipeline.config_error = None
        if self.sweeper.settings_moved:
            self.sweeper.settings_moved = False
            self._gate.watch.expire()
        closed = self._gate.look(busy=self._busy)
        session = self._gate.session
        if session is not None and session is not self._session:
            self._adopt(session)
        return closed

    def _adopt(self, session: Session) -> None:
        """Go on with a session."""
        self.routine.rest()
        self._session = session
        if self._pipeline is None:
            self._pipeline = Pipeline(
                self.store,
                session,
                self._tally,
                self._gate.pacer,
                clock=self.clock,
                monotonic=self.monotonic,
                random=self.random,
            )
        else:
            self._pipeline.use(session, self._tally)

    def _half_open(self) -> bool:
        return any(breaker.read().state == "half_open" for breaker in self.store.breakers.values())

    def _at_closed_gate(self, gate: Closed) -> str | None:
        """Wait a little, or say why the drain ends here."""
        now = self.monotonic()
        if self._closed_since is None:
            # A server that hangs is away for longer than it has been known.
            self._closed_since = self._alive_at if self.goal.foreground else now
        if self._pipeline is not None:
            self._pipeline.give_back()
            self._pipeline.collect(0.0)
        waited = now - self._closed_since
        if self.goal.foreground:
            if isinstance(gate.error, (ConfigError, Refused)):
                return str(gate.error)
            if waited >= self.goal.patience:
                return f"{gate.error} Waited {span(waited)}; {self.goal.advice}"
            note = f"{gate.note} Giving up in {span(self.goal.patience - waited)}."
        else:
            if gate.server == "stash" and isinstance(gate.error, Refused):
                # The next save brings a fresh session cookie, but only to a new worker.
                return str(gate.error)
            patience = self.goal.patience if gate.server == "stash" else self.goal.idle
            if gate.server != "plex" and waited >= patience:
                return str(gate.error)
            note = gate.note
            if self._said != str(gate.error) and isinstance(gate.error, (ConfigError, Refused)):
                self._said = str(gate.error)
                logging.getLogger(__name__).error("%s", gate.error)
                if isinstance(gate.error, ConfigError):
                    note_trouble(self.store.connection, str(gate.error))
        self._show(note)
        self.sleep(min(1.0, max(0.05, gate.seconds)))
        return None

    # -- nothing in hand ------------------------------------------------------------------

    def _watch_plex(self) -> None:
        """Look at Plex while scenes wait for it, unless it is down."""
        is_down = self.store.breakers["plex"].read().state == "open"
        if self._session is not None and self._gate.connected and not is_down:
            self._watch.look(self._session)

    def _sits_out_scans(self) -> bool:
        """Whether a foreground drain waits for Plex to scan: for a while, as for retries."""
        waited = self.monotonic() - self._worked_at
        return self._gate.connected and waited < SCAN_PATIENCE and self._watch.scanning()

    def _idle(self) -> bool:
        """Wait for the next key; True when the goal is met."""
        due = self.store.queue.next_due_at()
        wait = None if due is None else max(0.0, due - self.clock())
        if self.goal.foreground:
            if wait is None or wait > self.goal.horizon:
                if not self._sits_out_scans():
                    return True
                wait = STEP
            self._show("")
            self.sleep(min(STEP, wait) if wait else 0.01)
            return False
        if wait == 0.0:
            return False
        now = self.monotonic()
        if self.sweeper.jobs_run or (wait is not None and wait <= self.goal.idle):
            self._worked_at = now
        if now - self._worked_at >= self.goal.idle:
            return True
        if self._tally.now(0).handled:
            self._end_burst()
        self.sleep(min(STEP, wait) if wait else STEP)
        return False

    def _end_burst(self) -> None:
        """Close the book of a burst, so that the next one counts from zero."""
        final = self._progress(ended=True, fresh=True)
        self._write_book(final)
        parts = [f"{count(final.done, 'scene')} in sync"]
        parts += [f"{final.failed:,} given up"] if final.failed else []
        parts += [f"{final.later:,} put off"] if final.later else []
        logging.getLogger(__name__).info("%s.", ", ".join(parts))
        self._tally = Tally(self.goal.origin, self.clock)
        if self._pipeline is not None and self._session is not None:
            self._pipeline.use(self._session, self._tally)

    # -- progress -------------------------------------------------------------------------

    def _progress(self, note: str = "", *, ended: bool = False, fresh: bool = False) -> Progress:
        now = self.monotonic()
        handled = self._tally.now(0).handled
        if fresh or now - self._counted_at >= COUNT_SECONDS:
            self._counted = self.store.queue.due_within(self.goal.horizon)
            self._counted_at, self._handled_then = now, handled
        left = max(0, self._counted - (handled - self._handled_then))
        return self._tally.now(left, note, ended=ended)

    def _write_book(self, progress: Progress) -> None:
        """Store the progress, and in the same commit what was counted."""
        with transaction(self.store.connection):
            self.book.write(progress)
            self.store.meter.flush(self.store.connection)

    def _show(self, note: str) -> None:
        progress = self._progress(note)
        now = self.monotonic()
        if now - self._booked_at >= BOOK_SECONDS:
            self._booked_at = now
            self._write_book(progress)
        self.observer.progress(progress)
