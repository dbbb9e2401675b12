"""Every field of a scene arrives as Stash holds it, and an empty one as empty."""

from __future__ import annotations

import pytest

from stash2plex.app import make_stash
from stash2plex.model import StashFile
from stash2plex.servers.stash_address import StashAddress
from stash2plex_testing.stash import FakeStash


@pytest.fixture
def stash(tmp_path):
    with FakeStash(root=str(tmp_path)) as stash:
        yield stash


@pytest.fixture
def client(stash):
    client = make_stash(StashAddress(stash.url))
    yield client
    client.close()


def test_each_field_arrives(stash, client):
    scene = stash.add_scene(
        title="Quay 7",
        details="At dusk.",
        director="Director 3",
        code="QUAY-7",
        date="2026-05-06",
        rating100=85,
        organized=True,
        studio=stash.add_studio("Harbour Studio"),
        performers=[stash.add_performer("Performer 17", disambiguation="the elder")],
        tags=[stash.add_tag("Lantern"), stash.add_tag("Fog")],
        groups=[stash.add_group("Piers")],
        files=["/data/quay.mp4", "/data/pier.mp4"],
        sizes=[100, 200],
    )
    read = client.scenes([scene.id])[scene.id]
    assert (read.id, read.title, read.details) == (scene.id, "Quay 7", "At dusk.")
    assert (read.director, read.code, read.date) == ("Director 3", "QUAY-7", "2026-05-06")
    assert (read.rating100, read.organized, read.updated_at) == (85, True, scene.updated_at)
    assert read.files == (StashFile("/data/quay.mp4", 100), StashFile("/data/pier.mp4", 200))
    assert read.studio is not None
    assert read.studio.name == "Harbour Studio"
    assert [(one.name, one.disambiguation) for one in read.performers] == [
        ("Performer 17", "the elder")
    ]
    assert {one.name for one in read.tags} == {"Lantern", "Fog"}
    assert [one.name for one in read.groups] == ["Piers"]
    assert f"/scene/{scene.id}/screenshot" in read.screenshot


def test_what_a_scene_lacks_is_empty(stash, client):
    scene = stash.add_scene()
    read = client.scenes([scene.id])[scene.id]
    assert (read.title, read.details, read.director, read.code, read.date) == ("",) * 5
    assert (read.rating100, read.organized, read.studio) == (None, False, None)
    assert read.files == read.performers == read.tags == read.groups == ()
