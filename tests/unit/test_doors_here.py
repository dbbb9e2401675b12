"""The entry script's doors in this process: a damaged Python, an update under way, faults."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import time
from typing import Any

import pytest

from stash2plex import bytecode, hook, plugin, python_parts, worker_start
from stash2plex.errors import MissingPart, StashGone, UsageError
from stash2plex.first_aid import answer_without
from stash2plex.operations import background
from stash2plex.start_trouble import Trouble, read_trouble, record_trouble, take_trouble
from stash2plex.tasks import run

NO_ZLIB = ModuleNotFoundError("No module named 'zlib'", name="zlib")
NO_LANTERN = ModuleNotFoundError("No module named 'stash2plex.lantern'", name="stash2plex.lantern")


class Door:
    """What Stash sends, and what it reads."""

    def __init__(self, folder, monkeypatch):
        self.config = folder / "config"
        self.data = self.config / "stash2plex"
        self.plugin = str(folder / "plugin")
        self.ended: list[int] = []
        self._patch = monkeypatch
        for name in ("STASH2PLEX_DATA_DIR", "STASH_PLUGIN_DATA"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(os, "_exit", self.ended.append)
        monkeypatch.setattr(plugin, "write_answer", self.write)
        monkeypatch.setattr(bytecode, "keep_in", lambda *_: None)
        self.answers = []

    def write(self, answer):
        self.answers.append(answer)

    def replace(self, module, name, value):
        self._patch.setattr(module, name, value)

    def send(self, **arguments):
        """Send a request; returns the exit code and the answer."""
        request = {"server_connection": {"Dir": str(self.config)}, "args": arguments}
        stdin = io.TextIOWrapper(io.BytesIO(json.dumps(request).encode()))
        self.replace(sys, "stdin", stdin)
        self.answers.clear()
        return plugin.main([], self.plugin), self.answers[0]


@pytest.fixture
def door(tmp_path, monkeypatch):
    return Door(tmp_path, monkeypatch)


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


SAVE = {"hookContext": {"type": "Scene.Update.Post", "id": 12}}


@pytest.mark.parametrize("arguments", [SAVE, {"mode": "record", "hook": "x", "ids": []}])
def test_a_save_does_not_wait_for_the_interpreters_end(door, arguments):
    door.replace(hook, "handle", lambda *_, **__: "scene:12 is queued.")
    door.replace(hook, "record", lambda *_, **__: "It is stored.")
    door.send(**arguments)
    kept = "scene:12 is queued." if arguments is SAVE else "It is stored."
    assert (door.answers[0], door.ended) == ({"output": kept}, [0])


def test_what_a_hook_gets_from_the_door(door):
    given = {}
    door.replace(hook, "handle", lambda *_, **functions: given.update(functions))
    door.send(**SAVE)
    assert given == {
        "repair": plugin.repair, "notify": plugin.notify, "start_failed": plugin.start_failed,
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["record", "session"])
def test_the_script_gets_an_output_whatever_fails(door, mode, capsys):
    name = "record" if mode == "record" else "take_session"
    door.replace(hook, name, failing(UsageError("That is no hook.", "Update the plugin.")))
    door.send(mode=mode)
    assert door.answers[0] == {
        "output": {"recorded": 0, "error": "That is no hook. Update the plugin."}
    }
    door.replace(hook, name, failing(RuntimeError("a secret")))
    door.send(mode=mode)
    assert door.answers[0]["output"] == {
        "recorded": 0,
        "error": "Stash2Plex has a fault (RuntimeError); the log has the details.",
    }
    assert "RuntimeError: a secret" in capsys.readouterr().err


def test_a_session_is_taken_by_the_script_s_second_operation(door):
    door.replace(hook, "take_session", lambda *_, **__: {"error": None})
    door.send(mode="session")
    assert (door.answers[0], door.ended) == ({"output": {"error": None}}, [0])


def test_a_failure_is_an_error_for_stash_and_an_output_for_the_page(door):
    assert door.send(mode="no such") == (2, door.answers[0])
    assert set(door.answers[0]) == {"error"}
    problem = {"what": "It went.", "do": "Look."}
    assert plugin.fail({"args": {"mode": "scenes"}}, "It went.", "Look.", 2) == 0
    assert door.answers[-1] == {"output": {"problem": problem}}
    assert plugin.fail({"args": {"mode": "scenes"}}, "It went.", None, 2) == 0
    assert door.answers[-1] == {"output": {"problem": {**problem, "do": ""}}}
    assert plugin.fail({"args": {"mode": "all"}}, "It went.", "Look.", 2) == 2
    assert door.answers[-1] == {"error": "It went. Look."}
    assert plugin.fail({}, "It went.", None, 3) == 3
    assert door.answers[-1] == {"error": "It went."}


def test_a_fault_at_the_door_is_an_answer_with_a_trace(door, capsys):
    door.replace(hook, "handle", failing(RuntimeError("a secret")))
    assert door.send(**SAVE) == (
        1,
        {"error": "Stash2Plex has a fault (RuntimeError); the log has the details."},
    )
    assert "RuntimeError: a secret" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["status", "page"])
def test_what_is_stored_is_read_without_the_package(door, mode):
    door.replace(run, "run_task", failing(AssertionError("it imports the whole package")))
    arguments = {"stored": True} if mode == "status" else {}
    code, answer = door.send(mode=mode, **arguments)
    assert (code, set(answer)) == (0, {"output"})
    assert door.ended == []


def test_a_worker_is_started_from_the_same_script(door, monkeypatch):
    kept = []
    monkeypatch.setattr(bytecode, "keep_in", lambda *given: kept.append(given))

    def become(*given):
        kept.append(given)
        return 7

    monkeypatch.setattr(worker_start, "become_worker", become)
    assert plugin.main(["worker", str(door.data), "successor"], door.plugin) == 7
    assert kept == [
        (str(door.data), door.plugin),
        ([str(door.data), "successor"], door.plugin),
    ]


def test_an_answer_that_nobody_reads_means_that_stash_is_gone(monkeypatch):
    monkeypatch.setattr(os, "write", failing(BrokenPipeError()))
    with pytest.raises(StashGone):
        plugin.write_answer({"output": 1})


def test_a_start_that_fails_is_warned_of_once(tmp_path, capfd):
    for _ in range(2):
        plugin.start_failed(str(tmp_path), OSError(11, "Resource temporarily unavailable"))
    assert capfd.readouterr().err == (
        "\x01w\x02The background worker cannot be started: Resource temporarily unavailable. Check "
        "what limits processes on this machine; “Process Queue” sends what waits.\n"
    )


@pytest.mark.parametrize(
    ("name", "needs"),
    [("zlib", "zlib (Debian"), ("_ssl", "OpenSSL (Debian"), ("sqlite3.dbapi2", "SQLite (Debian")],
)
def test_a_missing_part_of_python_is_named_with_its_package(name, needs):
    found = python_parts.missing_part(ModuleNotFoundError("", name=name))
    assert isinstance(found, MissingPart)
    part = name.lstrip("_").partition(".")[0]
    assert found.what == (
        f"The Python that Stash uses, “{sys.executable}”, was built without its part “{part}”."
    )
    assert str(found.fix).startswith(f"Install it with {needs}")
    assert str(found.fix).endswith(
        ", or name another Python under Settings > System > Python executable path."
    )


def test_a_part_without_a_package_and_a_module_of_ours():
    found = python_parts.missing_part(ModuleNotFoundError("", name="json"))
    assert isinstance(found, MissingPart)
    assert found.fix == "Name another Python under Settings > System > Python executable path."
    assert python_parts.missing_part(NO_LANTERN) is None
    assert python_parts.missing_part(ImportError("cannot import")) is None
    assert python_parts.has_tls()


class Answers:
    """Asks `answer_without` as the door does."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        for name in ("STASH2PLEX_DATA_DIR", "STASH_PLUGIN_DATA"):
            monkeypatch.delenv(name, raising=False)

    def ask(self, error, *, for_script=False, for_page=False, **arguments):
        """Return the exit code and the answer."""
        answers: list[dict[str, Any]] = []
        code = answer_without(
            error,
            {"server_connection": {"Dir": str(self.folder)}, "args": arguments},
            str(self.folder / "plugin"),
            answers.append,
            for_script=for_script,
            for_page=for_page,
        )
        (answer,) = answers
        return code, answer


