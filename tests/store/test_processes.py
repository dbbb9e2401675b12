"""The queue and the lock under several real processes, some of which are killed."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from stash2plex.db import connect
from stash2plex.errors import StoreUnavailable
from stash2plex.lock import drain_lock, drain_runs, presence_lock, show_presence
from stash2plex.starter import start_worker
from stash2plex.store.queue import Queue
from tests.support import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

ADDER = """import sys, time
sys.path.insert(0, {root!r})
from stash2plex.db import connect
from stash2plex.store.queue import Queue
queue = Queue(connect({path!r}), time.time)
first = int(sys.argv[1])
for number in range(first, first + 250):
    queue.add("scene", number)
"""

WORKER = """import sys, time
sys.path.insert(0, {root!r})
from stash2plex.db import connect
from stash2plex.store.queue import Queue
queue = Queue(connect({path!r}, relaxed=True), time.time)
empty = 0
while empty < 40:
    claims = queue.claim(7, 60.0)
    empty = 0 if claims else empty + 1
    if not claims:
        time.sleep(0.05)
    for claim in claims:
        print(claim.id, flush=True)
        queue.ack(claim)
"""

HOLDER = """import sys, time
sys.path.insert(0, {root!r})
from stash2plex.db import connect
from stash2plex.lock import drain_lock, presence_lock
from stash2plex.store.queue import Queue
lock = drain_lock({folder!r}); assert lock.acquire()
presence = presence_lock({folder!r}); assert presence.acquire()
queue = Queue(connect({path!r}), time.time)
claims = queue.claim(5, 3600.0)
print(len(claims), flush=True)
time.sleep(600)
"""


def start(code, *arguments, **names):
    return subprocess.Popen(
        [sys.executable, "-c", code.format(root=ROOT, **names), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_many_processes_deliver_each_key_exactly_once(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    connect(path).close()
    adders = [start(ADDER, str(first), path=path) for first in (1, 251, 501, 751)]
    workers = [start(WORKER, path=path) for _ in range(3)]
    delivered = []
    for process in adders + workers:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        delivered += [int(line) for line in out.split()]
    assert sorted(delivered) == list(range(1, 1001))


def test_what_a_killed_holder_held_is_free_for_the_next(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    database = connect(path)
    queue = Queue(database, time.time)
    queue.add_many([("scene", number) for number in range(1, 6)])
    holder = start(HOLDER, path=path, folder=str(tmp_path))
    assert holder.stdout.readline() == "5\n"
    lock = drain_lock(str(tmp_path))
    assert not lock.acquire()
    assert drain_runs(str(tmp_path))
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert not drain_runs(str(tmp_path))
    assert lock.acquire()
    assert queue.take_over() == 5
    assert len(queue.claim(9, 60.0)) == 5
    lock.release()
    database.close()


def test_two_processes_that_migrate_at_once(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    both = [start(ADDER, first, path=path) for first in ("1", "251", "501")]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    database = connect(path)
    assert Queue(database, time.time).counts().pending == 750
    database.close()


def test_a_child_keeps_the_lock_that_it_was_given(tmp_path):
    lock = drain_lock(str(tmp_path))
    assert lock.acquire()
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=[lock.give_to_child()],
    )
    lock.release()
    assert not drain_lock(str(tmp_path)).acquire()
    child.communicate()
    assert lock.acquire()
    lock.release()


def test_a_lock_that_did_not_come_along_is_not_held(tmp_path):
    holder = drain_lock(str(tmp_path))
    assert holder.acquire()
    mine = drain_lock(str(tmp_path))
    without = os.open(tmp_path / "drain.lock", os.O_RDWR)
    assert not mine.adopt(without)
    assert not mine.held
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(without)
    holder.release()
    # Where nobody holds it, the file is enough to take it.
    assert mine.adopt(os.open(tmp_path / "drain.lock", os.O_RDWR))
    assert mine.held
    assert not drain_lock(str(tmp_path)).acquire()  # type: ignore[unreachable] # adopt() changes it
    mine.release()
    assert not mine.held


def test_an_adopted_lock_does_not_go_on_to_the_next_child(tmp_path):
    starter = drain_lock(str(tmp_path))
    assert starter.acquire()
    handed_on = os.dup(starter.give_to_child())
    os.set_inheritable(handed_on, True)
    starter.release()
    mine = drain_lock(str(tmp_path))
    assert mine.adopt(handed_on)
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        close_fds=False,
    )
    mine.release()
    # Whatever else this process starts at the same moment may hold it for as long as it starts.
    until(lambda: drain_lock(str(tmp_path)).acquire())
    child.communicate()


STARTED = """import json, os, sys, time
folder, descriptor = sys.argv[2:]
said = {"arguments": sys.argv[1:], "request": sys.stdin.read(), "out": os.fstat(1).st_rdev,
        "isolated": [sys.flags.isolated, sys.flags.no_site]}
