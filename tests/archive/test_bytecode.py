"""Where Python's compiled files go: into the data folder, whoever starts us from wherever."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile

import pytest

from stash2plex_testing.world import ARCHIVE

NO_WORKER = {"hookContext": {"type": "Scene.Update.Post", "id": 12, "inputFields": ["id"]}}
"""A save that changes nothing that Plex shows: it starts no worker."""


def unpack(folder):
    os.makedirs(folder)
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return str(folder)


def run(plugin, config, args, *flags, environment=None):
    request = {"server_connection": {"Port": 9, "Dir": str(config)}, "args": args}
    done = subprocess.run(
        [sys.executable, "-IS", *flags, os.path.join(plugin, "stash2plex_plugin.py")],
        input=json.dumps(request).encode(), capture_output=True, env=environment or {},
        check=False, timeout=60,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr
    return json.loads(done.stdout)


def compiled(folder):
    return {
        os.path.join(where, name).split("Stash2Plex" + os.sep)[-1].split(".")[0]
        for where, _, names in os.walk(folder)
        for name in names
        if name.endswith(".pyc")
    }


PLACES = {
    "as Stash installs it": "config/plugins/community/Stash2Plex",
    "without a local path": "config/plugins/Stash2Plex",
    "plugins elsewhere": "elsewhere/Stash2Plex",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_compiled_files_go_into_the_data_folder(tmp_path, place):
    plugin = unpack(tmp_path / place)
    config = tmp_path / "config"
    for _ in range(2):
        assert "output" in run(plugin, config, NO_WORKER)
        assert "output" in run(plugin, config, {"mode": "status"})
    assert compiled(plugin) == set()
    folder = config / "stash2plex" / "bytecode"
    assert {"stash2plex/hook", "stash2plex/tasks/registry", "vendor/attr/__init__"} <= compiled(
        folder
    )
    # What Python brings along has its compiled files already: none of it is kept a second time.
    assert {name.split("/")[0] for name in compiled(folder)} == {"stash2plex", "vendor"}
    for where, folders, names in os.walk(folder):
        modes = {stat.S_IMODE(os.stat(os.path.join(where, name)).st_mode) for name in names}
        assert modes <= {0o600}
        assert all(
            stat.S_IMODE(os.stat(os.path.join(where, one)).st_mode) == 0o700 for one in folders
        )


def test_the_usual_place_is_known_before_the_request_is_read(tmp_path):
    plugin = unpack(tmp_path / "config" / "plugins" / "community" / "Stash2Plex")
    folder = tmp_path / "config" / "stash2plex" / "bytecode"
    for _ in range(2):
        run(plugin, tmp_path / "config", NO_WORKER)
    assert {"stash2plex/bytecode", "stash2plex/plugin", "stash2plex/errors"} <= compiled(folder)


@pytest.mark.parametrize(
    "place", ["config/plugins/community/Stash2Plex", "config/plugins/Stash2Plex"]
)
def test_where_stash_installs_no_save_compiles_a_module(tmp_path, place):
    plugin = unpack(tmp_path / place)
    config = tmp_path / "config"
    for _ in range(2):
        run(plugin, config, NO_WORKER)
    request = {"server_connection": {"Port": 9, "Dir": str(config)}, "args": NO_WORKER}
    done = subprocess.run(
        [sys.executable, "-ISv", os.path.join(plugin, "stash2plex_plugin.py")],
        input=json.dumps(request), capture_output=True, env={}, check=True, text=True,
    )  # fmt: skip
    loaded = [line for line in done.stderr.splitlines() if "code object from" in line]
    ours = [line for line in loaded if "stash2plex" in line]
    assert len(ours) > 5
    assert [line for line in ours if ".pyc" not in line] == []


def test_a_changed_module_is_compiled_again(tmp_path):
    plugin = unpack(tmp_path / "config" / "plugins" / "community" / "Stash2Plex")
    config = tmp_path / "config"
    run(plugin, config, NO_WORKER)
    path = os.path.join(plugin, "stash2plex", "hook.py")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("Nothing that Plex shows has changed.", "An updated plugin."))
    assert run(plugin, config, NO_WORKER) == {"output": "An updated plugin."}


def test_a_named_data_folder_and_one_that_cannot_be_written(tmp_path):
    plugin = unpack(tmp_path / "plugins" / "community" / "Stash2Plex")
    named = {"STASH2PLEX_DATA_DIR": str(tmp_path / "named")}
    run(plugin, tmp_path / "config", NO_WORKER, environment=named)
    assert "stash2plex/hook" in compiled(tmp_path / "named" / "bytecode")
    (tmp_path / "taken").write_text("a file in the folder's place")
    taken = {"STASH2PLEX_DATA_DIR": str(tmp_path / "taken")}
    assert "output" in run(plugin, tmp_path / "config", NO_WORKER, environment=taken)
    assert compiled(plugin) == set()


def shell(plugin, *arguments, environment=None):
    script = os.path.join(plugin, "process_queue.py")
    return subprocess.run(
        [sys.executable, "-IS", script, *arguments],
        check=False, capture_output=True, env=environment or {}, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("place", list(PLACES.values())[:2], ids=list(PLACES)[:2])
def test_a_shell_reads_what_is_there_and_writes_nothing_beside_the_modules(tmp_path, place):
    plugin = unpack(tmp_path / place)
    assert shell(plugin, "--help").returncode == 0
    assert compiled(tmp_path) == set()
    run(plugin, tmp_path / "config", {"mode": "status"})
    assert shell(plugin, "--help").returncode == 0
    assert compiled(plugin) == set()
    assert "stash2plex/cli/main" in compiled(tmp_path / "config" / "stash2plex" / "bytecode")
    shutil.rmtree(plugin)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_where_nothing_but_a_shell_was_used_compiled_files_are_kept_beside_the_database(
    tmp_path, place
):
    plugin = unpack(tmp_path / place)
    data = tmp_path / "config" / "stash2plex"
    data.mkdir(parents=True, mode=0o700)
    named = {"STASH2PLEX_DATA_DIR": str(data)} if "elsewhere" in place else {}
    # A folder of that name may be anything: a database tells that it is ours.
    shell(plugin, "--help", environment=named)
    assert compiled(tmp_path) == set()
    (data / "stash2plex.db").touch(mode=0o600)
    shell(plugin, "--help", environment=named)
    assert "stash2plex/cli/main" in compiled(data / "bytecode")
    assert compiled(plugin) == set()
    kept = [path for path in (data / "bytecode").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    before = {path: path.stat().st_mtime_ns for path in kept}
    assert [path.name for path in before if path.name.startswith("attrs.")]
    shell(plugin, "--help", environment=named)
    assert {path: path.stat().st_mtime_ns for path in kept} == before


def test_what_attrs_generates_is_compiled_once(tmp_path):
    plugin = unpack(tmp_path / "config" / "plugins" / "community" / "Stash2Plex")
    kept = tmp_path / "config" / "stash2plex" / "bytecode" / f"attrs.{sys.implementation.cache_tag}"
    run(plugin, tmp_path / "config", {"mode": "status"})
    first = kept.stat().st_mtime_ns
    run(plugin, tmp_path / "config", {"mode": "status"})
    assert kept.stat().st_mtime_ns == first
    kept.write_bytes(kept.read_bytes()[:-1])
    run(plugin, tmp_path / "config", {"mode": "status"})
    assert kept.stat().st_mtime_ns != first
