"""What Stop does to a task and to its keys while a worker lives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.harness.presses import OFF, SCENES, infos, press, rest, stop, stop_half_way, wake, writes


def test_stop_holds_what_is_left_until_it_is_asked_for_again(make_harbour):
    stage = make_harbour()
    wake(stage)
    held = stop_half_way(stage)
    assert held > 0
    at_rest = writes(stage)
    status = stage.operation("status")
    assert status["held"]["by"] == "stop"
    assert status["held"]["since"]
    assert status["queue"]["waiting"] == held
    assert at_rest + held == SCENES
    # Nothing but the user lets them go on: not a page that opens, not a library that moves.
    stage.operation("wake")
    stage.plex.add_item(stage.section, file="/media/library/new.mp4")
    stage.edit(1, title="Jetty 1")
    stage.until(lambda: "Jetty 1" in {item.title for item in stage.plex.all_items()})
    assert "“Sync All Scenes” was stopped at" in stage.log_text()
    assert "press “Sync All Scenes” or “Process Queue”" in stage.log_text()
    rest(stage)
    # A save of one that waits goes out at once, and it is told once only.
    ((waits,),) = stage.rows("SELECT max(id) FROM queue WHERE priority = 2")
    stage.edit(waits, title="Jetty at once")
    stage.until(lambda: "Jetty at once" in {item.title for item in stage.plex.all_items()})
    rest(stage)
    assert stage.log_text().count("was stopped at") == 1
    assert stage.queue()["waiting"] == held - 1
    explained = stage.operation("scene", scene_id=waits - 1 if waits > 1 else waits + 1)
    assert explained["queue"]["state"] in ("held", "none")
    # Asked for again, each goes out once.
    job = press(stage, "Sync All Scenes").wait(60)
    assert f"{held - 1} were due already (from “Sync All Scenes” at" in infos(job)[0]
    assert f"{held - 1} scenes in sync after" in infos(job)[-1]
    assert stage.operation("status")["held"] is None
    assert stage.wrong() == []


@pytest.mark.parametrize("again", ["Process Queue", "Sync Recent Scenes", "operation", "command"])
def test_each_way_to_ask_again(make_harbour, again):
    stage = make_harbour()
    wake(stage)
    held = stop_half_way(stage)
    rest(stage)
    if again == "operation":
        ids = [row[0] for row in stage.rows("SELECT id FROM queue WHERE priority = 2")]
        assert len(ids) == held
        assert stage.operation("sync", scene_ids=ids) == {"changed": held}
    elif again == "command":
        script = os.path.join(stage.stash.plugins_dir, "Stash2Plex", "process_queue.py")
        environment = {"PATH": os.environ["PATH"], "STASH2PLEX_STASH_URL": stage.stash.url}
        done = subprocess.run(
            [sys.executable, "-S", script],
            env=environment, capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        assert f"{held} scenes in sync" in done.stdout
    else:
        job = press(stage, again).wait(60)
        assert f"{held} scenes in sync after" in infos(job)[-1], job.log
    rest(stage)
    stage.until(lambda: stage.wrong() == [])


def test_a_stop_that_no_worker_saw_is_settled_by_the_next_task(make_harbour):
    stage = make_harbour(**OFF)
    job = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 8)
    stop(stage, job)
    status = stage.operation("status")
    assert status["held"]["by"] == "stop"
    stage.run_task("View Queue Status")
    assert "“Sync All Scenes” was stopped at" in stage.log_text()
    job = press(stage, "Process Queue").wait(60)
    assert re.search(
        r"Off hold again: \d+ scenes? that waited since a task was stopped", "\n".join(infos(job))
    )
    assert stage.wrong() == []
    assert stage.queue()["waiting"] == 0


def test_a_worker_that_starts_after_the_stop_claims_nothing_of_it(make_harbour):
    stage = make_harbour(write=0.2)
    job = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 3)
    stop(stage, job)
    at_stop = writes(stage)
    stage.operation("wake")
    stage.edit(40, title="Jetty 40")
    stage.until(lambda: "Jetty 40" in {item.title for item in stage.plex.all_items()})
    rest(stage)
    # The save, and what was in the air at the kill.
    assert writes(stage) <= at_stop + 9
    assert stage.operation("status")["held"]["by"] == "stop"


def test_a_stopped_process_queue_holds_bulk_keys_and_no_save(make_harbour):
    stage = make_harbour(write=0.2)
    job = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 3)
    job.process.kill()
    job.wait(30)
    wake(stage)
    job = press(stage, "Process Queue")
    stage.until(lambda: infos(job))
    stage.edit(40, title="Jetty 40")
    stop(stage, job)
    stage.until(lambda: stage.rows("SELECT held FROM run WHERE state = 'stopped'"))
    stage.until(lambda: "Jetty 40" in {item.title for item in stage.plex.all_items()})
    rest(stage)
    assert stage.operation("status")["held"]["by"] == "stop"


def test_a_stop_within_the_first_moment_breaks_nothing(make_harbour):
    stage = make_harbour(10)
    wake(stage)
    job = press(stage, "Sync All Scenes")
    with suppress(AssertionError):
        stop(stage, job)
    rest(stage)
    press(stage, "Sync All Scenes").wait(60)
    rest(stage)
    assert stage.wrong() == []


def test_a_crash_of_stash_is_no_stop(make_harbour):
    stage = make_harbour(write=0.2)
    job = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 3)
    stage.stash.stop()
    job.wait(30)
    # Stash is started anew, and another job has the number of the one that died.
    stage.stash.start()
    again = stage.stash.queue_job("Scanning...", lambda _: None)
    assert again.id == job.id
    stage.plex.latency.write = 0.0
    stage.edit(1, title="Jetty 1")
    stage.until(lambda: stage.wrong() == [])
    assert stage.operation("status")["held"] is None
