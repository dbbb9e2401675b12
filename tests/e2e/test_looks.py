"""Looks at Stash: what one costs, what it finds, and how long a worker stays for them."""

from __future__ import annotations

import time

from stash2plex.rules.sweep_schedule import ENTITIES
from stash2plex.store.marks import load_marks
from stash2plex.store.reports import ReportBook
from stash2plex.sync.goals import Background, Foreground
from stash2plex_testing.plex import Fault as PlexFault
from tests.e2e.sweeping import (
    GLANCE,
    LONG,
    PAGE,
    SHORT,
    TEXT_ONLY,
    drain,
    synced,
)
from tests.harness.process import open_stage
from tests.support import ManualClock, present


def test_the_first_start_ever_surveys_the_library_and_queues_nothing(workshop):
    stage, app, clock = workshop()
    start = clock.now
    drain(app, SHORT)
    assert stage.stash.count(operation=GLANCE) == 1
    assert stage.stash.count(operation=PAGE) == 1
    assert stage.rows("SELECT count(*) FROM scene_record") == [(0,)]
    assert start <= present(load_marks(app.store.connection)).swept_at <= clock.now


def test_after_one_interval_the_whole_library_is_compared(workshop):
    stage, app, clock = workshop()
    drain(app, SHORT)
    clock.now += 86_000
    drain(app, SHORT)
    assert stage.rows("SELECT count(*) FROM scene_record") == [(0,)]
    clock.now += 500
    drain(app, SHORT)
    assert stage.wrong() == []


def test_after_one_interval_what_changed_in_plex_is_put_right_too(workshop):
    stage, app, clock = workshop()
    synced(app, clock)
    drain(app, SHORT)
    item = stage.plex.all_items()[3]
    wanted = item.title
    stage.plex._library.edit([item], {"title.value": ["A person's"]}, whole=False)
    drain(app, SHORT)
    assert item.title == "A person's"
    clock.now += 86_500
    drain(app, SHORT)
    assert item.title == wanted
    last = present(ReportBook(app.store.connection).last())
    assert last["scope"] == "all"
    assert last["kinds"]["drifted"]["count"] == 1


def test_a_comparison_that_plex_did_not_answer_is_made_an_hour_later(workshop):
    stage, app, clock = workshop()
    synced(app, clock)
    drain(app, SHORT)
    clock.now += 86_500
    stage.plex.faults.add(PlexFault("status", path="/library/sections", status=500, times=None))
    drain(app, SHORT)
    assert ReportBook(app.store.connection).last() is None
    stage.plex.faults.clear()
    clock.now += 3_700
    drain(app, SHORT)
    assert present(ReportBook(app.store.connection).last())["complete"]


def test_never_compares_nothing_by_the_clock(workshop):
    stage, app, clock = workshop(reconcile_interval="never")
    synced(app, clock)
    drain(app, SHORT)
    stage.plex.clear_log()
    clock.now += 40 * 86_400
    drain(app, SHORT)
    assert ReportBook(app.store.connection).last() is None
    assert stage.plex.count("PUT") == 0


def test_a_stash_that_cannot_be_asked_by_file_is_looked_at_without(make_stage):
    clock = ManualClock(time.time())
    missing = ("findFiles", "files_filter")
    stage = make_stage(6, settings=TEXT_ONLY, clock=clock, missing=missing)
    app = open_stage(stage, clock)
    try:
        synced(app, clock)
        stage.stash.scenes[2].title = "Edited unseen"
        stage.stash.library.touch(stage.stash.scenes[2])
        clock.now += 61
        drain(app)
        assert stage.wrong() == []
        assert set(present(load_marks(app.store.connection)).kinds) == {*ENTITIES, "scene"}
    finally:
        app.close()


