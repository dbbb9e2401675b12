"""What a save pays for: the hook as a process, its imports, and bad surroundings."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from stash2plex.db import connect
from stash2plex.hook import edit_delay
from stash2plex.lock import drain_lock, drain_runs
from tests.harness.process import workers
from tests.support import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

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


@pytest.fixture
def plugin(tmp_path):
    folder = tmp_path / "plugin"
    shutil.copytree(os.path.join(ROOT, "plugin"), folder)
    shutil.copytree(
        os.path.join(ROOT, "stash2plex"),
        folder / "stash2plex",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    config = tmp_path / "config"
    (config / "stash2plex").mkdir(parents=True)
    with closing(connect(str(config / "stash2plex" / "stash2plex.db"))) as database:
        # No worker is to be left behind by these tests.
        database.execute("INSERT INTO meta VALUES ('background_worker', 'off')")
    return folder


def request(folder, id_=12, **context):
    return json.dumps(
        {
            "server_connection": {
                "Scheme": "http",
                "Port": 9,
                "Dir": str(folder.parent / "config"),
            },
            "args": {"hookContext": {"type": "Scene.Update.Post", "id": id_, **context}},
        }
    ).encode()


def edit(folder, ids, trigger="Scene.Update.Post", fields=None):
    """Return what the hooks' script has Stash send for one edit."""
    sent = json.loads(request(folder))
    sent["args"] = {"mode": "record", "hook": trigger, "ids": ids, "fields": fields}
    return json.dumps(sent).encode()


def recorded(done):
    """Return what the script is told: an output, whatever happened."""
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert set(answer) == {"output"}
    return answer["output"]


def run(folder, data, *flags, environment=None, most=0):
    """Run the door; no file may grow beyond `most` bytes, where that is given."""
    limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))) if most else None
    return subprocess.run(
        [sys.executable, "-IS", *flags, str(folder / "stash2plex_plugin.py")],
        input=data, capture_output=True, check=False, timeout=60, env=environment or {},
        preexec_fn=limit,
    )  # fmt: skip


def rows(folder, sql, *values):
    path = folder.parent / "config" / "stash2plex" / "stash2plex.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        return list(database.execute(sql, values))


def keys(folder):
    return rows(folder, "SELECT kind, id FROM queue ORDER BY id")


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


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([12], [12]),
        ([3, 1, 2], [1, 2, 3]),
        (["7", "007", 7, "0008"], [7, 8]),
        ([7, None, -1, 0, "", "x", "-3", 1.5, True, [], 2**63, str(2**63), "9" * 50], [7]),
        ([str(2**63 - 1)], [2**63 - 1]),
    ],
)
def test_an_edit_is_recorded_in_one_commit_each_id_once(plugin, ids, expected):
    done = run(plugin, edit(plugin, ids))
    assert recorded(done) == {"recorded": len(expected), "error": None, "session": None}
    assert done.stderr == b""
    assert keys(plugin) == [("scene", number) for number in expected]
    assert len(set(rows(plugin, "SELECT added_at FROM queue"))) == 1


@pytest.mark.parametrize("ids", [["x"], [0], [None, -1], "12", None, {"1": 2}])
def test_an_edit_without_a_usable_id_is_one_sentence(plugin, ids):
    output = recorded(run(plugin, edit(plugin, ids)))
    assert output["recorded"] == 0
    assert output["error"].startswith("The hook Scene.Update.Post has no ")
    assert keys(plugin) == []


@pytest.mark.parametrize(("ids", "fields"), [([], None), ([1, 2], ["ids", "play_count"])])
def test_an_empty_edit_is_nothing(plugin, ids, fields):
    output = recorded(run(plugin, edit(plugin, ids, fields=fields)))
    assert output == {"recorded": 0, "error": None, "session": None}
    assert keys(plugin) == []


@pytest.mark.parametrize("trigger", ["Image.Update.Post", "Scene", "", None, 5, ["Scene"]])
def test_an_edit_of_something_else_is_one_sentence(plugin, trigger):
    output = recorded(run(plugin, edit(plugin, [1], trigger)))
    assert "is not one that Stash2Plex knows" in output["error"]


def test_a_hundred_thousand_ids_are_recorded_in_one_call(plugin):
    done = run(plugin, edit(plugin, list(range(1, 100_001))))
    assert recorded(done)["recorded"] == 100_000
    assert rows(plugin, "SELECT count(*), min(id), max(id) FROM queue") == [(100_000, 1, 100_000)]


@pytest.mark.parametrize(("number", "delay"), [(1, 0.0), (2, 0.002), (300, 0.3), (5_000, 1.0)])
def test_the_keys_of_an_edit_of_many_wait_until_stash_is_done_with_it(number, delay):
    assert edit_delay(number) == pytest.approx(delay)


def test_an_edit_knows_kind_and_delay_by_its_hook(plugin):
    run(plugin, edit(plugin, [7, 8, 9], "Tag.Merge.Post"))
    run(plugin, edit(plugin, [13], "Scene.Create.Post"))
    assert rows(plugin, "SELECT kind, id, priority, round(due_at - added_at) FROM queue") == [
        ("scene", 13, 0, 3.0), ("tag", 7, 0, 0.0), ("tag", 8, 0, 0.0), ("tag", 9, 0, 0.0),
    ]  # fmt: skip


