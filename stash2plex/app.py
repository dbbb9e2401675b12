"""Composition root: the only module that builds concrete objects."""

from __future__ import annotations

import math
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random

from attrs import define, evolve, field

from stash2plex.config import Settings
from stash2plex.datadir import DATABASE_NAME, check_owner, prepare
from stash2plex.db import (
    NO_COPY,
    SETTINGS_FILE,
    connect,
    drop_meta,
    get_meta,
    store_error,
    uses_wal,
)
from stash2plex.errors import ConfigError, StoreDamaged, StoreUnavailable
from stash2plex.hook import settings_path
from stash2plex.logs.handlers import Logs
from stash2plex.model import Clock, Sleep
from stash2plex.rules.pacing import Pacer
from stash2plex.servers.plex import Plex, plex_headers
from stash2plex.servers.plexraw import PlexRaw
from stash2plex.servers.plextv import PLEX_TV, PLEX_TV_URL, PlexTv
from stash2plex.servers.stash import Stash
from stash2plex.servers.stash_address import StashAddress
from stash2plex.servers.transport import Transport
from stash2plex.store.awaited_files import AwaitedFiles
from stash2plex.store.breaker import Breaker
from stash2plex.store.dead_letters import DeadLetters
from stash2plex.store.identity import client_id, key_in_use, make_identity
from stash2plex.store.item_claims import ItemClaims
from stash2plex.store.path_rules import PathRules
from stash2plex.store.plex_comparisons import PlexComparisons
from stash2plex.store.plex_files import PlexFiles
from stash2plex.store.progress import ProgressBook, Tally
from stash2plex.store.queue import Queue
from stash2plex.store.records import Records
from stash2plex.store.repair import replace_damaged
from stash2plex.store.reports import ReportBook
from stash2plex.store.runs import Runs
from stash2plex.store.scans import Scans
from stash2plex.store.scenes import Scenes
from stash2plex.store.server_traits import ServerTraits
from stash2plex.store.waiting_pictures import WaitingPictures
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.finder import Finder
from stash2plex.sync.gate import Gate
from stash2plex.sync.goals import Background, Goal
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.indexing import PlexIndex
from stash2plex.sync.new_scenes import NewSceneWatch, Promise
from stash2plex.sync.observer import Observer
from stash2plex.sync.pipeline import PICTURE_THREADS, THREADS, Pipeline
from stash2plex.sync.plex_watch import PlexWatch
from stash2plex.sync.read_back import ReadBack
from stash2plex.sync.reconcile import Drifted, Reconciliation, Scope
from stash2plex.sync.scheduled_reconcile import ScheduledReconcile
from stash2plex.sync.session import Session, Store
from stash2plex.sync.settings_reader import SettingsReader
from stash2plex.sync.settings_watch import SettingsWatch
from stash2plex.sync.showing import Showing
from stash2plex.sync.stops import StopWatch
from stash2plex.sync.sweeper import LibrarySweeper
from stash2plex.sync.wall_clock import WallClock
from stash2plex.sync.worker import Drain, Summary
from stash2plex.text import Private

if sys.platform != "win32":  # pragma: no branch - Windows has no resource
    import resource

PLUGIN_ID = "Stash2Plex"
HOOKS_ID = "Stash2PlexHooks"
"""The second entry of our package: it owns the hooks."""

STASH_LOGIN_PAGE = "/login"
"""Where Stash redirects a picture request without a log-in (stash.md §5.7)."""

PROBE_ID = "stash2plex-probe"
"""The probe's identity in Plex: always the same device, whoever runs it."""

STASH_CONNECT_SECONDS, STASH_READ_SECONDS = 5.0, 60.0
PLEX_TV_SECONDS = 10.0
"""Seconds to wait for plex.tv: the user is watching."""

PLEX_TV_VARIABLE = "STASH2PLEX_PLEX_TV_URL"
"""The environment variable with another address of plex.tv, for tests."""

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def make_stash(address: StashAddress) -> Stash:
    """Make a client for Stash.

    Its certificate is not checked on loopback: it cannot name 127.0.0.1 and is often self-signed
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
        certificate=address.certificate,
    )
    return Stash(transport, api_key=address.api_key, cookie=address.cookie)


def make_probe_client(settings: Settings) -> PlexRaw:
    """Make the probe's client; a server without an owner needs no token."""
    transport = Transport(
        "Plex",
        settings.plex_url,
        headers=plex_headers(settings.plex_token, PROBE_ID),
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        tls_insecure=settings.tls_insecure,
    )
    return PlexRaw(transport)


