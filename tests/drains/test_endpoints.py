"""An endpoint that fails holds up the pictures that need it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex.operations.health.local_checks import check_breaker
from stash2plex.sync.picture_lane import FULL, MAX_KEPT
from stash2plex.sync.pipeline import BATCH
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture
from stash2plex_testing.stash.faults import Fault as StashFault
from tests.harness.in_process import listen

ALWAYS: dict[str, Any] = {"times": None}


def fill(make_desk, number, **settings):
    """Give a desk with scenes that have covers, and their items."""
    desk = make_desk(skip_fields="", **settings)
    pairs = [
        (
            desk.scene(f"pier-{each}.mp4", cover=picture(each + 1)),
            desk.item(f"pier-{each}.mp4"),
        )
        for each in range(number)
    ]
    return desk, pairs


def shown(pairs):
    """Name what the items show, and what they should."""
    return [item.title for _, item in pairs], [scene.title for scene, _ in pairs]


def kinds(pairs):
    return {frozenset(item.selected) for _, item in pairs}


def assert_nobody_is_blamed(desk):
    assert desk.dead() == {}
    assert desk.rows("SELECT * FROM outage") == []
    assert desk.rows("SELECT * FROM queue") == []


@pytest.mark.parametrize("kind", ["status", "reset", "html", "hang"])
def test_thirty_texts_while_no_upload_succeeds_and_the_pictures_afterwards(make_desk, kind):
    desk, pairs = fill(make_desk, 30, read_timeout=1)
    fault = Fault(kind, status=500, **ALWAYS, **scopes.uploads("both"))
    desk.plex.faults.add(fault)
    summary = desk.drain(*(scene for scene, _ in pairs))
    texts, wanted = shown(pairs)
    assert texts == wanted
    assert summary.progress.done == 30
    assert " 30 in Plex except for their pictures, which follow, next at " in summary.sentence()
    assert desk.plex.count("PUT") == 30
    assert desk.plex.count("POST", "/(posters|arts)$") <= 12
    assert desk.rows("SELECT count(*) FROM waiting_picture") == [(30,)]
    assert_nobody_is_blamed(desk)
    desk.plex.faults.clear()
    desk.work(200.0)
    assert kinds(pairs) == {frozenset({"posters", "arts"})}
    assert desk.rows("SELECT scene_id FROM waiting_picture") == []
    assert desk.app.store.pictures.endpoints() == []
    assert_nobody_is_blamed(desk)


def test_backgrounds_alone_fail_and_posters_go_on(make_desk):
    desk, pairs = fill(make_desk, 10)
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.uploads("arts")))
    desk.drain(*(scene for scene, _ in pairs))
    assert kinds(pairs) == {frozenset({"posters"})}
    (state,) = desk.app.store.pictures.endpoints()
    assert (state.name, state.is_shut) == ("backgrounds", True)
    check = check_breaker(desk.app)
    assert check.detail.startswith("Plex has taken no background since ")
    assert check.detail.endswith(" The pictures of 10 scenes wait; their texts are in Plex.")
    desk.plex.faults.clear()
    desk.work(200.0)
    assert kinds(pairs) == {frozenset({"posters", "arts"})}
    assert {item.number_of_uploads for _, item in pairs} == {2}


def test_posters_alone_fail_and_health_names_them(make_desk):
    desk, pairs = fill(make_desk, 6)
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.uploads("posters")))
    desk.drain(*(scene for scene, _ in pairs))
    assert kinds(pairs) == {frozenset({"arts"})}
    assert check_breaker(desk.app).detail.startswith("Plex has taken no poster since ")


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_covers_of_stash_fail_and_the_texts_go_on(make_desk, kind):
    desk, pairs = fill(make_desk, 10)
    desk.stash.faults.add(StashFault(kind, path="/screenshot", status=500, times=None))
    desk.drain(*(scene for scene, _ in pairs))
    texts, wanted = shown(pairs)
    assert texts == wanted
    assert kinds(pairs) == {frozenset()}
    assert check_breaker(desk.app).detail.startswith("Stash has given no cover since ")
    assert_nobody_is_blamed(desk)
    desk.stash.faults.clear()
    desk.work(200.0)
    assert kinds(pairs) == {frozenset({"posters", "arts"})}


def test_a_save_arrives_while_the_uploads_of_the_scene_before_fail(make_desk):
    desk, pairs = fill(make_desk, 2)
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.uploads()))
    scene, item = pairs[0]
    desk.drain(scene)
    scene.title, scene.updated_at = "Saved again", "2027-02-01T00:00:00Z"
    desk.drain(scene)
    assert item.title == "Saved again"
    desk.plex.faults.clear()
    desk.work(200.0)
    assert set(item.selected) == {"posters", "arts"}


def test_an_upload_of_one_item_that_fails_for_ever_is_given_up_alone(make_desk):
    desk, pairs = fill(make_desk, 6, max_retries=2)
    bad, item = pairs[0]
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.item(item, "upload")))
    desk.drain(bad)
    for scene, _ in pairs[1:]:
        desk.drain(scene)
        desk.work(130.0)
    assert desk.dead() == {bad.id: "unavailable"}
    assert (item.title, item.selected) == (bad.title, {})
    assert kinds(pairs[1:]) == {frozenset({"posters", "arts"})}
    assert desk.rows("SELECT * FROM outage") == []
    # The user retries it once Plex takes it.
    desk.plex.faults.clear()
    desk.app.store.queue.redrive()
    desk.drain()
    assert set(item.selected) == {"posters", "arts"}
    assert desk.dead() == {}


def test_pictures_that_fail_are_reported_once_for_their_endpoint(make_desk):
    desk = make_desk(skip_fields="")
    lines = listen(desk)
    scenes = [desk.scene(f"{n}.mp4", size=n, cover=picture(n)) for n in range(1, 5)]
    for n in range(1, 5):
        desk.item(f"{n}.mp4", size=n)
    desk.plex.faults.add(Fault("status", times=None, **scopes.uploads("posters")))
    desk.drain(*scenes)
    told = [line for line in lines if "wait, the texts go on; nothing is lost." in line]
    assert len(told) == 1
    assert " The posters wait, " in told[0]


def test_pictures_that_wait_survive_the_process(make_desk):
    desk, pairs = fill(make_desk, 5)
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.uploads()))
    desk.drain(*(scene for scene, _ in pairs))
    desk.plex.faults.clear()
    desk.restart()
    desk.drain()
    desk.work(100.0)
    assert kinds(pairs) == {frozenset({"posters", "arts"})}


def test_uploads_that_are_refused_though_plex_lets_us_in_hold_up_no_text(make_desk):
    desk, pairs = fill(make_desk, 5)
    desk.plex.faults.add(Fault("status", status=403, **ALWAYS, **scopes.uploads()))
    summary = desk.drain(*(scene for scene, _ in pairs))
    assert summary.error is None
    texts, wanted = shown(pairs)
    assert texts == wanted
    assert_nobody_is_blamed(desk)


def test_a_server_that_goes_down_between_text_and_picture_loses_neither(make_desk):
    desk, pairs = fill(make_desk, 5)
    fault = Fault.maintenance(times=None, **scopes.uploads())
    desk.plex.faults.add(fault)
    desk.clock.at[desk.clock.now + 30.0] = desk.plex.faults.clear
    desk.drain(*(scene for scene, _ in pairs))
    desk.work(200.0)
    assert kinds(pairs) == {frozenset({"posters", "arts"})}
    assert desk.dead() == {}


def test_a_sweep_that_finds_waiting_pictures_asks_plex_nothing(make_desk):
    desk, pairs = fill(make_desk, 3)
    desk.plex.faults.add(Fault("status", status=500, **ALWAYS, **scopes.uploads()))
    scenes = [scene for scene, _ in pairs]
    desk.drain(*scenes)
    desk.drain()
    desk.plex.clear_log()
    desk.app.store.queue.add_many([("scene", scene.id) for scene in scenes])
    desk.drain()
    assert desk.plex.count("GET", "^/library/metadata/[0-9,]+$") <= 1
    assert desk.plex.count("PUT") == 0


def test_what_is_in_hand_when_the_texts_begin_to_wait_for_the_pictures_is_kept():
    # Up to two claims. The pictures of any other scene cost a read of its item more.
    assert FULL + 2 * BATCH <= MAX_KEPT
