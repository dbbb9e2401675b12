"""The counts of scenes: what each place adds, and when the list is known to be complete."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.db import get_meta
from stash2plex.store.meta import SCENES_AS_OF
from stash2plex.store.scene_counts import count_scenes


@pytest.fixture
def opened(tmp_path, clock):
    store = open_store(str(tmp_path), clock, Random(1))
    yield store
    store.connection.close()


def test_scenes_are_counted_where_they_stand(database):
    database.executemany(
        "INSERT INTO scene (id, standing, place) VALUES (?, ?, ?)",
        [(1, "in_sync", 0), (2, "excluded", 0), (3, "", 1), (4, "", 1), (5, "", 2)],
    )
    states, reasons = count_scenes(database, 100.0, worker_runs=False)
    assert reasons == {"excluded": 1}
    assert sum(states.values()) == 5
    # A place of a newer version is in no count.
    database.execute("UPDATE scene SET place = 9 WHERE id = 5")
    states, _ = count_scenes(database, 100.0, worker_runs=False)
    assert sum(states.values()) == 4


def test_as_many_scenes_as_are_known_confirm_the_list(opened, clock):
    scenes, read = opened.scenes, opened.connection
    # Before all were seen once, nothing is confirmed.
    scenes.confirm(0)
    assert get_meta(read, SCENES_AS_OF) is None
    scenes.all_seen()
    first = get_meta(read, SCENES_AS_OF)
    clock.step(60.0)
    scenes.confirm(1)
    assert get_meta(read, SCENES_AS_OF) == first
    scenes.confirm(0)
    assert get_meta(read, SCENES_AS_OF) == f"{clock():.3f}"