@define(repr=False)
class App:
    """All objects for one data folder. Close it when done.

    `overrides` are settings from flags, environment and file; they take precedence over those that
    Stash stores. `logs` follows the settings, and gets each bad one once. `stash_dir` is the folder
    of Stash's configuration, empty for a process that Stash did not start.
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
    plex_tv_url: str = PLEX_TV_URL
    _session: Session | None = None
    _sweeper: LibrarySweeper | None = None
    settings_reader: SettingsReader = field(init=False)

    @settings_reader.default
    def _make_settings_reader(self) -> SettingsReader:
        return SettingsReader(
            self.store.connection,
            self.store.breakers["plex"],
            self.stash,
            PLUGIN_ID,
            self.logs,
            self.clock,
            self.overrides,
            self.stash_dir,
        )

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
        """The progress row, which every process sees."""
        return ProgressBook(self.store.connection, self.clock)

    @property
    def sweeper(self) -> LibrarySweeper:
        """The library sweeper of this process."""
        if self._sweeper is None:
            self._sweeper = LibrarySweeper(
                self.store, PLUGIN_ID, clock=self.clock, monotonic=self.monotonic
            )
        return self._sweeper

    def settings(self) -> Settings:
        """Read the settings from all layers. Writes nothing; raises what the client raises."""
        return self.settings_reader.read()

    def open_session(self) -> Session:
        """Adopt the settings and make the clients; returns the same session until they change.

        Raises ConfigError if Plex is not set up, and what Stash's client raises.
        """
        settings = self.settings_reader.take_up()
        if not settings.enabled:
            raise ConfigError(
                "Stash2Plex is switched off: the old setting “enabled” is stored as false.",
                "Turn it on again in the plugin's settings.",
            )
        settings.require_plex()
        if self._session is None or self._session.settings != settings:
            plex = self.make_plex(settings)
            self._session = Session(settings, self.stash, plex, self.make_index(plex))
        return self._session

    def make_plex(self, settings: Settings, *, most_seconds: float = math.inf) -> Plex:
        """Make a client for Plex; it waits no longer than the settings and `most_seconds` allow."""
        transport = Transport(
            "Plex",
            settings.plex_url,
            headers=plex_headers(settings.plex_token, client_id(self.store.connection)),
            connect_timeout=min(settings.connect_timeout, most_seconds),
            read_timeout=min(settings.read_timeout, most_seconds),
            tls_insecure=settings.tls_insecure,
            connections=THREADS + PICTURE_THREADS,
        )
        return Plex(transport)

    def make_plex_tv(self, token: str = "") -> PlexTv:
        """Make a client for plex.tv; `token` is the user's, once the user has agreed."""
        transport = Transport(
            PLEX_TV,
            self.plex_tv_url,
            headers=plex_headers(token, client_id(self.store.connection)),
            connect_timeout=PLEX_TV_SECONDS,
            read_timeout=PLEX_TV_SECONDS,
        )
        return PlexTv(transport)

    def make_index(self, plex: Plex) -> PlexIndex:
        """Make the index that reads Plex's libraries into our files."""
        return PlexIndex(self.store.plex_files, plex, self.clock)

    def make_reconciliation(
        self,
        session: Session,
        scope: Scope = Scope.ALL,
        run_id: int = 0,
        drifted: Drifted | None = None,
    ) -> Reconciliation:
        """Make a comparison of Stash, the records and Plex; `run_id` is 0 without a run.

        `drifted` gets each scene that differs.
        """
        return Reconciliation(
            self.store,
            session,
            scope,
            clock=self.clock,
            monotonic=self.monotonic,
            run_id=run_id,
            drifted=drifted,
        )

    def drain(self, goal: Goal, observer: Observer, stopped: Callable[[], bool]) -> Summary:
        """Drain the queue in this process, which must hold the drain lock."""
        return self._make_drain(goal, observer, stopped).run()

    def _make_drain(self, goal: Goal, observer: Observer, stopped: Callable[[], bool]) -> Drain:
        store, clocks = self.store, {"clock": self.clock, "monotonic": self.monotonic}
        settings_watch = SettingsWatch(self.settings_reader.stamp, **clocks)
        pacer = Pacer()
        tally = Tally(goal.origin, self.clock)
        evidence = Evidence(store, pacer, **clocks)
        hand = KeysInHand(store, tally, evidence, random=self.random, **clocks)
        finder = Finder(store, hand, **clocks)
        gate = Gate(
            store,
            self.open_session,
            settings_watch,
            pacer,
            heeds_off=isinstance(goal, Background),
            most_seconds=goal.probe_seconds,
            **clocks,
        )
        return Drain(
            store=store,
            stash=self.stash,
            goal=goal,
            gate=gate,
            settings_watch=settings_watch,
            evidence=evidence,
            hand=hand,
            pipeline=Pipeline(
                store, hand, finder, evidence, pacer, gate.doubt, random=self.random, **clocks
            ),
            read_back=ReadBack(store, hand, monotonic=self.monotonic),
            plex_watch=PlexWatch(store, **clocks),
            stops=StopWatch(store.runs, self.monotonic, goal.run_id),
            showing=Showing(
                store,
                self.book,
                observer,
                tally,
                horizon=goal.horizon,
                monotonic=self.monotonic,
            ),
            wall_clock=WallClock(store.queue, **clocks),
            sweeper=self.sweeper,
            scheduled_reconcile=ScheduledReconcile(
                store, self.make_reconciliation, clock=self.clock
            ),
            new_scenes=self._watch_new_scenes() if isinstance(goal, Background) else None,
            worker_wanted=self.settings_reader.worker_wanted,
            stopped=stopped,
            sleep=self.sleep,
            **clocks,
        )

    def _watch_new_scenes(self) -> NewSceneWatch:
        promise = Promise(self.folder, self.clock)
        return NewSceneWatch(self.store.queue, self.stash, promise, self.monotonic)

    @contextmanager
    def rehearsal(self) -> Iterator[App]:
        """Yield an application over a copy of the database, which is thrown away afterwards.

        SQLite keeps the copy in an unnamed file that disappears with the process.
        """
        connection = sqlite3.connect("", isolation_level=None)
        self.store.connection.backup(connection)
        store = store_over(connection, self.clock, self.random)
        copy = evolve(self, store=store, session=None)
        copy.settings_reader = evolve(
            self.settings_reader, connection=connection, plex=store.breakers["plex"]
        )
        try:
            yield copy
        finally:
            copy.close_session()
            connection.close()


