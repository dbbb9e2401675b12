"""The server as a whole."""

from __future__ import annotations

import json
import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from stash2plex_testing.kept_port import KeptPort
from stash2plex_testing.stash import generate as generating
from stash2plex_testing.stash import packages
from stash2plex_testing.stash.auth import Session, Sessions
from stash2plex_testing.stash.client import Client
from stash2plex_testing.stash.core import Context, Core
from stash2plex_testing.stash.faults import Faults
from stash2plex_testing.stash.graphql_api import load_graphql
from stash2plex_testing.stash.jobs import Job, JobQueue
from stash2plex_testing.stash.library import Library
from stash2plex_testing.stash.log import HookRun, Journal, LogLine, RequestEntry
from stash2plex_testing.stash.outside import Outside
from stash2plex_testing.stash.plugins import Caller, Plugins, default_python
from stash2plex_testing.stash.records import Scene
from stash2plex_testing.stash.requestbody import read_request
from stash2plex_testing.stash.routes import Routes
from stash2plex_testing.stash.script import Ask
from stash2plex_testing.stash.server import Latency, Listener, Site


class FakeStash(Outside):
    """A stand-in for one Stash server, on 127.0.0.1.

    Used as a context manager, it is started and leaves no thread, socket or child behind. The
    builders (`add_scene` and its like) and `generate` work before and after the start.
    """

    def __init__(
        self,
        *,
        root: str,
        port: int = 0,
        host: str = "127.0.0.1",
        python: str = "",
        username: str | None = None,
        password: str | None = None,
        api_key: str = "",
        max_session_age: float = 3600,
        utc_offset_minutes: int = 0,
        missing: tuple[str, ...] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare a server below the folder `root`, which gets `config` and `plugins`.

        Port 0 takes a free one at the first start. `python` is what plugins run with, this
        interpreter by default. `max_session_age` in seconds; `utc_offset_minutes` is the zone of
        the stored times (stash.md §5.2); `missing` names GraphQL fields that an older version does
        not have; `host` is the address that is listened on. As in Stash, stash.crt and stash.key
        beside the configuration make it speak https; `clock` gives epoch seconds for everything
        that is stored, not for waiting.
        """
        self.config_dir = os.path.join(os.path.abspath(root), "config")
        # Where Stash puts them unless its settings name another folder.
        self.plugins_dir = os.path.join(self.config_dir, "plugins")
        for folder in (self.config_dir, self.plugins_dir):
            os.makedirs(folder, exist_ok=True)
        self.port, self.host = port, host
        self.library = Library(clock, utc_offset_minutes)
        self.journal = Journal(clock)
        self.jobs = JobQueue(clock)
        self.sessions = Sessions(
            clock, username=username, password=password, api_key=api_key, max_age=max_session_age
        )
        self.plugins = Plugins(
            self.plugins_dir,
            self.config_dir,
            port=lambda: self.port,
            python=python or default_python(),
            sessions=self.sessions,
            jobs=self.jobs,
            journal=self.journal,
            rng=random.Random(0),
        )
        self.core = Core(
            self.library,
            self.journal,
            self.jobs,
            self.sessions,
            self.plugins,
            clock,
            self.config_dir,
            "/data",
        )
        self._graphql = load_graphql(missing)
        self.core.schema = self._graphql.schema
        self.faults = Faults()
        self.latency = Latency()
        self._routes = Routes(self.core, self._graphql)
        self.plugins.asking = self._asking
        self._closing = threading.Event()
        self._listener: Listener | None = None
        self._kept_port = KeptPort()
        self.add_scene = self.library.add_scene
        self.add_performer = self.library.add_performer
        self.add_studio = self.library.add_studio
        self.add_tag = self.library.add_tag
        self.add_group = self.library.add_group
        self.add_marker = self.library.add_marker

    def _asking(self, caller: Caller) -> Ask:
        """Return what answers a script's queries, which are not requests."""

        def ask(query: str, variables: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
            body = json.dumps({"query": query, "variables": variables}).encode()
            return self._graphql.answer(read_request(body), Context(self.core, caller))

        return ask

    # -- life -------------------------------------------------------------------------------

    def start(self) -> Self:
        """Load the plugins, start the job queue and listen."""
        self.plugins.open()
        self.plugins.reload()
        self.plugins.write_config()
        self.jobs.open()
        self.up()
        return self

    def stop(self) -> None:
        """Kill what runs, stop listening, wait for every thread. Harmless if not started."""
        # The connections first: a request whose hook is killed must not be answered.
        self.down()
        self._kept_port.free()
        self.plugins.close()
        self.jobs.close()

    def up(self) -> None:
        """Listen again on the same port, with everything as it was."""
        if self._listener is None:
            self._kept_port.free()
            self._closing = threading.Event()
            site = Site(self.core, self._routes, self.faults, self.latency, self._closing)
            self._listener = Listener(self.port, site, self.host, self._tls_context())
            self.port = self._listener.server_port

    def _tls_context(self) -> ssl.SSLContext | None:
        """Return what it speaks https with; None without a certificate."""
        paths = [os.path.join(self.config_dir, name) for name in ("stash.crt", "stash.key")]
        if not all(os.path.isfile(path) for path in paths):
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*paths)
        self.plugins.connection = replace(self.plugins.connection, scheme="https")
        return context

    def down(self) -> None:
        """Close the listening socket and every connection; jobs go on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._closing.set()
            listener.close()
            self._kept_port.keep(self.host, self.port)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address of the server, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.plugins.connection.scheme}://{host}:{self.port}"

    def client(self, headers: dict[str, str] | None = None, *, timeout: float = 10.0) -> Client:
        """Make a plain client of this server; `timeout` in seconds."""
        return Client(self.port, headers, timeout=timeout)

    # -- library ----------------------------------------------------------------------------

    @property
    def scenes(self) -> list[Scene]:
        """Every scene, by id."""
        return list(self.library.scenes.values())

    def generate(self, scenes: int = 200, seed: int = 1, root: str = "/data") -> list[Scene]:
        """Add a varied library, the same for the same seed; files lie below `root`."""
        self.core.root = root
        return generating.generate(self.library, scenes, seed, root)

    # -- access -----------------------------------------------------------------------------

    def expire_cookies(self) -> None:
        """Make every session cookie invalid, those of running plugins too."""
        self.sessions.expire()

    def cookie(self) -> str:
        """Make a session cookie's value, as a plugin gets it."""
        return self.sessions.seal(Session(self.sessions.username))

    @property
    def api_key(self) -> str:
        """The API key; empty if there is none."""
        return self.sessions.api_key

    @api_key.setter
    def api_key(self, value: str) -> None:
        self.sessions.api_key = value
        self.plugins.write_config()

    def set_password(self, username: str, password: str) -> None:
        """Ask for a log-in from now on; two empty texts ask for none."""
        self.sessions.username, self.sessions.password = username, password
        self.plugins.write_config()

    # -- plugins ----------------------------------------------------------------------------

    def install(self, archive: str, local: str = "") -> str:
        """Unpack a package, or update it, and reload (stash.md §8.2). Returns the plugin's id.

        `local` is the local path of its source; one that the user adds has none.
        """
        package_id = packages.install(archive, self.plugins_dir, local, self.library.now())
        self.plugins.reload()
        return package_id

    def uninstall(self, package_id: str, local: str = "") -> None:
        """Remove a package and reload. What it did not bring stays, its settings too."""
        packages.uninstall(self.plugins_dir, local, package_id)
        self.plugins.reload()

    def configure_plugin(self, plugin_id: str, settings: dict[str, Any]) -> None:
        """Store the settings of a plugin, all of them (stash.md §1.6)."""
        self.plugins.store(plugin_id, dict(settings))

    def run_task(self, plugin_id: str, task: str | None = None, **args: Any) -> Job:
        """Queue a plugin's task, as its button does; `wait()` on the job for the end."""
        session = Session(self.sessions.username)
        return self.plugins.run_task(plugin_id, task, args, description=None, session=session)

    def queue_job(self, description: str, work: Callable[[Job], None]) -> Job:
        """Queue any job, such as a long scan; it should watch `job.cancelled`."""
        return self.jobs.add(description, work)

    @property
    def hook_runs(self) -> list[HookRun]:
        """Every run of a hook, in order of ending."""
        return self.journal.hook_runs.list()

    @property
    def processes(self) -> list[tuple[str, str]]:
        """Every process of a plugin that was started: its id, and the hook or mode it was for."""
        return self.journal.processes.list()

    @property
    def plugin_log(self) -> list[tuple[str, str]]:
        """Lines (level, text) of all plugins' stderr."""
        return self.journal.plugin_lines.list()

    @property
    def log(self) -> list[LogLine]:
        """The server's own log, plugins' lines included."""
        return self.journal.lines.list()

    # -- requests ---------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestEntry]:
        """The requests since the last `clear_log`, the newest 100,000 of them."""
        return self.journal.requests.list()

    def count(self, *, method: str = "", path: str = "", operation: str = "") -> int:
        """Count the kept requests that fit regular expressions, searched in each part."""
        return len(self.journal.matching(method, path, operation))

    @property
    def graphql_count(self) -> int:
        """How many GraphQL requests there were since the last `clear_log`."""
        return self.journal.graphql_count

    def clear_log(self) -> None:
        """Clear requests, log lines and hook runs."""
        self.journal.clear_requests()
        self.journal.lines.clear()
        self.journal.plugin_lines.clear()
        self.journal.hook_runs.clear()
        self.journal.processes.clear()
