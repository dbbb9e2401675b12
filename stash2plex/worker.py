"""The one drain loop, for the background worker, Process Queue and the command line."""

from __future__ import annotations

import logging
from collections.abc import Callable
from random import Random

from attrs import define, field, frozen

from stash2plex.breaker import BreakerState
from stash2plex.compare.routine import Routine
from stash2plex.db import transaction
from stash2plex.errors import (
    ConfigError,
    Interrupted,
    Refused,
    ServerError,
    Stash2PlexError,
    Unavailable,
)
from stash2plex.index.news import read_news
from stash2plex.index.plexwatch import PlexWatch
from stash2plex.model import Clock, Sleep
from stash2plex.pace import Pacer
from stash2plex.pipeline import Pipeline
from stash2plex.servers.transport import LONGEST_RETRY_AFTER
from stash2plex.session import Session, Store
from stash2plex.show.observe import LOGGER, Observer, count, local, span
from stash2plex.show.progress import Progress, ProgressBook, Tally
from stash2plex.show.telling import end_trouble, note_trouble
from stash2plex.sweeps.sweeper import Sweeper

HORIZON = 20.0
"""Seconds: Process Queue sits out retries that are due within this time, and names the rest.

Shorter than the first snooze, lest one scene that Plex does not have holds up every task."""

PATIENCE = 300.0
"""Seconds that a foreground drain waits for a server that is down, unless told otherwise."""

SESSION_SECONDS = 30.0
"""Age at which the settings are read again when nothing is in hand."""

BUSY_SESSION_SECONDS = 300.0
"""Age at which nothing more is claimed, so that a long drain sees changed settings too."""

CONFIG_SECONDS = 15.0
"""Between two looks at settings that cannot be used."""

SCAN_PATIENCE = 60.0
"""Seconds without work that a foreground drain waits for folders that Plex is to scan."""

