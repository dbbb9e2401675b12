"""What becomes of a key: each way a run may end, with one bad key among good ones."""

from __future__ import annotations

import re

import pytest

from stash2plex.rules.policy import MAX_INTERRUPTIONS
from stash2plex_testing.plex import Fault
from tests.harness.in_process import fill

LATER = 130.0
"""Seconds: longer than any probe and any backoff of a first failure."""

AT_ONCE = 0.1
"""Seconds: a worker that lives for no longer waits for nothing."""


@pytest.fixture
def three(make_desk):
    """Give three scenes with their items, none of them synced."""
    desk = make_desk()
    scenes = [desk.scene(f"a/{number}.mp4", size=number) for number in (1, 2, 3)]
    items = [desk.item(f"a/{number}.mp4", size=number) for number in (1, 2, 3)]
    return desk, scenes, items


def before_a_request(desk, method, pattern, deed):
    """Have something happen in Plex once, just before it answers a request."""
    answer = desk.plex.handle
    pending = [deed]

    def handle(handler):
        if pending and handler.command == method and re.search(pattern, handler.path):
            pending.pop()()
        answer(handler)

    desk.plex.handle = handle


# -- values that go away ------------------------------------------------------------------


def test_a_rating_removed_in_stash_is_removed_in_plex(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4", rating100=80), desk.item("a/pier.mp4")
    desk.drain(scene)
    assert item.floats["userRating"] == 8.0
    scene.rating100 = None
    desk.drain(scene)
    assert "userRating" not in item.floats
    assert desk.rows("SELECT * FROM queue") == []


# -- a key that ends the worker -----------------------------------------------------------


@pytest.mark.parametrize("ended", [MAX_INTERRUPTIONS - 1, MAX_INTERRUPTIONS])
def test_a_key_that_ended_the_worker_twenty_times_is_given_up(three, ended):
    desk, scenes, items = three
    queue = desk.app.store.queue
    for _ in range(ended):
        desk.add(scenes[0])
        assert [claim.id for claim in queue.claim(1, 60.0)] == [scenes[0].id]
        # The process dies; the next one frees what it held.
        queue.take_over()
    desk.drain(*scenes[1:])
    assert [item.title for item in items[1:]] == [scene.title for scene in scenes[1:]]
    if ended < MAX_INTERRUPTIONS:
        assert desk.dead() == {}
        assert items[0].title == scenes[0].title
        return
    assert desk.dead() == {scenes[0].id: "interrupted"}
    assert "ended 20 times" in desk.errors()[scenes[0].id]
    assert items[0].title == "1"
    # Whoever puts it back gets it tried afresh.
    assert queue.redrive() == 1
    desk.drain()
    assert items[0].title == scenes[0].title


# -- one that spoils it for others --------------------------------------------------------


def test_a_scene_that_spoils_a_read_of_stash_costs_only_itself(three):
    desk, scenes, items = three
    desk.stash.faults.add(
        "graphql_error", operation=r"s2: findScene", message="unexpected null", times=None
    )
    desk.add(*scenes)
    desk.work(AT_ONCE)
    assert [items[0].title, items[2].title] == [scenes[0].title, scenes[2].title]
    assert desk.rows("SELECT id, attempts, reason FROM queue") == [(2, 1, "transient")]


def test_an_item_that_spoils_a_read_of_plex_costs_only_itself(three):
    desk, scenes, items = three
    pattern = r"^/library/metadata/.*\b2\b"
    desk.plex.faults.add(Fault("status", path=pattern, status=400, times=None))
    desk.add(*scenes)
    desk.work(AT_ONCE)
    assert [items[0].title, items[2].title] == [scenes[0].title, scenes[2].title]
    assert desk.dead() == {2: "rejected"}
    assert desk.rows("SELECT * FROM queue") == []


def test_a_key_that_plex_fails_on_does_not_keep_its_outage_going(three):
    """After an outage one key is tried at a time: not always the same one."""
    desk, scenes, items = three
    desk.plex.faults.add(Fault("status", method="PUT", times=None))
    desk.add(scenes[0])
    desk.app.store.queue.add_many([("scene", scene.id) for scene in scenes[1:]])
    desk.work(10)
    assert desk.rows("SELECT state FROM breaker") == [("open",)]
    # Plex is back, but for one item.
    desk.plex.faults.clear()
    desk.plex.faults.add(Fault("status", method="PUT", query={"id": "1"}, times=None))
    desk.work(LATER)
    assert [item.title for item in items[1:]] == [scene.title for scene in scenes[1:]]


def test_a_scene_that_cannot_be_read_keeps_its_title(make_desk):
    desk = make_desk()
    scenes = fill(desk, 2)
    desk.drain(*scenes)
    desk.stash.faults.add(
        "graphql_error", operation=r"s1: findScene", message="unexpected null", times=None
    )
    desk.add(*scenes)
    desk.work(2)
    assert set(desk.rows("SELECT id, title FROM failure")) == {(1, "About 0.mp4")}


# -- items that go away -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "pattern"),
    [("GET", "^/library/metadata/"), ("PUT", "^/library/sections/")],
    ids=["read", "edit"],
)
def test_an_item_that_came_back_under_another_key_is_looked_up_at_once(three, method, pattern):
    desk, scenes, items = three
    before_a_request(desk, method, pattern, lambda: desk.plex.readd_item(items[0]))
    desk.add(scenes[0])
    desk.work(AT_ONCE)
    assert desk.titles() == ["2", "3", scenes[0].title]
    assert desk.rows("SELECT * FROM queue") == []
    assert desk.dead() == {}


