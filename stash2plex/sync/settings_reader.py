"""Reads the settings through all layers, and stores what other processes must know."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping

from attrs import define, field

from stash2plex.config import Settings, parse_settings
from stash2plex.datadir import file_stamp
from stash2plex.db import NO_LOGIN, get_meta, set_meta, transaction
from stash2plex.hookcost import forget_cost
from stash2plex.logs.handlers import Logs
from stash2plex.model import Clock
from stash2plex.rules.tag_lists import (
    SETTINGS,
    TagLists,
    apply_lists,
    named,
    read_lists,
    trouble_with,
)
from stash2plex.servers.stash import Stash, Stored
from stash2plex.store.breaker import Breaker
from stash2plex.store.identity import alias_key, client_id, keep_hiding
from stash2plex.store.meta import (
    RECONCILE_INTERVAL,
    SETTINGS_FILE,
    SETTINGS_OF_COMMAND_LINE,
    SETTINGS_SEEN,
    STASH_LOGIN,
)
from stash2plex.store.notices import end_trouble
from stash2plex.store.servers_seen import keep_configured, keep_stash_seen
from stash2plex.store.tag_lists import keep_tag_lists, load_tag_lists
from stash2plex.store.worker_choice import keep_choice, read_choice
from stash2plex.sync.settings_watch import settings_marks


@define
class SettingsReader:
    """Reads the settings for one process, and stores parts of them for the others.

    `overrides` take precedence over what Stash stores. `stash_dir` is the folder of Stash's
    configuration, empty for a process that Stash did not start; `plex` is the breaker of Plex.
    """

    connection: sqlite3.Connection
    plex: Breaker
    stash: Stash
    plugin_id: str
    logs: Logs
    clock: Clock
    overrides: Mapping[str, object]
    stash_dir: str = ""
    _file: str = ""
    _version: str = ""
    _heeded: Settings | None = None
    _warned: tuple[str, ...] = ()
    _hides: bool | None = None
    _tag_lists: TagLists = field(init=False, factory=TagLists)

    # -- questions: they write nothing ----------------------------------------------------

    def read(self) -> Settings:
        """Read what Stash stores, and return the settings of all layers.

        This process's log follows them, and bad ones are logged, each once. Raises what Stash's
        client raises.
        """
        stored = self._stored()
        # On another machine the same path may be another file.
        is_here = self.stash_dir and os.path.dirname(stored.file) == self.stash_dir
        self._file = stored.file if is_here else ""
        settings, problems = parse_settings({**stored.settings, **self.overrides})
        self.follow(settings)
        settings = self.with_tags(settings)
        self._warn([*problems, *trouble_with(self._tag_lists)], settings)
        return settings

    def with_tags(self, settings: Settings) -> Settings:
        """Return settings whose lists are matched with Stash's tags. Raises what its client raises.

        Earlier matches are remembered: a renamed tag still counts.
        """
        self._tag_lists = self.read_tags(settings, self.stash)
        return apply_lists(settings, self._tag_lists)

    def read_tags(self, settings: Settings, stash: Stash) -> TagLists:
        """Find out which tags the settings mean; asks Stash if they name any."""
        if not named(settings):
            return TagLists()
        known = load_tag_lists(self.connection, own=self._names_its_own)
        mark = stash.tag_mark()
        if known.fits(settings, mark):
            return known
        return read_lists(settings, stash.tags(), mark, known)

    @property
    def _names_its_own(self) -> bool:
        """Whether this process has other lists than those that Stash stores."""
        return any(name in self.overrides for name in SETTINGS)

    def follow(self, settings: Settings) -> None:
        """Make this process log and hide as these settings ask."""
        self.logs.use(settings)
        self._hides = settings.obfuscate_paths
        self.logs.redactor.enable(alias_key(self.connection) if self._hides else None)

    def stamp(self) -> str:
        """Return a value that changes when Stash stores a setting; empty if that is not visible."""
        return file_stamp(self._file) if self._file else ""

    def worker_wanted(self) -> bool:
        """Return whether a background worker may run, by the last adopted settings."""
        return not read_choice(self.connection).off

    def _stored(self) -> Stored:
        """Read what Stash stores; the first time also its version and what it can be asked."""
        if self._version:
            return self.stash.stored(self.plugin_id)
        basics = self.stash.basics(self.plugin_id)
        self._version = basics.version
        return basics.stored

    def _warn(self, problems: list[str], settings: Settings) -> None:
        if tuple(problems) == self._warned:
            return
        self._warned = tuple(problems)
        for problem in problems:
            # `require_plex` raises this one, so that the user reads it once.
            if problem not in settings.unusable:
                self.logs.logger.error("%s", problem)

    # -- deeds ----------------------------------------------------------------------------

    def keep_hiding(self) -> None:
        """Make other processes of this data folder hide what this one hides, if it read that."""
        if self._hides is not None:
            keep_hiding(self.connection, hides=self._hides)

    def take_up(self) -> Settings:
        """Read the settings and adopt them in every process of this data folder.

        The hook learns whether it may start a worker, whether that needs a log-in, and which file
        to watch; other processes learn what to hide in logs. Failures that a change may have cured
        are dropped. Raises what `read` raises.
        """
        stamp = self.stamp()
        settings = self.read()
        keep_choice(self.connection, settings.background_worker, self.clock())
        self.keep_hiding()
        keep_tag_lists(self.connection, self._tag_lists, own=self._names_its_own)
        keep_configured(self.connection, has_plex=settings.has_plex)
        keep_stash_seen(self.connection, self._version, self.clock())
        self._keep(RECONCILE_INTERVAL, settings.reconcile_interval)
        self._keep(STASH_LOGIN, "password" if self.stash.has_password else NO_LOGIN)
        stamp = stamp or self.stamp()
        if stamp and self._keep(SETTINGS_FILE, f"{stamp} {self._file}"):
            forget_cost(self.connection)
        if settings != self._heeded:
            self._forget_cured(settings)
            self._heeded = settings
        return settings

    def _forget_cured(self, settings: Settings) -> None:
        """Drop the failures that a change of the settings may have cured.

        They are in the database, and another process may have seen the change first.
        """
        # A command line with its own settings does not alternate with the plugin's.
        name = SETTINGS_OF_COMMAND_LINE if self.overrides else SETTINGS_SEEN
        connection, everything = settings_marks(settings, client_id(self.connection))
        with transaction(self.connection):
            seen = get_meta(self.connection, name)
            if seen is not None and seen.partition(" ")[0] != connection:
                self.plex.reset()
            if seen is not None and seen.partition(" ")[2] != everything:
                end_trouble(self.connection)
            self._keep(name, f"{connection} {everything}")

    def _keep(self, name: str, value: str) -> bool:
        """Store a value in `meta`; returns whether it replaces another one."""
        known = get_meta(self.connection, name)
        if known == value:
            return False
        with transaction(self.connection):
            set_meta(self.connection, name, value)
        return known is not None
