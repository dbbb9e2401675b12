"""The one drain loop, for the background worker, Process Queue and the command line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from attrs import define, evolve, field, frozen

from stash2plex.errors import ConfigError, Interrupted, Refused, Stash2PlexError
from stash2plex.model import Clock, Sleep
from stash2plex.rules.endpoints import ALL
from stash2plex.servers.stash import Stash
from stash2plex.store.names import DEAD, WAITING, summary_names
from stash2plex.store.notices import note_trouble
from stash2plex.store.progress import Progress
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.gate import Closed, Gate, Open, SwitchedOff
from stash2plex.sync.goals import Background, Foreground, Goal
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.new_scenes import NewSceneWatch
from stash2plex.sync.pipeline import Pipeline
from stash2plex.sync.plex_watch import PlexWatch
from stash2plex.sync.read_back import ReadBack
from stash2plex.sync.scheduled_reconcile import ScheduledReconcile
from stash2plex.sync.session import Session, Store
from stash2plex.sync.settings_watch import SettingsWatch
from stash2plex.sync.showing import Showing
from stash2plex.sync.stops import StopWatch
from stash2plex.sync.sweeper import LibrarySweeper
from stash2plex.sync.wall_clock import WallClock
from stash2plex.text import count, local, span

SCAN_PATIENCE = 60.0
"""Seconds without work that a foreground drain waits for folders that Plex is to scan."""

SWITCHED_OFF = "Background worker is off."
"""Why a worker ended that is no longer wanted."""

STEP = 0.25
"""Seconds of one wait while something is in flight or due."""


@frozen
class Summary:
    """What a drain did, and what it left: reason, how many, and when the first is due.

    `names` holds the first names for each reason, and of what was given up. `wanted` counts the
    keys that its run queued or found, `removed` those that the user removed from the queue
    meanwhile.
    """

    progress: Progress
    seconds: float
    waiting: tuple[tuple[str, int, float | None], ...]
    gave_up: str | None = None
    error: Stash2PlexError | None = None
    wanted: int = 0
    removed: int = 0
    names: Mapping[str, str] = field(factory=dict)

    def sentence(self) -> str:
        """Return the summary in words for the user."""
        done = self.progress
        parts = [f"{count(done.done, 'scene')} in sync after {span(self.seconds)}"]
        end = self.gave_up[:1].upper() + self.gave_up[1:] if self.gave_up else ""
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


@frozen
class End:
    """Why a drain ends; `gave_up` is None if its goal is met."""

    gave_up: str | None = None
    error: Stash2PlexError | None = None


@define
class Drain:
    """Claims keys while any are due and the servers accept them.

    `gate`, `evidence`, `hand`, `pipeline`, `read_back` and `showing` belong to this one drain.
    `new_scenes` is for the background. `worker_wanted` returns the last known setting of any
    process; `stopped` returns whether the process should end. Only the holder of the drain lock may
    run a drain, and each runs once.
    """

    store: Store
    stash: Stash
    goal: Goal
    gate: Gate
    settings_watch: SettingsWatch
    evidence: Evidence
    hand: KeysInHand
    pipeline: Pipeline
    read_back: ReadBack
    plex_watch: PlexWatch
    stops: StopWatch
    showing: Showing
    wall_clock: WallClock
    sweeper: LibrarySweeper
    scheduled_reconcile: ScheduledReconcile
    new_scenes: NewSceneWatch | None
    worker_wanted: Callable[[], bool]
    stopped: Callable[[], bool]
    clock: Clock
    monotonic: Clock
    sleep: Sleep
    _closed_since: float | None = field(init=False, default=None)
    _worked_at: float = field(init=False)
    _alive_at: float = field(init=False)
    _handled_then: int = field(init=False, default=0)
    _reported: str | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._worked_at = self._alive_at = self.monotonic()

    def run(self) -> Summary:
        """Drain until the goal is met, or until something ends it that only the user can fix."""
        start = self.monotonic()
        # This process may be able to log in although the last one was not.
        self.store.breakers["stash"].hasten()
        self.store.pictures.hasten(ALL)
        taken = self.store.queue.take_over()
        self.wall_clock.check_start()
        if taken:
            logging.getLogger(__name__).info(
                "Carrying on with %s from a process that ended.", count(taken, "scene")
            )
        self.showing.begin()
        try:
            end = self._loop()
        finally:
            if self.new_scenes is not None:
                self.new_scenes.close()
            self.sweeper.rest()
            self.scheduled_reconcile.rest()
            self.stops.close()
            self.pipeline.close()
            self.read_back.close()
            self.gate.close()
            final = self.showing.end()
        waiting = (*self.store.queue.waiting_reasons(), *self.store.pictures.waiting_reasons())
        seconds = self.monotonic() - start
        names = summary_names(self.store.connection, self.clock(), self.clock() - seconds)
        return Summary(final, seconds, waiting, end.gave_up, end.error, names=names)

    def _loop(self) -> End:
        while True:
            if self.stopped():
                return End("it was asked to stop.", Interrupted("Stopped."))
            self.wall_clock.check()
            if self.new_scenes is not None:
                self.new_scenes.step()
            match self._look_at_gate():
                case SwitchedOff():
                    end: End | None = End(SWITCHED_OFF)
                case Closed() as closed:
                    end = self._wait_at(closed)
                case Open() as gate:  # pragma: no branch - a gate is nothing else
                    end = self._work(gate)
            if end is not None:
                return end

    # -- the gate -------------------------------------------------------------------------

    def _look_at_gate(self) -> Open | Closed | SwitchedOff:
        if self.gate.has_settings and self.stops.step(self.stash):
            # The user may have stopped a run in another process.
            self.pipeline.give_back_stopped()
        if self.sweeper.settings_moved:
            self.sweeper.settings_moved = False
            self.settings_watch.expire()
        return self.gate.look(busy=self.pipeline.busy, due=self._is_due())

    def _is_due(self) -> bool:
        """Return whether to look at the gate: a key is due, or the worker may be off."""
        if isinstance(self.goal, Background) and not self.worker_wanted():
            # Another process has read that the worker is off.
            return True
        due = self._next_due_at()
        return due is not None and due <= self.clock()

    def _next_due_at(self) -> float | None:
        """Return when the next key or picture is due.

        In front of the user, pictures of an endpoint that is shut are not waited for.
        """
        sits_out = isinstance(self.goal, Foreground)
        times = (
            self.store.queue.next_due_at(),
            self.store.pictures.next_due_at(sits_out=sits_out),
        )
        return min((at for at in times if at is not None), default=None)

    def _wait_at(self, closed: Closed) -> End | None:
        """Wait a little at a closed gate, or return why the drain ends there."""
        now = self.monotonic()
        if self._closed_since is None:
            # A server that hangs was out of reach before this was noticed.
            in_front = isinstance(self.goal, Foreground)
            self._closed_since = self._alive_at if in_front else now
            self._handled_then = self.showing.handled
        self.pipeline.give_back()
        self.pipeline.collect(0.0)
        waited = now - self._closed_since
        reason = self.goal.reason_to_give_up(closed, waited)
        if reason is not None:
            return End(reason, closed.error)
        wait = closed.wait(now)
        if isinstance(self.goal, Foreground):
            wait = evolve(wait, gives_up=self.goal.patience - waited)
        else:
            self._report(closed.error)
        self.showing.show(wait)
        self.sleep(min(1.0, max(0.05, closed.until - now)))
        return None

    def _report(self, error: Stash2PlexError) -> None:
        """Log once what only the user can fix; a setting is also kept for the next task."""
        if self._reported != str(error) and isinstance(error, (ConfigError, Refused)):
            self._reported = str(error)
            logging.getLogger(__name__).error("%s", error)
            if isinstance(error, ConfigError):
                note_trouble(self.store.connection, str(error))

    # -- work -----------------------------------------------------------------------------

    def _work(self, gate: Open) -> End | None:
        """Do the next step of what is due; returns the end when the goal is met."""
        session, pipeline = gate.session, self.pipeline
        half_open = self._half_open()
        if not half_open:
            self._outage_is_over()
        elif self._closed_since is not None and not isinstance(self.goal, Foreground):
            # Stash answers, if only its probe: nobody else would start a worker again.
            self._closed_since = self.monotonic()
        if gate.is_connected and self.store.breakers["plex"].read().state != "open":
            self.plex_watch.look(session)
        self.stops.be_sure(self.stash)
        self._alive_at = max(self._alive_at, self.evidence.answered_at)
        if not pipeline.busy:
            self._alive_at = self.monotonic()
        pipeline.use(session)
        if gate.is_changing:
            # Requests in flight finish; what waits for its write is read again.
            pipeline.give_back()
        else:
            pipeline.fill(single=half_open)
        sweeping = self._look_after_library(session)
        reading = self._read_written(gate, half_open=half_open)
        if pipeline.busy:
            self._worked_at = self.monotonic()
            pipeline.collect(STEP)
            self.showing.show()
        elif not (sweeping or reading) and self._idle(gate):
            return End()
        return None

    def _read_written(self, gate: Open, *, half_open: bool) -> bool:
        """Read back what was written, if it is time; returns whether there is more."""
        if not gate.is_connected or half_open:
            return False
        return self.read_back.step(
            gate.session,
            idle=not self.hand.busy,
            sending=self.pipeline.busy,
            seconds=STEP,
        )

    def _half_open(self) -> bool:
        return any(breaker.read().state == "half_open" for breaker in self.store.breakers.values())

    def _outage_is_over(self) -> None:
        """Record that the gate is open again. A probe that got through is not enough for that.

        In front of the user it takes a key that ended, too: a Stash that answers everything but
        scenes would be waited for without end.
        """
        self._reported = None
        if self._closed_since is None:
            return
        unproved = self.showing.handled == self._handled_then
        if unproved and isinstance(self.goal, Foreground) and self._next_due_at() is not None:
            return
        self.showing.restart_rate()
        self._closed_since = None

    def _look_after_library(self, session: Session) -> bool:
        """Do the next step for the library; returns whether there is more to do."""
        in_background = not isinstance(self.goal, Foreground)
        more = self.sweeper.step(
            session.settings,
            session.stash,
            by_clock=in_background,
            seconds=0.0 if self.pipeline.busy else STEP,
        )
        return more or (in_background and self.scheduled_reconcile.step(session))

    # -- nothing in hand ------------------------------------------------------------------

    def _idle(self, gate: Open) -> bool:
        """Wait for the next key; returns whether the goal is met."""
        due = self._next_due_at()
        wait = None if due is None else max(0.0, due - self.clock())
        if isinstance(self.goal, Foreground):
            return self._sit_out_retries(gate, self.goal.horizon, wait)
        return self._await_work(self.goal.idle, wait)

    def _sit_out_retries(self, gate: Open, horizon: float, wait: float | None) -> bool:
        """Wait for keys that are due within `horizon` seconds, and a while for Plex's scans."""
        if wait is None or wait > horizon:
            waited = self.monotonic() - self._worked_at
            if not (gate.is_connected and waited < SCAN_PATIENCE and self.plex_watch.scanning()):
                return True
            wait = STEP
        self.showing.show()
        self.sleep(min(STEP, wait) if wait else 0.01)
        return False

    def _await_work(self, idle: float, wait: float | None) -> bool:
        """Wait for keys in the background, until there was no work for `idle` seconds."""
        if wait == 0.0:
            return False
        now = self.monotonic()
        if self.sweeper.jobs_run or (wait is not None and wait <= idle):
            self._worked_at = now
        if now - self._worked_at >= idle:
            return True
        self.showing.end_burst()
        self.sleep(min(STEP, wait) if wait else STEP)
        return False
