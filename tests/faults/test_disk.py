"""Disks that are full, read-only, on the network or gone, and databases that are damaged."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random

import pytest

from stash2plex import db
from stash2plex.app import open_app, open_store, store_errors_mapped
from stash2plex.db import connect, uses_wal
from stash2plex.errors import StoreDamaged, StoreUnavailable
from stash2plex.lock import FileLock, drain_lock
from stash2plex.logs.handlers import Logs
from stash2plex.operations.background import _StopSignal, _work
from stash2plex.servers.stash_address import StashAddress
from stash2plex.store import repair
from stash2plex.store.queue import Queue
from stash2plex.store.repair import rebuild_mark, replace_damaged
from tests.faults.bench import Run
from tests.harness.in_process import Heard

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def network_drive(monkeypatch):
    """Make SQLite lock by files and share no memory, as on a network drive."""
    real = sqlite3.connect

    def over_the_network(path, **options):
        return real(f"file:{path}?vfs=unix-dotfile", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", over_the_network)
    return real


def test_a_network_drive_gets_a_rollback_journal_and_says_so(tmp_path, network_drive):
    said = io.StringIO()
    address = StashAddress("http://127.0.0.1:9")
    app = open_app(str(tmp_path), address, logs=Logs(said))
    app.store.queue.add("scene", 1)
    (claim,) = app.store.queue.claim(1, 60.0)
    other = Queue(connect(str(tmp_path / "stash2plex.db")), time.time)
    other.add("scene", 2)
    assert app.store.queue.ack(claim)
    assert other.counts().pending == 1
    assert not uses_wal(app.store.connection)
    assert "a network drive?" in said.getvalue()
    other._db.close()
    app.close()


def test_a_database_moved_to_a_network_drive_keeps_its_keys(tmp_path, network_drive, monkeypatch):
    local, moved = tmp_path / "local", tmp_path / "moved"
    local.mkdir()
    monkeypatch.setattr(sqlite3, "connect", network_drive)
    database = connect(str(local / "stash2plex.db"))
    Queue(database, time.time).add("scene", 5)
    shutil.copytree(local, moved)
    database.close()
    monkeypatch.undo()
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda path, **options: network_drive(f"file:{path}?vfs=unix-dotfile", uri=True, **options),
    )
    store = open_store(str(moved), time.time, Random(1))
    assert [claim.id for claim in store.queue.claim(9, 60.0)] == [5]
    store.connection.close()


@pytest.mark.parametrize("moved", [False, True], ids=["new", "moved-there"])
def test_a_folder_without_shared_memory_gets_a_rollback_journal(tmp_path, moved):
    path = str(tmp_path / "stash2plex.db")
    if moved:
        with closing(connect(path)) as database:
            Queue(database, time.time).add("scene", 1)
    # SQLite follows no link to its shared memory: it cannot be opened, here or on such a drive.
    os.symlink("nowhere", path + "-shm")
    with closing(connect(path)) as database, closing(connect(path)) as other:
        assert not uses_wal(database)
        Queue(database, time.time).add("scene", 1)
        Queue(other, time.time).add("scene", 2)
        assert Queue(database, time.time).counts().pending == 2
    with closing(connect(path)) as database:
        assert Queue(database, time.time).counts().pending == 2


def damage(path, table):
    """Overwrite the pages of one table, as a bad sector does."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,))
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with open(path, "r+b") as file:
        file.seek((page[0] - 1) * size)
        file.write(b"\xff" * size)


def test_damage_met_on_the_way_is_set_aside_and_everything_compared_again(bench, make_run):
    scene, item = bench.add()
    run = make_run()
    run.queue.add("scene", scene.id)
    damage(run.app.folder + "/stash2plex.db", "scene_record")
    with pytest.raises(StoreDamaged, match="set aside"), store_errors_mapped(run.app):
        run.drain()
    names = os.listdir(run.folder)
    assert any(name.startswith("stash2plex.db.damaged-") for name in names)
    again = Run(bench, run.folder)
    try:
        assert rebuild_mark(again.app.store.connection) in names
        again.drain()
        assert item.title == scene.title
        assert rebuild_mark(again.app.store.connection) is None
        assert any("damaged" in line for line in again.heard.lines)
    finally:
        again.close()


