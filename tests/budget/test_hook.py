"""What a save pays for: the hook as a process, its imports, and bad surroundings."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from stash2plex.lock import drain_lock, drain_runs
from tests.harness.hooks import edit, end_worker, keys, request, run

ALLOWED = {
    # Ours.
    "stash2plex", "stash2plex.bytecode", "stash2plex.plugin",
    "stash2plex.errors", "stash2plex.hook",
    "stash2plex.datadir", "stash2plex.db", "stash2plex.starter", "stash2plex.lock",
    "stash2plex.workqueue",
    # json, which brings re.
    "json", "json.decoder", "json.scanner", "json.encoder", "_json", "re", "re._compiler",
    "re._parser", "re._constants", "re._casefix", "_sre", "enum", "functools", "collections",
    "collections.abc", "types", "operator", "_operator", "keyword", "itertools", "reprlib",
    "_collections", "_functools", "copyreg", "_weakref", "weakref", "_weakrefset", "builtins",
    # sqlite3, which brings datetime.
    "sqlite3", "sqlite3.dbapi2", "_sqlite3", "datetime", "_datetime", "_strptime",
    "encodings.idna", "time", "fcntl", "math", "gc",
    # The second halves of what the interpreter starts with.
    "os", "stat", "_stat", "posixpath", "genericpath", "_collections_abc", "abc", "_abc", "errno",
}  # fmt: skip


def test_a_hook_commits_its_key_and_answers_once(plugin):
    done = run(plugin, request(plugin))
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"output": "scene:12 is queued."}
    assert done.stderr == b""
    assert keys(plugin) == [("scene", 12)]


def test_a_hook_imports_sqlite_and_json_and_what_they_need(plugin):
    bare = subprocess.run(
        [sys.executable, "-ISX", "importtime", "-c", "pass"],
        capture_output=True,
        check=True,
        env={},
    )
    measuring = run(plugin, request(plugin), "-X", "importtime")
    for _ in range(4):
        run(plugin, request(plugin))
    done = run(plugin, request(plugin), "-X", "importtime")

    def modules(text):
        return {
            line.rsplit(b"|", 1)[1].strip().decode() for line in text.splitlines() if b"|" in line
        }

    extra = modules(done.stderr) - modules(bare.stderr) - {"imported package"}
    assert extra <= ALLOWED
    assert modules(measuring.stderr) - modules(bare.stderr) - extra == {"stash2plex.hookcost"}
    assert {"sqlite3", "json", "stash2plex.hook"} <= extra

    warm = run(plugin, edit(plugin, [1, 2, 3]), "-X", "importtime")
    assert modules(warm.stderr) - modules(bare.stderr) - {"imported package"} == extra


def test_fifty_hooks_at_once_lose_nothing(plugin):
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda number: run(plugin, request(plugin, number)), range(1, 51)))
    assert [one.returncode for one in done] == [0] * 50
    assert keys(plugin) == [("scene", number) for number in range(1, 51)]


def cost(folder):
    path = folder.parent / "config" / "stash2plex" / "stash2plex.db"
    with closing(sqlite3.connect(path)) as database:
        (text,) = database.execute("SELECT value FROM meta WHERE name = 'hook_cost'").fetchone()
    return float(text.partition(" ")[0]), json.loads(text.partition(" ")[2])


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells when a process began")
def test_a_save_measures_itself_five_times_and_then_once_a_minute(plugin):
    for number in range(5):
        run(plugin, request(plugin, number + 1))
    due, value = cost(plugin)
    assert due > time.time()
    assert (len(value["ms"]), len(value["start_ms"])) == (5, 5)
    assert all(
        0 <= start <= whole for start, whole in zip(value["start_ms"], value["ms"], strict=True)
    )
    assert os.path.samefile(value["python"], sys.executable)
    run(plugin, request(plugin, 6))
    assert cost(plugin) == (due, value)
    assert len(keys(plugin)) == 6


def test_play_counts_change_nothing_that_plex_shows(plugin):
    done = run(plugin, request(plugin, inputFields=["id", "play_count"]))
    assert done.returncode == 0
    assert keys(plugin) == []


def test_a_large_cover_in_the_input_is_no_matter(plugin):
    done = run(plugin, request(plugin, input={"cover_image": "A" * 5_000_000}))
    assert done.returncode == 0
    assert keys(plugin) == [("scene", 12)]


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"args": {"hookContext": 5}}'])
def test_malformed_input_is_a_clear_error(plugin, data):
    done = run(plugin, data)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]
    assert b"Traceback" not in done.stderr


def test_a_missing_data_folder_is_made(plugin, tmp_path):
    # A worker would start here; there is no Stash for it, so it is told not to.
    elsewhere = tmp_path / "made" / "here"
    done = run(plugin, request(plugin), environment={"STASH2PLEX_DATA_DIR": str(elsewhere)})
    assert done.returncode == 0
    assert (elsewhere / "stash2plex.db").exists()
    end_worker(elsewhere)


def test_a_worker_that_cannot_be_started_costs_the_save_nothing(plugin, tmp_path):
    folder = tmp_path / "data"
    (folder / "worker.log").mkdir(parents=True)
    done = run(plugin, request(plugin), environment={"STASH2PLEX_DATA_DIR": str(folder)})
    assert done.returncode == 0
    assert f"“{folder}/worker.log” is a folder, not a file.".encode() in done.stderr
    said = json.loads(done.stdout)["output"]
    assert said == "scene:12 is queued; the worker could not be started: Is a directory."
    # It is reported once, not at each save.
    done = run(plugin, request(plugin), environment={"STASH2PLEX_DATA_DIR": str(folder)})
    assert done.stderr == b""
    with closing(sqlite3.connect(folder / "stash2plex.db")) as database:
        assert list(database.execute("SELECT kind, id FROM queue")) == [("scene", 12)]
    # The next save may start one.
    assert not drain_runs(str(folder))
    assert drain_lock(str(folder)).acquire()


def test_a_fault_of_its_own_is_an_answer_and_a_trace_and_the_key_is_stored(plugin):
    path = plugin.parent / "config" / "stash2plex" / "stash2plex.db"
    with closing(sqlite3.connect(path)) as database, database:
        # Nobody writes such a path; it stands for a mistake in the program.
        database.execute("INSERT INTO meta VALUES ('settings_file', ?)", ("1-1 /no\0file",))
    done = run(plugin, request(plugin))
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "error": "Stash2Plex has a fault (ValueError); the log has the details."
    }
    assert b"Traceback" in done.stderr
    assert keys(plugin) == [("scene", 12)]


def test_a_new_scene_waits_for_its_cover_and_a_merge_tells_of_every_tag(plugin):
    path = plugin.parent / "config" / "stash2plex" / "stash2plex.db"
    sent = [
        request(plugin, 12),
        request(plugin, 13, type="Scene.Create.Post"),
        request(plugin, 7, type="Tag.Merge.Post", input={"source": ["8", "9"]}),
    ]
    assert [run(plugin, data).returncode for data in sent] == [0, 0, 0]
    with closing(sqlite3.connect(path)) as database:
        found = list(
            database.execute("SELECT kind, id, priority, round(due_at - added_at) FROM queue")
        )
    assert sorted(found) == [
        ("scene", 12, 0, 0.0),
        ("scene", 13, 0, 3.0),
        ("tag", 7, 0, 0.0),
        ("tag", 8, 0, 0.0),
        ("tag", 9, 0, 0.0),
    ]


def test_a_data_folder_that_cannot_be_used_is_a_clear_error(plugin, tmp_path):
    (tmp_path / "file").write_text("in the way")
    where = {"STASH2PLEX_DATA_DIR": str(tmp_path / "file" / "data")}
    done = run(plugin, request(plugin), environment=where)
    assert done.returncode == 1
    assert "Move it away" in json.loads(done.stdout)["error"]


def test_a_locked_database_is_waited_for(plugin):
    path = plugin.parent / "config" / "stash2plex" / "stash2plex.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(run, plugin, request(plugin))
            other.execute("COMMIT")
            assert waiting.result().returncode == 0
    assert keys(plugin) == [("scene", 12)]


def test_a_damaged_database_is_set_aside_and_the_key_stored(plugin):
    path = plugin.parent / "config" / "stash2plex" / "stash2plex.db"
    for end in ("-wal", "-shm"):
        if os.path.exists(str(path) + end):
            os.remove(str(path) + end)
    path.write_bytes(b"harbour " * 2000)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: run(plugin, request(plugin, number)), range(1, 9)))
    end_worker(path.parent)
    assert [one.returncode for one in done] == [0] * 8
    kept = sorted(name for name in os.listdir(path.parent) if "damaged" in name)
    assert len(kept) == 1
    assert (path.parent / kept[0]).read_bytes().startswith(b"harbour")
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT value FROM meta WHERE name = 'rebuild'").fetchone() == (
            kept[0],
        )
