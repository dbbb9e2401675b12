"""Where every scene stands: the counts add up to the scenes in Stash, whatever happened."""

from __future__ import annotations

import pytest

from stash2plex.operations.enqueue import enqueue_all
from stash2plex.operations.status import read_status, stored_status
from stash2plex.rules.scene_states import STATES
from stash2plex.sync.observer import Silent
from stash2plex.sync.sweep import Idle


def counts(desk):
    """Return the states that hold any scene, after checking that they add up."""
    scenes = stored_status(desk.app)["scenes"]
    assert sum(scenes[state] for state in STATES) == scenes["total"]
    assert read_status(desk.app)["scenes"] == scenes
    return {state: scenes[state] for state in STATES if scenes[state]}


def total(desk):
    return stored_status(desk.app)["scenes"]["total"]


def test_before_anybody_looked_nothing_is_claimed(make_desk):
    desk = make_desk()
    desk.scene("a.mp4")
    assert counts(desk) == {}
    assert stored_status(desk.app)["scenes"]["as_of"] is None


def test_a_fresh_library_is_counted_though_nobody_asked_for_it(make_desk):
    desk = make_desk(exclude_tags="Fog", only_organized=True)
    fog = desk.stash.add_tag("Fog")
    desk.scene("a.mp4", organized=True)
    desk.scene("b.mp4", organized=True, tags=[fog])
    desk.scene("c.mp4")
    desk.scene("d.mp4", organized=True, title="", details="")
    desk.work(30)
    assert counts(desk) == {"to_send": 1, "left_out": 3}
    assert stored_status(desk.app)["scenes"]["left_out_because"] == {
        "excluded": 1,
        "no_metadata": 1,
        "not_organized": 1,
    }
    assert desk.rows("SELECT id FROM queue") == []


def test_every_state_on_the_way_of_some_scenes(make_desk):
    desk = make_desk(max_retries=1)
    here, twin, gone, bad = (desk.scene(f"{name}.mp4", size=n) for n, name in enumerate("abcd", 1))
    desk.item("a.mp4", size=1)
    # Two items fit: it is given up.
    desk.item("x/d.mp4", size=4)
    desk.item("y/d.mp4", size=4)
    enqueue_all(desk.app)
    assert counts(desk) == {"to_send": 4}
    desk.process(Silent())
    assert counts(desk) == {"in_sync": 1, "not_in_plex": 2, "given_up": 1}
    desk.add(here)
    assert counts(desk) == {"to_send": 1, "not_in_plex": 2, "given_up": 1}
    # A scene is destroyed, and its hook is lost: the sweep finds out.
    desk.stash.library.destroy_scene(gone)
    desk.stash.library.destroy_scene(bad)
    desk.process(Silent())
    enqueue_all(desk.app)
    desk.process(Silent())
    assert counts(desk) == {"in_sync": 1, "not_in_plex": 1}
    new = desk.scene("new.mp4")
    desk.add(new)
    assert total(desk) == 3
    as_of = stored_status(desk.app)["scenes"]["as_of"]
    desk.clock.step(5)
    desk.stash.library.destroy_scene(new)
    desk.process(Silent())
    assert counts(desk) == {"in_sync": 1, "not_in_plex": 1}
    assert stored_status(desk.app)["scenes"]["as_of"] > as_of
    desk.app.store.queue.clear_waiting()
    assert counts(desk) == {"in_sync": 1, "to_send": 1}
    desk.app.store.records.invalidate_all()
    assert counts(desk) == {"to_send": 2}
    assert twin.id


def test_a_scene_that_plex_need_not_have_is_not_in_plex(make_desk):
    desk = make_desk(skip_not_found=True)
    desk.drain(desk.scene("a.mp4"))
    assert counts(desk) == {"not_in_plex": 1}


def test_a_setting_that_changes_moves_scenes_to_another_state(make_desk):
    desk = make_desk()
    fog = desk.stash.add_tag("Fog")
    for number, name in enumerate(("a.mp4", "b.mp4"), 1):
        desk.scene(name, size=number, tags=[fog] if number == 1 else [])
        desk.item(name, size=number)
    enqueue_all(desk.app)
    desk.process(Silent())
    assert counts(desk) == {"in_sync": 2}
    desk.restart(exclude_tags="Fog")
    desk.work(30)
    assert counts(desk) == {"in_sync": 1, "left_out": 1}


def test_the_time_of_the_counts_goes_on_while_nothing_is_missed(make_desk):
    desk = make_desk()
    desk.scene("a.mp4")
    desk.work(30)
    first = stored_status(desk.app)["scenes"]["as_of"]
    desk.clock.step(600)
    desk.restart()
    desk.work(30)
    assert stored_status(desk.app)["scenes"]["as_of"] > first


@pytest.mark.parametrize(
    ("only_organized", "organized", "why"),
    [
        (False, False, Idle.EXCLUDED),
        (True, True, Idle.EXCLUDED),
        (True, False, Idle.NOT_ORGANIZED),
    ],
)
def test_why_a_scene_is_left_out_is_the_reason_that_holds(
    make_desk, only_organized, organized, why
):
    desk = make_desk(exclude_tags="Fog", only_organized=only_organized)
    desk.scene("a/pier.mp4", tags=[desk.stash.add_tag("Fog")], organized=organized)
    assert enqueue_all(desk.app).idle == {why: 1}