CLOCK_SLACK = 2.0
"""Seconds that a clock may be corrected by without a word."""

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
    """

    origin: str
    foreground: bool
    horizon: float = HORIZON
    patience: float = PATIENCE
    idle: float = 900.0
    service: bool = False


@frozen
class Summary:
    """What a drain did, and what it left: reason, how many, when the first is due."""

    progress: Progress
    seconds: float
    waiting: tuple[tuple[str, int, float], ...]
    gave_up: str = ""
    error: Stash2PlexError | None = None

    def sentence(self) -> str:
        """Say it to a person."""
        done = self.progress
        parts = [f"{count(done.done, 'scene')} in sync after {span(self.seconds)}"]
        if not (done.handled or self.waiting or self.gave_up):
            return "nothing was due."
        if done.failed:
            parts.append(f"{done.failed:,} given up (see the dead letters)")
        text = ", ".join(parts) + "."
        for reason, number, due in self.waiting:
            text += f" {number:,} {WAITING.get(reason, 'to be tried again')}, next at {local(due)}."
        if self.gave_up:
            text += f" Stopped with {done.left:,} left, nothing is lost: {self.gave_up}"
        return text


WAITING = {
    "not_in_plex": "not in Plex yet",
    "unavailable": "waiting for a server",
    "": "waiting a moment",
}


@frozen
class Gate:
    """Why nothing may be claimed now, and for how many seconds."""

    seconds: float
    note: str
    error: Stash2PlexError
    server: str = ""


@define
class Drain:
    """Claims keys while any are due and the servers take them.

    `open_session` reads the settings and makes the clients; `stopped` says that the process should
    end. Only the holder of the drain lock may run one.
    """

    store: Store
    open_session: Callable[[], Session]
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
    _session_at: float = 0.0
    _connected: bool = False
    _session_error: Stash2PlexError | None = None
    _pipeline: Pipeline | None = None
    _switched_off: bool = False
    _pacer: Pacer = field(factory=Pacer)
    _watch: PlexWatch = field(init=False)
    _tally: Tally = field(init=False)
    _closed_since: float | None = None
    _worked_at: float = 0.0
    _booked_at: float = 0.0
    _counted_at: float = -COUNT_SECONDS
    _counted: int = 0
    _handled_then: int = 0
    _said: str = ""
    _offset: float = 0.0
    _probes: dict[str, tuple[float, float]] = field(factory=dict)

    def run(self) -> Summary:
        """Drain until the goal is met. Raises Refused and ConfigError in the foreground only."""
        self._tally = Tally(self.goal.origin, self.clock)
        self._watch = PlexWatch(self.store, self.clock, self.monotonic)
        start = self._worked_at = self.monotonic()
        # This process may log in where the last one could not.
        self.store.breakers["stash"].hasten()
        taken = self.store.queue.take_over()
        self._heed_clock(self.store.queue.newest_trace() - self.clock())
        self._offset = self.clock() - self.monotonic()
        log = logging.getLogger(LOGGER)
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
            if self._pipeline:
                self._pipeline.close()
            if self._session:
                self._session.plex.close()
            final = self._progress(ended=True, fresh=True)
            self._write_book(final)
            self.observer.progress(final)
        waiting = tuple(self.store.queue.waiting_reasons())
        return Summary(final, self.monotonic() - start, waiting, gave_up, error)

    def _loop(self) -> tuple[str, Stash2PlexError | None]:
        while True:
            if self.stopped():
                return "it was asked to stop.", Interrupted("Stopped.")
            offset = self.clock() - self.monotonic()
            self._heed_clock(self._offset - offset)
            self._offset = offset
            gate = self._gate()
            if gate is not None:
                ended = self._at_closed_gate(gate)
                if ended is not None:
                    return ended, gate.error
                continue
            if self._switched_off:
                return "background_worker is off.", None
            half_open = self._half_open()
            if not half_open:
                if self._closed_since is not None:
                    self._tally.restart_rate()
                # A probe that got through is not the end of an outage; a real answer is.
                self._closed_since = None
            pipeline = self._pipeline
            assert pipeline is not None
            self._watch_plex()
            if self.monotonic() - self._session_at < BUSY_SESSION_SECONDS:
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
            logging.getLogger(LOGGER).info("The clock was set back by %s.", span(seconds))

    # -- the gate -------------------------------------------------------------------------

    def _gate(self) -> Gate | None:
        """Say why nothing may be claimed, or None. Probes a server that is due for it."""
        if self._session is not None and not self._has_work():
            return None
        if self._pipeline is not None and self._pipeline.config_error is not None:
            self._connected = False
            error = self._pipeline.config_error
            self._pipeline.config_error = None
            return self._unusable(error)
        if gate := self._fresh_session():
            return gate
        assert self._session is not None
        if self._switched_off:
            return None
        for server in ("stash", "plex"):
            breaker = self.store.breakers[server]
            state = breaker.read()
            if state.state != "open":
                continue
            wait = self._until_probe(server, state)
            if wait > 0:
                return self._server_gate(server, wait, state.reason, refused=state.refused)
            try:
                self._probe(server)
            except ServerError as error:
                new = breaker.failed(error, 0)
                return self._server_gate(
                    server,
                    new.next_probe_at - self.clock(),
                    str(error),
                    refused=isinstance(error, Refused),
                )
            breaker.probed()
            self._pacer.restart()
            self._connected = self._connected and server != "plex"
        return self._connect()

    def _until_probe(self, server: str, state: BreakerState) -> float:
        """Seconds until a server may be probed, whatever the clock on the wall does meanwhile.

        A time that is seen for the first time is kept by the monotonic clock, and none is further
        away than the longest interval there is.
        """
        seen_at, until = self._probes.get(server, (0.0, 0.0))
        if seen_at != state.next_probe_at:
            wait = min(state.next_probe_at - self.clock(), LONGEST_RETRY_AFTER)
            until = self.monotonic() + wait
            self._probes[server] = (state.next_probe_at, until)
        return until - self.monotonic()

    def _has_work(self) -> bool:
        if self._pipeline is not None and self._pipeline.busy:
            return True
        if self.sweeper.settings_moved or self.store.breakers["stash"].read().state != "closed":
            return True
        due = self.store.queue.next_due_at()
        return due is not None and due <= self.clock()

    def _fresh_session(self) -> Gate | None:
        """Read the settings at the start, when they are old, and when they could not be used."""
        age = self.monotonic() - self._session_at
        if self._session_error is not None and age < CONFIG_SECONDS:
            return Gate(CONFIG_SECONDS - age, str(self._session_error), self._session_error)
        fresh = age < SESSION_SECONDS and not self.sweeper.settings_moved
        if self._session is not None and self._session_error is None and fresh:
            return None
        if self._pipeline is not None and self._pipeline.busy:
            # What is in hand was read under the old settings; `_loop` lets it run dry first.
            return None
        stash_state = self.store.breakers["stash"].read()
        wait = self._until_probe("stash", stash_state)
        if stash_state.state == "open" and wait > 0:
            return self._server_gate("stash", wait, stash_state.reason, refused=False)
        try:
            session = self.open_session()
        except ConfigError as error:
            return self._unusable(error)
        except ServerError as error:
            new = self.store.breakers["stash"].failed(error, 0)
            return self._server_gate(
                "stash",
                max(0.0, new.next_probe_at - self.clock()),
                str(error),
                refused=isinstance(error, Refused),
            )
        self.store.breakers["stash"].succeeded()
        self.sweeper.settings_moved = False
        self._session_error = None
        self._session_at = self.monotonic()
        self._adopt(session)
        return None

    def _unusable(self, error: ConfigError) -> Gate:
        """Close the gate for a setting that cannot be used; it is looked at again in a while."""
        self._session_error = error
        self._session_at = self.monotonic()
        return Gate(CONFIG_SECONDS, str(error), error)

    def _adopt(self, session: Session) -> None:
        """Go on with a session; an unchanged one keeps its connections."""
        off = session.settings.background_worker == "off"
        self._switched_off = off and not (self.goal.foreground or self.goal.service)
        if session is self._session:
            return
        self.routine.rest()
        if self._session is not None:
            self._session.plex.close()
            self.store.breakers["plex"].hasten()
        self._session = session
        self._connected = False
        if self._pipeline is None:
            self._pipeline = Pipeline(
                self.store,
                session,
                self._tally,
                self._pacer,
                clock=self.clock,
                monotonic=self.monotonic,
                random=self.random,
            )
        else:
            self._pipeline.use(session, self._tally)

    def _connect(self) -> Gate | None:
        """Check token, server and libraries once per session, before the first claim."""
        if self._connected:
            return None
        assert self._session is not None
        session = self._session
        try:
            identity = session.plex.check_token()
            session.index.adopt_server(identity.machine_id)
            read_news(self.store, session)
        except ConfigError as error:
            return self._unusable(error)
        except ServerError as error:
            breaker = self.store.breakers["plex"]
            was_open = breaker.read().state != "closed"
            new = breaker.failed(error, self.store.queue.due_within(0.0))
            # A refusal is said where the gate is met, with what the person must do.
            if new.state == "open" and not was_open and not isinstance(error, Refused):
                logging.getLogger(LOGGER).warning("%s Nothing is lost.", error)
            return self._server_gate(
                "plex",
                max(0.0, new.next_probe_at - self.clock()),
                str(error),
                refused=isinstance(error, Refused),
            )
        self._connected = True
        end_trouble(self.store.connection)
        return None

    def _probe(self, server: str) -> None:
        """Ask a server that was down whether it is back. Raises what it answers instead."""
        assert self._session is not None
        if server == "plex":
            if self.store.breakers["plex"].read().refused:
                self._session.plex.check_token()
            else:
                self._session.plex.identity()
        else:
            self._session.stash.ping()

    def _server_gate(self, server: str, seconds: float, reason: str, *, refused: bool) -> Gate:
        name = server.capitalize()
        error = Refused(name, reason) if refused else Unavailable(name, reason)
        note = f"{reason}\nWaiting for {name}, next try in {span(seconds)}."
        return Gate(seconds, note, error, server)

    def _half_open(self) -> bool:
        return any(breaker.read().state == "half_open" for breaker in self.store.breakers.values())

    def _at_closed_gate(self, gate: Gate) -> str | None:
        """Wait a little, or say why the drain ends here."""
        now = self.monotonic()
        if self._closed_since is None:
            self._closed_since = now
        if self._pipeline is not None:
            self._pipeline.give_back()
            self._pipeline.collect(0.0)
        waited = now - self._closed_since
        if self.goal.foreground:
            if isinstance(gate.error, (ConfigError, Refused)):
                return str(gate.error)
            if waited >= self.goal.patience:
                return f"{gate.error} Waited {span(waited)}; run the task again later."
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
                logging.getLogger(LOGGER).error("%s", gate.error)
                if isinstance(gate.error, ConfigError):
                    note_trouble(self.store.connection, str(gate.error))
        self._show(note)
        self.sleep(min(1.0, max(0.05, gate.seconds)))
        return None

    # -- nothing in hand ------------------------------------------------------------------

    def _watch_plex(self) -> None:
        """Look at Plex while scenes wait for it, unless it is down."""
        is_down = self.store.breakers["plex"].read().state == "open"
        if self._session is not None and self._connected and not is_down:
            self._watch.look(self._session)

    def _sits_out_scans(self) -> bool:
        """Whether a foreground drain waits for Plex to scan: for a while, as for retries."""
        waited = self.monotonic() - self._worked_at
        return self._connected and waited < SCAN_PATIENCE and self._watch.scanning()

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
        logging.getLogger(LOGGER).info("%s.", ", ".join(parts))
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