def test_an_idle_worker_glances_once_a_minute_in_one_request(workshop):
    stage, app, clock = workshop()
    synced(app, clock)
    stage.stash.clear_log()
    start = clock.now
    drain(app, LONG)
    minutes = (clock.now - start) / 60
    assert minutes - 1 <= stage.stash.count(operation=GLANCE) <= minutes + 1
    # What is left is the settings, read once at the start.
    assert stage.stash.graphql_count == stage.stash.count(operation=GLANCE) + 1


def test_a_start_with_nothing_changed_costs_two_requests_and_a_sweep_one_a_page(
    workshop, small_pages
):
    stage, app, clock = workshop(38)
    synced(app, clock)
    stage.stash.clear_log()
    stage.plex.clear_log()
    drain(app)
    assert stage.stash.graphql_count <= 2
    clock.now += 86_400
    stage.stash.clear_log()
    drain(app, SHORT)
    assert stage.stash.count(operation=PAGE) == 10
    assert stage.stash.graphql_count == 12
    assert stage.plex.count("PUT") + stage.plex.count("GET", "/library/metadata") == 0


def test_what_the_overlap_shows_again_is_not_queued_again(workshop):
    stage, app, clock = workshop()
    synced(app, clock)
    scene = stage.stash.scenes[0]
    scene.title = "Seen by a poll"
    stage.stash.library.touch(scene)
    drain(app)
    assert stage.wrong() == []
    stage.plex.clear_log()
    other = stage.stash.scenes[1]
    for _ in range(3):
        clock.now += 61
        stage.stash.library.touch(other)
        summary = drain(app)
        # Not one key was worked on, so nothing was asked of Plex for it.
        assert summary.progress.handled == 0
    assert stage.plex.count("PUT") == 0


def test_a_scene_that_waits_for_plex_is_not_hastened_by_looks(workshop):
    stage, app, clock = workshop(2)
    synced(app, clock)
    scene = stage.stash.add_scene(title="Not there yet", files=["/data/late.mp4"])
    drain(app, Foreground("Process Queue", horizon=0.0))
    (before,) = stage.rows("SELECT due_at, generation, snoozes FROM queue")
    assert before[2] > 0
    for _ in range(3):
        clock.now += 1
        stage.stash.library.touch(scene)
        app.sweeper._looked_at = None
        drain(app, Foreground("Process Queue", horizon=0.0))
    assert stage.rows("SELECT due_at, generation, snoozes FROM queue") == [before]


# -- jobs, life ---------------------------------------------------------------------------


def test_a_worker_stays_while_a_job_of_stash_runs(workshop):
    stage, app, clock = workshop(3)
    synced(app, clock)
    hold = stage.stash.queue_job("Identifying...", lambda job: job.cancelled.wait(60))
    start = clock.now
    clock.at[start + 5000] = lambda: (hold.cancel(), hold.wait())
    drain(app, LONG)
    assert 5000 + 900 <= clock.now - start < 5000 + 900 + 130


def test_another_plugins_task_keeps_no_worker(workshop):
    stage, app, clock = workshop(3)
    synced(app, clock)
    hold = stage.stash.queue_job("Running plugin task: Tidy", lambda job: job.cancelled.wait(60))
    start = clock.now
    drain(app, LONG)
    hold.cancel()
    assert clock.now - start < 1000


def test_an_idle_worker_goes_when_stash_is_gone(workshop):
    stage, app, clock = workshop(3)
    synced(app, clock)
    stage.stash.down()
    start = clock.now
    summary = drain(app, Background("background worker", patience=120.0))
    assert "Stash" in summary.gave_up
    assert clock.now - start < 300


def test_stash_started_anew_in_the_middle_of_a_scan(workshop):
    stage, app, clock = workshop(3)
    hold = stage.stash.queue_job("Scanning...", lambda job: job.cancelled.wait(60))
    synced(app, clock)
    hold.cancel()
    hold.wait()
    stage.stash.jobs._done.clear()
    stage.stash.jobs._last = 0
    stage.stash.scenes[0].title = "Changed by the scan, without a trace"
    drain(app)
    assert stage.wrong() == []
