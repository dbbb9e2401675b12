"""An interpreter that closes cursors late, as PyPy does: an answer not read to its end stays open."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from stash2plex.db import connect, get_meta, set_meta, transaction
from stash2plex.operations.enqueue import enqueue_all
from stash2plex.sync.observer import Silent


class Late(sqlite3.Connection):
    """Keeps each of its cursors as long as it lives."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.kept = []

    def execute(self, *arguments):
        cursor = super().execute(*arguments)
        self.kept.append(cursor)
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


def test_a_sync_of_everything_ends(make_desk, late):
    desk = make_desk()
    for number in range(1, 4):
        desk.scene(f"a/{number}.mp4", size=number, title=f"Lantern {number}")
        desk.item(f"a/{number}.mp4", size=number)
    enqueue_all(desk.app)
    desk.process(Silent())
    assert {item.title for item in desk.plex.all_items()} == {"Lantern 1", "Lantern 2", "Lantern 3"}
    assert any(connection.kept for connection in late)
