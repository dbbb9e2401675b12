"""Composition root: the only module that builds concrete objects."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from random import Random
from typing import Any

from attrs import define, evolve, field, frozen

from stash2plex.config import Settings, parse_settings
from stash2plex.datadir import DATABASE_NAME, file_stamp, prepare
from stash2plex.db import connect, get_meta, set_meta, store_error, transaction, uses_wal
from stash2plex.errors import ConfigError, Interrupted, ServerError, StoreDamaged
from stash2plex.hook import SEEN_FILE
from stash2plex.hookcost import forget_cost
from stash2plex.logs.handlers import Logs
from stash2plex.model import Clock, Sleep, TaskJob
from stash2plex.operations.notifications import tell
from stash2plex.servers.plex import Plex, plex_headers
from stash2plex.servers.stash import Stash, StashBasics, Stored
from stash2plex.servers.transport import Transport
from stash2plex.store.awaited_files import Missed
from stash2plex.store.breaker import Breaker
from stash2plex.store.item_claims import Contests
from stash2plex.store.notices import end_trouble
from stash2plex.store.path_rules import PathRules
from stash2plex.store.plex_comparisons import PlexComparisons
from stash2plex.store.plex_files import PlexFiles
from stash2plex.store.progress import ProgressBook
from stash2plex.store.records import Records
from stash2plex.store.repair import replace_damaged
from stash2plex.store.reports import ReportBook
from stash2plex.store.runs import Begun, Runs
from stash2plex.store.scans import Scans
from stash2plex.sync.indexing import PlexIndex
from stash2plex.sync.observer import Observer
from stash2plex.sync.reconcile import Reconciliation, Scope
from stash2plex.sync.report import Report
from stash2plex.sync.scheduled_reconcile import Routine
from stash2plex.sync.session import Session, Store
from stash2plex.sync.settings_watch import SettingsWatch, settings_marks
from stash2plex.sync.stops import look as look_for_stops
from stash2plex.sync.stops import own_job
from stash2plex.sync.sweeper import Sweeper
from stash2plex.sync.worker import HORIZON, Drain, Goal, Summary
from stash2plex.workqueue import WorkQueue

if sys.platform != "win32":
    import resource

PLUGIN_ID = "Stash2Plex"
STASH_LOGIN_PAGE = "/login"
"""Where Stash sends whoever asks for a picture without being logged in (stash.md §5.7)."""

STASH_CONNECT_SECONDS, STASH_READ_SECONDS = 5.0, 60.0
OFF_FRESH_SECONDS = 30.0
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@frozen(repr=False)
class StashAddress:
    """Where Stash is and how to log in; never printed."""

    url: str
    api_key: str = ""
    cookie: tuple[str, str] | None = None


def read_server_connection(info: Mapping[str, Any]) -> StashAddress:
    """Turn the connection that Stash hands to a plugin into an address (stash.md §2.1).

    The host is what Stash binds to, so "every address" becomes the loopback one.
    """
    host = str(info.get("Host") or "")
    if host in ("", "0.0.0.0", "::", "[::]"):  # noqa: S104 - read, not bound
        host = "127.0.0.1"
    if not re.fullmatch(r"[A-Za-z0-9._:%\[\]-]{1,255}", host):
        raise ConfigError(f"Stash's connection has no usable host: {host[:80]!r}.")
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    port = info.get("Port")
    if type(port) is not int or not 0 < port < 65536:  # noqa: PLR2004
        raise ConfigError("Stash's connection has no usable port.")
    scheme = "https" if info.get("Scheme") == "https" else "http"
    cookie = info.get("SessionCookie")
    pair = None
    if isinstance(cookie, dict) and cookie.get("Name") and cookie.get("Value"):
        pair = (str(cookie["Name"]), str(cookie["Value"]))
    return StashAddress(f"{scheme}://{host}:{port}", cookie=pair)


def make_stash(address: StashAddress) -> Stash:
    """Make a client for Stash.

    Its certificate is not checked on loopback: it cannot name 127.0.0.1 and is often self-made
    (stash.md §5.7).
    """
    host = address.url.split("://")[1].rsplit(":", 1)[0]
    transport = Transport(
        "Stash",
        address.url,
        headers={"Accept": "*/*"},
        login_page=STASH_LOGIN_PAGE,
        connect_timeout=STASH_CONNECT_SECONDS,
        read_timeout=STASH_READ_SECONDS,
        tls_insecure=host in LOOPBACK,
    )
    return Stash(transport, api_key=address.api_key, cookie=address.cookie)


def make_plex(settings: Settings, client_id: str, *, most_seconds: float = 600.0) -> Plex:
    """Make a client for Plex that waits no longer than the settings and `most_seconds` say."""
    transport = Transport(
        "Plex",
        settings.plex_url,
        headers=plex_headers(settings.plex_token, client_id),
        connect_timeout=min(settings.connect_timeout, most_seconds),
        read_timeout=min(settings.read_timeout, most_seconds),
        tls_insecure=settings.tls_insecure,
    )
    return Plex(transport)


@define(repr=False)
class App:
    """Everything over one data folder. Close it when done.

    `overrides` are settings from flags, environment and file, which go before those that Stash
    stores. `logs` follows the settings, and is told of bad ones, each once. `stash_dir` is the
    folder of Stash's configuration, empty for a process that Stash did not start.
    """

    folder: str
    store: Store
    stash: Stash
    overrides: Mapping[str, object] = field(factory=dict)
    logs: Logs = field(factory=lambda: Logs(None))
    clock: Clock = time.time
    monotonic: Clock = time.monotonic
    sleep: Sleep = time.sleep
    random: Random = field(factory=Random)
    stash_dir: str = ""
    _stash_file: str = ""
    _has_basics: bool = False
    _heeded: Settings | None = None
    _session: Session | None = None
    _warned: tuple[str, ...] = ()
    _sweeper: Sweeper | None = None

    def close(self) -> None:
        """Close the connections and the database."""
        self.close_session()
        self.stash.close()
        self.logs.close()
        self.store.connection.close()

    def close_session(self) -> None:
        """Close the connections to Plex."""
        if self._session is not None:
            self._session.plex.close()

    @property
    def book(self) -> ProgressBook:
        """The progress that every process sees."""
        return ProgressBook(self.store.connection, self.clock)

    @property
    def sweeper(self) -> Sweeper:
        """What looks after the library in this process."""
        if self._sweeper is None:
            self._sweeper = Sweeper(
                self.store, PLUGIN_ID, clock=self.clock, monotonic=self.monotonic
            )
        return self._sweeper

    def basics(self) -> StashBasics:
        """Ask Stash for its version and our stored settings."""
        basics = self.stash.basics(PLUGIN_ID)
        self._has_basics = True
        return basics

    def _stored(self) -> Stored:
        """Read what Stash stores: at first with what can be asked of it."""
        return self.stash.stored(PLUGIN_ID) if self._has_basics else self.basics().stored

    def settings_stamp(self) -> str:
        """Return what changes whenever Stash stores a setting; empty where that cannot be seen."""
        return file_stamp(self._stash_file) if self._stash_file else ""

    def settings(self) -> Settings:
        """Read the settings through all layers, and keep for the hook what it must know."""
        stamp = self.settings_stamp()
        stored = self._stored()
        # On another machine the same path may be another file.
        is_here = self.stash_dir and os.path.dirname(stored.file) == self.stash_dir
        self._stash_file = stored.file if is_here else ""
        settings, problems = parse_settings({**stored.settings, **self.overrides})
        if tuple(problems) != self._warned:
            self._warned = tuple(problems)
            for problem in problems:
                # Whoever needs Plex raises this one, so that the user reads it once.
                if problem not in settings.unusable:
                    self.logs.logger.error("%s", problem)
        self.logs.use(settings)
        self.tell_hook(settings.background_worker)
        stamp = stamp or self.settings_stamp()
        if stamp and self._keep(SEEN_FILE, f"{stamp} {self._stash_file}"):
            forget_cost(self.store.connection)
        self._heed(settings)
        return settings

    def _keep(self, name: str, value: str) -> bool:
        """Store a value of `meta`; returns whether it is another one than before."""
        if get_meta(self.store.connection, name) == value:
            return False
        with transaction(self.store.connection):
            set_meta(self.store.connection, name, value)
        return True

    def _heed(self, settings: Settings) -> None:
        """Forget the failures that a change of the settings may have cured.

        They are in the database, and another process may have seen the settings before.
        """
        if settings == self._heeded:
            return
        # A command line with settings of its own does not take turns with the plugin.
        name = "settings_of_command_line" if self.overrides else "settings_seen"
        connection, everything = settings_marks(settings, self.client_id())
        with transaction(self.store.connection):
            seen = get_meta(self.store.connection, name)
            if seen is not None and seen.partition(" ")[0] != connection:
                self.store.breakers["plex"].reset()
            if seen is not None and seen.partition(" ")[2] != everything:
                end_trouble(self.store.connection)
            self._keep(name, f"{connection} {everything}")
        self._heeded = settings

    def tell_hook(self, choice: str) -> None:
        """Keep for the hook, which asks no server, whether it may start a worker.

        With the time of an “off”, so that a save now and then has a worker look whether it is so
        still.
        """
        known = get_meta(self.store.connection, "background_worker") or ""
        word, _, since = known.partition(" ")
        fresh = word != "off" or (since and self.clock() - float(since) < OFF_FRESH_SECONDS)
        if word == choice and fresh:
            return
        value = f"off {self.clock():.0f}" if choice == "off" else choice
        with transaction(self.store.connection):
            set_meta(self.store.connection, "background_worker", value)

    def worker_wanted(self) -> bool:
        """Say whether a background worker may run, by the settings that were read last."""
        return not (get_meta(self.store.connection, "background_worker") or "").startswith("off")

    def open_session(self) -> Session:
        """Read the settings and make the clients; the same session while nothing changed.

        Raises ConfigError where Plex is not set up, and what Stash's client raises.
        """
        settings = self.settings()
        if not settings.enabled:
            raise ConfigError(
                "Stash2Plex is switched off: the old setting “enabled” is stored as false. "
                "Turn it on again in the plugin's settings."
            )
        settings.require_plex()
        if self._session is None or self._session.settings != settings:
            plex = make_plex(settings, self.client_id())
            index = PlexIndex(self.store.plex_files, plex, self.clock)
            self._session = Session(settings, self.stash, plex, index)
        return self._session

    def client_id(self) -> str:
        """Return the identity that Plex knows this data folder by, made once (plex.md §1.2)."""
        with transaction(self.store.connection):
            known = get_meta(self.store.connection, "plex_client_id")
            if known is None:
                known = str(uuid.uuid4())
                set_meta(self.store.connection, "plex_client_id", known)
        return known

    @contextmanager
    def running(self, name: str, *, in_stash: bool) -> Iterator[Begun]:
        """Begin a run for what follows, and end it afterwards, whatever happens.

        `in_stash` says that Stash runs this process as the task of that `name`. What earlier tasks
        left is settled first: the user learns here of one that was stopped.
        """
        at = self.monotonic()
        runs = self.store.runs
        if look_for_stops(runs, self.stash):
            tell(self.store.connection, self.logs.logger, self.clock())
        begun = runs.begin(name, self._own_job(name) if in_stash else None, HORIZON)
        self.sweeper.run_id = begun.id
        try:
            yield evolve(begun, at=at)
        finally:
            self.sweeper.run_id = 0
            runs.end(begun.id)

    def _own_job(self, name: str) -> TaskJob | None:
        """Ask Stash which of its jobs this process is; a Stash that does not answer has none."""
        try:
            return own_job(self.stash.job_queue(), (name, PLUGIN_ID))
        except ServerError:
            return None

    def drain(self, goal: Goal, observer: Observer, stopped: Callable[[], bool]) -> Summary:
        """Drain the queue in this process, which must hold the drain lock."""
        return Drain(
            store=self.store,
            open_session=self.open_session,
            settings_watch=SettingsWatch(self.settings_stamp, self.clock, self.monotonic),
            worker_wanted=self.worker_wanted,
            sweeper=self.sweeper,
            routine=Routine(self.store, clock=self.clock, monotonic=self.monotonic),
            book=self.book,
            observer=observer,
            goal=goal,
            clock=self.clock,
            monotonic=self.monotonic,
            sleep=self.sleep,
            random=self.random,
            stopped=stopped,
        ).run()

    def reconcile(
        self,
        scope: Scope,
        *,
        dry_run: bool = False,
        observer: Observer,
        stopped: Callable[[], bool],
        run_id: int = 0,
    ) -> Report:
        """Compare Stash, the records and Plex, queue what differs for a run, and keep the report.

        A dry run changes nothing: it does the same on a copy of the database. Raises what
        `open_session` raises; a server that fails later leaves a partial report with its `error`.
        """
        if dry_run:
            with self.rehearsal() as copy:
                report = copy.reconcile(scope, observer=observer, stopped=stopped)
            return evolve(report, dry_run=True)
        run = Reconciliation(
            self.store,
            self.open_session(),
            scope,
            clock=self.clock,
            monotonic=self.monotonic,
            run_id=run_id,
        )
        with closing(run.pages()) as pages:
            for progress in pages:
                observer.progress(progress)
                if stopped():
                    run.give_up(Interrupted("It was stopped."))
                    break
        report = run.report()
        ReportBook(self.store.connection).keep(report.started_at, report.as_dict())
        return report

    @contextmanager
    def rehearsal(self) -> Iterator[App]:
        """Give an application over a copy of the database, which is thrown away afterwards.

        SQLite keeps the copy in a nameless file that goes with the process.
        """
        connection = sqlite3.connect("", isolation_level=None)
        self.store.connection.backup(connection)
        store = store_over(connection, self.clock, self.random)
        copy = evolve(self, store=store, session=None)
        try:
            yield copy
        finally:
            copy.close_session()
            connection.close()


@contextmanager
def store_errors_mapped(app: App) -> Iterator[None]:
    """Turn what SQLite raises within into our tree: a full disk, a lock, a damaged file.

    Damage that shows only on the way ends the run, and the file is set aside for the next one.
    """
    try:
        yield
    except sqlite3.Error as error:
        mapped = store_error(error, os.path.join(app.folder, DATABASE_NAME))
        if isinstance(mapped, StoreDamaged):
            # Windows renames no open file.
            app.store.connection.close()
            replace_damaged(app.folder)
            raise StoreDamaged(
                f"{mapped} It was set aside; run the task again, and every scene is compared anew."
            ) from error
        raise mapped from error


def open_store(folder: str, clock: Clock, random: Random) -> Store:
    """Open the database of a data folder, made where it is missing."""
    path = prepare(folder)
    try:
        connection = connect(path, relaxed=True)
    except StoreDamaged:
        replace_damaged(folder)
        connection = connect(path, relaxed=True)
    return store_over(connection, clock, random)


def store_over(connection: sqlite3.Connection, clock: Clock, random: Random) -> Store:
    """Build what works on the database of a connection."""
    records = Records(connection)
    return Store(
        connection,
        WorkQueue(connection, clock),
        records,
        {name: Breaker(connection, name, clock, random) for name in ("stash", "plex")},
        Missed(connection),
        Contests(connection, records),
        Scans(connection),
        PathRules(connection),
        PlexFiles(connection, records),
        PlexComparisons(connection),
        Runs(connection, clock),
    )


def forbid_core_dumps() -> None:
    """Have the system write no memory of this process to a file: it holds the token."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def open_app(
    folder: str,
    address: StashAddress,
    *,
    overrides: Mapping[str, object] | None = None,
    logs: Logs | None = None,
    stash_dir: str = "",
) -> App:
    """Build everything over a data folder and a Stash server; `logs` is kept in the folder too.

    `stash_dir` is the folder of Stash's configuration, for a process that Stash started.
    """
    # Files that SQLite or a log makes beside ours are for this user only.
    os.umask(0o077)
    forbid_core_dumps()
    random = Random()  # noqa: S311 - jitter
    store = open_store(folder, time.time, random)
    kept = logs or Logs(None)
    kept.keep(folder, store.connection)
    if not uses_wal(store.connection):
        kept.logger.warning(
            "The data folder “%s” is on a file system that several programs cannot share memory "
            "on (a network drive?). A rollback journal is used instead: as safe, but slower. Set "
            "STASH2PLEX_DATA_DIR to a folder on a local disk.",
            folder,
        )
    return App(
        folder=folder,
        store=store,
        stash=make_stash(address),
        overrides=overrides or {},
        logs=kept,
        random=random,
        stash_dir=stash_dir,
    )


def encode_request(info: Mapping[str, Any]) -> bytes:
    """Say to a worker how Stash is reached."""
    return json.dumps({"server_connection": dict(info)}).encode()
