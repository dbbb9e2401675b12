"""A Stash process over a folder of its own, where a Stash is named by `STASH_BINARY`."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.support import PATIENCE, until

BINARY = os.environ.get("STASH_BINARY") or shutil.which("stash") or ""

SOURCES = """mutation S($i: ConfigGeneralInput!) {
  configureGeneral(input: $i) { pluginPackageSources { name url local_path } } }"""
AVAILABLE = """query A($url: String!) {
  availablePackages(type: Plugin, source: $url) { package_id name version date sourceURL } }"""
INSTALL = """mutation I($p: [PackageSpecInput!]!) { installPackages(type: Plugin, packages: $p) }"""
UPDATE = """mutation U($p: [PackageSpecInput!]!) { updatePackages(type: Plugin, packages: $p) }"""
REMOVE = """mutation U($p: [PackageSpecInput!]!) {
  uninstallPackages(type: Plugin, packages: $p) }"""
ENTRIES = "query P { plugins { id enabled version } }"
ASK = """mutation R($a: Map!) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }"""
SWITCH = "mutation E($m: BoolMap!) { setPluginsEnabled(enabledMap: $m) }"
SETTINGS = """mutation C($m: Map!) { configurePlugin(plugin_id: "Stash2Plex", input: $m) }"""
CREATE = 'mutation N { sceneCreate(input: {title: "A harbour"}) { id } }'
JOBS = "query J { jobQueue { id } }"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RealStash:
    """A Stash process over a folder of its own."""

    def __init__(self, folder: object) -> None:
        self.folder = str(folder)
        self.port = free_port()
        self.config = os.path.join(self.folder, "config")
        for name in ("config", "generated", "films", "config/plugins"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        held = {
            "host": "127.0.0.1", "port": self.port, "nobrowser": True,
            "stash": [{"path": os.path.join(self.folder, "films")}],
            "database": os.path.join(self.config, "stash.sqlite"),
            "generated": os.path.join(self.folder, "generated"),
            "cache": os.path.join(self.folder, "generated"),
            "plugins_path": os.path.join(self.config, "plugins"),
            "dangerous_allow_public_without_auth": False,
        }  # fmt: skip
        self.file = os.path.join(self.config, "config.yml")
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(held, file)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "--config", self.file, "--nobrowser"],
                stdout=log, stderr=log, cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": self.folder},
            )  # fmt: skip
        until(self.answers, seconds=PATIENCE)
        if self.ask("{ systemStatus { status } }")["systemStatus"]["status"] == "NEEDS_MIGRATION":
            self.ask('mutation M { migrate(input: {backupPath: ""}) }')
            until(lambda: self.ask("{ systemStatus { status } }")["systemStatus"]["status"] == "OK")

    def answers(self) -> bool:
        try:
            return bool(self.ask("{ version { version } }"))
        except OSError:
            return False

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            answer = json.load(reply)
        assert not answer.get("errors"), answer
        data: dict[str, Any] = answer["data"]
        return data

    def entries(self) -> dict[str, bool]:
        return {one["id"]: one["enabled"] for one in self.ask(ENTRIES)["plugins"] or []}

    def install(self, source: str) -> None:
        """Install the package from the index at `source`, over another version if one is there."""
        self.ask(INSTALL, p=[{"id": "Stash2Plex", "sourceURL": source}])
        self.end_jobs()

    def update(self, source: str) -> None:
        """Update the package to what the index at `source` offers."""
        self.ask(UPDATE, p=[{"id": "Stash2Plex", "sourceURL": source}])
        self.end_jobs()

    def end_jobs(self) -> None:
        """Wait until no job is left."""
        until(lambda: not self.ask(JOBS)["jobQueue"])

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def index_served(folder: str) -> Iterator[str]:
    """Serve a folder with an archive and its index on loopback; returns the index's address."""
    handler = functools.partial(_Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/index.yml"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass
