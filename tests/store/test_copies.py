"""Copies of the database from before an update, and the way back by one."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from stash2plex import copies, db
from stash2plex.app import open_app
from stash2plex.copies import Copy, drop_old_copies, list_copies
from stash2plex.db import SCHEMA_NUMBER, connect, get_meta
from stash2plex.errors import StoreDamaged, StoreError, StoreTooNew, StoreUnavailable, UsageError
from stash2plex.lock import drain_lock
from stash2plex.logs.handlers import Logs
from stash2plex.operations.copies import take_back
from stash2plex.servers.stash_address import StashAddress
from stash2plex.store.restore import find_copy, restore
from stash2plex.workqueue import WorkQueue
from tests.support import ManualClock

RECORD = (
    "INSERT OR REPLACE INTO scene_record (scene_id, rating_key, section_id, plex_path, matched_by,"
    " fingerprint, written, synced_at) VALUES (?, '7', '1', '/a', 'path', 'f', '{}', ?)"
)
KEY = "INSERT INTO queue (kind, id, priority, added_at, due_at) VALUES (?, ?, 0, 5.0, 6.0)"
DEAD = (
    "INSERT INTO dead_letter (kind, id, reason, error, attempts, first_failed_at, last_failed_at)"
    " VALUES ('scene', ?, 'bug', 'why', 3, 1.0, 2.0)"
)


def old_database(folder, schema):
    """Make the database that a version with an older schema left, with a key and two records."""
    path = os.path.join(folder, "stash2plex.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        for number, statements in db._migrations():
            if number <= schema:
                for statement in statements:
                    old.execute(statement)
        old.execute(f"PRAGMA user_version = {schema:d}")
        old.execute(KEY, ("scene", 1))
        old.execute(RECORD, (50, 1.0))
        old.execute(RECORD, (51, 1.0))
    return path


def read(path, sql):
    with closing(sqlite3.connect(path)) as database:
        return list(database.execute(sql))


def shape(path):
    ours = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    return (sorted(read(path, ours), key=str), read(path, "PRAGMA user_version"))


def keys(path):
    return set(read(path, "SELECT kind, id FROM queue"))


def update(path):
    """Open the database as the new version does."""
    connect(path).close()


def test_a_migration_copies_the_database_before(tmp_path):
    path = old_database(tmp_path, 13)
    before = shape(path)
    update(path)
    (copy,) = list_copies(str(tmp_path))
    assert copy.schema == 13
    assert shape(copy.path) == before
    assert keys(copy.path) == {("scene", 1)}
    assert stat.S_IMODE(os.stat(copy.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(copy.path)).st_mode) == 0o700
    assert read(path, "PRAGMA user_version") == [(SCHEMA_NUMBER,)]
    # Up to date: nothing more is copied.
    update(path)
    assert len(list_copies(str(tmp_path))) == 1


def test_a_new_database_is_not_copied(tmp_path):
    update(str(tmp_path / "stash2plex.db"))
    assert os.listdir(tmp_path) == ["stash2plex.db"]


def test_the_two_newest_copies_are_kept(tmp_path):
    path = old_database(tmp_path, 13)
    folder = tmp_path / "copies"
    folder.mkdir()
    for name in ("stash2plex-20240101-000000-schema9.db", "stash2plex-20250101-000000-schema12.db"):
        (folder / name).write_bytes(b"old")
    (folder / "stash2plex-20250101-000000-schema12.db.part").write_bytes(b"half")
    (folder / "mine.txt").write_bytes(b"the user's")
    update(path)
    assert [copy.schema for copy in list_copies(str(tmp_path))] == [13, 12]
    assert len(list(folder.iterdir())) == 3


def test_without_room_the_update_goes_on_and_the_log_names_it_once(tmp_path, monkeypatch):
    path = old_database(tmp_path, 13)
    monkeypatch.setattr(copies, "SPARE_BYTES", 2**62)
    update(path)
    assert list_copies(str(tmp_path)) == []
    assert read(path, "PRAGMA user_version") == [(SCHEMA_NUMBER,)]
    for _ in range(2):
        open_app(str(tmp_path), StashAddress("http://127.0.0.1:1"), logs=Logs(None)).close()
    log = (tmp_path / "worker.log").read_text()
    assert log.count("The database was not copied before the update") == 1
    assert "no room" in log


def test_a_folder_that_cannot_be_made_does_not_stop_an_update(tmp_path):
    path = old_database(tmp_path, 13)
    (tmp_path / "copies").write_text("in the way")
    with closing(connect(path)) as database:
        assert get_meta(database, db.NO_COPY) == "File exists"
    assert read(path, "PRAGMA user_version") == [(SCHEMA_NUMBER,)]


@pytest.mark.parametrize("schema", [1, 3, 6, 7, 11, 13, SCHEMA_NUMBER - 1])
def test_the_way_back_loses_no_key(tmp_path, schema):
    clock = ManualClock(1_800_000_000.0)
    path = old_database(tmp_path, schema)
    before = shape(path)
    update(path)
    with closing(connect(path)) as database:
        queue = WorkQueue(database, clock)
        queue.add("scene", 1)
        queue.add("performer", 7, delay=3.0)
        queue.add_many([("tag", 3)], priority=2)
        database.execute(DEAD, (9,))
        # Written since: one more, one again, and one is not there any more.
        database.execute(RECORD, (50, 2.0))
        database.execute(RECORD, (52, 2.0))
        database.execute("DELETE FROM scene_record WHERE scene_id = 51")
    done = take_back(str(tmp_path), None, clock)
    assert shape(path) == before
    wanted = {("scene", 1), ("performer", 7), ("tag", 3), ("scene", 9)}
    assert keys(path) == wanted | {("scene", 50), ("scene", 51), ("scene", 52)}
    assert (done.schema, done.keys, done.compared) == (schema, 4, 3)
    assert read(path, "SELECT due_at FROM queue WHERE kind = 'performer'") == [(clock.now + 3,)]
    assert read(path, "SELECT due_at, generation FROM queue WHERE id = 1") == [(6.0, 2)]
    assert read(path, "SELECT priority FROM queue WHERE kind = 'tag'") == [
        (2 if schema > 6 else 1,)
    ]
    assert read(path, "PRAGMA integrity_check") == [("ok",)]
    # What was replaced is kept too, and the newer version can carry on at any time.
    newest, oldest = sorted(list_copies(str(tmp_path)), key=lambda copy: -copy.schema)
    assert (newest.name, oldest.name) == (done.replaced, done.name)
    assert keys(newest.path) == wanted - {("scene", 9)}
    update(path)
    assert keys(path) >= wanted


def test_a_database_of_a_newer_version_can_be_left(tmp_path):
    """An older version does not open it; its `restore` does."""
    clock = ManualClock()
    path = old_database(tmp_path, 13)
    update(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(KEY, ("scene", 77))
        database.execute("CREATE TABLE of_tomorrow (id INTEGER PRIMARY KEY)")
        database.execute("PRAGMA user_version = 99")
        database.commit()
    with pytest.raises(StoreTooNew, match="stash2plex restore"):
        connect(path)
    take_back(str(tmp_path), None, clock)
    assert ("scene", 77) in keys(path)
    assert read(path, "PRAGMA user_version") == [(13,)]
    assert read(path, "SELECT 1 FROM sqlite_master WHERE name = 'of_tomorrow'") == []


class TestRefusals:
    """What cannot be taken back changes nothing."""

    @pytest.fixture
    def folder(self, tmp_path):
        update(old_database(tmp_path, 13))
        return str(tmp_path)

    def refuse(self, folder, error, match, name=None):
        before = shape(os.path.join(folder, "stash2plex.db"))
        with pytest.raises(error, match=match) as met:
            take_back(folder, name, ManualClock())
        assert shape(os.path.join(folder, "stash2plex.db")) == before
        # Nobody holds the lock afterwards.
        lock = drain_lock(folder)
        assert lock.acquire()
        lock.release()
        return met.value

    def test_a_process_that_drains(self, folder):
        lock = drain_lock(folder)
        assert lock.acquire()
        with pytest.raises(StoreUnavailable, match="is sending scenes now") as caught:
            take_back(folder, None, ManualClock())
        assert caught.value.fix == (
            "Set the plugin's setting Background worker to off, wait ten seconds until the worker "
            "has ended, and run this again."
        )
        lock.release()

    def test_an_unknown_name(self, folder):
        self.refuse(folder, UsageError, "There are: stash2plex-", "other.db")

    def test_no_copy_at_all(self, tmp_path):
        update(str(tmp_path / "stash2plex.db"))
        self.refuse(str(tmp_path), UsageError, "There is no copy in")

    def test_a_damaged_copy(self, folder):
        (copy,) = list_copies(folder)
        with open(copy.path, "r+b") as file:
            file.truncate(8192)
        self.refuse(folder, StoreDamaged, "is damaged")
        with open(copy.path, "wb") as file:
            file.write(b"not a database at all" * 99)
        self.refuse(folder, StoreDamaged, "is damaged")

    def test_a_copy_of_another_schema_than_its_name_has(self, folder):
        (copy,) = list_copies(folder)
        with closing(sqlite3.connect(copy.path)) as database:
            database.execute("PRAGMA user_version = 12")
        before = shape(os.path.join(folder, "stash2plex.db"))
        error = self.refuse(folder, StoreDamaged, "The copy “.*” is damaged")
        assert error.fix == "Take another one."
        assert shape(os.path.join(folder, "stash2plex.db")) == before

    def test_a_copy_of_a_newer_version(self, folder):
        (copy,) = list_copies(folder)
        with closing(sqlite3.connect(copy.path)) as database:
            database.execute("PRAGMA user_version = 99")
        os.rename(copy.path, copy.path.replace("schema13", "schema99"))
        self.refuse(folder, StoreTooNew, "newer Stash2Plex")

    def test_no_room_for_a_copy_of_the_present_one(self, folder, monkeypatch):
        monkeypatch.setattr(copies, "SPARE_BYTES", 2**62)
        self.refuse(folder, StoreUnavailable, "no room")

    def test_no_database(self, folder):
        os.remove(os.path.join(folder, "stash2plex.db"))
        with pytest.raises(StoreUnavailable, match="does not exist"):
            take_back(folder, None, ManualClock())


def test_two_copies_of_one_second_have_two_names(tmp_path):
    path = old_database(tmp_path, 13)
    names = {copies.make_copy(path, 13, 1_800_000_000.0) for _ in range(2)}
    assert len(names) == 2
    drop_old_copies(str(tmp_path))
    assert {copy.name for copy in list_copies(str(tmp_path))} == names


SAVES = """
import sys, time
from stash2plex.db import connect
from stash2plex.workqueue import WorkQueue
path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for number in range(first, last):
    WorkQueue(connect(path), time.time).add("scene", number)
    print(number, flush=True)
