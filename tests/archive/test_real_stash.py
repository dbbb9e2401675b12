"""A real Stash installs, runs, disables and uninstalls the archive by its own package manager.

Runs where a Stash is named by `STASH_BINARY` or found on the path; it listens on loopback only.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import urllib.request

import pytest

from stash2plex.lock import drain_runs
from stash2plex_testing.world import ARCHIVE
from tests.support import PATIENCE, until

BINARY = os.environ.get("STASH_BINARY") or shutil.which("stash") or ""
pytestmark = pytest.mark.skipif(not BINARY, reason="no Stash is here: set STASH_BINARY to one")

SOURCES = """mutation S($i: ConfigGeneralInput!) {
  configureGeneral(input: $i) { pluginPackageSources { name url local_path } } }"""
AVAILABLE = """query A($url: String!) {
  availablePackages(type: Plugin, source: $url) { package_id name version date sourceURL } }"""
INSTALL = """mutation I($p: [PackageSpecInput!]!) { installPackages(type: Plugin, packages: $p) }"""
REMOVE = """mutation U($p: [PackageSpecInput!]!) {
  uninstallPackages(type: Plugin, packages: $p) }"""
ENTRIES = "query P { plugins { id enabled version } }"
ASK = """mutation R($a: Map!) { runPluginOperation(plugin_id: "Stash2Plex", args: $a) }"""
SWITCH = "mutation E($m: BoolMap!) { setPluginsEnabled(enabledMap: $m) }"
SETTINGS = """mutation C($m: Map!) { configurePlugin(plugin_id: "Stash2Plex", input: $m) }"""
CREATE = 'mutation N { sceneCreate(input: {title: "A harbour"}) { id } }'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealStash:
    """A Stash process over a folder of its own."""

    def __init__(self, folder):
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
        self.process = None

    def start(self):
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

    def answers(self):
        try:
            return bool(self.ask("{ version { version } }"))
        except OSError:
            return False

    def ask(self, query, **variables):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            answer = json.load(reply)
        assert not answer.get("errors"), answer
        return answer["data"]

    def entries(self):
        return {one["id"]: one["enabled"] for one in self.ask(ENTRIES)["plugins"] or []}

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def source():
    """Serve the folder of the archive and its index on loopback; returns the index's address."""
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=os.path.dirname(ARCHIVE)
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.yml"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def stash(tmp_path):
    stash = RealStash(tmp_path)
    try:
        stash.start()
        yield stash
    finally:
        stash.stop()


def test_one_address_installs_runs_disables_and_uninstalls_it(stash, source):
    stash.ask(SOURCES, i={"pluginPackageSources": [{"name": "Stash2Plex", "url": source}]})
    (found,) = stash.ask(AVAILABLE, url=source)["availablePackages"]
    assert found["package_id"] == "Stash2Plex"
    package = [{"id": "Stash2Plex", "sourceURL": source}]
    stash.ask(INSTALL, p=package)
    until(lambda: stash.entries() == {"Stash2Plex": True, "Stash2PlexHooks": True})

    status = stash.ask(ASK, a={"mode": "status"})["runPluginOperation"]
    assert status["queue"]["pending"] == 0
    data = os.path.join(stash.config, "stash2plex")
    stash.ask(SETTINGS, m={"plex_url": "http://127.0.0.1:9", "plex_token": "t" * 20})
    stash.ask(CREATE)
    until(lambda: drain_runs(data))

    stash.ask(SWITCH, m={"Stash2Plex": False})
    until(lambda: not drain_runs(data))
    stash.ask(SWITCH, m={"Stash2Plex": True})
    stash.ask(CREATE)
    until(lambda: drain_runs(data))

    stash.ask(REMOVE, p=package)
    until(lambda: stash.entries() == {})
    until(lambda: not drain_runs(data))
    assert os.path.exists(os.path.join(data, "stash2plex.db"))
