"""Lists of Stash are read as a whole, however few rows it sends unasked."""

from __future__ import annotations

import pytest

from stash2plex.app import make_stash
from stash2plex.servers import stash as stash_client
from stash2plex.servers.stash_address import StashAddress
from stash2plex_testing.stash import FakeStash

NUMBER = 60
"""More than the page that Stash sends where none is asked for."""


@pytest.fixture
def client(tmp_path):
    with FakeStash(root=str(tmp_path)) as stash:
        for number in range(NUMBER):
            stash.add_scene(title=f"Pier {number}", files=[f"/data/{number}.mp4"])
        client = make_stash(StashAddress(stash.url))
        yield client
        client.close()


@pytest.mark.parametrize("size", [1_000, 7])
def test_every_scene_is_listed_once(client, monkeypatch, size):
    monkeypatch.setattr(stash_client, "PAGE", size)
    ids = [id_ for page in client.scene_ids() for id_ in page]
    assert ids == list(range(1, NUMBER + 1))
    scenes = [scene.id for page in client.all_scenes() for scene in page.scenes]
    assert scenes == ids
    assert [scene.id for scene in client.scene_page(NUMBER - 3).scenes] == ids[-3:]


def test_a_criterion_goes_beside_the_page(client):
    some = {"path": {"value": "/data/1", "modifier": "INCLUDES"}}
    assert [id_ for page in client.scene_ids(some) for id_ in page] == [
        2, *range(11, 21)
    ]  # fmt: skip
