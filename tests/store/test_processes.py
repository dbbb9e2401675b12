"""The queue and the lock under several real processes, some of which are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from stash2plex.db import connect
from stash2plex.lock import drain_lock, drain_runs, presence_lock
from stash2plex.workqueue import WorkQueue

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

ADDER = """import sys, time
sys.path.insert(0, {root!r})
from stash2plex.db import connect
from stash2plex.workqueue import WorkQueue
queue = WorkQueue(connect({path!r}), time.time)
first = int(sys.argv[1])
for number in range(first, first + 250):
    queue.add("scene", number)
"""

WORKER = """import sys, time
sys.path.insert(0, {root!r})
from stash2plex.db import connect
from stash2plex.workqueue import WorkQueue
queue = WorkQueue(connect({path!r}, relaxed=True), time.time)
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
from stash2plex.workqueue import WorkQueue
lock = drain_lock({folder!r}); assert lock.acquire()
presence = presence_lock({folder!r}); assert presence.acquire()
queue = WorkQueue(connect({path!r}), time.time)
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
    queue = WorkQueue(database, time.time)
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
    assert WorkQueue(database, time.time).counts().pending == 750
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


def test_a_probe_looks_like_no_worker(tmp_path):
    probe = presence_lock(str(tmp_path))
    assert probe.acquire(shared=True)
    starter = drain_lock(str(tmp_path))
    assert starter.acquire()
    starter.release()
    probe.release()
