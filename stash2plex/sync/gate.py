"""Decides whether keys may be claimed now, by settings, breakers, token and libraries."""

from __future__ import annotations

import logging
from collections.abc import Callable

from attrs import define, field, frozen

from stash2plex.errors import (
    ConfigError,
    Refused,
    ServerError,
    Stash2PlexError,
    Unavailable,
)
from stash2plex.model import Clock
from stash2plex.rules.libraries import LIBRARY_FIX
from stash2plex.rules.pacing import Pacer
from stash2plex.servers.transport import MAX_RETRY_AFTER
from stash2plex.store.breaker import BreakerState
from stash2plex.store.holds import read_hold
from stash2plex.store.marks import asked_look
from stash2plex.store.notices import end_trouble
from stash2plex.store.progress import Wait
from stash2plex.store.servers_seen import keep_plex_seen
from stash2plex.sync.index_changes import read_index_changes
from stash2plex.sync.session import Session, Store
from stash2plex.sync.settings_watch import SettingsWatch, connection_of

CONFIG_SECONDS = 15.0
"""Seconds between two tries of a setting that does not fit Plex, such as a missing library."""

HOLD_SECONDS = 1.0
"""Seconds between two looks at whether the user still holds all sending back."""


@frozen
class Open:
    """Work may go on with a session.

    `is_changing`: newer settings wait until no key is claimed, so nothing may be claimed.
    `is_connected`: Plex has accepted the token and has the libraries.
    """

    session: Session
    is_changing: bool
    is_connected: bool


@frozen
class Closed:
    """Why nothing may be claimed, and until when (monotonic seconds).

    `server` is the one to wait for, or None if a setting cannot be used.
    """

    error: Stash2PlexError
    until: float
    server: str | None = None

    def wait(self, now: float) -> Wait:
        """Return why a drain is waiting at `now` (monotonic seconds), and for how long."""
        if self.server is None:
            return Wait(str(self.error))
        seconds = max(0.0, self.until - now)
        return Wait(str(self.error), server=self.server.capitalize(), next_try=seconds)


@frozen
class SwitchedOff:
    """The settings switched the background worker off, and this is one."""


@frozen
class Unusable:
    """An unusable setting, and since when (monotonic seconds): wrong as such, or for this Plex."""

    error: ConfigError
    since: float
    by_plex: bool


