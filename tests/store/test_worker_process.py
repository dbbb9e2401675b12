"""The background worker as a process of its own, over both stand-ins, without the archive."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from stash2plex.db import connect
from stash2plex.lock import drain_lock, drain_runs
from stash2plex.operations import background
from stash2plex.store.queue import Queue
from stash2plex_testing.world import ROOT, World
from tests.support import PATIENCE, present, until

WORKER = f"""import sys
sys.path.insert(0, {ROOT!r})
from stash2plex.operations import background
background.CODE_CHECK_SECONDS = 0.05
sys.exit(background.run_worker(sys.argv[2:], sys.argv[1]))
"""

LATE_SAVE = f"""import sys, time
sys.path.insert(0, {ROOT!r})
from stash2plex.operations import background
from stash2plex.db import connect
from stash2plex.sync.goals import Background
from stash2plex.workqueue import WorkQueue
background.Background = lambda: Background(idle=0.2)
show = background.show_presence
saves = [lambda: WorkQueue(connect(sys.argv[2] + "/stash2plex.db"), time.time).add("scene", 1)]
def show_with_a_save(*given):
    presence = show(*given)
    release = presence.release
    presence.release = lambda: (release(), saves and saves.pop()())
    return presence
background.show_presence = show_with_a_save
sys.exit(background.run_worker(sys.argv[2:], sys.argv[1]))
"""
"""A worker that is soon idle, and a save between the end of its drain and that of its lock."""

SUCCESSOR = """import json, os, sys
with open(sys.argv[0] + ".part", "w") as file:
    json.dump({"arguments": sys.argv[1:], "request": json.load(sys.stdin)}, file)
