"""Asks both servers now, for a user who is waiting while another process drains."""

from __future__ import annotations

from stash2plex.app import App
from stash2plex.errors import ConfigError, Refused, ServerError, Stash2PlexError, Unavailable
from stash2plex.rules.libraries import choose_sections
from stash2plex.store.progress import Wait
from stash2plex.sync.goals import Foreground
from stash2plex.text import span

ANSWER_SECONDS = 10.0
"""How many seconds one answer may take."""

ASK_SECONDS = 5.0
"""Seconds between two probes of both servers while the other process waits."""


def probe_servers(app: App) -> Stash2PlexError | None:
    """Ask Stash for the settings, and with them Plex for its libraries; returns the error met.

    Lists and writes nothing, so it is safe while another process drains.
    """
    try:
        session = app.open_session()
        plex = app.make_plex(session.settings, most_seconds=ANSWER_SECONDS)
        try:
            session.index.check_server(plex.check_token().machine_id)
            choose_sections(plex.sections(), session.settings.plex_library)
        finally:
            plex.close()
    except (ServerError, ConfigError) as error:
        return error
    return None


class ServerProbe:
    """Decides when an error ends a task that watches another process drain.

    The error that the other process met may be outdated, so the servers are asked again.
    """

    def __init__(self, app: App, goal: Foreground) -> None:
        self._app = app
        self._goal = goal
        self._start = app.monotonic()
        self._asked_at = self._start
        self._closed_since: float | None = None
        self._wrong: Stash2PlexError | None = None

    def ask(self) -> None:
        """Ask both servers now."""
        self._asked_at = self._app.monotonic()
        self._wrong = probe_servers(self._app)

    def verdict(self, wait: Wait | None, left: int) -> tuple[Stash2PlexError | None, str | None]:
        """Return the error that ends the task and its words; both None while it goes on.

        `wait` is why the other process is waiting, `left` how many keys it still has.
        """
        now = self._app.monotonic()
        stands = wait is not None or self._app.store.breakers["plex"].read().refused
        if (stands or self._wrong) and now - self._asked_at >= ASK_SECONDS:
            # It may be fixed, and the other process may not have noticed yet.
            self.ask()
        wrong = self._wrong
        if isinstance(wrong, (ConfigError, Refused)):
            # Waiting will not help.
            return wrong, str(wrong)
        why = str(wrong) if wrong else wait.why if wait else None
        if not left or why is None:
            self._closed_since = None
            return None, None
        if self._closed_since is None:
            self._closed_since = self._start if wrong else now
        if now - self._closed_since < self._goal.patience:
            return None, None
        words = f"{why} Waited {span(self._goal.patience)}; {self._goal.advice}"
        return wrong or Unavailable("Plex", why), words