def test_a_database_that_is_only_locked_is_not_set_aside(tmp_path, monkeypatch):
    path = str(tmp_path / "stash2plex.db")
    connect(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(db, "BUSY_SECONDS", 0.05)
        with pytest.raises(StoreUnavailable, match="Another program has locked it"):
            replace_damaged(str(tmp_path))
    assert not [name for name in os.listdir(tmp_path) if "damaged" in name]


@pytest.fixture
def folder(tmp_path):
    """Give a folder with a database of one key."""
    with closing(connect(str(tmp_path / "stash2plex.db"))) as database:
        Queue(database, time.time).add("scene", 5)
    return tmp_path


def set_aside(folder):
    """Name the damaged databases that lie in a folder."""
    return [name for name in os.listdir(folder) if "damaged" in name]


def keys_in(folder):
    with closing(connect(str(folder / "stash2plex.db"))) as database:
        return [claim.key for claim in Queue(database, time.time).claim(9, 60.0)]


def test_a_database_that_is_well_is_not_set_aside(folder):
    replace_damaged(str(folder))
    assert set_aside(folder) == []
    assert keys_in(folder) == [("scene", 5)]


def test_damage_that_only_a_check_of_every_page_shows_is_found(folder):
    damage(str(folder / "stash2plex.db"), "scene_record")
    # Opening it, and the queue in it, work as ever.
    assert keys_in(folder) == [("scene", 5)]
    replace_damaged(str(folder))
    assert len(set_aside(folder)) == 1
    assert keys_in(folder) == []


def test_a_repair_waits_for_another_process_that_repairs_and_does_nothing_twice(folder):
    other = FileLock(str(folder / "repair.lock"))
    assert other.acquire()
    path = folder / "stash2plex.db"
    well = path.read_bytes()
    path.write_bytes(b"harbour " * 1000)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(replace_damaged, str(folder))
        assert not waiting.done()
        path.write_bytes(well)
        other.release()
        waiting.result(30)
    assert set_aside(folder) == []
    assert keys_in(folder) == [("scene", 5)]


def test_a_repair_that_does_not_end_is_not_waited_for_for_ever(folder, monkeypatch):
    monkeypatch.setattr(repair, "REPAIR_SECONDS", 0.05)
    other = FileLock(str(folder / "repair.lock"))
    assert other.acquire()
    (folder / "stash2plex.db").write_bytes(b"harbour " * 1000)
    with pytest.raises(StoreUnavailable, match="another process is repairing it"):
        replace_damaged(str(folder))
    other.release()
    # Nor does it keep its own lock.
    for _ in range(2):
        replace_damaged(str(folder))
    assert len(set_aside(folder)) == 1


def test_a_locked_database_ends_a_drain_and_loses_nothing(bench, make_run, monkeypatch):
    scene, item = bench.add()
    run = make_run()
    run.queue.add("scene", scene.id)
    run.app.store.connection.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(run.folder + "/stash2plex.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(StoreUnavailable, match="Another program has locked it"),
            store_errors_mapped(run.app),
        ):
            run.drain()
        other.execute("ROLLBACK")
    run.drain()
    assert item.title == scene.title


def test_a_full_disk_ends_a_drain_and_loses_nothing(bench, make_run):
    pairs = [bench.add(details="A lantern. " * 300) for _ in range(30)]
    run = make_run()
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs])
    database = run.app.store.connection
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages + 12}")
    with (
        pytest.raises(StoreUnavailable, match="Free some disk space"),
        store_errors_mapped(run.app),
    ):
        run.drain()
    assert run.rows("SELECT count(*) FROM queue")[0][0] > 0
    database.execute("PRAGMA max_page_count = 100000")
    run.drain()
    assert [item.title for _, item in pairs] == [scene.title for scene, _ in pairs]
    assert run.rows("SELECT count(*) FROM dead_letter") == [(0,)]
    edits = [record.query["id"][0] for record in bench.plex.requests if record.method == "PUT"]
    assert len(edits) == len(set(edits))


HOOK = """import os, resource, sys
sys.path.insert(0, {root!r})
if {most}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
from stash2plex.errors import Stash2PlexError
from stash2plex.hook import _store
if {user}:
    os.setuid({user})
try:
    for number in range(1, 2000):
        _store({path!r}, "", [("scene", number)], 0.0, 0.0)
except Stash2PlexError as error:
    print(number, type(error).__name__, error)
"""


def hook(path, most=0, user=0):
    code = HOOK.format(root=ROOT, path=path, most=most, user=user)
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_save_on_a_full_disk_says_so_and_keeps_what_was_stored(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    connect(path).close()
    number, kind, said = hook(path, most=os.path.getsize(path) + 60_000).split(" ", 2)
    assert kind == "StoreUnavailable"
    assert "cannot be used" in said
    with closing(connect(path)) as database:
        assert database.execute("SELECT count(*) FROM queue").fetchone() == (int(number) - 1,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_save_into_a_read_only_folder_says_what_to_do(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    connect(path).close()
    os.chmod(path, 0o444)
    os.chmod(tmp_path, 0o555)
    # Root may write anywhere, so the save runs as somebody else.
    for parent in (tmp_path.parent, tmp_path.parent.parent, tmp_path.parent.parent.parent):
        if os.geteuid() == 0:
            os.chmod(parent, 0o755)
    user = 65534 if os.geteuid() == 0 else 0
    _, kind, said = hook(path, user=user).split(" ", 2)
    os.chmod(tmp_path, 0o755)
    assert kind == "StoreUnavailable"
    assert "Make it" in said or "writable for the user" in said


@pytest.mark.parametrize("made_again", [True, False])
def test_a_worker_whose_data_folder_was_removed_ends(bench, make_run, monkeypatch, made_again):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    run = make_run()
    stop = _StopSignal(run.app, ROOT, None)
    run.clock.now += 11
    assert not stop.wanted()
    shutil.rmtree(run.folder)
    if made_again:
        open_store(run.folder, run.clock, Random(1)).connection.close()
    run.clock.now += 11
    assert stop.wanted()
    assert stop.homeless


def test_a_worker_that_lost_its_data_folder_logs_that(bench, make_run, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    run = make_run()
    lock = drain_lock(run.folder)
    assert lock.acquire()
    handler = Heard()
    run.app.logs.logger.addHandler(handler)
    run.clock.at[run.clock.now + 20] = lambda: shutil.rmtree(run.folder)
    assert _work(run.app, lock, {}, _StopSignal(run.app, ROOT, None)) == 0
    assert handler.lines[-1] == (
        "The background worker ends: its data folder was removed or replaced."
    )
    assert not os.path.exists(run.folder)
