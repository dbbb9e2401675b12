"""Servers that are away in the middle of it all, or for a week with edits going on."""

from __future__ import annotations

from typing import Any

import pytest

HOUR, DAY = 3_600.0, 86_400.0
GRAIN = 60.0
"""Seconds that a sleep takes at least while days pass."""


def edit_every_hour(bench, run, scenes, hours):
    """Let the user change a scene each hour."""
    for hour in range(int(hours)):
        scene = scenes[hour % len(scenes)]

        def edit(scene=scene, hour=hour):
            scene.title = f"Pier, hour {hour}"
            run.queue.add("scene", scene.id)

        run.clock.at[run.clock.now + hour * HOUR + 7] = edit


def coarse(run):
    """Let time pass in long steps, until the end of the outage."""
    fine = run.clock.sleep

    def sleep(seconds):
        fine(seconds if not run.clock.coarse else max(seconds, GRAIN))

    run.clock.coarse = True
    run.app.sleep = sleep


@pytest.mark.parametrize(
    ("days", "counted"), [(7, False), pytest.param(7, True, marks=pytest.mark.nightly)]
)
def test_plex_away_for_days_with_edits_going_on(bench, make_run, days, counted):
    pairs = [bench.add() for _ in range(12)]
    run = make_run()
    coarse(run)
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs])
    run.drain()
    edit_every_hour(bench, run, [scene for scene, _ in pairs], days * 24)
    back = run.clock.now + days * DAY
    done = []

    probes = []

    def come_back():
        probes.extend(run.rows("SELECT probes FROM breaker WHERE server = 'plex'"))
        run.clock.coarse = False
        if counted:
            bench.plex.maintenance(False)
        else:
            bench.plex.up()

    if counted:
        bench.plex.maintenance(True)
    else:
        bench.plex.down()
    bench.plex.clear_log()
    run.clock.at[back] = come_back

    def stopped():
        counts = run.queue.counts()
        if run.clock.now > back and not counts.pending + counts.in_progress + counts.waiting:
            done.append(run.clock.now)
        return bool(done) or run.clock.now > back + 300

    run.drain(foreground=False, patience=120.0, stopped=stopped)
    assert done[0] - back <= 61
    assert [item.title for _, item in pairs] == [scene.title for scene, _ in pairs]
    assert run.rows("SELECT count(*) FROM dead_letter") == [(0,)]
    ((length,),) = run.rows("SELECT ended_at - started_at FROM outage")
    assert days * DAY - HOUR <= length <= days * DAY + 61
    # No more than one probe a minute, beside the first few.
    assert days * 24 * 60 / 2 < probes[0][0] <= days * 24 * 60 + 10
    if counted:
        assert bench.plex.count("GET", "^/identity$") <= days * 24 * 60 + 10
    # Ramped up: one scene alone first, then the others together.
    details = [
        len(record.path.split(","))
        for record in bench.plex.requests
        if record.path.startswith("/library/metadata/") and record.method == "GET"
        if record.status == 200
    ]
    assert details[0] == 1
    assert max(details) > 1


def test_stash_goes_away_in_the_middle_and_comes_back(bench, make_run):
    pairs = [bench.add() for _ in range(30)]
    run = make_run()
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs])
    run.queue.add("performer", pairs[0][0].performers[0].id, delay=1.0)
    gone: list[Any] = []

    def stopped():
        if bench.plex.count("PUT") > 5 and not gone:
            gone.append(run.clock.now)
            bench.stash.down()
            run.clock.at[run.clock.now + 100] = bench.stash.up
        return False

    run.drain(patience=300.0, horizon=30.0, stopped=stopped)
    assert gone
    assert [item.title for _, item in pairs] == [scene.title for scene, _ in pairs]
    assert run.rows("SELECT count(*) FROM queue") == [(0,)]
    assert run.rows("SELECT count(*) FROM dead_letter UNION SELECT count(*) FROM failure") == [(0,)]


def test_both_away_and_back_one_after_the_other(bench, make_run):
    pairs = [bench.add() for _ in range(5)]
    run = make_run()
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs])
    bench.plex.down()
    bench.stash.down()
    run.clock.at[run.clock.now + 60] = bench.stash.up
    run.clock.at[run.clock.now + 200] = bench.plex.up
    run.drain(patience=300.0, horizon=30.0)
    assert [item.title for _, item in pairs] == [scene.title for scene, _ in pairs]
    assert run.rows("SELECT server, ended_at IS NULL FROM outage ORDER BY server") == [
        ("plex", 0),
        ("stash", 0),
    ]
    assert run.rows("SELECT count(*) FROM failure") == [(0,)]
