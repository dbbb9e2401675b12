"""How many requests a scene costs Plex, with read-back on."""

from __future__ import annotations

import pytest

from stash2plex_testing.stash import picture
from tests.harness.in_process import Desk

SCENES = 450
"""More than two claims, and more than the scenes whose pictures are kept in memory."""


@pytest.fixture
def desk(tmp_path):
    with Desk(str(tmp_path), skip_fields="") as desk:
        yield desk


def test_what_scenes_cost_plex(desk):
    covers = [picture(number) for number in range(1, 5)]
    scenes = []
    for number in range(SCENES):
        path = f"{number}/pier-{number}.mp4"
        scenes.append(desk.scene(path, size=1000 + number, cover=covers[number % 4]))
        desk.item(path, size=1000 + number)
    desk.plex.clear_log()
    desk.drain(*scenes)
    # What Plex shows of the pictures is read back as well.
    desk.clock.step(5)
    desk.drain()
    assert desk.rows("SELECT 1 FROM picture_check") == []
    assert all({*item.selected} == {"posters", "arts"} for item in desk.plex.all_items())
    assert desk.plex.count() <= 3.05 * SCENES, "new"
    for scene in scenes:
        scene.details += " Seen again."
    desk.plex.clear_log()
    desk.drain(*scenes)
    assert desk.plex.count("PUT") == SCENES
    assert desk.plex.count() <= 1.03 * SCENES, "another text"
    desk.plex.clear_log()
    desk.drain(*scenes)
    assert desk.plex.count(None, "/library/metadata|/all") == 0, "unchanged"
    scenes[7].title = "Saved alone"
    desk.plex.clear_log()
    desk.drain(scenes[7])
    assert desk.plex.count(None, "/library/metadata|/all") <= 3, "a single save"