@contextmanager
def store_errors_mapped(app: App) -> Iterator[None]:
    """Map SQLite's errors inside the block to our tree: a full disk, a lock, a damaged file.

    Damage that shows only during a run ends the run, and the file is set aside for the next one.
    """
    try:
        yield
    except sqlite3.Error as error:
        mapped = store_error(error, os.path.join(app.folder, DATABASE_NAME))
        if isinstance(mapped, StoreDamaged):
            # Windows does not rename an open file.
            app.store.connection.close()
            replace_damaged(app.folder)
            raise mapped.with_words(
                f"{mapped.what} It was set aside.", "Run the task again; it compares every scene."
            ) from error
        raise mapped from error


def open_store(folder: str, clock: Clock, random: Random) -> Store:
    """Open the database of a data folder; a missing one is created."""
    path = prepare(folder)
    try:
        connection = _open(path)
    except StoreDamaged:
        replace_damaged(folder)
        connection = _open(path)
    return store_over(connection, clock, random)


def _open(path: str) -> sqlite3.Connection:
    connection = connect(path, relaxed=True)
    try:
        make_identity(connection)
    except sqlite3.Error as error:
        connection.close()
        raise store_error(error, path) from error
    return connection


def store_over(connection: sqlite3.Connection, clock: Clock, random: Random) -> Store:
    """Build the objects that work on a connection's database."""
    records = Records(connection)
    return Store(
        connection,
        Queue(connection, clock),
        records,
        {name: Breaker(connection, name, clock, random) for name in ("stash", "plex")},
        AwaitedFiles(connection),
        ItemClaims(connection, records),
        Scans(connection),
        PathRules(connection),
        PlexFiles(connection, records),
        PlexComparisons(connection),
        Runs(connection, clock),
        DeadLetters(connection),
        ReportBook(connection),
        ServerTraits(connection, clock),
        Scenes(connection, clock),
        WaitingPictures(connection, clock),
    )


def forbid_core_dumps() -> None:
    """Keep the system from writing this process's memory to a file: it holds the token."""
    if sys.platform != "win32":  # pragma: no branch - Windows has no resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _report_missing_copy(connection: sqlite3.Connection, logs: Logs) -> None:
    """Log once that an update had no copy made, whichever process was the first to migrate."""
    if failure := get_meta(connection, NO_COPY):
        logs.logger.warning(
            "The database was not copied before the update, so there is no way back to the version "
            "before: %s.",
            failure,
        )
        drop_meta(connection, NO_COPY)


def open_app(
    folder: str,
    address: StashAddress,
    *,
    overrides: Mapping[str, object] | None = None,
    logs: Logs | None = None,
    stash_dir: str = "",
) -> App:
    """Build everything for a data folder and a Stash server; `logs` also writes into the folder.

    `stash_dir` is the folder of Stash's configuration, for a process that Stash started.
    """
    # Files that SQLite or a log creates beside ours are for this user only.
    os.umask(0o077)
    forbid_core_dumps()
    random = Random()  # noqa: S311 - jitter
    store = open_store(folder, time.time, random)
    try:
        check_owner(folder, settings_path(get_meta(store.connection, SETTINGS_FILE)), stash_dir)
    except StoreUnavailable:
        store.connection.close()
        raise
    kept = logs or Logs(None)
    kept.keep(folder)
    kept.redactor.enable(key_in_use(store.connection))
    _report_missing_copy(store.connection, kept)
    if not uses_wal(store.connection):
        kept.logger.warning(
            "The data folder %s is on a file system on which programs cannot share memory (a "
            "network drive?). A rollback journal is used instead: as safe, but slower. Set "
            "STASH2PLEX_DATA_DIR to a folder on a local disk.",
            Private(folder),
        )
    return App(
        folder=folder,
        store=store,
        stash=make_stash(address),
        overrides=overrides or {},
        logs=kept,
        random=random,
        stash_dir=stash_dir,
        plex_tv_url=os.environ.get(PLEX_TV_VARIABLE) or PLEX_TV_URL,
    )
