"""The lock's life in one process, and the last edges of the door that Stash uses."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest

from stash2plex import bytecode, hook, plugin
from stash2plex.datadir import give_to_owner
from stash2plex.errors import StoreUnavailable
from stash2plex.lock import FileLock, drain_lock, drain_runs, presence_lock, show_presence
from stash2plex.tasks import run


@pytest.fixture
def lock(tmp_path):
    lock = FileLock(str(tmp_path / "pier.lock"))
    yield lock
    lock.release()


def test_a_lock_is_one_holders_until_it_lets_go(tmp_path, lock):
    other = FileLock(str(tmp_path / "pier.lock"))
    assert (lock.held, lock.acquire(), lock.held, lock.acquire()) == (False, True, True, True)
    assert (other.acquire(), other.acquire(shared=True), other.held) == (False, False, False)
    other.release()
    lock.release()
    lock.release()
    assert (lock.held, other.acquire(shared=True), lock.acquire()) == (False, True, False)
    assert lock.acquire(shared=True)
    other.release()
    assert os.stat(tmp_path / "pier.lock").st_mode & 0o077 == 0


def test_a_lock_that_cannot_be_opened_names_its_file(tmp_path):
    (tmp_path / "pier.lock").mkdir()
    with pytest.raises(StoreUnavailable) as failure:
        FileLock(str(tmp_path / "pier.lock")).acquire()
    assert (failure.value.what, failure.value.fix) == (
        f"“{tmp_path / 'pier.lock'}” cannot be opened: Is a directory.",
        "Make it writable for the user that runs Stash.",
    )


def test_a_lock_goes_to_a_child_and_is_kept_there(tmp_path, lock):
    with pytest.raises(AssertionError, match="only a held lock can be given to a child"):
        lock.give_to_child()
    assert lock.acquire()
    descriptor = lock.give_to_child()
    assert os.get_inheritable(descriptor)
    child = FileLock(str(tmp_path / "pier.lock"))
    mine = os.dup(descriptor)
    lock.release()
    assert not lock.acquire()
    assert child.adopt(mine)
    assert (child.held, os.get_inheritable(mine)) == (True, False)
    child.release()
    assert lock.acquire()


def test_a_lock_that_did_not_come_along_is_not_held(tmp_path, lock):
    assert lock.acquire()
    descriptor = os.open(tmp_path / "pier.lock", os.O_RDWR)
    late = FileLock(str(tmp_path / "pier.lock"))
    assert (late.adopt(descriptor), late.held) == (False, False)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_who_probes_and_who_shows_that_it_runs(tmp_path):
    folder = str(tmp_path)
    waits: list[float] = []
    assert not drain_runs(folder)
    probe = presence_lock(folder)
    assert probe.acquire(shared=True)
    assert not drain_runs(folder)

    def let_go(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            probe.release()

    presence = show_presence(folder, let_go)
    assert waits == [0.001] * 3
    assert drain_runs(folder, waits.append)
    assert len(waits) == 3
    assert drain_runs(folder, waits.append, shares=False)
    assert waits == [0.001] * 7
    drain = drain_lock(folder)
    assert drain.acquire()
    drain.release()
    presence.release()
    assert not drain_runs(folder, waits.append, shares=False)
    assert sorted(os.listdir(folder)) == ["drain.lock", "presence.lock"]


@pytest.mark.parametrize(
    ("me", "above", "given"), [(0, 7, True), (0, 0, False), (7, 8, False), (7, 7, False)]
)
def test_only_root_gives_a_file_away_and_only_to_another_user(
    tmp_path, monkeypatch, me, above, given
):
    changes: list[tuple[object, ...]] = []
    usual = os.stat(tmp_path)
    owned = os.stat_result([*usual[:4], above, 9, *usual[6:]])
    monkeypatch.setattr(os, "geteuid", lambda: me)
    monkeypatch.setattr(os, "chown", lambda *arguments: changes.append(arguments))
    monkeypatch.setattr(os, "stat", lambda *_, **__: owned)
    path = str(tmp_path / "worker.log")
    give_to_owner(path)
    monkeypatch.undo()
    assert changes == ([(path, above, 9)] if given else [])


# -- the door -----------------------------------------------------------------------------


@pytest.fixture
def send(tmp_path, monkeypatch, capfd):
    """Return what sends a request in this process; it returns the code and the answer."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(bytecode, "keep_in", lambda *_: None)

    def sent(**arguments):
        request = {"server_connection": {"Dir": str(tmp_path)}, "args": arguments}
        stdin = io.TextIOWrapper(io.BytesIO(json.dumps(request).encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        code = plugin.main([], str(tmp_path / "plugin"))
        answer = capfd.readouterr().out.splitlines()[-1]
        return code, json.loads(answer)

    return sent


@pytest.mark.parametrize("stored", [False, "false", None, 0])
def test_a_status_that_is_not_the_stored_one_is_a_task(send, monkeypatch, stored):
    def run_task(request, _plugin_dir, write):
        write({"output": request["args"]})
        return 7

    monkeypatch.setattr(run, "run_task", run_task)
    code, answer = send(mode="status", stored=stored)
    assert (code, answer) == (7, {"output": {"mode": "status", "stored": stored}})


@pytest.mark.parametrize("mode", ["record", "session"])
def test_a_module_that_is_missing_is_an_output_for_the_script(send, monkeypatch, mode):
    def fail(*_, **__):
        raise ModuleNotFoundError("No module named 'lantern'", name="lantern")

    monkeypatch.setattr(hook, "record", fail)
    monkeypatch.setattr(hook, "take_session", fail)
    code, answer = send(mode=mode)
    assert (code, answer["output"]["recorded"]) == (0, 0)
    assert answer["output"]["error"].startswith("Stash2Plex cannot be started: No module named")
    assert send(mode=mode)[1] == {"output": {"recorded": 0, "error": None}}
