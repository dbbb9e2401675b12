"""Windows as far as Linux can show it: each rule of that system that our code has to obey."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from contextlib import suppress
from random import Random

import pytest

from stash2plex import hook, lock, starter
from stash2plex.app import open_store
from stash2plex.datadir import DATABASE_NAME, LOG_NAME, START_LOG_NAME
from stash2plex.errors import StoreDamaged
from stash2plex.lock import drain_runs, presence_lock, show_presence
from stash2plex.logs import handlers
from stash2plex.logs.handlers import SharedFile
from stash2plex.store import repair
from tests.support import PATIENCE

fcntl = pytest.importorskip("fcntl", reason="is Windows as Linux can show it")

NO_WINDOW, NEW_GROUP, DETACHED = 0x0800_0000, 0x200, 0x8
INHERITS = """
import os, sys
try:
    os.fstat({})
except OSError:
    sys.exit(sys.stdin.read() != "{{}}")
sys.exit("It has inherited a file of the save.")
"""
DIES = "import sys; sys.stdin.read(); sys.exit('no such part')"


class Windows:
    """Starts a process as Windows does, and keeps the flags that only it knows."""

    command: list[str]
    process: subprocess.Popen[bytes]
    flags = 0

    def __init__(self, code):
        self.code = code

    def popen(self, command, *, creationflags, **streams):
        self.command, self.flags = command, creationflags
        self.process = subprocess.Popen([sys.executable, "-c", self.code], **streams)
        return self.process


def test_a_worker_gets_no_console_that_can_be_seen_or_closed(tmp_path):
    """DETACHED_PROCESS is not combined with it: a venv's python.exe opens a console then."""
    with open(tmp_path / "held", "w") as held:
        os.set_inheritable(held.fileno(), True)
        windows = Windows(INHERITS.format(held.fileno()))
        starter.spawn_on_windows(str(tmp_path), "plugin", b"{}", "9", popen=windows.popen)
        assert windows.process.wait(PATIENCE) == 0
    assert windows.flags == NO_WINDOW | NEW_GROUP
    assert not windows.flags & DETACHED
    assert windows.command[1:4] == ["-IS", "-Xutf8", os.path.join("plugin", "stash2plex_plugin.py")]
    assert windows.command[4:] == ["worker", str(tmp_path), "9"]


def test_a_worker_that_dies_before_its_log_is_open_leaves_its_words(tmp_path):
    for _ in range(2):
        windows = Windows(DIES)
        starter.spawn_on_windows(str(tmp_path), "plugin", b"{}", popen=windows.popen)
        assert windows.process.wait(PATIENCE) == 1
    assert (tmp_path / START_LOG_NAME).read_text() == "no such part\n" * 2
    (tmp_path / START_LOG_NAME).write_bytes(b"x" * (starter.START_LOG_BYTES + 1))
    windows = Windows(DIES)
    starter.spawn_on_windows(str(tmp_path), "plugin", b"{}", popen=windows.popen)
    windows.process.wait(PATIENCE)
    assert (tmp_path / START_LOG_NAME).read_text() == "no such part\n"


def held_open(path):
    """List this process's descriptors of a file."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}") == path:
                found.append(name)
    return found


@pytest.fixture
def windows_rename(monkeypatch):
    """Refuse to rename a file that this process has open; returns what was renamed."""
    renamed = []
    replace = os.replace

    def strict(source, target):
        if held_open(os.path.realpath(source)):
            raise PermissionError(13, "The process cannot access the file", source)
        renamed.append(os.path.basename(source))
        replace(source, target)

    monkeypatch.setattr(os, "replace", strict)
    return renamed


def damage(folder):
    """Damage the tables but not the head: connecting works, reading does not."""
    path = os.path.join(folder, DATABASE_NAME)
    open_store(folder, time.time, Random(1)).connection.close()
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (os.path.getsize(path) - 4096))
    return path


def test_a_damaged_database_is_closed_before_a_save_sets_it_aside(tmp_path, windows_rename):
    damage(str(tmp_path))
    stored = hook._record(
        str(tmp_path), "", [("scene", 1)], 0.0, time.time(),
        repair=repair.replace_damaged, notify=lambda _: None,
    )  # fmt: skip
    assert stored.worker_wanted
    assert DATABASE_NAME in windows_rename


def test_a_damaged_database_is_closed_before_a_task_sets_it_aside(tmp_path, windows_rename):
    damage(str(tmp_path))
    open_store(str(tmp_path), time.time, Random(1)).connection.close()
    assert DATABASE_NAME in windows_rename


def test_a_file_that_is_open_is_what_the_fixture_refuses(tmp_path, windows_rename):
    path = damage(str(tmp_path))
    with open(path, "rb"), pytest.raises((PermissionError, StoreDamaged)):
        repair.replace_damaged(str(tmp_path))
    assert windows_rename == []


def write(handler, text):
    handler.emit(logging.makeLogRecord({"msg": text, "levelno": logging.INFO}))


def test_a_log_that_another_process_has_open_loses_no_line_and_rotates_later(tmp_path, monkeypatch):
    monkeypatch.setattr(handlers, "STUCK_BYTES", 500)
    open_elsewhere = [True]

    def rename(source, target):
        if open_elsewhere[0] and os.path.basename(source) == LOG_NAME:
            raise PermissionError(13, "The process cannot access the file", source)
        os.rename(source, target)

    log = SharedFile(str(tmp_path))
    log.maxBytes = 1000
    log.rotator = rename
    for number in range(100):
        write(log, f"line {number:02} of a harbour")
    lines = (tmp_path / LOG_NAME).read_text().splitlines()
    assert [line[:7] for line in lines] == [f"line {number:02}" for number in range(100)]
    open_elsewhere[0] = False
    for number in range(100, 130):
        write(log, f"line {number} of a harbour")
    log.close()
    assert (tmp_path / f"{LOG_NAME}.1").exists()
    kept = "".join(path.read_text() for path in sorted(tmp_path.glob(f"{LOG_NAME}*"), reverse=True))
    assert kept.count("\n") == 130
    assert not (tmp_path / "worker-trouble.json").exists()


@pytest.fixture
def exclusive(monkeypatch):
    """Make every lock exclusive, as a byte lock of Windows is."""

    def only(descriptor, *, shared):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    monkeypatch.setattr(lock, "_try", only)


def test_a_probe_that_meets_a_probe_does_not_take_it_for_a_worker(tmp_path, exclusive):
    other = presence_lock(str(tmp_path))
    assert other.acquire(shared=True)
    slept: list[float] = []

    def sleep(seconds):
        slept.append(seconds)
        other.release()

    assert drain_runs(str(tmp_path), sleep, shares=False) is False
    assert len(slept) == 1


def test_a_worker_is_still_seen_where_locks_are_exclusive(tmp_path, exclusive):
    presence = show_presence(str(tmp_path), time.sleep)
    slept: list[float] = []
    assert drain_runs(str(tmp_path), slept.append, shares=False) is True
    assert len(slept) == lock.PROBES - 1
    presence.release()
    assert drain_runs(str(tmp_path), slept.append, shares=False) is False


def test_where_locks_are_shared_one_probe_is_enough(tmp_path):
    presence = show_presence(str(tmp_path), time.sleep)
    slept: list[float] = []
    assert drain_runs(str(tmp_path), slept.append) is True
    assert slept == []
    presence.release()
