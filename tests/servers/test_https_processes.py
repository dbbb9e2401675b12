"""Every door to a Stash that speaks https with its own certificate at a real address."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig

import pytest

from stash2plex_testing.plex import FakePlex
from stash2plex_testing.stash import FakeStash
from tests.harness.hooks import copy_plugin, end_worker
from tests.servers.test_stash_certificate import install
from tests.support import until


@pytest.fixture
def servers(tmp_path):
    stash = FakeStash(root=str(tmp_path / "stash"), host="127.0.0.2")
    install(stash.config_dir, "plain")
    with FakePlex() as plex, stash:
        films = plex.add_section("Harbour Films", locations=["/media"])
        for number in range(1, 4):
            name = f"{number}.mp4"
            stash.add_scene(title=f"Pier {number}", files=[f"/data/{name}"], sizes=[number])
            plex.add_item(films, f"/media/{name}", size=number)
        settings = {"plex_url": plex.url, "plex_token": plex.token, "skip_fields": "background"}
        stash.configure_plugin("Stash2Plex", settings)
        yield stash, plex
        folder = os.path.join(stash.config_dir, "stash2plex")
        if os.path.isdir(folder):
            end_worker(folder)


@pytest.fixture
def plugin(tmp_path):
    folder = tmp_path / "plugin"
    copy_plugin(folder)
    # A worker starts without the site's packages; they stand where the archive has its own.
    (folder / "vendor").symlink_to(sysconfig.get_path("purelib"))
    return folder


def call(plugin, stash, **arguments):
    """Start the plugin as Stash does; returns the exit code, the answer and the log."""
    connection = {
        "Scheme": "https", "Host": "127.0.0.2", "Port": stash.port, "Dir": stash.config_dir
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-I", str(plugin / "stash2plex_plugin.py")],
        input=json.dumps({"server_connection": connection, "args": arguments}).encode(),
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout), done.stderr.decode()


def titles(plex):
    return sorted(item.title for item in plex.all_items())


def test_task_operation_hook_and_worker(servers, plugin):
    stash, plex = servers
    code, answer, log = call(plugin, stash, mode="all")
    assert (code, answer.get("error")) == (0, None), log
    assert titles(plex) == ["Pier 1", "Pier 2", "Pier 3"]
    _, answer, _ = call(plugin, stash, mode="health")
    checks = {check["name"]: check for check in answer["output"]["checks"]}
    assert checks["Stash"]["state"] == "passed"
    scene = stash.library.scenes[1]
    scene.title = "Quay"
    stash.library.touch(scene)
    call(plugin, stash, hookContext={"type": "Scene.Update.Post", "id": 1})
    until(lambda: "Quay" in titles(plex))


def test_a_wrong_certificate_is_a_matter_of_stash(servers, plugin):
    stash, plex = servers
    install(stash.config_dir, "other")
    _, answer, _ = call(plugin, stash, mode="health")
    checks = {check["name"]: check for check in answer["output"]["checks"]}
    wrong = [check for check in checks.values() if check["state"] == "failed"]
    assert [check["name"] for check in wrong] == ["Stash"]
    assert "stash.crt" in wrong[0]["detail"]
    assert "TLS insecure" not in str(wrong)
    assert "tls_insecure" not in str(wrong)
    code, answer, _ = call(plugin, stash, mode="all")
    assert code != 0
    assert "stash.crt" in answer["error"]
    assert titles(plex) != ["Pier 1", "Pier 2", "Pier 3"]


def test_a_command_line(servers, tmp_path):
    stash, plex = servers
    environment = {**os.environ, "STASH2PLEX_STASH_URL": stash.url}

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "stash2plex", "--data-dir", str(tmp_path / "data"), *words],
            capture_output=True, check=False, timeout=120, env=environment,
        )  # fmt: skip

    refused = run("sync", "--all", "--wait", "0")
    assert refused.returncode in (2, 3)
    assert b"--stash-certificate" in refused.stderr
    path = os.path.join(stash.config_dir, "stash.crt")
    done = run("--stash-certificate", path, "sync", "--all")
    assert done.returncode == 0, done.stderr
    assert titles(plex) == ["Pier 1", "Pier 2", "Pier 3"]