"""


def test_saves_of_other_processes_meanwhile_lose_no_key(tmp_path):
    """They migrate what was taken back: as a plugin does that was not replaced in time."""
    path = old_database(tmp_path, 13)
    update(path)
    clock = ManualClock(1_800_000_000.0)
    saves = [
        subprocess.Popen(
            [sys.executable, "-c", SAVES, path, str(first), str(first + 40)],
            stdout=subprocess.PIPE, text=True,
        )
        for first in (1000, 2000)
    ]  # fmt: skip
    for process in saves:
        assert process.stdout is not None
        process.stdout.readline()
    while any(process.poll() is None for process in saves):
        oldest = min(list_copies(str(tmp_path)), key=lambda copy: copy.schema)
        take_back(str(tmp_path), oldest.name, clock)
    for process in saves:
        process.communicate()
        assert process.returncode == 0
    wanted = {("scene", first + number) for first in (1000, 2000) for number in range(40)}
    assert keys(path) >= wanted


NAMED = f"stash2plex-20260102-030405-schema{SCHEMA_NUMBER}.db"


class Vanishing:
    """Opens databases, and takes a copy away before the second one is opened."""

    def __init__(self, path):
        self.path, self.number, self.open = path, 0, sqlite3.connect

    def __call__(self, *given, **more):
        self.number += 1
        if self.number == 2:
            os.remove(self.path)
        return self.open(*given, **more)


def test_a_copy_that_goes_away_meanwhile_changes_nothing(data_folder, database, monkeypatch):
    path = str(data_folder / "stash2plex.db")
    database.execute("INSERT INTO queue (kind, id, priority, added_at, due_at) VALUES"
                     " ('scene', 1, 0, 5.0, 6.0)")  # fmt: skip
    kept = Copy(str(data_folder), NAMED)
    # It is there while it is checked, and taken away meanwhile.
    monkeypatch.setattr(sqlite3, "connect", Vanishing(kept.path))
    shutil.copy(path, kept.path)
    with pytest.raises(StoreError):
        restore(str(data_folder), kept, ManualClock())
    assert list(database.execute("SELECT id FROM queue")) == [(1,)]
    assert os.path.exists(path)


def test_a_file_that_is_no_database_is_no_copy(data_folder):
    kept = Copy(str(data_folder), NAMED)
    (data_folder / NAMED).write_bytes(b"no database at all, though it is long enough" * 40)
    with pytest.raises(StoreDamaged):
        restore(str(data_folder), kept, ManualClock())


def test_without_a_copy_there_is_nothing_to_go_back_to(data_folder):
    with pytest.raises(UsageError) as met:
        find_copy(str(data_folder), None)
    assert str(met.value) == (
        f"There is no copy in “{data_folder}”. One is made before an update changes the database."
    )