def test_an_item_that_left_plex_since_it_was_listed_is_waited_for(three):
    desk, scenes, items = three
    before_a_request(desk, "GET", "^/library/metadata/", lambda: desk.plex.remove_item(items[0]))
    desk.drain(*scenes)
    assert desk.titles() == [scene.title for scene in scenes[1:]]
    assert desk.rows("SELECT id, snoozes, reason FROM queue") == [(1, 1, "not_in_plex")]


def test_an_item_that_leaves_plex_during_an_edit_of_many_costs_the_others_nothing(make_desk):
    desk = make_desk()
    studio = desk.stash.add_studio("Quay")
    scenes, items = [], []
    for number in (1, 2, 3):
        scenes.append(desk.scene(f"a/{number}.mp4", number, title="", details="", studio=studio))
        items.append(desk.item(f"a/{number}.mp4", number))
    before_a_request(desk, "PUT", "^/library/sections/", lambda: desk.plex.remove_item(items[1]))
    desk.drain(*scenes)
    assert {item.texts.get("studio") for item in desk.plex.all_items()} == {"Quay"}
    assert desk.plex.count("PUT") == 1
    assert desk.rows("SELECT id, attempts, snoozes FROM queue") == [(2, 0, 1)]
    assert desk.rows("SELECT reason FROM failure") == [("not_in_plex",)]


def test_one_failed_read_of_many_items_is_one_failure_of_plex(make_desk):
    desk = make_desk()
    scenes = [desk.scene(f"{number}.mp4") for number in range(6)]
    for number in range(6):
        desk.item(f"{number}.mp4")
    desk.plex.faults.add(Fault("status", path="^/library/metadata/", status=503, times=1))
    assert desk.drain(*scenes).progress.done == 6
    assert desk.rows("SELECT * FROM outage") == []


# -- scenes that go away ------------------------------------------------------------------


def test_scenes_that_are_gone_are_forgotten_and_plex_keeps_what_it_has(make_desk):
    desk = make_desk()
    scenes = fill(desk, 2)
    desk.drain(*scenes)
    for scene in scenes:
        desk.stash.library.destroy_scene(scene)
    desk.drain(*scenes)
    assert desk.rows("SELECT id FROM scene") == []
    assert desk.titles() == [scene.title for scene in scenes]
