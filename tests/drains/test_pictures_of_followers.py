"""Pictures of the items that follow, one file in several libraries, wait apart and come later."""

from __future__ import annotations

import pytest

from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture

BOTH = {"posters", "arts"}


@pytest.fixture
def pier(make_desk):
    """Give a desk, a scene with a cover, and its items in three libraries."""
    desk = make_desk(skip_fields="", max_retries=3)
    items = [desk.item("a/pier.mp4")]
    for name in ("Old Harbour", "Quay"):
        section = desk.plex.add_section(name, locations=["/media"])
        items.append(desk.plex.add_item(section, "/media/a/pier.mp4", size=100))
    return desk, desk.scene("a/pier.mp4", cover=picture(1)), items


def chosen(items):
    return [{*item.selected} for item in items]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("kind", ["posters", "arts", "both"])
def test_all_uploads_fail_and_follow_later(pier, kind, restart):
    desk, scene, items = pier
    desk.plex.faults.add(Fault("status", times=None, **scopes.uploads(kind)))
    desk.drain(scene)
    assert [item.title for item in items] == [scene.title] * 3
    assert all(BOTH - one for one in chosen(items))
    assert desk.rows("SELECT 1 FROM outage") == []
    desk.plex.faults.clear()
    if restart:
        desk.restart()
    desk.work(600)
    assert chosen(items) == [BOTH] * 3
    assert desk.rows("SELECT 1 FROM waiting_picture") == []
    assert desk.dead() == {}


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_the_uploads_of_one_of_the_items_fail(pier, bad):
    desk, scene, items = pier
    desk.plex.faults.add(Fault("status", times=None, **scopes.item(items[bad], "upload")))
    desk.drain(scene)
    assert [item.title for item in items] == [scene.title] * 3
    good = [item for item in items if item is not items[bad]]
    assert chosen(good) == [BOTH] * 2, "the others have theirs"
    uploads = desk.plex.count("POST", f"/({good[0].rating_key}|{good[1].rating_key})/")
    desk.plex.faults.clear()
    desk.work(600)
    assert chosen(items) == [BOTH] * 3
    again = desk.plex.count("POST", f"/({good[0].rating_key}|{good[1].rating_key})/")
    assert again == uploads, "what is there is not sent again"
