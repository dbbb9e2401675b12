"""Decides when the stored settings have to be read again, so that a change takes effect at once.

Stash writes its configuration file whenever a setting, the password or the API key changes. If that
file can be seen, its time and size are enough, and Stash is asked only when they change. If not,
Stash is asked every other second while keys are claimed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import TypeVar

from attrs import astuple, define, field

from stash2plex.config import Settings, plain
from stash2plex.errors import ConfigError
from stash2plex.model import Clock

FRESH_SECONDS = 1.5
"""Seconds for which settings count if only Stash can show a change."""

CLOSED_SECONDS = 5.0
"""The same while nothing may be claimed: no scene can be sent with old settings then."""

SEEN_SECONDS = 30.0
"""Seconds after which settings are read again although the file has not changed."""

COARSE_SECONDS = 2.0
"""Seconds: a file system may store times this coarsely, so a second change may not show."""

MIN_AGE_FACTOR = 10.0
"""Settings count for this many times as long as reading them took: a slow Stash is spared."""

T = TypeVar("T")

CONNECTION = ("plex_url", "plex_token", "tls_insecure", "connect_timeout", "read_timeout")
"""Settings that decide whether Plex can be reached: if they change, old failures do not count."""


def connection_of(settings: Settings) -> tuple[object, ...]:
    """Return the settings that decide how Plex is reached."""
    return tuple(getattr(settings, name) for name in CONNECTION)


def settings_marks(settings: Settings, key: str) -> tuple[str, str]:
    """Return two digests: of the settings for reaching Plex, and of all settings.

    `key` is the data folder's own. The digests are cut to 64 bits: enough to see a change, but not
    to find a token.
    """
    values = astuple(settings, recurse=False)
    return _digest(connection_of(settings), key), _digest(values, key)


def _digest(values: tuple[object, ...], key: str) -> str:
    text = json.dumps([plain(value) for value in values])
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:16]


@define
class SettingsWatch:
    """Knows how old the settings are. `stamp` is that of Stash's file, empty if it is not visible.

    `clock` returns seconds since the epoch, `monotonic` seconds since an arbitrary time.
    """

    stamp: Callable[[], str]
    clock: Clock
    monotonic: Clock
    _read_at: float | None = field(init=False, default=None)
    _seconds: float = field(init=False, default=0.0)
    _seen: str = field(init=False, default="")
    _expired: bool = field(init=False, default=False)

    def expire(self) -> None:
        """Make the settings due to be read, whatever their age."""
        self._expired = True

    @property
    def moved(self) -> bool:
        """Return whether the settings certainly have to be read again."""
        return self._expired or self._read_at is None or self._file_moved()

    def due(self, *, closed: bool) -> bool:
        """Return whether to read them before the next claim. `closed`: nothing may be claimed."""
        return self.moved or self.age >= self._most_age(closed=closed)

    @property
    def age(self) -> float:
        """Return the seconds since the settings were read."""
        return 0.0 if self._read_at is None else self.monotonic() - self._read_at

    def read(self, read: Callable[[], T]) -> T:
        """Call `read`, and record when. Raises what it raises.

        After a ConfigError the settings count as read; after another error they are due again.
        """
        start = self.monotonic()
        before = self.stamp()
        try:
            result = read()
        except ConfigError:
            self._was_read(start, before)
            raise
        self._was_read(start, before)
        return result

    def _was_read(self, start: float, before: str) -> None:
        self._seen = before or self.stamp()
        self._read_at = start
        self._seconds = self.monotonic() - start
        self._expired = False

    def _file_moved(self) -> bool:
        stamp = self.stamp()
        return bool(stamp) and stamp != self._seen

    def _most_age(self, *, closed: bool) -> float:
        if self._seen and not self._is_coarse():
            return SEEN_SECONDS
        return max(CLOSED_SECONDS if closed else FRESH_SECONDS, MIN_AGE_FACTOR * self._seconds)

    def _is_coarse(self) -> bool:
        """Return whether the file was written just before it was looked at."""
        written = int(self._seen.partition("-")[0]) / 1e9
        return abs(self.clock() - self.age - written) < COARSE_SECONDS
