"""What SQLite and the file system really raise, and which error and advice it becomes."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from stash2plex.db import FULL_FIX, HELD_FIX, RIGHTS_FIX, connect, sqlite_code, store_error
from stash2plex.errors import StoreDamaged, StoreUnavailable

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOOK = "Check the disk and the folder's permissions."


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    connect(path).close()
    return path


def raised(connection, statement):
    with pytest.raises(sqlite3.Error) as caught:
        connection.execute(statement)
    return caught.value


def locked(path):
    with closing(connect(path)) as one, closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        one.execute("PRAGMA busy_timeout = 1")
        return raised(one, "BEGIN IMMEDIATE")


def table_locked(path):
    with closing(connect(path)) as one:
        rows = one.execute("SELECT 1 UNION ALL SELECT 2 FROM sqlite_schema")
        next(rows)
        return raised(one, "DROP TABLE queue")


def full(path):
    with closing(connect(path)) as one:
        (pages,) = one.execute("PRAGMA page_count").fetchone()
        one.execute(f"PRAGMA max_page_count = {pages}")
        return raised(one, "CREATE TABLE harbour AS SELECT zeroblob(100000)")


def read_only(path):
    with closing(connect(path)) as one:
        one.execute("PRAGMA query_only = ON")
        return raised(one, "DELETE FROM queue")


def opened_read_only(path):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as one:
        return raised(one, "DELETE FROM queue")


def no_folder(path):
    with pytest.raises(sqlite3.Error) as caught:
        sqlite3.connect(path + "/nowhere/x.db")
    return caught.value


def no_database(path):
    with open(path, "wb") as file:
        file.write(b"harbour " * 1000)
    with closing(sqlite3.connect(path)) as one:
        return raised(one, "SELECT * FROM queue")


def malformed(path):
    with closing(sqlite3.connect(path)) as one:
        one.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'queue'"
        (page,) = one.execute(sql).fetchone()
        (size,) = one.execute("PRAGMA page_size").fetchone()
    with open(path, "r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with closing(sqlite3.connect(path)) as one:
        return raised(one, "SELECT * FROM queue")


@pytest.mark.parametrize(
    ("provoke", "kind", "code", "fix"),
    [
        (locked, StoreUnavailable, sqlite3.SQLITE_BUSY, HELD_FIX),
        (table_locked, StoreUnavailable, sqlite3.SQLITE_LOCKED, HELD_FIX),
        (full, StoreUnavailable, sqlite3.SQLITE_FULL, FULL_FIX),
        (read_only, StoreUnavailable, sqlite3.SQLITE_READONLY, RIGHTS_FIX),
        (opened_read_only, StoreUnavailable, sqlite3.SQLITE_READONLY, RIGHTS_FIX),
        (no_folder, StoreUnavailable, sqlite3.SQLITE_CANTOPEN,
         "Make its folder writable for the user that runs Stash."),
        (no_database, StoreDamaged, sqlite3.SQLITE_NOTADB, None),
        (malformed, StoreDamaged, sqlite3.SQLITE_CORRUPT, None),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_an_error_of_sqlite_is_known_by_its_code(path, provoke, kind, code, fix):
    error = provoke(path)
    assert sqlite_code(error) == code
    mapped = store_error(error, path)
    assert (type(mapped), mapped.fix) == (kind, fix)
    assert path in mapped.what
    assert str(error) in mapped.what


READS_BEYOND = """import resource, sqlite3, sys
sys.path.insert(0, {root!r})
from stash2plex.db import connect, sqlite_code, store_error
one = connect({path!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    one.execute("CREATE TABLE harbour AS SELECT zeroblob(1000000)")
except sqlite3.Error as error:
    print(sqlite_code(error) == sqlite3.SQLITE_IOERR, store_error(error, "here").fix)
"""


def test_a_disk_that_fails_in_another_way_is_to_be_looked_at(path):
    code = READS_BEYOND.format(root=ROOT, path=path)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == f"True {LOOK}\n"


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, FULL_FIX),
        (errno.EDQUOT, FULL_FIX),
        (errno.EACCES, RIGHTS_FIX),
        (errno.EROFS, RIGHTS_FIX),
        (errno.EIO, LOOK),
    ],
)
def test_an_error_of_the_file_system_is_known_by_its_number(number, fix):
    # Some of the numbers are codes of SQLite too, with another meaning.
    error = store_error(OSError(number, os.strerror(number), "x"), "/harbour/stash2plex.db")
    assert str(error) == (f"“/harbour/stash2plex.db” cannot be used: {os.strerror(number)}. {fix}")


def test_a_folder_where_the_database_should_be(tmp_path):
    (tmp_path / "stash2plex.db").mkdir()
    with pytest.raises(StoreUnavailable, match="unable to open") as caught:
        connect(str(tmp_path / "stash2plex.db"))
    assert caught.value.fix == "Make its folder writable for the user that runs Stash."


def test_an_error_that_sqlite_did_not_report_has_no_code(path):
    with closing(connect(path)) as one:
        pass
    with pytest.raises(sqlite3.ProgrammingError) as caught:
        one.execute("SELECT 1")
    assert sqlite_code(caught.value) is None
    assert store_error(caught.value, path).fix == LOOK
