"""Odd machines: whatever keeps the worker from its work is reported once, with the cure."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from contextlib import closing, suppress
from pathlib import Path

import pytest

from stash2plex.lock import drain_runs
from stash2plex.start_trouble import Trouble, read_trouble, record_trouble, take_trouble
from stash2plex_testing.world import ARCHIVE, World
from tests.support import PATIENCE, until

WITHOUT = (
    "import runpy, sys\n"
    "for name in sys.argv[1].split(','): sys.modules[name] = None\n"
    "script = sys.argv[2]\n"
    "sys.argv = sys.argv[2:]\n"
    "runpy.run_path(script, run_name='__main__')\n"
)
"""Runs a script by a Python that was built without some parts."""

NOBODY = 65_534
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


class Machine:
    """The unpacked archive and a data folder, asked as Stash asks."""

    def __init__(self, folder):
        self.plugin = folder / "plugin"
        with zipfile.ZipFile(ARCHIVE) as archive:
            archive.extractall(self.plugin)
        self.config = folder / "config"
        self.config.mkdir()
        self.data = self.config / "stash2plex"
        self.connection = {
            "Scheme": "http",
            "Host": "127.0.0.1",
            "Port": 9,
            "Dir": str(self.config),
        }

    def ask(self, *flags, without="", script="stash2plex_plugin.py", environment=None, **arguments):
        begin = ["-c", WITHOUT, without] if without else []
        request = {"server_connection": self.connection, "args": arguments}
        return subprocess.run(
            [sys.executable, "-IS", "-Xutf8", *begin, str(self.plugin / script), *flags],
            input=json.dumps(request).encode(),
            capture_output=True,
            env=environment or {},
            check=False,
            timeout=PATIENCE,
        )

    def save(self, id_=1, **options):
        return self.ask(hookContext={"type": "Scene.Update.Post", "id": id_}, **options)

    def rows(self, sql):
        with closing(sqlite3.connect(self.data / "stash2plex.db")) as database:
            return database.execute(sql).fetchall()


@pytest.fixture
def open_folder():
    """Give a folder that another user may enter; pytest closes its own ones."""
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)
    os.umask(before)


def python_for_all():
    """Name an interpreter that another user may start."""
    for python in (os.path.realpath(sys.executable), "/usr/local/bin/python3", "/usr/bin/python3"):
        with suppress(OSError):
            done = subprocess.run(
                [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
                user=NOBODY,
                check=False,
            )
            if done.returncode == 0:
                return python
    return pytest.skip("another user may start no Python 3.11 here")


def ask_as_nobody(python, machine, **arguments):
    """Ask as Stash does when it runs as a user without rights."""
    return subprocess.run(
        [python, "-IS", "-Xutf8", str(machine.plugin / "stash2plex_plugin.py")],
        input=json.dumps({"server_connection": machine.connection, "args": arguments}).encode(),
        capture_output=True,
        env={},
        check=True,
        timeout=PATIENCE,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
    )


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("part", ["_sqlite3", "sqlite3"])
def test_a_save_without_sqlite_is_told_once(machine, part):
    done = machine.save(without=part)
    error = json.loads(done.stdout)["error"]
    assert f"“{sys.executable}”, was built without its part “sqlite3”." in error
    assert "Install it with SQLite" in error
    assert "Python executable path" in error
    assert "error" not in json.loads(machine.save(without=part).stdout)


@pytest.mark.parametrize("mode", ["health", "health_check"])
@pytest.mark.parametrize("part", ["_sqlite3", "zlib", "unicodedata"])
def test_health_check_runs_without_a_part_that_all_else_needs(machine, mode, part):
    done = machine.ask(without=part, mode=mode)
    (check,) = json.loads(done.stdout)["output"]["checks"]
    assert (check["name"], check["state"], check["ok"]) == ("python", "failed", False)
    assert f"its part “{part.lstrip('_')}”" in check["detail"]
    assert check["fix"]
    assert (b"\x01w\x02Health Check: python:" in done.stderr) == (mode == "health_check")
    assert b"Traceback" not in done.stderr


def test_the_command_line_names_a_missing_part(machine):
    done = machine.ask("status", without="_sqlite3", script="process_queue.py")
    assert done.returncode != 0
    assert b"its part \xe2\x80\x9csqlite3\xe2\x80\x9d" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_worker_that_lacks_a_part_is_told_by_the_next_save_and_by_health(machine):
    machine.data.mkdir()
    done = machine.ask("worker", str(machine.data), without="zlib")
    assert done.returncode == 2
    told = machine.save(environment={"STASH2PLEX_DATA_DIR": str(machine.data)})
    assert b"\x01w\x02The background worker cannot be started: The Python that Stash" in told.stderr
    assert "zlib" in told.stderr.decode()


def test_http_works_without_ssl_and_https_is_named(tmp_path):
    machine = Machine(tmp_path)
    with World(str(tmp_path / "world")) as world:
        world.fill(1)
        world.stash.configure_plugin(
            "Stash2Plex", {"plex_url": world.plex.url, "plex_token": world.plex.token}
        )
        machine.connection |= {"Port": world.stash.port}
        done = machine.ask(without="_ssl", mode="all")
        assert "error" not in json.loads(done.stdout)
        (item,) = world.plex.all_items()
        assert item.title == world.stash.scenes[0].title
        (check,) = [
            one
            for one in json.loads(machine.ask(without="_ssl", mode="health").stdout)["output"][
                "checks"
            ]
            if one["name"] == "python"
        ]
        assert check["state"] == "passed"
        assert "without ssl: only http" in check["detail"]
        world.stash.configure_plugin(
            "Stash2Plex", {"plex_url": "https://127.0.0.1:1", "plex_token": "x"}
        )
        checks = json.loads(machine.ask(without="_ssl", mode="health").stdout)["output"]["checks"]
        (plex,) = [one for one in checks if one["name"] == "Plex"]
        assert "built without ssl" in plex["detail"]


@pytest.mark.skipif(not IS_ROOT, reason="only root can take files from another user")
def test_a_log_of_another_user_is_named_once_and_by_health(open_folder):
    """A root shell made worker.log; Stash's user cannot start a worker that writes it."""
    python = python_for_all()
    machine = Machine(open_folder)
    machine.data.mkdir(mode=0o700)
    log = machine.data / "worker.log"
    log.touch(mode=0o600)
    os.chown(machine.data, NOBODY, NOBODY)
    shown = []
    for _ in range(2):
        done = ask_as_nobody(python, machine, hookContext={"type": "Scene.Update.Post", "id": 1})
        shown.append(done.stderr.decode())
    assert f"“{log}” belongs to “root” (uid 0), and Stash runs as" in shown[0]
    assert "(uid 65534)" in shown[0]
    assert shown[1] == ""
    trouble = read_trouble(str(machine.data))
    assert trouble is not None
    assert f"“{log}”" in trouble.fix


