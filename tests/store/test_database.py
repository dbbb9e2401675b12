"""Opening, migrating and refusing a database; records, breaker and progress in it."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import closing
from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.datadir import locate, prepare
from stash2plex.db import (
    CACHE_KIB,
    SCHEMA_NUMBER,
    WAL_PAGES,
    connect,
    get_meta,
    set_meta,
    transaction,
)
from stash2plex.errors import StoreDamaged, StoreTooNew, StoreUnavailable


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "stash2plex.db")


@pytest.fixture
def database(path):
    connection = connect(path)
    yield connection
    connection.close()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_files_are_for_their_owner_only(tmp_path):
    path = prepare(str(tmp_path / "deep" / "data"))
    database = connect(path)
    set_meta(database, "a", "b")
    assert mode(tmp_path / "deep" / "data") == 0o700
    assert {mode(path + end) for end in ("", "-wal", "-shm")} == {0o600}
    database.close()


def test_a_fresh_file_has_the_newest_schema_and_an_old_connection_reads_it(path, database):
    assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_NUMBER,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    again = connect(path)
    again.close()


def test_a_file_that_another_process_is_making_is_waited_for(tmp_path, monkeypatch):
    path = str(tmp_path / "a.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE lamp (lit)")
        other.execute("BEGIN IMMEDIATE")
        waited = []

        def sleep(seconds):
            waited.append(seconds)
            if other.in_transaction:
                other.execute("ROLLBACK")
                other.execute("DROP TABLE lamp")

        monkeypatch.setattr(time, "sleep", sleep)
        with closing(connect(path)) as database:
            assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert waited


def test_a_newer_schema_is_refused_and_left_alone(path, database):
    database.execute(f"PRAGMA user_version = {SCHEMA_NUMBER + 1}")
    with pytest.raises(StoreTooNew, match="newer Stash2Plex"):
        connect(path)
    assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_NUMBER + 1,)


def test_a_file_that_is_no_database_is_named_as_damaged(path):
    with open(path, "wb") as file:
        file.write(b"harbour " * 1000)
    with pytest.raises(StoreDamaged):
        connect(path)
    with open(path, "rb") as file:
        assert file.read(7) == b"harbour"


def test_a_database_without_its_tables_is_named_and_closed(tmp_path, clock):
    path = prepare(str(tmp_path))
    with closing(connect(path)) as database:
        database.execute("DROP TABLE meta")
    with pytest.raises(StoreUnavailable, match="no such table: meta"):
        open_store(str(tmp_path), clock, Random(1))


def test_a_folder_that_cannot_be_used_says_what_to_do(tmp_path):
    (tmp_path / "taken").write_text("a file in the folder's place")
    with pytest.raises(StoreUnavailable, match="Move it away"):
        prepare(str(tmp_path / "taken" / "data"))
    with pytest.raises(StoreUnavailable):
        connect(str(tmp_path / "missing" / "stash2plex.db"))


def test_where_the_data_folder_is(monkeypatch, tmp_path):
    assert locate("/config", "/plugin") == "/config/stash2plex"
    assert locate(None, "/plugin") == "/plugin/data"
    monkeypatch.setenv("STASH_PLUGIN_DATA", "/three")
    assert locate("/config", "/plugin") == "/three"
    monkeypatch.setenv("STASH2PLEX_DATA_DIR", "/four")
    assert locate("/config", "/plugin") == "/four"


def test_without_a_folder_to_put_it_in_there_is_no_data_folder(monkeypatch):
    with pytest.raises(StoreUnavailable) as caught:
        locate(None, None)
    assert "STASH2PLEX_DATA_DIR" in (caught.value.fix or "")


def test_the_outermost_transaction_decides(database):
    def fail_after_the_inner_one():
        with transaction(database):
            with transaction(database):
                set_meta(database, "inner", "1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_the_inner_one()
    assert get_meta(database, "inner") is None
    with transaction(database):
        set_meta(database, "inner", "2")
    assert get_meta(database, "inner") == "2"
    assert not database.in_transaction


def test_a_transaction_that_sqlite_has_taken_back_itself_ends_with_its_error(tmp_path):
    with closing(connect(str(tmp_path / "a.db"))) as database:

        def full_disk():
            with transaction(database):
                database.execute("ROLLBACK")
                raise sqlite3.OperationalError("database or disk is full")

        with pytest.raises(sqlite3.OperationalError, match="disk is full"):
            full_disk()
        assert not database.in_transaction


def pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_only_a_worker_commits_without_a_flush_to_disk(path):
    # 2 is FULL: a hook's commit is the only trace of an edit; 1 is NORMAL.
    with closing(connect(path)) as hook, closing(connect(path, relaxed=True)) as worker:
        assert (pragma(hook, "synchronous"), pragma(worker, "synchronous")) == (2, 1)
        assert pragma(worker, "cache_size") == -CACHE_KIB
        assert pragma(worker, "wal_autocheckpoint") == WAL_PAGES


def test_a_value_is_stored_over_its_earlier_one(database):
    assert get_meta(database, "lamp") is None
    set_meta(database, "lamp", "lit")
    set_meta(database, "lamp", "out")
    set_meta(database, "fog", "dense")
    assert (get_meta(database, "lamp"), get_meta(database, "fog")) == ("out", "dense")


def test_a_worker_can_still_read_what_sqlite_of_the_system_writes(path, database):
    other = sqlite3.connect(path)
    assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    other.close()
