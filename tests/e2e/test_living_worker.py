"""Settings, log-ins and servers that change while the background worker lives."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from stash2plex.lock import drain_runs
from stash2plex_testing.plex import FakePlex, Latency
from tests.harness.process import workers
from tests.support import present

TEXT_ONLY = {"skip_fields": "poster background"}
REFUSED = "Plex does not accept the token"


def titles(stage):
    return {item.title for item in stage.plex.all_items()}


def live(stage):
    """Have a save start the worker; returns its process id."""
    stage.edit(1, title="The worker lives")
    stage.until(lambda: "The worker lives" in titles(stage))
    stage.until(lambda: stage.rows("SELECT 1 FROM queue") == [])
    return worker_pid(stage)


def worker_pid(stage):
    ((pid,),) = stage.rows("SELECT pid FROM drain")
    return pid


def worker_log(stage):
    with open(os.path.join(stage.data_dir, "worker.log"), encoding="utf-8") as file:
        return file.read()


def press(stage, name="Process Queue"):
    """Press a task's button; returns what Stash's log showed of it."""
    stage.stash.clear_log()
    stage.run_task(name)
    return "\n".join(line.message for line in stage.stash.log)


def all_sent(stage):
    return stage.rows("SELECT 1 FROM queue") == []


# -- settings -----------------------------------------------------------------------------


def test_a_cured_token_is_not_blamed_and_the_cause_told_is_todays(make_stage):
    stage = make_stage(6, settings=TEXT_ONLY)
    pid = live(stage)
    stage.configure(**TEXT_ONLY, plex_token="stale")
    stage.edit(2, title="Under a stale token")
    stage.until(lambda: stage.operation("status", stored=True)["breaker"]["refused"])
    assert REFUSED in press(stage)
    stage.configure(**TEXT_ONLY)
    log = press(stage)
    assert "token" not in log
    assert "error" not in {line.level for line in stage.stash.log}
    assert "Under a stale token" in titles(stage)
    assert stage.operation("outages")["outages"][0]["cured"]
    stage.configure(**TEXT_ONLY, plex_library="Harbour Filmz")
    stage.edit(3, title="For a library that is misspelt")
    log = press(stage)
    assert "no movie-type library named “Harbour Filmz”" in log
    assert "token" not in log
    stage.configure(**TEXT_ONLY)
    stage.until(lambda: "For a library that is misspelt" in titles(stage))
    stage.edit(4, title="And all is well")
    stage.until(lambda: "And all is well" in titles(stage))
    assert "Filmz" not in press(stage, "View Queue Status")
    assert worker_pid(stage) == pid


@pytest.mark.parametrize("choice", ["auto", "off"])
@pytest.mark.parametrize("task", ["Process Queue", "Sync All Scenes"])
def test_a_task_with_nothing_to_send_says_that_plex_refuses(make_stage, choice, task):
    settings = {**TEXT_ONLY, "background_worker": choice}
    stage = make_stage(4, settings=settings)
    press(stage, "Sync All Scenes")
    assert stage.wrong() == []
    if choice == "auto":
        live(stage)
    stage.configure(**settings, plex_token="stale")
    assert REFUSED in press(stage, task)
    stage.configure(**settings)
    assert REFUSED not in press(stage, task)


@pytest.mark.parametrize("change", ["token", "address", "token removed", "switched off"])
def test_what_is_in_hand_does_not_go_out_under_settings_of_before(make_stage, change):
    stage = make_stage(60, settings=TEXT_ONLY, latency=Latency(write=0.1))
    live(stage)
    stage.operation("sync", scene_ids=[int(scene["id"]) for scene in stage.read_scenes()])
    stage.until(lambda: stage.plex.count("PUT") >= 8)
    other = FakePlex()
    other.add_section("Harbour Films", locations=["/media/library"])
    with other:
        changes: dict[str, dict[str, Any]] = {
            "token": {"plex_token": "stale"},
            "address": {"plex_url": other.url, "plex_token": other.token},
            "token removed": {"plex_token": ""},
            "switched off": {"enabled": False},
        }
        stage.configure(**TEXT_ONLY, **changes[change])
        done = stage.plex.count("PUT")
        words = {"token": REFUSED, "address": "A different Plex server", "token removed": "not set"}
        stage.until(lambda: words.get(change, "switched off") in worker_log(stage))
        # Those that were in flight, and those of the moment before the worker looked.
        assert stage.plex.count("PUT") - done <= 16
        assert other.count("PUT") == 0
        assert not all_sent(stage)
        stage.configure(**TEXT_ONLY)
        stage.until(lambda: all_sent(stage))
    assert stage.wrong() == []
    assert stage.rows("SELECT count(*) FROM dead_letter") == [(0,)]


def test_two_changes_in_quick_succession_in_mid_drain(make_stage):
    stage = make_stage(40, settings=TEXT_ONLY, latency=Latency(write=0.05))
    live(stage)
    stage.operation("sync", scene_ids=[int(scene["id"]) for scene in stage.read_scenes()])
    stage.until(lambda: stage.plex.count("PUT") >= 5)
    stage.configure(**TEXT_ONLY, plex_token="stale")
    stage.configure(**TEXT_ONLY)
    log = press(stage)
    assert REFUSED not in log
    assert stage.wrong() == []


def test_other_settings_count_from_the_next_claim_on(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY)
    live(stage)
    stage.configure(**TEXT_ONLY, read_timeout=7, tls_insecure=True)
    stage.edit(1, title="Seven seconds")
    stage.until(lambda: "Seven seconds" in titles(stage))
    stage.configure(skip_fields="title poster background")
    stage.edit(1, title="Not for Plex", details="Only this is.")
    stage.until(lambda: "Only this is." in {item.summary for item in stage.items().values()})
    assert "Not for Plex" not in titles(stage)


def test_settings_that_change_while_stash_is_away_count_when_it_is_back(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY)
    live(stage)
    stage.stash.down()
    stage.stash.configure_plugin("Stash2Plex", {**TEXT_ONLY, "plex_url": stage.plex.url,
                                                "plex_token": "stale"})  # fmt: skip
    stage.stash.up()
    stage.plex.clear_log()
    stage.edit(2, title="Under another token")
    stage.until(lambda: REFUSED in worker_log(stage))
    assert stage.plex.count("PUT") == 0
    stage.configure(**TEXT_ONLY)
    stage.until(lambda: "Under another token" in titles(stage))


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells when a process began")
def test_saves_measure_themselves_again_after_a_change_of_settings(make_stage):
    settings = {**TEXT_ONLY, "background_worker": "off"}
    stage = make_stage(2, settings=settings)
    stage.operation("wake")

    def samples():
        rows = stage.rows("SELECT value FROM meta WHERE name = 'hook_cost'")
        return [len(json.loads(text.partition(" ")[2])["ms"]) for (text,) in rows]

    for number in range(6):
        stage.edit(1, title=f"Pier {number}")
    stage.operation("wake")
    assert samples() == [5]
    # As another Python Executable Path does.
    stage.configure(**settings, max_tags=7)
    stage.operation("wake")
    assert samples() == []
    stage.edit(1, title="Under another interpreter")
    assert samples() == [1]


# -- off and on ---------------------------------------------------------------------------


def test_off_in_mid_drain_then_auto_and_the_first_save_reaches_plex(make_stage):
    stage = make_stage(60, settings=TEXT_ONLY, latency=Latency(write=0.05))
    live(stage)
    stage.operation("sync", scene_ids=[int(scene["id"]) for scene in stage.read_scenes()])
    stage.until(lambda: stage.plex.count("PUT") >= 5)
    stage.configure(**TEXT_ONLY, background_worker="off")
    stage.until(lambda: not drain_runs(stage.data_dir))
    assert not all_sent(stage)
    assert "ends: Background worker is off." in worker_log(stage)
    started = worker_log(stage).count("has started")
    for number in range(1, 31):
        stage.edit(number, rating100=number)
    assert worker_log(stage).count("has started") == started
    assert workers(stage.data_dir)[0] == []
    stage.configure(**TEXT_ONLY)
    stage.edit(60, title="The first save after the change")
    stage.until(lambda: all_sent(stage))
    assert stage.wrong() == []
    assert worker_log(stage).count("has started") == started + 1


def test_while_it_is_off_a_change_of_anything_else_costs_one_look(make_stage):
    stage = make_stage(3, settings={**TEXT_ONLY, "background_worker": "off"})
    stage.operation("status")
    stage.configure(**TEXT_ONLY, background_worker="off", max_tags=7)
    for number in range(12):
        stage.edit(1, title=f"Pier {number}")
        stage.until(lambda: not drain_runs(stage.data_dir))
    assert worker_log(stage).count("has started") == 1
    assert stage.plex.count("PUT") == 0


# -- a server that is away ----------------------------------------------------------------


@pytest.mark.parametrize("alive", [True, False])
def test_plex_down_leaves_the_job_slot_and_the_worker_goes_on(make_stage, alive):
    stage = make_stage(6, settings=TEXT_ONLY)
    stage.operation("status")
    if alive:
        live(stage)
    stage.plex.down()
    stage.edit(2, title="While Plex is away")
    if not alive:
        stage.end_worker()
    said = stage.said("process_queue", max_wait=1)
    assert "refuses the connection" in said
    assert "nothing is lost" in said
    assert "the background worker carries on without you" in said
    assert drain_runs(stage.data_dir)
    assert stage.rows("SELECT count(*) FROM queue WHERE id = 2") == [(1,)]
    stage.plex.up()
    stage.until(lambda: "While Plex is away" in titles(stage), seconds=90)


def test_a_refused_token_is_told_as_refused_by_the_next_save(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY)
    live(stage)
    stage.plex.token = "another"
    stage.edit(2, title="Refused")
    stage.until(lambda: stage.operation("status", stored=True)["breaker"]["refused"])
    stage.stash.clear_log()
    stage.edit(3, title="Told")
    log = stage.log_text()
    assert "Plex has refused the token since" in log
    for task in ("Outage Summary Report", "View Queue Status", "Health Check"):
        log += press(stage, task)
    assert "Plex has refused" in press(stage, "Outage Summary Report")
    assert "out of reach" not in log


# -- Stash goes away ----------------------------------------------------------------------


def start_task(stage, mode, **arguments):
    """Start a task's process as Stash does, with pipes that the test can close."""
    folder = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    process = subprocess.Popen(
        [sys.executable, "-IS", os.path.join(folder, "stash2plex_plugin.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )
    request = stage.request(mode=mode, **arguments)
    present(process.stdin).write(json.dumps(request).encode())
    present(process.stdin).close()
    return process


@pytest.mark.parametrize("alive", [True, False])
@pytest.mark.parametrize("mode", ["all", "process_queue", "reconcile_all"])
def test_stash_killed_in_mid_task_is_one_line(make_stage, alive, mode):
    settings = {**TEXT_ONLY, "background_worker": "auto" if alive else "off"}
    stage = make_stage(60, settings=settings, latency=Latency(write=0.1))
    stage.operation("status")
    if alive:
        live(stage)
    elif mode == "process_queue":
        stage.operation("sync", scene_ids=[int(scene["id"]) for scene in stage.read_scenes()])
    stage.plex.clear_log()
    process = start_task(stage, mode)
    if mode != "process_queue" or not alive:
        stage.until(lambda: stage.plex.count("PUT") >= 3)
    process.stdout.close()
    process.stderr.close()
    process.wait(60)
    log = worker_log(stage)
    assert "fault" not in log
    assert "Traceback" not in log
    assert log.count("Stash has ended") == 1
    stage.run_task("Process Queue")
    assert stage.rows("SELECT count(*) FROM dead_letter") == [(0,)]
    if mode == "all" or not alive:
        assert stage.wrong() == []


def test_a_hook_whose_stash_is_killed_keeps_its_key(make_stage):
    stage = make_stage(2, settings={**TEXT_ONLY, "background_worker": "off"})
    stage.operation("status")
    context = {"type": "Scene.Update.Post", "id": 2}
    process = start_task(stage, "", hookContext=context)
    process.stdout.close()
    process.stderr.close()
    process.wait(60)
    assert stage.rows("SELECT id FROM queue") == [(2,)]


def test_a_worker_that_is_asked_to_end_says_so_at_the_level_of_info(make_stage):
    stage = make_stage(2, settings=TEXT_ONLY)
    os.kill(live(stage), signal.SIGTERM)
    stage.until(lambda: not drain_runs(stage.data_dir))
    (line,) = re.findall(r".*The background worker ends.*", worker_log(stage))
    assert " info " in line
    assert "it was asked to" in line


# -- log-in -------------------------------------------------------------------------------


def test_a_key_that_is_made_while_the_worker_lives_outlasts_the_cookie(make_stage):
    stage = make_stage(4, settings=TEXT_ONLY, username="keeper", password="lantern")
    pid = live(stage)
    stage.graphql("mutation { generateAPIKey(input: {}) }")
    key_seen(stage)
    stage.stash.expire_cookies()
    stage.edit(2, title="After the session")
    stage.until(lambda: "After the session" in titles(stage))
    stage.stash.library.scenes[3].title = "By auto tag"
    stage.stash.library.touch(stage.stash.library.scenes[3])
    press(stage)
    stage.until(lambda: "By auto tag" in titles(stage))
    # A new key is learnt by the old one's successor, and the cookie of a save is not needed.
    assert worker_pid(stage) == pid
    assert "API key" not in worker_log(stage)


def key_seen(stage):
    """Wait until the worker has read the settings once more, which brings the key."""
    stage.stash.clear_log()
    stage.until(lambda: stage.stash.count(operation="query Stored"))
    time.sleep(0.1)


def test_a_password_that_is_set_ends_the_worker_and_the_next_save_goes_on(make_stage):
    stage = make_stage(3, settings=TEXT_ONLY)
    live(stage)
    stage.stash.set_password("keeper", "lantern")
    stage._password = True
    stage.until(lambda: not drain_runs(stage.data_dir))
    assert "Make an API key" not in worker_log(stage)
    stage.edit(2, title="With a log-in")
    stage.until(lambda: "With a log-in" in titles(stage))
    stage.stash.set_password("", "")
    stage._password = False
    stage.edit(3, title="Without one again")
    stage.until(lambda: "Without one again" in titles(stage))


def test_a_key_that_is_renewed_or_removed_falls_back_to_the_session(make_stage):
    stage = make_stage(5, settings=TEXT_ONLY, username="keeper", password="lantern", api_key="one")
    pid = live(stage)
    stage.stash.api_key = "two"
    stage.edit(2, title="Another key")
    stage.until(lambda: "Another key" in titles(stage))
    stage.stash.api_key = ""
    stage.edit(3, title="No key")
    stage.until(lambda: "No key" in titles(stage))
    assert worker_pid(stage) == pid
    stage.stash.expire_cookies()
    stage.edit(4, title="No log-in at all")
    stage.until(lambda: "Make an API key" in worker_log(stage))
    # The session of the third save has expired too, and a worker may just take over with it.
    stage.until(lambda: workers(stage.data_dir)[0] == [])
    stage.edit(5, title="A fresh one")
    stage.until(lambda: {"No log-in at all", "A fresh one"} <= titles(stage))