def files_below(folder):
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
def test_a_plugin_folder_that_is_read_only_is_enough(open_folder, tmp_path):
    python = python_for_all()
    machine = Machine(open_folder)
    machine.data.mkdir(mode=0o700)
    os.chown(machine.data, NOBODY, NOBODY)
    for path in (machine.plugin, *machine.plugin.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = files_below(machine.plugin)
    with World(str(tmp_path / "world")) as world:
        world.fill(1)
        world.stash.configure_plugin(
            "Stash2Plex", {"plex_url": world.plex.url, "plex_token": world.plex.token}
        )
        machine.connection |= {"Port": world.stash.port}
        ask_as_nobody(python, machine, hookContext={"type": "Scene.Update.Post", "id": 1})
        until(lambda: world.plex.count("PUT") > 0)
        done = ask_as_nobody(python, machine, mode="health")
        checks = json.loads(done.stdout)["output"]["checks"]
        assert [check for check in checks if check["state"] == "failed"] == []
        assert files_below(machine.plugin) == before
        shutil.rmtree(machine.plugin)
        until(lambda: not drain_runs(str(machine.data)))


@pytest.mark.parametrize("lies", ["file", "link", "long"])
def test_health_check_writes_its_lines_where_the_data_folder_cannot_be_made(machine, lies):
    if lies == "file":
        machine.data.write_text("no folder")
    elif lies == "link":
        machine.data.symlink_to("nowhere")
    else:
        machine.connection["Dir"] = "/" + "l" * 600
    done = machine.ask(mode="health_check")
    lines = done.stderr.decode().splitlines()
    assert lines[0].startswith("\x01w\x02Health Check: 1 of ")
    assert "database: The data folder" in lines[1]
    assert "error" not in json.loads(done.stdout)


def test_a_trouble_is_told_once_until_it_ends(tmp_path):
    trouble, other = Trouble("The lantern is out.", "Light it."), Trouble("The quay is shut.", "")
    folder = str(tmp_path)
    assert record_trouble(folder, trouble)
    assert not record_trouble(folder, trouble)
    assert take_trouble(folder) == trouble
    assert take_trouble(folder) is None
    assert not record_trouble(folder, trouble)
    assert read_trouble(folder) == trouble
    assert record_trouble(folder, other)
    assert take_trouble(folder) == other


@pytest.mark.parametrize("spoilt", ["half", "gone"])
def test_an_update_that_is_half_written_is_tried_again(tmp_path, spoilt):
    """The archive is being unpacked while a save starts the worker."""
    machine = Machine(tmp_path)
    module = machine.plugin / "stash2plex" / "sync" / "worker.py"
    whole = module.read_text(encoding="utf-8")
    if spoilt == "half":
        module.write_text(whole[: len(whole) // 2] + "\n(", encoding="utf-8")
    else:
        module.unlink()
    with World(str(tmp_path / "world")) as world:
        world.fill(1)
        world.stash.configure_plugin(
            "Stash2Plex", {"plex_url": world.plex.url, "plex_token": world.plex.token}
        )
        machine.connection |= {"Port": world.stash.port}
        machine.save()
        module.write_text(whole, encoding="utf-8")
        until(lambda: world.plex.count("PUT") > 0)
        shutil.rmtree(machine.plugin)
        until(lambda: not drain_runs(str(machine.data)))
    assert "the plugin was uninstalled" in (machine.data / "worker.log").read_text()
    assert read_trouble(str(machine.data)) is None


def test_files_that_stay_broken_are_named(machine):
    module = machine.plugin / "stash2plex" / "sync" / "worker.py"
    module.write_text("(", encoding="utf-8")
    machine.data.mkdir()
    done = machine.ask("worker", str(machine.data), environment={"STASH2PLEX_WORKER_TRY": "6"})
    assert done.returncode == 1
    told = machine.save(environment={"STASH2PLEX_DATA_DIR": str(machine.data)})
    assert "Update the plugin, or install it again." in told.stderr.decode()


def test_two_stashes_with_one_data_folder_are_told_apart(tmp_path):
    """The saves of the second one were worked off against the first."""
    data = tmp_path / "data"
    where = {"STASH2PLEX_DATA_DIR": str(data)}
    machine = Machine(tmp_path)
    settings = machine.config / "config.yml"
    settings.write_text("plugins: {}\n")
    assert "error" not in json.loads(machine.save(environment=where).stdout)
    with closing(sqlite3.connect(data / "stash2plex.db")) as database, database:
        database.execute("INSERT OR REPLACE INTO meta VALUES ('background_worker', 'off')")
        database.execute(
            "INSERT OR REPLACE INTO meta VALUES ('settings_file', ?)", (f"1-2 {settings}",)
        )
    other = tmp_path / "other"
    other.mkdir()
    machine.connection["Dir"] = str(other)
    error = json.loads(machine.save(7, environment=where).stdout)["error"]
    assert f"belongs to the Stash with the settings “{settings}”" in error
    assert "STASH2PLEX_DATA_DIR of its own" in error
    answer = json.loads(machine.ask(mode="health", environment=where).stdout)["output"]
    (check,) = [one for one in answer["checks"] if one["name"] == "database"]
    assert (check["state"], f"“{settings}”" in check["detail"]) == ("failed", True)
    with closing(sqlite3.connect(data / "stash2plex.db")) as database:
        assert database.execute("SELECT id FROM queue").fetchall() == [(1,)]
    # A link to the same folder is the same Stash, and a Stash that was moved takes its data along.
    (tmp_path / "link").symlink_to(machine.config)
    machine.connection["Dir"] = str(tmp_path / "link")
    assert "error" not in json.loads(machine.save(8, environment=where).stdout)
    settings.rename(other / "config.yml")
    machine.connection["Dir"] = str(other)
    assert "error" not in json.loads(machine.save(9, environment=where).stdout)