def test_a_full_disk_is_one_sentence_for_a_whole_edit(plugin):
    path = plugin.parent / "config" / "stash2plex" / "stash2plex.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    done = run(plugin, edit(plugin, list(range(1, 30_001))), most=os.path.getsize(path) + 60_000)
    output = recorded(done)
    assert output["recorded"] == 0
    assert "cannot be used" in output["error"]
    assert "\n" not in output["error"]
    assert keys(plugin) == []
    assert recorded(run(plugin, edit(plugin, [1])))["error"] is None


def test_a_fault_of_its_own_is_an_output_for_the_script(plugin):
    rows(plugin, "INSERT INTO meta VALUES ('settings_file', ?)", "1-1 /no\0file")
    done = run(plugin, edit(plugin, [12]))
    assert "has a fault (ValueError)" in recorded(done)["error"]
    assert b"Traceback" in done.stderr
    assert keys(plugin) == [("scene", 12)]


def test_files_that_do_not_fit_together_are_reported_once_and_never_as_an_error(plugin):
    (plugin / "stash2plex" / "workqueue.py").unlink()
    first, second = (recorded(run(plugin, edit(plugin, [number]))) for number in (1, 2))
    assert "Stash2Plex cannot be started" in first["error"]
    assert (first["recorded"], second) == (0, {"recorded": 0, "error": None})


def test_a_damaged_database_is_set_aside_and_the_edit_stored(plugin):
    path = plugin.parent / "config" / "stash2plex" / "stash2plex.db"
    path.write_bytes(b"harbour " * 2000)
    output = recorded(run(plugin, edit(plugin, [1, 2])))
    assert output["recorded"] == 2
    assert keys(plugin) == [("scene", 1), ("scene", 2)]


# -- the log-in of a worker that is to be started -----------------------------------------


@pytest.fixture
def wanting(plugin):
    """A plugin whose worker may be started; none is, until a test lets that happen."""
    rows(plugin, "DELETE FROM meta WHERE name = 'background_worker'")
    return plugin


def session_of(folder, offered, value):
    """Return what the script has Stash send to hand a session over."""
    sent = json.loads(edit(folder, []))
    masked = [ord(one) ^ key for one, key in zip(value, offered["key"], strict=False)]
    sent["args"] = {"mode": "session", "nonce": offered["nonce"], "masked": masked}
    return sent


def test_a_worker_is_started_only_when_the_session_is_there(wanting):
    folder = wanting.parent / "config" / "stash2plex"
    output = recorded(run(wanting, edit(wanting, [12])))
    assert output["recorded"] == 1
    assert not (folder / "drain.lock").exists()
    offered = output["session"]
    assert sorted(offered) == ["key", "nonce"]
    assert len(offered["key"]) >= 4_096
    # What starts here is a process that shows its standard input instead of the worker.
    (wanting / "stash2plex_plugin.py").rename(wanting / "door.py")
    (wanting / "stash2plex_plugin.py").write_text(
        "import sys\nwith open(sys.argv[2] + '/heard', 'w') as file: file.write(sys.stdin.read())\n"
    )
    sent = session_of(wanting, offered, "light-of-the-harbour")
    done = subprocess.run(
        [sys.executable, "-IS", str(wanting / "door.py")],
        input=json.dumps(sent).encode(), capture_output=True, check=False, env={}, timeout=60,
    )  # fmt: skip
    assert recorded(done) == {"error": None}
    heard = json.loads(
        until(lambda: (folder / "heard").exists() and (folder / "heard").read_text())
    )
    assert heard["server_connection"]["SessionCookie"]["Value"] == "light-of-the-harbour"
    # No trace is left of the session, nor of its key.
    kept = b"".join(path.read_bytes() for path in folder.glob("*.*"))
    assert b"light-of-the-harbour" not in kept
    assert rows(wanting, "SELECT * FROM meta WHERE name LIKE 'handover%'") == []


def test_a_key_is_good_once_and_only_under_its_name(wanting):
    offered = recorded(run(wanting, edit(wanting, [12])))["session"]
    other = recorded(run(wanting, edit(wanting, [13])))["session"]
    assert offered["key"] != other["key"]
    wrong = session_of(wanting, {**offered, "key": other["key"]}, "light-of-the-harbour")
    for _ in range(2):
        answer = recorded(run(wanting, json.dumps(wrong).encode()))
        assert answer["error"].startswith("The session was handed over ")
        assert "light" not in answer["error"]


@pytest.mark.parametrize("masked", [None, 7, "text", [256], [-1], ["1"], [1.5], [1] * 5_000, {}])
def test_a_malformed_session_is_one_sentence(wanting, masked):
    offered = recorded(run(wanting, edit(wanting, [12])))["session"]
    sent = session_of(wanting, offered, "")
    sent["args"]["masked"] = masked
    assert "unknown" in recorded(run(wanting, json.dumps(sent).encode()))["error"]


def test_keys_that_nobody_used_are_deleted(wanting):
    for until_when in ("1 ab", "x", "99999999999 ab"):
        rows(wanting, "INSERT INTO meta VALUES (?, ?)", f"handover {until_when}", until_when)
    offered = recorded(run(wanting, edit(wanting, [12])))["session"]
    assert rows(wanting, "SELECT name FROM meta WHERE name LIKE 'handover%'") == [
        (f"handover {offered['nonce']}",)
    ]


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


def end_worker(folder):
    def ended():
        running = drain_runs(str(folder))
        for pid in workers(str(folder))[0] if running else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        return not running

    until(ended)


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
