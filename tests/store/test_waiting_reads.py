"""Pictures that an earlier version left in wait for an endpoint that nothing tries."""

from __future__ import annotations

from contextlib import closing

from stash2plex.db import connect
from stash2plex.rules.endpoints import POSTERS
from stash2plex.store.waiting_pictures import FRESH, WaitingPictures
from tests.harness.old_database import old_database

WAITING = "INSERT INTO waiting_picture (scene_id, tag, waits_for, due_at) VALUES (?, 'a', ?, 1.0)"


def test_an_update_frees_pictures_that_waited_for_reads(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    with old_database(path, 15) as old:
        old.executemany(WAITING, [(1, "reads"), (2, POSTERS), (3, FRESH)])
    with closing(connect(path)) as database:
        pictures = WaitingPictures(database, lambda: 2.0)
        assert {one.scene_id for one in pictures.due(FRESH, 9)} == {1, 3}
        assert [one.scene_id for one in pictures.due(POSTERS, 9)] == [2]
