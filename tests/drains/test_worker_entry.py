"""The background worker's entry in the tests' process: what it is given, and what it leaves."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys

import pytest

from stash2plex.lock import drain_lock
from stash2plex.operations import background
from stash2plex.start_trouble import Trouble, read_trouble, record_trouble
from stash2plex.starter import SUCCESSOR
from stash2plex.store.holds import PAUSE, hold

OFF = "The background worker ends: Background worker is off."
FAULT = (
    "The background worker has ended because of a fault in Stash2Plex (TypeError).",
    "“worker.log” has the details; an update may fix it.",
)


class Entry:
    """A data folder, a plugin's folder, and what the process does to itself."""

    def __init__(self, desk, folder, monkeypatch):
        self.desk = desk
        self.folder = desk.app.folder
        self.plugin = str(folder / "plugin")
        package = folder / "plugin" / "stash2plex"
        package.mkdir(parents=True)
        (package / "version.py").write_text("LIT = 1\n")
        self.done: list[object] = []
        self._patch = monkeypatch
        monkeypatch.setattr(os, "setsid", lambda: self.done.append("setsid"))
        self._dup2 = os.dup2
        monkeypatch.setattr(os, "dup2", self.dup2)

    def dup2(self, source, target, **options):
        """Keep standard input as it is; whoever captures output may go on with the others."""
        if target != 0:
            return self._dup2(source, target, **options)
        assert os.path.samestat(os.fstat(source), os.stat(os.devnull))
        self.done.append((os.devnull, target))
        return target

    def run(self, *how, request=None):
        """Start as the worker; returns the exit code."""
        connection = {"Scheme": "http", "Host": "127.0.0.1", "Port": self.desk.stash.port}
        given = {"server_connection": connection} if request is None else request
        text = given if isinstance(given, bytes) else json.dumps(given).encode()
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        return background.run_worker([self.folder, *how], self.plugin)

    def log(self):
        path = os.path.join(self.folder, "worker.log")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [line.rstrip("\n").split(" ", 3)[-1] for line in file]


@pytest.fixture
def entry(make_desk, tmp_path, monkeypatch):
    desk = make_desk()
    settings = {
        "plex_url": desk.plex.url,
        "plex_token": desk.plex.token,
        "background_worker": "off",
    }
    desk.stash.configure_plugin("Stash2Plex", settings)
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    mask = os.umask(0o077)
    yield Entry(desk, tmp_path, monkeypatch)
    os.umask(mask)
    for number, handler in kept:
        signal.signal(number, handler)


def assert_free(entry):
    """Fail if the drain lock of the folder is held."""
    lock = drain_lock(entry.folder)
    assert lock.acquire()
    lock.release()


@pytest.mark.parametrize("how", [(), (SUCCESSOR,)])
def test_a_worker_takes_the_lock_leaves_the_session_and_gives_all_back(entry, how):
    record_trouble(entry.folder, Trouble("It could not start.", ""))
    assert entry.run(*how) == 0
    assert entry.done == ["setsid", (os.devnull, 0)]
    lines = entry.log()
    assert lines[0].endswith(f"The background worker has started (process {os.getpid()}).")
    assert lines[-1].endswith(OFF)
    assert_free(entry)
    assert read_trouble(entry.folder) is None
    # Its log is closed: a later line of this process does not get there.
    logging.getLogger("stash2plex").warning("A line of another one.")
    assert entry.log() == lines


def test_a_worker_whose_lock_is_held_elsewhere_ends_at_once(entry):
    holder = drain_lock(entry.folder)
    assert holder.acquire()
    assert entry.run() == 0
    assert entry.log() == []
    assert entry.done == ["setsid"]
    holder.release()


def test_a_worker_adopts_the_lock_that_it_inherits(entry):
    holder = drain_lock(entry.folder)
    assert holder.acquire()
    descriptor = os.dup(holder.give_to_child())
    assert entry.run(str(descriptor)) == 0
    assert entry.log()[-1].endswith(OFF)
    holder.release()
    assert_free(entry)


def test_a_successor_that_nobody_wants_does_nothing(entry):
    hold(entry.desk.app.store.connection, PAUSE, entry.desk.clock())
    assert entry.run(SUCCESSOR) == 0
    assert entry.log() == []
    assert_free(entry)


@pytest.mark.parametrize("request_", [b"", b"{}", {"server_connection": None}, [1], "x"])
def test_a_worker_without_a_connection_says_so_and_leaves_it_for_the_user(entry, capsys, request_):
    what = "The worker was started without Stash's connection."
    assert entry.run(request=request_) == 2
    assert capsys.readouterr().err == f"{what}\n"
    assert read_trouble(entry.folder) == Trouble(f"The background worker has ended: {what}", "")
    assert_free(entry)
    assert entry.done == ["setsid"]


def test_a_worker_that_cannot_open_the_database_leaves_what_to_do(entry, capsys):
    entry.desk.app.store.connection.execute("PRAGMA user_version = 9999")
    code = entry.run()
    said = capsys.readouterr().err
    trouble = read_trouble(entry.folder)
    assert trouble is not None
    assert code != 0
    assert trouble.what.startswith("The background worker has ended: ")
    assert trouble.fix
    assert (
        said == f"{trouble.what.removeprefix('The background worker has ended: ')} {trouble.fix}\n"
    )
    assert_free(entry)


def test_a_database_that_fails_meanwhile_is_logged_and_left_for_the_user(entry):
    entry.desk.app.store.connection.execute("DROP TABLE breaker")
    assert entry.run() == 1
    last = entry.log()[-1]
    assert "no such table: breaker" in last
    trouble = read_trouble(entry.folder)
    assert trouble is not None
    assert trouble.what.startswith("The background worker has ended: ")
    assert "no such table: breaker" in trouble.what
    assert_free(entry)


def test_a_fault_is_logged_with_its_trace_and_left_for_the_user(entry):
    settings = {"plex_url": entry.desk.plex.url, "plex_token": entry.desk.plex.token}
    entry.desk.stash.configure_plugin("Stash2Plex", settings)
    entry.desk.app.store.queue.add("scene", 1)
    # Nobody writes such a time; it stands for a mistake in the program.
    entry.desk.app.store.connection.execute(
        "INSERT INTO breaker VALUES ('plex', 'open', 3, 0, 1, 'soon', '', 0)"
    )
    assert entry.run() == 1
    lines = entry.log()
    assert any(line.endswith("A fault in Stash2Plex:") for line in lines)
    assert any(line.strip() == "Traceback (most recent call last):" for line in lines)
    assert read_trouble(entry.folder) == Trouble(*FAULT)
    assert_free(entry)
