"""A queue and its runs; a database with the breaker of Plex."""

from __future__ import annotations

import logging
import shutil
from random import Random

import pytest

from stash2plex.db import connect
from stash2plex.store.breaker import Breaker
from stash2plex.store.queue import Queue
from tests.harness.in_process import Heard
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


@pytest.fixture(scope="session")
def ready_database(tmp_path_factory):
    """Return the path of a database with all tables: a copy is there in a millisecond."""
    path = tmp_path_factory.mktemp("ready") / "stash2plex.db"
    connect(str(path)).close()
    return path


@pytest.fixture
def data_folder(tmp_path, ready_database):
    """Return a data folder with a database that has nothing in its tables."""
    shutil.copy(ready_database, tmp_path)
    return tmp_path


@pytest.fixture
def database(data_folder):
    connection = connect(str(data_folder / "stash2plex.db"))
    yield connection
    connection.close()


@pytest.fixture
def queue(database, clock):
    return Queue(database, clock)


@pytest.fixture
def heard():
    """Return what our package logs."""
    handler = Heard()
    logger = logging.getLogger("stash2plex")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler.lines
    logger.removeHandler(handler)
    logger.setLevel(level)
