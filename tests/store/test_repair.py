"""Which database is set aside as damaged, and which is left as it is."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from stash2plex.datadir import DATABASE_NAME, prepare
from stash2plex.db import connect, get_meta, set_meta, transaction
from stash2plex.errors import StoreUnavailable
from stash2plex.store import repair
from stash2plex.store.inspection import read_through
from stash2plex.store.repair import rebuild_mark, replace_damaged


class Failing:
    """A database on a disk that cannot be read."""

    def execute(self, _text):
        raise sqlite3.OperationalError("disk I/O error")

    def close(self):
        """Close nothing."""


def test_a_database_on_a_failing_disk_is_not_set_aside(data_folder, monkeypatch):
    monkeypatch.setattr(repair, "connect", lambda _: Failing())
    with pytest.raises(StoreUnavailable):
        repair.replace_damaged(str(data_folder))
    assert [name for name in os.listdir(data_folder) if "damaged" in name] == []


def test_a_database_that_another_process_has_mended_meanwhile_stays(tmp_path):
    path = prepare(str(tmp_path))
    with closing(connect(path)) as database, transaction(database):
        set_meta(database, "lamp", "lit")
    replace_damaged(str(tmp_path))
    with closing(connect(path)) as database:
        assert get_meta(database, "lamp") == "lit"
        assert rebuild_mark(database) is None
    assert [name for name in os.listdir(tmp_path) if "damaged" in name] == []


def with_rollback_journal(path):
    """Open a database in which a writer keeps readers out, as on a network folder."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")


def test_a_page_of_rubbish_is_damage_and_a_lock_is_not(tmp_path):
    path = prepare(str(tmp_path))
    with closing(connect(path)) as database, transaction(database):
        for number in range(200):
            set_meta(database, f"lamp {number}", "lit " * 100)
    with_rollback_journal(path)
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.seek(size // 2)
        file.write(b"harbour " * ((size - size // 2) // 8))
    replace_damaged(str(tmp_path))
    aside = [name for name in os.listdir(tmp_path) if "damaged" in name]
    with closing(connect(path)) as database:
        assert [rebuild_mark(database)] == aside


def test_a_locked_database_is_no_damaged_one(tmp_path):
    path = str(tmp_path / DATABASE_NAME)
    connect(path).close()
    with_rollback_journal(path)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as writer,
        closing(sqlite3.connect(path, isolation_level=None, timeout=0.0)) as reader,
    ):
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="locked"):
            read_through(reader, path, lambda: False)
        writer.execute("ROLLBACK")
        assert read_through(reader, path, lambda: False).damage == ""