@define
class Gate:
    """Keeps the session: the settings and the clients that keys are worked on with.

    Changed settings count from the next claim on. While any key is claimed they wait, and the drain
    claims nothing more and finishes what it has. `heeds_off` is for a drain that
    `background_worker` may switch off. Plex gets up to `most_seconds` for a probe, if the settings
    allow more.
    """

    store: Store
    open_session: Callable[[], Session]
    watch: SettingsWatch
    pacer: Pacer
    clock: Clock
    monotonic: Clock
    heeds_off: bool
    most_seconds: float
    _session: Session | None = field(init=False, default=None)
    """The session in use."""
    _newest: Session | None = field(init=False, default=None)
    """The session that was opened last."""
    _connected: bool = field(init=False, default=False)
    _unusable: Unusable | None = field(init=False, default=None)
    _shut: bool = field(init=False, default=False)
    _asked: str | None = field(init=False, default=None)
    _lost: str = field(init=False, default="")
    _probes: dict[str, tuple[float, float]] = field(init=False, factory=dict)

    @property
    def has_settings(self) -> bool:
        """Whether Stash has ever answered with usable settings."""
        return self._session is not None

    def look(self, *, busy: bool, due: bool) -> Open | Closed | SwitchedOff:
        """Return whether keys may be claimed. Probes a server if its probe is due.

        `busy` means that a key is claimed, `due` that one is due: if there is nothing to do, no
        server is asked.
        """
        if hold := read_hold(self.store.connection):
            return Closed(hold.error(), self.monotonic() + HOLD_SECONDS)
        if self._session is not None and not (busy or due or self._must_look(self._session)):
            return self._open(self._session)
        answer = self._look(busy=busy, due=due)
        self._shut = isinstance(answer, Closed)
        return answer

    def doubt(self, error: ConfigError) -> None:
        """Record a setting that turned out not to fit Plex in the middle of the work."""
        self._connected = False
        self._unusable = Unusable(error, self.monotonic(), by_plex=True)

    def close(self) -> None:
        """Close the connections to Plex."""
        if self._session is not None:
            self._session.plex.close()

    def _must_look(self, session: Session) -> bool:
        """Return whether to look although there is nothing to do."""
        return (
            self._newest is not session
            or self.watch.moved
            or self._is_asked()
            or self.store.breakers["stash"].read().state != "closed"
        )

    def _is_asked(self) -> bool:
        asked = asked_look(self.store.connection)
        return asked is not None and asked != self._asked

    def _open(self, session: Session) -> Open:
        return Open(session, self._newest is not session, self._connected)

    def _look(self, *, busy: bool, due: bool) -> Open | Closed | SwitchedOff:
        if self._is_asked():
            # The user waits for the present answer, not for the next probe.
            self._asked = asked_look(self.store.connection)
            self.watch.expire()
            self._unusable = None
        if self.watch.due(closed=self._shut) and (
            closed := self._read_settings(has_work=busy or due)
        ):
            return closed
        session = self._adopt(busy=busy)
        if session is None:
            return self._closed_by_setting()
        if session is not self._newest:
            return self._open(session)
        if self.heeds_off and session.settings.background_worker == "off":
            return SwitchedOff()
        if self._unusable is not None:
            return self._closed_by_setting()
        return self._ask_servers(session) or self._connect(session) or self._open(session)

    # -- settings -------------------------------------------------------------------------

    def _read_settings(self, *, has_work: bool) -> Closed | None:
        """Read the settings if they are due; returns why nothing may be claimed, or None.

        Stash reads them from a file. So it may answer with them and fail everything else, such as
        while its database is locked: if there is work, it is the work that shows whether Stash is
        back.
        """
        breaker = self.store.breakers["stash"]
        state = breaker.read()
        until = self._schedule_probe("stash", state)
        if state.state == "open" and until > self.monotonic():
            return self._closed("stash", until, state.reason, refused=state.refused)
        try:
            self._newest = self.watch.read(self.open_session)
        except ServerError as error:
            return self._failed(error, 0)
        except ConfigError as error:
            breaker.succeeded()
            self._unusable = Unusable(error, self.monotonic(), by_plex=False)
            return self._closed_by_setting()
        if has_work:
            breaker.probed()
        else:
            breaker.succeeded()
        known = self._unusable
        if known and not (known.by_plex and self.monotonic() - known.since < CONFIG_SECONDS):
            self._unusable = None
        return None

    def _adopt(self, *, busy: bool) -> Session | None:
        """Return the session to go on with: the newest, unless a key is claimed.

        Failures under the old settings no longer count.
        """
        old, new = self._session, self._newest
        if new is None or new is old or busy:
            return old
        self._session, self._connected, self._unusable = new, False, None
        if old is not None:
            old.plex.close()
            if connection_of(old.settings) != connection_of(new.settings):
                self.store.breakers["plex"].reset()
            else:
                self.store.breakers["plex"].hasten()
        return new

    def _closed_by_setting(self) -> Closed:
        """Close for an unusable setting, until it changes or Plex is asked again."""
        known = self._unusable
        error = known.error if known else ConfigError("The settings have not been read yet.")
        return Closed(error, self.monotonic() + CONFIG_SECONDS)

    # -- servers --------------------------------------------------------------------------

    def _ask_servers(self, session: Session) -> Closed | None:
        """Probe each server whose breaker is open, when its probe is due."""
        for server in ("stash", "plex"):
            breaker = self.store.breakers[server]
            state = breaker.read()
            if state.state != "open":
                continue
            until = self._schedule_probe(server, state)
            if until > self.monotonic():
                return self._closed(server, until, state.reason, refused=state.refused)
            try:
                self._probe(session, server)
            except ServerError as error:
                return self._failed(error, 0)
            breaker.probed()
            self.pacer.restart()
            self._connected = self._connected and server != "plex"
        return None

    def _schedule_probe(self, server: str, state: BreakerState) -> float:
        """Return when a server may be probed, whatever the wall clock does meanwhile.

        A new time is converted to the monotonic clock, and none is further away than the longest
        interval.
        """
        seen_at, until = self._probes.get(server, (0.0, 0.0))
        if seen_at != state.next_probe_at:
            wait = min(state.next_probe_at - self.clock(), MAX_RETRY_AFTER)
            until = self.monotonic() + wait
            self._probes[server] = (state.next_probe_at, until)
        return until

    def _probe(self, session: Session, server: str) -> None:
        """Ask a server that was down whether it is back. Raises its error if it is not."""
        if server == "stash":
            session.stash.ping()
        elif self.store.breakers["plex"].read().refused:
            session.plex.check_token(self.most_seconds)
        else:
            session.plex.identity(self.most_seconds)

    def _connect(self, session: Session) -> Closed | None:
        """Check token, server and libraries once per session, before the first claim."""
        if self._connected:
            return None
        try:
            began = self.monotonic()
            identity = session.plex.check_token(self.most_seconds)
            ms = round((self.monotonic() - began) * 1000.0, 1)
            session.index.adopt_server(identity.machine_id)
            self.store.traits.adopt(identity.version)
            keep_plex_seen(self.store.connection, identity, self.clock(), ms)
            lost = read_index_changes(self.store, session, retry=True).lost
        except ConfigError as error:
            self.doubt(error)
            return self._closed_by_setting()
        except ServerError as error:
            return self._connection_failed(error)
        self._connected = True
        if lost and lost != self._lost:
            logging.getLogger(__name__).warning("%s %s", lost, LIBRARY_FIX)
        self._lost = lost
        end_trouble(self.store.connection)
        return None

    def _connection_failed(self, error: ServerError) -> Closed:
        breaker = self.store.breakers["plex"]
        was_open = breaker.read().state != "closed"
        closed = self._failed(error, self.store.queue.due_within(0.0))
        # The caller of the gate logs a refusal, with what the user must do.
        if breaker.read().state == "open" and not was_open and not isinstance(error, Refused):
            logging.getLogger(__name__).warning("%s Nothing is lost.", error)
        return closed

    def _failed(self, error: ServerError, waiting: int) -> Closed:
        """Count a failure of a server. `waiting` is how many keys wait for it."""
        server = error.server.lower()
        new = self.store.breakers[server].failed(error, waiting)
        until = self.monotonic() + max(0.0, new.next_probe_at - self.clock())
        return self._closed(server, until, str(error), refused=isinstance(error, Refused))

    def _closed(self, server: str, until: float, reason: str, *, refused: bool) -> Closed:
        name = server.capitalize()
        error = Refused(name, reason) if refused else Unavailable(name, reason)
        return Closed(error, until, server)
