"""The archive in a minimal Debian, as a user without rights, or under another Python such as PyPy.

Runs as root where `DEBIAN_ROOT` names a folder with such a system, for example one made by
`mmdebstrap --variant=minbase --include=python3 bookworm FOLDER`. `DEBIAN_PYTHON` is the interpreter
in it, `/usr/bin/python3` unless it is set. Neither /proc nor /dev is there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile

import pytest

from stash2plex.lock import drain_runs
from stash2plex_testing.world import ARCHIVE, World
from tests.support import PATIENCE, until

ROOT = os.environ.get("DEBIAN_ROOT", "")
PYTHON = os.environ.get("DEBIAN_PYTHON", "/usr/bin/python3")
SOMEBODY = 4242
CHROOT = shutil.which("chroot", path="/usr/sbin:/usr/bin") or "chroot"
pytestmark = [
    pytest.mark.skipif(not ROOT, reason="no minimal Debian is here: set DEBIAN_ROOT to one"),
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may change the root"
    ),
]


@pytest.fixture
def home():
    """Make a home in the root, with the archive in it; yields its path there and from outside."""
    outside = os.path.join(ROOT, "home", "harbour")
    shutil.rmtree(outside, ignore_errors=True)
    os.makedirs(os.path.join(outside, "config"))
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(os.path.join(outside, "plugins", "Stash2Plex"))
    for folder, _, names in os.walk(outside):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, SOMEBODY, SOMEBODY)
    yield "/home/harbour", outside
    shutil.rmtree(outside, ignore_errors=True)


def ask(home, port, **arguments):
    connection = {"Scheme": "http", "Host": "127.0.0.1", "Port": port, "Dir": f"{home}/config"}
    script = f"{home}/plugins/Stash2Plex/stash2plex_plugin.py"
    done = subprocess.run(
        [CHROOT, f"--userspec={SOMEBODY}:{SOMEBODY}", ROOT, PYTHON, "-IS", "-Xutf8", script],
        input=json.dumps({"server_connection": connection, "args": arguments}).encode(),
        capture_output=True, env={}, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    answer = json.loads(done.stdout)
    assert "error" not in answer, answer
    return answer["output"]


def test_a_save_a_sync_and_health_work_there(tmp_path, home):
    inside, outside = home
    data = os.path.join(outside, "config", "stash2plex")
    with World(str(tmp_path)) as world:
        world.fill(12)
        world.stash.configure_plugin(
            "Stash2Plex", {"plex_url": world.plex.url, "plex_token": world.plex.token}
        )
        port = world.stash.port
        ask(inside, port, hookContext={"id": 1, "type": "Scene.Update.Post"})
        until(lambda: world.plex.count("PUT") > 0)
        ask(inside, port, mode="all")
        titles = {scene.title for scene in world.stash.scenes}
        assert titles == {item.title for item in world.plex.all_items()}
        failed = [
            check
            for check in ask(inside, port, mode="health")["checks"]
            if check["state"] == "failed"
        ]
        assert failed == []
        shutil.rmtree(os.path.join(outside, "plugins"))
        until(lambda: not drain_runs(data))
    with open(os.path.join(data, "worker.log"), encoding="utf-8") as log:
        text = log.read()
    assert " error " not in text, text
