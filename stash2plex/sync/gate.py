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
from stash2plex.rules.pacing import Pacer
from stash2plex.servers.transport import LONGEST_RETRY_AFTER
from stash2plex.store.breaker import BreakerState
from stash2plex.store.marks import asked_look
from stash2plex.store.notices import end_trouble
from stash2plex.sync.index_changes import read_news
from stash2plex.sync.session import Session, Store
from stash2plex.sync.settings_watch import SettingsWatch, connection_of
from stash2plex.text import span

CONFIG_SECONDS = 15.0
"""Between two tries of settings that Plex does not bear out, such as a library that it lacks."""


@frozen
class Closed:
    """Why nothing may be claimed now, and for how many seconds."""

    seconds: float
    note: str
    error: Stash2PlexError
    server: str = ""


@define
class Gate:
    """Keeps the session: the settings and the clients that keys are worked on with.

    Settings that have changed count from the next claim on. While anything is in hand they wait,
    as `changing` says; then the drain claims nothing and lets run dry what it has. `heeds_off`
    is for a drain that `background_worker` may switch off. A sign of life of Plex is waited for
    `most_seconds`, if the settings allow more.
    """

    store: Store
    open_session: Callable[[], Session]
    watch: SettingsWatch
    pacer: Pacer
    clock: Clock
    monotonic: Clock
    heeds_off: bool
    most_seconds: float
    session: Session | None = field(init=False, default=None)
    connected: bool = field(init=False, default=False)
    changing: bool = field(init=False, default=False)
    _found: Session | None = field(init=False, default=None)
    _error: ConfigError | None = field(init=False, default=None)
    _error_at: float = field(init=False, default=0.0)
    _of_plex: bool = field(init=False, default=False)
    _shut: bool = field(init=False, default=False)
    _asked: str | None = field(init=False, default=None)
    _probes: dict[str, tuple[float, float]] = field(init=False, factory=dict)

    @property
    def wants_look(self) -> bool:
        """Whether it has to look although no key is due."""
        return (
            self.session is None
            or self.changing
            or self.watch.moved
            or self._is_asked()
            or self.store.breakers["stash"].read().state != "closed"
        )

    @property
    def switched_off(self) -> bool:
        """Whether the settings say that no worker runs, and this is one."""
        off = self.session is not None and self.session.settings.background_worker == "off"
        return off and self.heeds_off

    def look(self, *, busy: bool) -> Closed | None:
        """Return why nothing may be claimed, or None. Probes a server that is due for it.

        `busy` is whether any key is in hand.
        """
        closed = self._look(busy=busy)
        self._shut = closed is not None
        return closed

    def doubt(self, error: ConfigError) -> None:
        """Take a setting that Plex did not bear out in the middle of the work."""
        self.connected = False
        self._unusable(error, of_plex=True)

    def _look(self, *, busy: bool) -> Closed | None:
        if self._is_asked():
            # The user waits for today's answer, not for the next probe.
            self._asked = asked_look(self.store.connection)
            self.watch.expire()
            self._error = None
        if closed := self._read_settings(busy=busy):
            return closed
        if self.changing or self.switched_off:
            return None
        if self._error is not None:
            return self._still_unusable(self._error)
        return self._ask_servers() or self._connect()

    def _is_asked(self) -> bool:
        asked = asked_look(self.store.connection)
        return asked is not None and asked != self._asked

    # -- settings -------------------------------------------------------------------------

    def _read_settings(self, *, busy: bool) -> Closed | None:
        """Read the settings where that is due. New ones count at once where nothing is in hand."""
        if self.watch.due(closed=self._shut) and (closed := self._read_now()):
            return closed
        is_new = self._found is not self.session
        self.changing = is_new and busy
        if is_new and not busy:
            self._adopt()
        return None

    def _read_now(self) -> Closed | None:
        breaker = self.store.breakers["stash"]
        state = breaker.read()
        wait = self._until_probe("stash", state)
        if state.state == "open" and wait > 0:
            return self._closed("stash", wait, state.reason, refused=state.refused)
        unusable: ConfigError | None = None

        def read() -> None:
            nonlocal unusable
            try:
                self._found = self.open_session()
            except ConfigError as error:
                unusable = error

        try:
            self.watch.read(read)
        except ServerError as error:
            return self._failed(error, 0)
        breaker.succeeded()
        if unusable is not None:
            return self._unusable(unusable, of_plex=False)
        if not self._of_plex or self.monotonic() - self._error_at >= CONFIG_SECONDS:
            self._error = None
        return None

    def _adopt(self) -> None:
        """Go on with other settings: what failed under those before says nothing any more."""
        old, new = self.session, self._found
        assert new is not None
        self.session, self.connected, self._error = new, False, None
        if old is None:
            return
        old.plex.close()
        if connection_of(old.settings) != connection_of(new.settings):
            self.store.breakers["plex"].reset()
        else:
            self.store.breakers["plex"].hasten()

    def _unusable(self, error: ConfigError, *, of_plex: bool) -> Closed:
        """Remember a setting that cannot be used, by itself or because Plex has no such thing."""
        self._error, self._error_at, self._of_plex = error, self.monotonic(), of_plex
        return self._still_unusable(error)

    def _still_unusable(self, error: ConfigError) -> Closed:
        """Close for a setting that cannot be used, until it changes or Plex is asked again."""
        return Closed(CONFIG_SECONDS, str(error), error)

    # -- servers --------------------------------------------------------------------------

    def _ask_servers(self) -> Closed | None:
        """Probe each server whose breaker is open, when its probe is due."""
        for server in ("stash", "plex"):
            breaker = self.store.breakers[server]
            state = breaker.read()
            if state.state != "open":
                continue
            wait = self._until_probe(server, state)
            if wait > 0:
                return self._closed(server, wait, state.reason, refused=state.refused)
            try:
                self._probe(server)
            except ServerError as error:
                return self._failed(error, 0)
            breaker.probed()
            self.pacer.restart()
            self.connected = self.connected and server != "plex"
        return None

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

    def _probe(self, server: str) -> None:
        """Ask a server that was down whether it is back. Raises what it answers instead."""
        assert self.session is not None
        if server == "plex":
            if self.store.breakers["plex"].read().refused:
                self.session.plex.check_token(self.most_seconds)
            else:
                self.session.plex.identity(self.most_seconds)
        else:
            self.session.stash.ping()

    def _connect(self) -> Closed | None:
        """Check token, server and libraries once per session, before the first claim."""
        if self.connected:
            return None
        assert self.session is not None
        try:
            identity = self.session.plex.check_token(self.most_seconds)
            self.session.index.adopt_server(identity.machine_id)
            read_news(self.store, self.session)
        except ConfigError as error:
            return self._unusable(error, of_plex=True)
        except ServerError as error:
            was_open = self.store.breakers["plex"].read().state != "closed"
            closed = self._failed(error, self.store.queue.due_within(0.0))
            is_open = self.store.breakers["plex"].read().state == "open"
            # A refusal is logged where the gate is met, with what the user must do.
            if is_open and not was_open and not isinstance(error, Refused):
                logging.getLogger(__name__).warning("%s Nothing is lost.", error)
            return closed
        self.connected = True
        end_trouble(self.store.connection)
        return None

    def _failed(self, error: ServerError, waiting: int) -> Closed:
        """Count a failure of a server. `waiting` is how many keys wait for it."""
        server = error.server.lower()
        new = self.store.breakers[server].failed(error, waiting)
        seconds = max(0.0, new.next_probe_at - self.clock())
        return self._closed(server, seconds, str(error), refused=isinstance(error, Refused))

    def _closed(self, server: str, seconds: float, reason: str, *, refused: bool) -> Closed:
        name = server.capitalize()
        error = Refused(name, reason) if refused else Unavailable(name, reason)
        note = f"{reason}\nWaiting for {name}, next try in {span(seconds)}."
        return Closed(seconds, note, error, server)
