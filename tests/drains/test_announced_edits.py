"""What an edit is about to leave in Plex is recorded first: an edit without answer stays ours."""

from __future__ import annotations

import pytest

from stash2plex_testing.plex import Fault, scopes


@pytest.fixture
def shelf(make_desk):
    """Return a desk that keeps edits made in Plex, a scene in sync, and its two items."""
    desk = make_desk(preserve_plex_edits=True)
    other = desk.plex.add_section("All Films", locations=["/media"])
    scene = desk.scene("a/pier.mp4")
    items = [desk.item("a/pier.mp4"), desk.plex.add_item(other, "/media/a/pier.mp4", size=100)]
    desk.drain(scene)
    assert [item.title for item in items] == [scene.title] * 2
    return desk, scene, items


def lose_answer(desk, scene, item, title):
    """Change a title in Stash; Plex takes the edit of an item, and does not answer any more."""
    faults = [
        Fault("close", times=None, after_apply=True, **scopes.item(item, "edit")),
        Fault("close", "GET", "^/library/metadata/", times=None, after=1),
    ]
    for fault in faults:
        desk.plex.faults.add(fault)
    scene.title = title
    desk.add(scene)
    desk.work(2)
    for fault in faults:
        desk.plex.faults.remove(fault)
    assert (item.title, desk.rows("SELECT count(*) FROM queue")) == (title, [(1,)])
    desk.restart()
    desk.clock.step(7200)


@pytest.mark.parametrize("which", [0, 1], ids=["the first item", "one that follows"])
def test_an_edit_without_an_answer_is_not_taken_for_the_users(shelf, which):
    desk, scene, items = shelf
    lose_answer(desk, scene, items[which], "Second")
    scene.title = "Third"
    desk.drain(scene)
    assert items[which].title == "Third"


def test_an_edit_of_the_user_is_kept_all_the_same(shelf):
    desk, scene, items = shelf
    lose_answer(desk, scene, items[0], "Second")
    items[0].title = "By hand"
    scene.title = "Third"
    desk.drain(scene)
    assert items[0].title == "By hand"
