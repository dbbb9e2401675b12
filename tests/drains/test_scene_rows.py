"""Rows of a list of scenes: what a damaged record leaves of them."""

from __future__ import annotations

import pytest

from stash2plex.rules.scene_states import IN_SYNC
from stash2plex.store.scene_lists import list_state
from tests.harness.in_process import fill


@pytest.mark.parametrize("written", ["[]", "5", "null", "{", '{"title": 5}', "{}"])
def test_a_scene_whose_record_holds_no_title_is_listed_without_one(make_desk, written):
    desk = make_desk()
    scenes = fill(desk, 2)
    desk.drain(*scenes)
    desk.rows("UPDATE scene_record SET written = ? WHERE scene_id = 1", written)
    connection = desk.app.store.connection
    rows = list_state(connection, IN_SYNC, desk.clock(), runs=False, limit=9, offset=0)
    assert [(row.id, row.title) for row in rows] == [(1, ""), (2, "About 1.mp4")]
