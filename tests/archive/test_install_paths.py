"""Wherever the archive is unpacked, and whatever lies around it, it works the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile

import pytest

from stash2plex.lock import drain_runs
from stash2plex_testing.world import ARCHIVE, World
from tests.support import until

FOLDERS = ["two spaces  Größe é 灯り", "-leading dash", "it's “quoted”; $HOME & 100%"]

OTHERS = ("attrs", "attr", "cattrs", "click", "rich", "urllib3", "typing_extensions", "stash2plex")

ONLY_HERE = (
    "import runpy, sys\n"
    "def watch(event, given):\n"
    "    if event == 'socket.connect' and given[1][0] not in ('127.0.0.1', '::1'):\n"
    "        raise SystemExit(f'connects to {given[1]}')\n"
    "    if event == 'socket.getaddrinfo' and given[0] not in ('127.0.0.1', 'localhost', '::1'):\n"
    "        raise SystemExit(f'asks for {given[0]}')\n"
    "sys.addaudithook(watch)\n"
    "script = sys.argv[1]\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(script, run_name='__main__')\n"
)
"""Runs a script and ends it at the first look beyond this machine."""


class Place:
    """The archive unpacked in a folder, and a configuration beside it."""

    def __init__(self, folder):
        self.plugin = os.path.join(folder, "plugins", "Stash2Plex")
        self.config = os.path.join(folder, "config")
        self.data = os.path.join(self.config, "stash2plex")
        os.makedirs(self.config)
        with zipfile.ZipFile(ARCHIVE) as archive:
            archive.extractall(self.plugin)
        self.port = 9

    def ask(self, *, environment=None, cwd=None, **arguments):
        connection = {
            "Scheme": "http", "Host": "127.0.0.1", "Port": self.port, "Dir": self.config,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-IS", "-Xutf8", os.path.join(self.plugin, "stash2plex_plugin.py")],
            input=json.dumps({"server_connection": connection, "args": arguments}).encode(),
            capture_output=True, env=environment or {}, cwd=cwd, check=False, timeout=60,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr, done.stderr
        return json.loads(done.stdout)["output"]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_save_a_worker_and_the_command_line_work_in_any_folder(tmp_path, name):
    place = Place(str(tmp_path / name))
    place.ask(hookContext={"id": 1, "type": "Scene.Update.Post", "inputFields": ["title"]})
    until(lambda: drain_runs(place.data))
    status = place.ask(mode="status")
    assert status["queue"]["pending"] + status["queue"]["in_progress"] >= 1
    os.kill(status["worker"]["pid"], signal.SIGTERM)
    until(lambda: not drain_runs(place.data))
    done = subprocess.run(
        [sys.executable, "process_queue.py", "health", "--json"],
        cwd=place.plugin, capture_output=True, check=False, timeout=60,
        env={"STASH2PLEX_DATA_DIR": place.data, "STASH2PLEX_STASH_URL": "http://127.0.0.1:9"},
    )  # fmt: skip
    checks = {one["name"]: one["state"] for one in json.loads(done.stdout)["checks"]}
    assert checks["database"] == "passed"


@pytest.fixture
def crowd(tmp_path):
    """Make a folder with other versions of our packages, each of which fails when imported."""
    folder = tmp_path / "site-packages"
    for name in OTHERS:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise ImportError('the other {name}')\n")
    (folder / "sitecustomize.py").write_text("raise ImportError('sitecustomize')\n")
    return str(folder)


def test_other_versions_of_our_packages_are_not_seen(tmp_path, crowd):
    place = Place(str(tmp_path / "stash"))
    environment = {"PYTHONPATH": crowd, "PYTHONUSERBASE": crowd, "PYTHONSTARTUP": crowd}
    status = place.ask(mode="status", environment=environment, cwd=crowd)
    assert status["plex"]["reachable"] is False
    checks = place.ask(mode="health", environment=environment, cwd=crowd)["checks"]
    assert next(one for one in checks if one["name"] == "python")["state"] == "passed"


def test_nothing_beyond_the_two_servers_is_asked(tmp_path):
    place = Place(str(tmp_path / "stash"))
    with World(str(tmp_path / "world")) as world:
        world.fill(3)
        world.stash.configure_plugin(
            "Stash2Plex", {"plex_url": world.plex.url, "plex_token": world.plex.token}
        )
        environment = {
            "STASH2PLEX_DATA_DIR": place.data,
            "STASH2PLEX_STASH_URL": world.stash.url,
            "HOME": str(tmp_path),
        }
        script = os.path.join(place.plugin, "process_queue.py")
        for words in (["sync", "--all"], ["reconcile"], ["health"], ["status"], ["report"]):
            done = subprocess.run(
                [sys.executable, "-IS", "-c", ONLY_HERE, script, *words],
                env=environment, capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            assert done.returncode in (0, 1), done.stderr
            assert "connects to" not in done.stderr
            assert "asks for" not in done.stderr
        assert world.plex.count("PUT") >= 3


def test_the_watch_sees_a_look_elsewhere(tmp_path):
    script = tmp_path / "look.py"
    script.write_text("import socket\nsocket.getaddrinfo('harbour.invalid', 80)\n")
    done = subprocess.run(
        [sys.executable, "-IS", "-c", ONLY_HERE, str(script)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "asks for harbour.invalid" in done.stderr
