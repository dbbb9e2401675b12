"""The goals of a drain: when it ends, and how long it waits for a server."""

from __future__ import annotations

import math

from attrs import frozen

from stash2plex.errors import ConfigError, OnHold, Refused
from stash2plex.sync.gate import Closed
from stash2plex.text import span

HORIZON = 20.0
"""Seconds: Process Queue waits for retries that are due within this time, and names the rest.

Shorter than the first snooze, so that a scene that Plex does not have holds up no task."""

PATIENCE = 300.0
"""Default seconds that a foreground drain waits for a server that is down."""

TASK_PATIENCE = 45.0
"""The same for a task in Stash that leaves the rest to a background worker: it occupies Stash's
one job slot, and frees it within a minute, including slow time-outs."""

PROBE_SECONDS = 15.0
"""Seconds that such a task waits for a probe of Plex, if the settings allow more."""

STASH_PATIENCE = 120.0
"""Seconds without Stash after which the background worker ends; the queue stays."""

IDLE_SECONDS = 900.0
"""Seconds without work after which the background worker ends."""


@frozen
class Foreground:
    """The user is waiting: ends when nothing is due within `horizon`.

    It gives up after `patience` without a server, and then `advice` is what to do. All times are in
    seconds. `run_id` is the run that this drain belongs to, 0 if there is none.
    """

    origin: str
    horizon: float = HORIZON
    patience: float = PATIENCE
    advice: str = "run the task again later."
    run_id: int = 0

    @property
    def probe_seconds(self) -> float:
        """How many seconds a probe of Plex may take."""
        return PROBE_SECONDS if self.patience <= TASK_PATIENCE else math.inf

    def reason_to_give_up(self, closed: Closed, waited: float) -> str | None:
        """Return why to wait no longer at a gate that is closed since `waited` seconds."""
        if isinstance(closed.error, (ConfigError, OnHold, Refused)):
            return str(closed.error)
        if waited >= self.patience:
            return f"{closed.error} Waited {span(waited)}; {self.advice}"
        return None


@frozen
class Background:
    """No user is waiting: ends after `idle` seconds without work, or `patience` without Stash.

    It also ends when **Background worker** is off.
    """

    origin: str = "background worker"
    patience: float = STASH_PATIENCE
    idle: float = IDLE_SECONDS
    horizon = HORIZON
    probe_seconds = math.inf
    run_id = 0

    def reason_to_give_up(self, closed: Closed, waited: float) -> str | None:
        """Return why to wait no longer at a gate that is closed since `waited` seconds."""
        if closed.server == "stash" and isinstance(closed.error, Refused):
            # The next save brings a new session cookie, but only to a new worker.
            return str(closed.error)
        if isinstance(closed.error, OnHold):
            # What ends the pause starts another worker.
            return str(closed.error)
        patience = self.patience if closed.server == "stash" else self.idle
        if closed.server != "plex" and waited >= patience:
            return str(closed.error)
        return None


@frozen
class Service:
    """In the background, started by the user: waits for work and for servers without end.

    **Background worker** does not apply to it.
    """

    origin: str = "service"
    idle = math.inf
    horizon = HORIZON
    probe_seconds = math.inf
    run_id = 0

    def reason_to_give_up(self, closed: Closed, waited: float) -> str | None:  # noqa: ARG002 - other goals use it
        """Return why to wait no longer at a gate that is closed since `waited` seconds."""
        is_refused = closed.server == "stash" and isinstance(closed.error, Refused)
        return str(closed.error) if is_refused else None


Goal = Foreground | Background | Service
"""The goal of a drain."""
