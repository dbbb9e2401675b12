"""Asks both servers for a user who waits: what another process met may be of yesterday."""

from __future__ import annotations

from stash2plex.app import App
from stash2plex.errors import ConfigError, Refused, ServerError, Stash2PlexError, Unavailable
from stash2plex.servers.plex import choose_sections
from stash2plex.sync.worker import Goal
from stash2plex.text import span

ANSWER_SECONDS = 10.0
"""How long one answer is waited for."""

ASK_SECONDS = 5.0
"""Between two looks at both servers while the other process stands still."""


def ask_servers(app: App) -> Stash2PlexError | None:
    """Ask Stash for the settings, and Plex for its libraries by them; returns what is wrong.

    Lists nothing and writes to neither, so it may be done while another process drains.
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


class Asker:
    """Judges for a task that watches another process drain: what is wrong today, and since when."""

    def __init__(self, app: App, goal: Goal) -> None:
        self._app = app
        self._goal = goal
        self._start = app.monotonic()
        self._asked_at = self._start
        self._closed_since: float | None = None
        self._wrong: Stash2PlexError | None = None

    def ask(self) -> None:
        """Ask both servers now."""
        self._asked_at = self._app.monotonic()
        self._wrong = ask_servers(self._app)

    def verdict(self, note: str, left: int) -> tuple[Stash2PlexError | None, str]:
        """Return the error that ends the task and its words; None and nothing where it goes on.

        `note` is why the other process stands still, `left` how many keys it has to do.
        """
        now = self._app.monotonic()
        stands = bool(note) or self._app.store.breakers["plex"].read().refused
        if (stands or self._wrong) and now - self._asked_at >= ASK_SECONDS:
            # It may be mended, and the other process may not have seen that yet.
            self.ask()
        wrong = self._wrong
        if isinstance(wrong, (ConfigError, Refused)):
            # Waiting will not help.
            return wrong, str(wrong)
        if not left or not (note or wrong):
            self._closed_since = None
            return None, ""
        if self._closed_since is None:
            self._closed_since = self._start if wrong else now
        if now - self._closed_since < self._goal.patience:
            return None, ""
        reason = str(wrong or note.splitlines()[0])
        words = f"{reason} Waited {span(self._goal.patience)}; {self._goal.advice}"
        return wrong or Unavailable("Plex", reason), words
