"""An interpreter that closes cursors late, as PyPy does: what is not read to its end stays open."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from stash2plex.db import connect, get_meta, set_meta, transaction
from stash2plex.operations.enqueue import enqueue_all
from stash2plex.sync.observer import Silent
from stash2plex_testing.plex.faults import Fault


class Read(sqlite3.Cursor):
    """Knows whether its answer was read to the end; looks one row ahead for that, as PyPy does."""

    left = False
    ahead: tuple[object, ...] | None = None

    def fetchone(self):
        row, self.ahead = self.ahead or super().fetchone(), None
        self.ahead = None if row is None else super().fetchone()
        self.left = self.ahead is not None
        return row

    def __next__(self):
        self.left = True
        try:
            return super().__next__()
        except StopIteration:
            self.left = False
            raise


class Late(sqlite3.Connection):
    """Keeps each of its cursors as long as it lives; `left` are answers open before a write."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.kept = []
        self.left = []

    def execute(self, *arguments):
        if arguments[0].startswith("BEGIN"):
            self.left += [sql for cursor, sql in self.kept if cursor.left]
        cursor = self.cursor(Read)
        cursor.execute(*arguments)
        self.kept.append((cursor, arguments[0]))
        return cursor


@pytest.fixture(autouse=True)
def late(monkeypatch):
    """Make every connection of this process a late one; returns them."""
    opened = []
    ordinary = sqlite3.connect

    def open_late(*arguments, **options):
        opened.append(ordinary(*arguments, **(options | {"factory": Late})))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", open_late)
    return opened


def test_a_late_connection_fails_where_an_answer_is_left_open(tmp_path):
    """Shows that the fixture does what the other tests rest on."""
    with closing(sqlite3.connect(tmp_path / "quay.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("BEGIN IMMEDIATE")
        database.execute("CREATE TABLE quay (id)")
        with pytest.raises(sqlite3.OperationalError, match="statements in progress"):
            database.execute("COMMIT")


def test_a_new_database_is_made(tmp_path):
    with closing(connect(str(tmp_path / "quay.db"), relaxed=True)) as database:
        with transaction(database):
            set_meta(database, "lantern", "lit")
        assert get_meta(database, "lantern") == "lit"


def test_no_answer_stays_open_while_scenes_are_sent_fail_and_wait(make_desk, late):
    """An open answer holds an old view of the database; what is written over it is refused."""
    desk = make_desk(max_retries=2)
    for number in range(1, 5):
        desk.scene(f"a/{number}.mp4", size=number, title=f"Lantern {number}")
        if number < 4:
            desk.item(f"a/{number}.mp4", size=number)
    enqueue_all(desk.app)
    desk.plex.faults.add(Fault("status", method="PUT", status=400, times=3))
    for _ in range(4):
        desk.process(Silent())
        desk.clock.step(7_200)
    assert {item.title for item in desk.plex.all_items()} & {"Lantern 1", "Lantern 2", "Lantern 3"}
    assert any(connection.kept for connection in late)
    assert [sql for connection in late for sql in connection.left] == []
