"""What one unreadable item, library or answer costs a comparison or a picture, and what goes on."""

from __future__ import annotations

import time

import pytest
from attrs import evolve

from stash2plex.errors import Refused, TooLarge, Unavailable
from stash2plex.model import Record
from stash2plex.operations.health.local_checks import check_breaker
from stash2plex.rules.drift import Kind
from stash2plex.servers.transport import Transport
from stash2plex.store.records import with_pictures
from stash2plex.store.worker_choice import keep_choice
from stash2plex.sync.reconcile import Scope
from stash2plex.text import Private, local
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture
from tests.harness.in_process import listen
from tests.support import present


def compare(desk):
    run = desk.app.make_reconciliation(desk.app.open_session(), Scope.ALL)
    for _ in run.pages():
        pass
    return run.report()


def marks(desk):
    return desk.rows("SELECT count(*) FROM plex_comparison")[0][0]


@pytest.fixture
def pier_and_quay(make_desk):
    """Return a desk with two scenes in sync, and their items."""
    desk = make_desk()
    scenes = [desk.scene("pier.mp4", size=1), desk.scene("quay.mp4", size=2)]
    items = [desk.item("pier.mp4", size=1), desk.item("quay.mp4", size=2)]
    desk.drain(*scenes)
    return desk, scenes, items


def test_an_item_that_cannot_be_read_is_named_and_the_others_are_compared(pier_and_quay):
    desk, scenes, items = pier_and_quay
    for item in items:
        item.title = "By hand"
        item.updated_at = int(desk.clock()) + 1
    fault = desk.plex.faults.add(Fault("status", times=None, **scopes.item(items[0], "read")))
    desk.clock.step(60)
    report = compare(desk)
    (unread,) = report.unread
    assert unread.startswith(f"Scene {scenes[0].id} “About pier.mp4”: ")
    assert (report.scenes, report.queued, report.in_sync) == (2, 1, 0)
    desk.plex.faults.remove(fault)
    # The library is not taken for compared: the next run finds what this one did not see.
    report = compare(desk)
    assert (report.unread, report.counts[Kind.DRIFTED]) == ((), 2)


def test_a_library_that_does_not_say_what_changed_is_compared_as_a_whole(pier_and_quay):
    desk, _, items = pier_and_quay
    assert compare(desk).in_sync == 2
    items[0].title = "By hand"
    items[0].updated_at = int(desk.clock()) + 1
    desk.clock.step(60)
    fault = desk.plex.faults.add(
        Fault("status", path="/library/sections/", parameter="^(updatedAt|lastRatedAt)", times=None)
    )
    report = compare(desk)
    assert fault.hits > 0
    assert (report.queued, report.in_sync) == (1, 1)


@pytest.fixture
def shelf(make_desk):
    """Return a desk with pictures, a scene with a cover, and its items in two libraries."""
    desk = make_desk(skip_fields="")
    other = desk.plex.add_section("All Films", locations=["/media"])
    scene = desk.scene("a/pier.mp4", cover=picture(1))
    items = [desk.item("a/pier.mp4"), desk.plex.add_item(other, "/media/a/pier.mp4", size=100)]
    desk.drain(scene)
    return desk, scene, items


def test_each_item_of_a_scene_gets_its_pictures_once(shelf):
    desk, scene, items = shelf
    assert [item.number_of_uploads for item in items] == [2, 2]
    desk.drain(scene)
    assert [item.number_of_uploads for item in items] == [2, 2]
    desk.clock.step(2)
    scene.cover, scene.updated_at = picture(2), "2027-02-01T00:00:01Z"
    desk.drain(scene)
    assert [item.number_of_uploads for item in items] == [4, 4]
    desk.plex.clear_log()
    desk.clock.step(2)
    scene.title, scene.updated_at = "Only the title", "2027-02-01T00:00:02Z"
    desk.drain(scene)
    assert desk.plex.count("POST") == 0
    # What each has is known, so that Plex is not asked for its pictures.
    assert desk.plex.count("GET", "/(posters|arts)$") == 0
    assert [item.title for item in items] == ["Only the title"] * 2
    known = desk.app.store.followers.of(scene.id)["2"]
    assert known.poster_hash == present(desk.app.store.records.get(scene.id)).poster_hash != ""


def test_a_private_value_is_quoted_and_is_the_same_as_its_like():
    assert str(Private("Pier")) == "“Pier”"
    assert repr(Private("Pier")) == "Private('Pier')"
    assert Private("Pier") == Private("Pier")
    assert len({Private("Pier"), Private("Pier"), Private("Quay")}) == 2
    assert Private("Pier") != "Pier"


def test_a_report_counts_the_requests_of_its_own_run(pier_and_quay):
    desk, _, _ = pier_and_quay
    run = desk.app.make_reconciliation(desk.app.open_session(), Scope.ALL)
    list(run.pages())
    desk.stash.clear_log()
    desk.plex.clear_log()
    # One run follows the other with the same clients, which count on.
    first = run.report().requests
    session = desk.app.open_session()
    again = desk.app.make_reconciliation(session, Scope.ALL)
    asked = len(desk.stash.requests), desk.plex.count()
    list(again.pages())
    sent = {
        "stash": len(desk.stash.requests) - asked[0], "plex": desk.plex.count() - asked[1],
    }  # fmt: skip
    assert again.report().requests == sent
    assert sum(first.values()) > 0


def test_a_look_that_fails_is_due_again_and_leaves_nothing_to_do_now(pier_and_quay):
    desk, _, _ = pier_and_quay
    settings = desk.app.settings()
    desk.clock.step(3_600)
    desk.stash.down()
    step = desk.app.sweeper.step
    assert not any(step(settings, desk.app.stash, by_clock=True, seconds=5.0) for _ in range(2))
    assert desk.rows("SELECT failures > 0 FROM breaker WHERE server = 'stash'") == [(1,)]


