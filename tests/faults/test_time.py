"""Clocks that jump, summer time, and a Stash in another time zone."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.servers.stash import Stash
from stash2plex.servers.transport import Transport
from stash2plex_testing.plex import Fault
from stash2plex_testing.stash import FakeStash
from tests.support import ManualClock

DAY = 86_400.0


@pytest.mark.parametrize("jump", [-10 * DAY, -3_600.0, -5.0, 5.0, 3_600.0, 10 * DAY])
def test_a_clock_that_jumps_in_mid_drain_holds_nothing_up(bench, make_run, jump):
    pairs = [bench.add() for _ in range(6)]
    run = make_run()
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs[:3]])
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs[3:]], delay=20.0)
    start = run.clock.now

    def leap():
        run.clock.offset += jump

    run.clock.at[start + 5] = leap
    run.drain(foreground=False, patience=120.0, idle=30.0)
    assert [item.title for _, item in pairs] == [scene.title for scene, _ in pairs]
    assert run.clock.now - start < 20 + 30 + 10
    assert run.rows("SELECT count(*) FROM dead_letter") == [(0,)]
    edits = [record for record in bench.plex.requests if record.method == "PUT"]
    assert len(edits) == 6


def test_a_clock_that_was_set_back_before_the_start_holds_nothing_up(bench, make_run):
    scene, item = bench.add()
    run = make_run()
    run.queue.add("scene", scene.id)
    run.clock.offset -= DAY
    run.drain(horizon=30.0)
    assert item.title == scene.title


def test_leases_survive_a_leap_while_a_write_is_under_way(bench, make_run):
    pairs = [bench.add() for _ in range(3)]
    run = make_run()
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs])
    handle = bench.plex.handle

    def leap_at_an_edit(handler):
        if handler.command == "PUT":
            run.clock.offset += 7_200.0
        handle(handler)

    bench.plex.handle = leap_at_an_edit
    try:
        run.drain()
    finally:
        bench.plex.handle = handle
    assert [item.title for _, item in pairs] == [scene.title for scene, _ in pairs]
    assert not [line for line in run.heard.lines if "taken over" in line]
    assert bench.plex.count("PUT") == 3


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_probe_waits_no_longer_than_its_own_interval(bench, make_run, jump):
    scene, item = bench.add()
    bench.plex.faults.add(Fault("status", status=500, times=None))
    run = make_run()
    run.queue.add("scene", scene.id)
    start = run.clock.now

    def leap_and_mend():
        run.clock.offset += jump
        bench.plex.faults.clear()

    run.clock.at[start + 100] = leap_and_mend
    run.drain(foreground=False, patience=120.0, stopped=lambda: item.title == scene.title)
    assert run.clock.now - start <= 100 + 61


def test_what_a_killed_run_held_is_free_although_the_clock_was_set_back(tmp_path):
    store = open_store(str(tmp_path), lambda: 2_000_000.0, Random(1))
    store.queue.add("scene", 1)
    assert store.queue.claim(1, 120.0)
    store.connection.close()
    store = open_store(str(tmp_path), lambda: 1_000_000.0, Random(1))
    assert store.queue.take_over() == 1
    store.queue.clock_set_back(store.queue.newest_trace() - 1_000_000.0)
    assert [claim.id for claim in store.queue.claim(1, 120.0)] == [1]
    store.connection.close()


@pytest.mark.parametrize("minutes", [-720, -210, 0, 345, 840])
def test_recent_changes_are_found_in_any_time_zone(tmp_path, minutes):
    clock = ManualClock(1_790_000_000.0)
    with FakeStash(root=str(tmp_path), utc_offset_minutes=minutes, clock=clock) as stash:
        old = stash.add_scene(title="Old", files=["/data/a.mp4"])
        clock.step(3 * DAY)
        new = stash.add_scene(title="New", files=["/data/b.mp4"])
        clock.step(60.0)
        transport = Transport("Stash", stash.url, headers={}, connect_timeout=1.0, read_timeout=5.0)
        client = Stash(transport)
        found = [id_ for page in client.scene_ids_changed_since(clock.now - DAY) for id_ in page]
        client.close()
    assert new.id in found
    assert old.id not in found


@pytest.mark.parametrize(("winter", "summer"), [("+01:00", "+02:00"), ("+02:00", "+01:00")])
def test_recent_changes_are_found_across_the_end_of_summer_time(tmp_path, winter, summer):
    with FakeStash(root=str(tmp_path)) as stash:
        scene = stash.add_scene(title="Before", files=["/data/a.mp4"])
        later = stash.add_scene(title="After", files=["/data/b.mp4"])
        scene.updated_at = f"2026-10-25T01:30:00{summer}"
        later.updated_at = f"2026-10-25T04:30:00{winter}"
        transport = Transport("Stash", stash.url, headers={}, connect_timeout=1.0, read_timeout=5.0)
        client = Stash(transport)
        hours = int(summer[1:3])
        moment = 1_792_891_800.0 - hours * 3600 - 60
        found = [id_ for page in client.scene_ids_changed_since(moment) for id_ in page]
        client.close()
    assert set(found) == {scene.id, later.id}
