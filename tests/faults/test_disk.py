"""Disks that are full, read-only, on the network or gone, and databases that are damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from random import Random

import pytest

from stash2plex import db
from stash2plex.app import StashAddress, open_app, open_store
from stash2plex.db import connect, uses_wal
from stash2plex.workqueue import WorkQueue

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def network_drive(monkeypatch):
    """Make SQLite lock by files and share no memory, as on a network drive."""
    real = sqlite3.connect

    def over_the_network(path, **options):
        return real(f"file:{path}?vfs=unix-dotfile", uri=True, **options)

    monkeypatch.setattr(db.sqlite3, "connect", over_the_network)
    return real


def test_a_network_drive_gets_a_rollback_journal_and_says_so(tmp_path, network_drive):
    said = []
    address = StashAddress("http://127.0.0.1:9")
    app = open_app(str(tmp_path), address, warn=said.append)
    app.store.queue.add("scene", 1)
    (claim,) = app.store.queue.claim(1, 60.0)
    other = WorkQueue(connect(str(tmp_path / "stash2plex.db")), time.time)
    other.add("scene", 2)
    assert app.store.queue.ack(claim)
    assert other.counts().pending == 1
    assert not uses_wal(app.store.connection)
    assert "a network drive?" in said[0]
    other._db.close()
    app.close()


def test_a_database_moved_to_a_network_drive_keeps_its_keys(tmp_path, network_drive, monkeypatch):
    local, moved = tmp_path / "local", tmp_path / "moved"
    local.mkdir()
    monkeypatch.setattr(db.sqlite3, "connect", network_drive)
    database = connect(str(local / "stash2plex.db"))
    WorkQueue(database, time.time).add("scene", 5)
    shutil.copytree(local, moved)
    database.close()
    monkeypatch.undo()
    monkeypatch.setattr(
        db.sqlite3,
        "connect",
        lambda path, **options: network_drive(f"file:{path}?vfs=unix-dotfile", uri=True, **options),
    )
    store = open_store(str(moved), time.time, Random(1))
    assert [claim.id for claim in store.queue.claim(9, 60.0)] == [5]
    store.connection.close()
