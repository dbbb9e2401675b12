"""Since when the worker is off, and that a worker that is on again is on for the next save."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.store.worker_choice import OFF_FRESH_SECONDS, WorkerChoice, keep_choice, read_choice


@pytest.fixture
def store(tmp_path, clock):
    made = open_store(str(tmp_path), clock, Random(1))
    yield made
    made.connection.close()


def test_a_worker_that_is_switched_on_again_is_on_for_the_next_save(store):
    database = store.connection
    assert not read_choice(database).off
    keep_choice(database, "off", 1_000.0)
    assert read_choice(database) == WorkerChoice(True, 1_000.0)
    keep_choice(database, "off", 1_000.0 + OFF_FRESH_SECONDS - 1)
    assert read_choice(database).since == 1_000.0
    keep_choice(database, "off", 1_000.0 + OFF_FRESH_SECONDS)
    assert read_choice(database).since == 1_000.0 + OFF_FRESH_SECONDS
    keep_choice(database, "auto", 3_000.0)
    assert not read_choice(database).off
