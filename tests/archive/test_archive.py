"""What `make plugin` builds: small, pure, reproducible, and able to run on bare Python."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile

import pytest
import yaml

from stash2plex_testing.world import ARCHIVE
from tools import build_plugin


@pytest.fixture
def unpacked(tmp_path):
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def run(folder, request, *, environment=None):
    return subprocess.run(
        [sys.executable, "-IS", str(folder / "stash2plex_plugin.py")],
        input=json.dumps(request).encode(),
        capture_output=True,
        env=environment or {},
        check=False,
        timeout=60,
    )


def test_it_is_small_and_pure():
    assert os.path.getsize(ARCHIVE) <= 3_000_000
    with zipfile.ZipFile(ARCHIVE) as archive:
        names = archive.namelist()
    assert [name for name in names if name.endswith((".so", ".pyd", ".dll", ".pyc"))] == []
    assert {"Stash2Plex.yml", "stash2plex_plugin.py", "process_queue.py", "LICENSE"} <= set(names)
    ymls = [name for name in names if name.endswith(".yml")]
    assert ymls == ["Stash2Plex.yml", "Stash2PlexHooks.yml"]
    assert [name for name in names if "/" not in name and name.endswith(".js")] == [
        "Stash2PlexHooks.js"
    ]
    assert "manifest" not in names


def test_the_page_is_small():
    with zipfile.ZipFile(ARCHIVE) as archive:
        files = [entry for entry in archive.infolist() if entry.filename.startswith("ui/")]
    assert len(files) > 20
    assert sum(entry.compress_size for entry in files) <= 100_000


def test_it_is_the_same_byte_for_byte(tmp_path):
    moment = build_plugin.commit_time()
    digests = set()
    for name in ("one.zip", "two.zip"):
        build_plugin.write_archive(str(tmp_path / name), moment)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_index_names_it():
    with open(ARCHIVE, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    with open(os.path.join(os.path.dirname(ARCHIVE), "index.yml"), encoding="utf-8") as file:
        (entry,) = yaml.safe_load(file)
    assert entry["id"] == "Stash2Plex"
    assert entry["sha256"] == digest
    assert entry["path"] == "Stash2Plex.zip"
    assert len(str(entry["date"])) == len("2026-01-01 00:00:00")


def test_every_part_imports_without_site_packages(unpacked):
    code = (
        "import sys, pkgutil, importlib\n"
        f"sys.path[:0] = [{str(unpacked)!r}, {str(unpacked / 'vendor')!r}]\n"
        "import stash2plex\n"
        "for found in pkgutil.iter_modules(stash2plex.__path__):\n"
        "    if found.name != '__main__':\n"
        "        importlib.import_module('stash2plex.' + found.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "there", [(), ("bytecode.py", "__init__.py")], ids=["no package", "a part"]
)
def test_a_save_in_the_middle_of_an_update_is_one_sentence(tmp_path, there):
    with zipfile.ZipFile(ARCHIVE) as archive:
        for name in ("stash2plex_plugin.py", *(f"stash2plex/{part}" for part in there)):
            archive.extract(name, tmp_path)
    done = run(tmp_path, {"args": {"mode": "record", "hook": "Scene.Update.Post", "ids": [1]}})
    error = json.loads(done.stdout)["error"]
    assert error.startswith("Stash2Plex cannot be started: ")
    assert "If it is being updated, the change is found" in error
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_operation_answers_when_no_server_does(unpacked, tmp_path):
    request = {
        "server_connection": {"Scheme": "http", "Port": 9, "Dir": str(tmp_path / "config")},
        "args": {"mode": "status"},
    }
    done = run(unpacked, request)
    status = json.loads(done.stdout)["output"]
    assert status["queue"] == {"pending": 0, "in_progress": 0, "waiting": 0, "dead": 0}
    assert status["plex"]["reachable"] is False
    assert status["reconcile"] == {"last": None}
    assert set(status) == {
        "queue", "synced", "last_sync_at", "rate_per_s", "eta_s", "breaker", "worker", "plex",
        "version", "stash", "background_worker", "reconcile", "metrics", "named", "held", "scenes",
    }  # fmt: skip


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"null", b"\xff\xfe", b'{"args": 5}', b'{"args": {"mode": "x"}}']
)
def test_bad_input_gets_one_json_answer(unpacked, data):
    done = subprocess.run(
        [sys.executable, "-IS", str(unpacked / "stash2plex_plugin.py")],
        input=data, capture_output=True, check=False, env={}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "error" in json.loads(done.stdout)
    assert b"Traceback" not in done.stderr


def test_the_command_line_has_help_and_exit_codes(unpacked):
    script = str(unpacked / "process_queue.py")

    def command(*arguments):
        return subprocess.run(
            [sys.executable, "-IS", script, *arguments],
            capture_output=True, text=True, check=False, timeout=60,
            env={"STASH2PLEX_STASH_URL": "http://127.0.0.1:9", "HOME": str(unpacked)},
        )  # fmt: skip

    assert "Keep Plex equal" in command("--help").stdout
    assert command("no-such-thing").returncode == 2
    assert command("demo").returncode == 2
    lost = command("status")
    assert lost.returncode == 3
    assert "refuses the connection" in lost.stderr
    report = command("health")
    assert report.returncode == 3
    assert report.stdout.startswith(
        "FAIL Stash: Stash at http://127.0.0.1:9 refuses the connection."
    )


@pytest.mark.parametrize(
    ("history", "date"),
    [
        (["a 100", "b 160 a"], 160),
        (["a 100", "b 100 a", "c 100 b"], 102),
        (["a 100", "b 40 a"], 101),
        (["a 100", "b 100 a", "c 300 a", "d 120 b c"], 301),
        (["b 160 a"], 160),
    ],
    ids=["later", "one second", "a clock set back", "a merge", "a shallow clone"],
)
def test_every_commit_has_a_later_date_than_those_before(history, date):
    assert build_plugin.commit_date(history) == date


def git(folder, *arguments):
    who = ["-c", "user.name=Keeper", "-c", "user.email=keeper@example.org"]
    subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True,
        env={**os.environ, "GIT_COMMITTER_DATE": "2026-01-31T12:00:00Z"},
    )  # fmt: skip


def test_a_newer_commit_of_the_same_second_is_an_update(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build_plugin, "ROOT", str(tmp_path))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    git(tmp_path, "init")
    dates = []
    for text in ("one", "two"):
        (tmp_path / "file").write_text(text)
        git(tmp_path, "add", "file")
        git(tmp_path, "commit", "-m", text)
        dates.append(str(build_plugin.commit_time()))
    assert dates == ["2026-01-31 12:00:00+00:00", "2026-01-31 12:00:01+00:00"]
    assert capsys.readouterr().err == ""
    (tmp_path / "file").write_text("not committed")
    assert str(build_plugin.commit_time()) == dates[-1]
    assert "Not everything is committed" in capsys.readouterr().err


def test_without_git_the_date_is_that_of_the_newest_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build_plugin, "ROOT", str(tmp_path))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "plugin").mkdir()
    for name, seconds in (("LICENSE", 1_700_000_000), ("plugin/a.py", 1_750_000_000)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (seconds, seconds))
    assert build_plugin.commit_time().timestamp() == 1_750_000_000
    assert "no git history" in capsys.readouterr().err


@pytest.mark.parametrize("script", ["stash2plex_plugin.py", "process_queue.py"])
def test_an_older_python_is_told_what_is_needed(unpacked, script):
    code = "import runpy, sys; sys.version_info = (3, 9, 18); runpy.run_path(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-IS", "-c", code, str(unpacked / script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (1, 2)
    assert "needs Python 3.11 or newer" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if done.stdout:
        assert "executable path" in json.loads(done.stdout)["error"]
