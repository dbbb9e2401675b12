"""An item that goes wrong costs itself: no outage, and the scenes beside it are in Plex at once."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash.faults import Fault as StashFault

ALWAYS: dict[str, Any] = {"times": None}


@pytest.fixture
def desk(make_desk):
    return make_desk()


def pair(desk, name):
    return desk.scene(f"{name}.mp4"), desk.item(f"{name}.mp4")


def outages(desk):
    return desk.rows("SELECT server, cause FROM outage")


def drain_for(desk, seconds):
    """Process the queue until nothing is due within `seconds`."""
    end = desk.clock.now + seconds
    while desk.clock.now < end:
        desk.drain()
        desk.clock.step(10.0)


def test_a_bad_item_alone_in_the_queue_is_given_up_without_an_outage(desk):
    bad, item = pair(desk, "bad")
    pair(desk, "good")
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.item(item, "edit")))
    desk.drain(bad)
    drain_for(desk, 600.0)
    assert desk.dead() == {bad.id: "unavailable"}
    assert outages(desk) == []
    assert desk.app.store.breakers["plex"].read().state == "closed"


@pytest.mark.parametrize("kind", ["reset", "close", "html", "half"])
def test_whatever_kind_of_failure_it_is(desk, kind):
    (bad, item), (good, other) = pair(desk, "bad"), pair(desk, "good")
    desk.plex.faults.add(Fault(kind, **ALWAYS, **scopes.item(item, "edit")))
    desk.drain(bad, good)
    drain_for(desk, 600.0)
    assert desk.dead() == {bad.id: "unavailable"}
    assert other.title == good.title
    assert outages(desk) == []


def test_two_bad_items_are_no_witnesses_against_the_server(desk):
    first, second, good = (pair(desk, name) for name in ("first", "second", "good"))
    for _, item in (first, second):
        desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.item(item, "edit")))
    desk.drain(first[0], second[0])
    assert desk.rows("SELECT count(DISTINCT id) FROM failure") == [(2,)]
    desk.drain(good[0])
    assert good[1].title == good[0].title
    drain_for(desk, 600.0)
    assert set(desk.dead()) == {first[0].id, second[0].id}
    assert outages(desk) == []


def test_an_item_that_cannot_be_read_is_found_among_many(desk):
    pairs = [pair(desk, f"pier-{number}") for number in range(12)]
    bad, item = pairs[5]
    details = {**scopes.item(item, "read"), "path": "^/library/metadata/"}
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **details))
    desk.drain(*(scene for scene, _ in pairs))
    assert [one.title for scene, one in pairs if scene is not bad] == [
        scene.title for scene, _ in pairs if scene is not bad
    ]
    assert desk.rows("SELECT DISTINCT id FROM failure") == [(bad.id,)]
    assert outages(desk) == []
    assert desk.plex.count("GET", r"^/library/metadata/") < 24


def test_half_open_a_bad_item_that_is_let_through_first_holds_up_nobody(desk):
    (bad, item), (good, other) = pair(desk, "bad"), pair(desk, "good")
    desk.plex.down()

    def come_back():
        desk.plex.up()
        desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.item(item, "edit")))

    desk.clock.at[desk.clock.now + 30.0] = come_back
    desk.drain(bad, good)
    assert other.title == good.title
    assert desk.rows("SELECT DISTINCT id FROM failure") == [(bad.id,)]
    assert desk.rows("SELECT ended_at IS NULL FROM outage") == [(0,)]


def test_an_outage_that_begins_costs_no_scene_an_attempt(desk):
    pairs = [pair(desk, f"pier-{number}") for number in range(8)]
    desk.drain(pairs[0][0])
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS))
    desk.clock.at[desk.clock.now + 30.0] = desk.plex.faults.clear
    desk.plex.clear_log()
    desk.drain(*(scene for scene, _ in pairs))
    assert [item.title for _, item in pairs] == [scene.title for scene, _ in pairs]
    assert desk.rows("SELECT count(*) FROM failure UNION SELECT count(*) FROM dead_letter") == [
        (0,)
    ]
    assert [server for server, _ in outages(desk)] == ["plex"]


def test_one_field_that_plex_does_not_take_leaves_the_others(desk):
    desk.restart(max_retries=2)
    performer = desk.stash.add_performer("Performer 17")
    scene = desk.scene("pier.mp4", performers=[performer], rating100=80)
    item = desk.item("pier.mp4")
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.field("summary")))
    desk.drain(scene)
    assert (item.title, item.texts.get("summary", "")) == (scene.title, "")
    assert (item.tags["actor"], item.floats["userRating"]) == (["Performer 17"], 8.0)
    drain_for(desk, 100.0)
    assert desk.errors()[scene.id].startswith(
        f"Plex does not take the summary of “{scene.title}”: Plex answered the edit with 500."
    )
    assert outages(desk) == []
    # A later save of another field arrives, and so does this one once Plex takes it.
    desk.plex.faults.clear()
    desk.app.store.queue.redrive()
    desk.drain()
    assert item.texts["summary"] == scene.details


def test_a_field_that_plex_rejects_leaves_the_others(desk):
    scene, item = pair(desk, "pier")
    desk.plex.faults.add(Fault("status", status=400, **ALWAYS, **scopes.field("title")))
    desk.drain(scene)
    assert item.texts["summary"] == scene.details
    assert desk.errors()[scene.id].startswith(f"Plex does not take the title of “{scene.title}”")


def test_an_entity_that_stash_cannot_list_costs_itself(desk):
    performer = desk.stash.add_performer("Performer 17")
    desk.stash.faults.add(StashFault("status", operation="SceneIds", after=0, times=1, status=500))
    desk.app.store.queue.add("performer", performer.id)
    desk.drain()
    assert desk.rows("SELECT kind, attempts FROM queue") in ([], [("performer", 1)])
    assert outages(desk) == []