print("lost")
print("kept", file=sys.stderr, flush=True)
with open(folder + "/said.part", "w") as file:
    json.dump(said, file)
os.rename(folder + "/said.part", folder + "/said")
while not os.path.exists(folder + "/end"):
    time.sleep(0.01)
"""
"""Stands for the worker: records how it was started, and lives until it is ended."""


@pytest.mark.parametrize("python", ["CPython", "PyPy"])
def test_a_worker_is_started_once_with_the_lock_and_streams_of_its_own(
    tmp_path, monkeypatch, python
):
    """PyPy has no posix_spawn."""
    if python == "PyPy":
        monkeypatch.delattr(os, "posix_spawn")
    (tmp_path / "stash2plex_plugin.py").write_text(STARTED)
    folder, plugin = str(tmp_path), str(tmp_path)
    assert start_worker(folder, plugin, b'{"server_connection": {}}')
    until((tmp_path / "said").exists)
    said = json.loads((tmp_path / "said").read_text())
    assert said["arguments"][:2] == ["worker", folder]
    assert said["request"] == '{"server_connection": {}}'
    assert said["out"] == os.stat(os.devnull).st_rdev
    assert said["isolated"] == [1, 1]
    assert (tmp_path / "worker.log").read_text() == "kept\n"
    assert stat.S_IMODE(os.stat(tmp_path / "worker.log").st_mode) & 0o077 == 0
    # The child holds the lock, and this process does not.
    assert not start_worker(folder, plugin, b"{}")
    (tmp_path / "end").touch()
    until(lambda: drain_lock(folder).acquire())


def test_a_start_that_fails_leaves_the_lock_free(tmp_path):
    (tmp_path / "worker.log").mkdir()
    with pytest.raises(IsADirectoryError):
        start_worker(str(tmp_path), str(tmp_path), b"{}")
    assert drain_lock(str(tmp_path)).acquire()


def test_a_lock_that_is_not_held_cannot_be_handed_on(tmp_path):
    with pytest.raises(AssertionError, match="only a held lock"):
        drain_lock(str(tmp_path)).give_to_child()


def test_a_lock_that_is_held_is_simply_held_when_asked_for_again(tmp_path):
    lock = drain_lock(str(tmp_path))
    assert lock.acquire()
    assert lock.acquire()
    lock.release()
    lock.release()
    assert drain_lock(str(tmp_path)).acquire()


def test_a_lock_file_that_cannot_be_opened_says_what_to_do(tmp_path):
    (tmp_path / "drain.lock").mkdir()
    with pytest.raises(StoreUnavailable, match="drain.lock” cannot be opened.*Make it writable"):
        drain_lock(str(tmp_path)).acquire()


def test_presence_waits_for_a_probe_that_is_under_way(tmp_path):
    probe = presence_lock(str(tmp_path))
    assert probe.acquire(shared=True)
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            probe.release()

    presence = show_presence(str(tmp_path), sleep)
    assert len(waits) == 3
    assert drain_runs(str(tmp_path))
    # Two who probe at once do not take each other for a drain.
    presence.release()
    assert probe.acquire(shared=True)
    assert not drain_runs(str(tmp_path))
    probe.release()


def test_a_probe_looks_like_no_worker(tmp_path):
    probe = presence_lock(str(tmp_path))
    assert probe.acquire(shared=True)
    starter = drain_lock(str(tmp_path))
    assert starter.acquire()
    starter.release()
    probe.release()