os.rename(sys.argv[0] + ".part", sys.argv[0] + ".started")
"""
"""The entry script of the version that an update brought; it keeps what it was started with."""


class Workshop(World):
    """Both servers, a plugin's folder, and workers started over the data folder."""

    def __init__(self, folder):
        super().__init__(folder)
        self.plugin = os.path.join(folder, "plugin")
        self.version = os.path.join(self.plugin, "stash2plex", "version.py")
        self.script = os.path.join(self.plugin, "stash2plex_plugin.py")
        self.started = []

    def __enter__(self):
        super().__enter__()
        os.makedirs(os.path.dirname(self.version))
        os.makedirs(self.data_dir)
        for name, text in ((self.version, "VERSION = 1\n"), (self.script, SUCCESSOR)):
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
        self.stash.configure_plugin(
            "Stash2Plex", {"plex_url": self.plex.url, "plex_token": self.plex.token}
        )
        self.fill(1)
        return self

    def __exit__(self, *_):
        for process in self.started:
            process.kill()
            process.communicate()
        super().__exit__(*_)

    @property
    def connection(self):
        return {"Scheme": "http", "Host": "127.0.0.1", "Port": self.stash.port}

    def queue(self, deed):
        with closing(connect(os.path.join(self.data_dir, "stash2plex.db"))) as database:
            return deed(Queue(database, time.time))

    def add(self, *ids):
        self.queue(lambda queue: queue.add_many([("scene", id_) for id_ in ids], priority=0))

    def counts(self):
        found = self.queue(lambda queue: queue.counts())
        return (found.pending, found.in_progress, found.waiting, found.dead)

    def start(self, *arguments, request=None, code=WORKER, **options):
        process = subprocess.Popen(
            [sys.executable, "-c", code, self.plugin, self.data_dir, *arguments],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        self.started.append(process)
        stdin = present(process.stdin)
        stdin.write(json.dumps(request or {"server_connection": self.connection}).encode())
        stdin.close()
        process.stdin = None
        return process

    def running(self, **options):
        """Start a worker and wait until it drains."""
        process = self.start(**options)
        until(lambda: drain_runs(self.data_dir))
        return process

    def log(self):
        with open(os.path.join(self.data_dir, "worker.log"), encoding="utf-8") as file:
            return file.read()


@pytest.fixture
def workshop(tmp_path):
    with Workshop(str(tmp_path)) as workshop:
        yield workshop


def test_a_worker_that_is_asked_to_end_does_so_with_keys_due(workshop):
    workshop.plex.down()
    workshop.add(1)
    process = workshop.running()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert workshop.counts() == (1, 0, 0, 0)
    assert not drain_runs(workshop.data_dir)
    assert f"The background worker has started (process {process.pid})." in workshop.log()
    assert "it was asked to" in workshop.log()


@pytest.mark.parametrize("leads", [False, True], ids=["in-Stash's-session", "in-its-own"])
def test_a_ctrl_c_at_the_terminal_of_stash_does_not_reach_the_worker(workshop, leads):
    process = workshop.running(start_new_session=leads)
    # A terminal signals the foreground process group.
    assert os.getpgid(process.pid) != os.getpgid(0)
    assert os.getsid(process.pid) == process.pid


def test_the_leader_of_a_session_of_its_own_stays_that(monkeypatch):
    asked = []

    def refuse():
        asked.append(True)
        raise PermissionError

    monkeypatch.setattr(os, "setsid", refuse)
    background._detach()
    assert asked


def test_an_updated_plugin_carries_on_in_its_new_version(workshop):
    workshop.plex.down()
    workshop.add(1)
    process = workshop.running()
    with open(workshop.version, "w", encoding="utf-8") as file:
        file.write("VERSION = 'the next one'\n")
    assert process.wait(PATIENCE) == 0
    until(lambda: os.path.exists(workshop.script + ".started"))
    with open(workshop.script + ".started", encoding="utf-8") as file:
        started = json.load(file)
    assert started["arguments"][:2] == ["worker", workshop.data_dir]
    assert started["request"] == {"server_connection": workshop.connection}
    assert workshop.counts() == (1, 0, 0, 0)
    assert "The plugin was updated" in workshop.log()


def test_an_uninstalled_plugin_ends_with_keys_due_and_starts_nothing(workshop):
    workshop.plex.down()
    workshop.add(1)
    process = workshop.running()
    os.remove(workshop.version)
    assert process.wait(PATIENCE) == 0
    assert workshop.counts() == (1, 0, 0, 0)
    assert not os.path.exists(workshop.script + ".started")


def test_a_save_that_comes_as_the_worker_ends_is_seen_to(workshop):
    """It saw the lock held and started no worker, so the one that ends looks once more."""
    process = workshop.start(code=LATE_SAVE)
    assert process.wait(PATIENCE) == 0
    assert workshop.counts() == (0, 0, 0, 0)
    assert [item.title for item in workshop.plex.all_items()] == [workshop.stash.scenes[0].title]
    assert "nothing is left to do" in workshop.log()


def test_a_lock_that_did_not_come_along_is_not_taken_for_held(workshop):
    """On a network disk a child may get the file without its lock, and another may hold that."""
    holder = drain_lock(workshop.data_dir)
    assert holder.acquire()
    workshop.add(1)
    descriptor = os.open(os.path.join(workshop.data_dir, "drain.lock"), os.O_RDWR)
    process = workshop.start(str(descriptor), pass_fds=[descriptor])
    os.close(descriptor)
    assert process.wait(PATIENCE) == 0
    assert workshop.plex.count() == 0
    assert workshop.counts() == (1, 0, 0, 0)
    holder.release()


@pytest.mark.parametrize("request_", [{"server_connection": None}, [1]])
def test_a_worker_that_knows_no_stash_says_so_and_holds_nothing(workshop, request_):
    process = workshop.start(request=request_)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert b"without Stash's connection" in said
    assert b"Traceback" not in said
    assert drain_lock(workshop.data_dir).acquire()


def test_a_fault_of_its_own_ends_the_worker_with_a_trace_in_the_log(workshop):
    with closing(connect(os.path.join(workshop.data_dir, "stash2plex.db"))) as database:
        # Nobody writes such a time; it stands for a mistake in the program.
        database.execute("INSERT INTO breaker VALUES ('plex', 'open', 3, 0, 1, 'soon', '', 0)")
    workshop.add(1)
    assert workshop.start().wait(PATIENCE) == 1
    assert "A fault in Stash2Plex" in workshop.log()
    assert "Traceback" in workshop.log()
    assert workshop.counts() == (1, 0, 0, 0)
    assert drain_lock(workshop.data_dir).acquire()


def test_a_database_that_fails_under_the_worker_ends_it_with_the_cause_in_the_log(workshop):
    with closing(connect(os.path.join(workshop.data_dir, "stash2plex.db"))) as database:
        database.execute("DROP TABLE breaker")
    workshop.add(1)
    assert workshop.start().wait(PATIENCE) == 1
    assert "no such table: breaker" in workshop.log()
    assert "Traceback" not in workshop.log()
    assert workshop.counts() == (1, 0, 0, 0)
    assert drain_lock(workshop.data_dir).acquire()