def test_the_time_of_a_server_is_that_of_its_answers(make_desk):
    desk = make_desk()
    assert desk.app.stash.server_time is None
    desk.app.stash.ping()
    assert desk.app.stash.server_time == pytest.approx(time.time(), abs=600.0)


def test_pictures_are_known_of_the_same_item_only():
    record = Record(1, "7", "1", "/media/a.mp4", "the whole path", "f", {})
    held = evolve(record, poster_hash="p", background_hash="b", cover_tag="t")
    assert with_pictures(record, None) == record
    assert with_pictures(record, evolve(held, rating_key="8")) == record
    known = with_pictures(record, held)
    assert (known.poster_hash, known.background_hash) == ("p", "b")


def look(desk, settings):
    """Let the sweeper look at Stash; returns how many steps that took."""
    steps = 0
    while desk.app.sweeper.step(settings, desk.app.stash, by_clock=False, seconds=30.0):
        steps += 1
    return steps


def test_a_step_waits_for_the_answer_of_stash(pier_and_quay):
    desk, _, _ = pier_and_quay
    settings = desk.app.settings()
    desk.clock.step(3_600)
    look(desk, settings)
    desk.clock.step(3_600)
    desk.stash.clear_log()
    # Each step takes one answer, so it did not go round and round meanwhile.
    assert look(desk, settings) == len(desk.stash.requests)


def test_settings_that_stash_shows_as_changed_are_read_again_once(pier_and_quay):
    desk, _, _ = pier_and_quay
    settings, moved = desk.app.settings(), []
    for stored in (None, None, {"max_tags": 7}, None):
        if stored:
            desk.stash.configure_plugin("Stash2Plex", stored)
        desk.clock.step(3_600)
        look(desk, settings)
        moved.append(desk.app.sweeper.settings_moved)
    assert moved == [False, False, True, False]


def test_health_names_the_server_that_is_waited_for_and_its_next_try(make_desk):
    desk = make_desk()
    assert check_breaker(desk.app).ok
    for _ in range(3):
        desk.app.store.breakers["plex"].failed(Unavailable("Plex", "Plex rests."), 1)
    state = desk.app.store.breakers["plex"].read()
    check = check_breaker(desk.app)
    assert check.detail == f"Waiting for Plex since {local(state.since)}: Plex rests."
    desk.clock.step(60)
    assert "in 0 s" in present(check_breaker(desk.app).fix)
    desk.app.store.breakers["plex"].failed(Refused("Plex", "The token is wrong."), 1)
    assert check_breaker(desk.app).detail.startswith("Plex has refused access since ")


def test_a_scene_that_changed_is_compared_though_its_item_did_not(pier_and_quay):
    desk, scenes, items = pier_and_quay
    desk.clock.step(7_200)
    # What Plex changed last is looked at each time; that is the other item.
    items[1].updated_at = int(desk.clock())
    assert compare(desk).in_sync == 2
    desk.clock.step(60)
    scenes[0].title = "Edited in Stash"
    desk.stash.library.touch(scenes[0])
    desk.plex.clear_log()
    report = compare(desk)
    assert (report.queued, report.in_sync) == (1, 1)


def test_an_answer_as_large_as_it_may_be_is_read_and_a_larger_one_dropped(make_desk):
    desk = make_desk()
    body = b"x" * 2_048
    desk.plex.faults.add(Fault("status", status=200, body=body, path="^/large$", times=None))

    def read(limit):
        asks = Transport("Plex", desk.plex.url, headers={}, connect_timeout=5, read_timeout=5)
        try:
            return len(asks.request("GET", "/large", what="a test", limit=limit).body)
        finally:
            asks.close()

    assert read(2_048) == 2_048
    with pytest.raises(TooLarge, match="Plex sent more than 1 KiB for a test"):
        read(2_047)


def test_a_drain_that_begins_asks_a_server_that_was_away_at_once(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a.mp4"), desk.item("a.mp4")
    for _ in range(9):
        desk.app.store.breakers["stash"].failed(Unavailable("Stash", "Away."), 1)
    began = desk.clock()
    assert desk.app.store.breakers["stash"].read().next_probe_at - began > 20.0
    desk.drain(scene)
    assert item.title == scene.title
    assert desk.clock() - began < 20.0


def test_a_worker_reports_each_burst_of_work_and_no_quiet_time(make_desk):
    desk = make_desk()
    scene, _ = desk.scene("a.mp4"), desk.item("a.mp4")
    heard = listen(desk)
    desk.work(20)
    assert not any("in sync" in line for line in heard)
    desk.clock.at[desk.clock() + 5.0] = lambda: desk.add(scene)
    desk.work(30)
    assert [line for line in heard if line.endswith("in sync.")] == ["1 scene in sync."]


def test_a_worker_that_another_process_saw_switched_off_looks_although_nothing_is_due(make_desk):
    desk = make_desk()
    desk.drain(desk.scene("a.mp4"), desk.scene("b.mp4"))
    keep_choice(desk.app.store.connection, "off", desk.clock())
    desk.app.overrides["background_worker"] = "off"
    began = desk.clock()
    desk.work(300)
    assert desk.clock() - began < 60


def test_a_waiting_worker_looks_as_soon_as_another_process_saw_it_switched_off(make_desk):
    desk = make_desk()
    desk.drain(desk.scene("a.mp4"))
    began = desk.clock()

    def switch_off():
        desk.app.overrides["background_worker"] = "off"
        keep_choice(desk.app.store.connection, "off", desk.clock())

    desk.clock.at[began + 5.0] = switch_off
    desk.work(300)
    assert 5 <= desk.clock() - began < 60
