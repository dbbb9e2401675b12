"""A queue and its runs; a database with the breaker of Plex."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.db import connect
from stash2plex.store.breaker import Breaker
from stash2plex.store.queue import Queue
from tests.store.runbench import bench
from tests.support import ManualClock

__all__ = ["bench", "store"]


@pytest.fixture
def store(tmp_path):
    clock = ManualClock()
    connection = connect(str(tmp_path / "stash2plex.db"))
    yield connection, clock, Breaker(connection, "plex", clock, Random(1))
    connection.close()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def database(tmp_path):
    connection = connect(str(tmp_path / "stash2plex.db"))
    yield connection
    connection.close()


@pytest.fixture
def queue(database, clock):
    return Queue(database, clock)