@pytest.fixture
def without(tmp_path, monkeypatch):
    return Answers(tmp_path, monkeypatch)


UPDATE = (
    "Stash2Plex cannot be started: No module named 'stash2plex.lantern'. "
    "If it is being updated, try again in a moment; if not, install it again."
)


def test_a_save_reports_a_missing_module_once(without):
    found = python_parts.missing_part(NO_ZLIB)
    assert found is not None
    assert without.ask(NO_ZLIB, **SAVE) == (2, {"error": str(found)})
    assert without.ask(NO_ZLIB, **SAVE) == (2, {"output": f"Not recorded: {found.what}"})
    assert without.ask(NO_LANTERN, **SAVE) == (1, {"error": UPDATE})


def test_the_script_hears_of_a_missing_module_once(without):
    found = str(python_parts.missing_part(NO_ZLIB))
    for error in (found, None, None):
        assert without.ask(NO_ZLIB, for_script=True, mode="record") == (
            0,
            {"output": {"recorded": 0, "error": error}},
        )


def test_a_folder_that_cannot_be_made_makes_it_news_each_time(without):
    (without.folder / "stash2plex").write_text("a file")
    for _ in range(2):
        _, answer = without.ask(NO_ZLIB, for_script=True, mode="record")
        assert answer["output"]["error"] is not None


def test_the_page_and_a_task_name_a_missing_module(without, capsys):
    found = python_parts.missing_part(NO_ZLIB)
    assert found is not None
    assert without.ask(NO_ZLIB, for_page=True, mode="scenes") == (
        0,
        {"output": {"problem": {"what": found.what, "do": found.fix}}},
    )
    assert without.ask(NO_ZLIB, mode="all") == (2, {"error": str(found)})
    assert capsys.readouterr().err == ""
    code, answer = without.ask(NO_LANTERN, mode="all")
    assert code == 1
    assert answer == {
        "error": "Stash2Plex has a fault (ModuleNotFoundError); the log has the details."
    }
    assert "No module named 'stash2plex.lantern'" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["health", "health_check"])
def test_health_check_shows_a_missing_module(without, mode, capfd):
    found = python_parts.missing_part(NO_ZLIB)
    assert found is not None
    assert without.ask(NO_ZLIB, mode=mode) == (
        0,
        {
            "output": {
                "checks": [
                    {
                        "name": "python", "ok": False, "state": "failed",
                        "detail": found.what, "fix": found.fix,
                    }
                ]
            }
        },
    )  # fmt: skip
    line = f"\x01w\x02Health Check: python: {found}\n"
    assert capfd.readouterr().err == ("" if mode == "health" else line)


def test_a_worker_takes_the_stamp_before_it_imports_the_rest(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(worker_start, "read_stamp", lambda folder: (folder, 1, 2))

    def run(*more):
        given.append(more)
        return 5

    monkeypatch.setattr(background, "run_worker", run)
    monkeypatch.setenv(worker_start.TRIES_VARIABLE, "3")
    # The entry script turned it off; a worker lives long enough to need it.
    gc.disable()
    try:
        assert worker_start.become_worker([str(tmp_path), "4"], "/plugin") == 5
        assert gc.isenabled()
    finally:
        gc.enable()
    assert given == [([str(tmp_path), "4"], "/plugin", ("/plugin", 1, 2))]
    assert worker_start.TRIES_VARIABLE not in os.environ


@pytest.fixture
def broken(monkeypatch):
    """Let the import of the worker fail; returns what was started again, and the waits."""
    starts: list[object] = []
    waits: list[float] = []
    monkeypatch.setitem(sys.modules, "stash2plex.operations.background", None)
    monkeypatch.setattr(os, "execv", lambda *given: starts.append(given))
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    # Set and deleted, so that the test's end restores it.
    monkeypatch.setenv(worker_start.TRIES_VARIABLE, "")
    monkeypatch.delenv(worker_start.TRIES_VARIABLE)
    return starts, waits


def test_an_update_under_way_is_waited_for_and_then_it_is_an_error(tmp_path, broken, monkeypatch):
    starts, waits = broken
    for _ in range(5):
        # The test's process goes on, where the real one is another program from here on.
        worker_start.become_worker([str(tmp_path)], "/plugin")
    assert waits == [0.5, 1.0, 1.5, 2.0, 2.5]
    assert starts == [(sys.executable, sys.orig_argv)] * 5
    assert worker_start.become_worker([str(tmp_path)], "/plugin") == 1
    assert len(starts) == 5
    trouble = read_trouble(str(tmp_path))
    assert trouble is not None
    assert trouble.what.startswith("The background worker cannot be started: import of ")
    assert trouble.fix == "Update the plugin, or install it again."


def test_a_worker_without_a_part_of_python_does_not_try_again(tmp_path, broken):
    starts, _ = broken
    assert worker_start._not_imported(NO_ZLIB, str(tmp_path)) == 2
    found = python_parts.missing_part(NO_ZLIB)
    assert found is not None
    assert starts == []
    assert read_trouble(str(tmp_path)) == Trouble(
        f"The background worker cannot be started: {found.what}", str(found.fix)
    )


def test_a_trouble_that_was_shown_is_not_new(tmp_path):
    folder, trouble = str(tmp_path), Trouble("It ended.", "Look at it.")
    assert record_trouble(folder, trouble)
    assert not record_trouble(folder, trouble)
    assert take_trouble(folder) == trouble
    assert take_trouble(folder) is None
    assert not record_trouble(folder, trouble)
    assert record_trouble(folder, Trouble("Another.", ""))
