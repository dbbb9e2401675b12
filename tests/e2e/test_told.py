"""What the user reads while the worker lives: each thing once, with the right words."""

from __future__ import annotations

import os
import re
import signal
import sys

import pytest

from stash2plex.lock import drain_runs
from stash2plex.operations.health.report import NAMES
from stash2plex_testing.plex import Latency

SKIP = {"skip_fields": "poster background"}
BAD = (
    ({"plex_url": "127.0.0.1:32400"}, "Setting plex_url is '127.0.0.1:32400'; allowed: http(s)://"),
    ({"plex_url": "htps://plex:32400"}, "Setting plex_url is 'htps://plex:32400'; allowed:"),
    ({"plex_token": "two\nlines"}, "Setting plex_token is (hidden); allowed: an X-Plex-Token."),
)


def lines(stage):
    """List what Stash's log shows, errors of tasks included."""
    shown = ("info", "warning", "error")
    return [line.message for line in stage.stash.log if line.level in shown]


def alive(stage):
    """Have a save start the worker, and wait until it has worked off the queue."""
    stage.edit(1, title="A harbour at dawn")
    stage.until(lambda: not stage.rows("SELECT 1 FROM queue"))
    assert stage.operation("status")["worker"]["origin"] == "background worker"


@pytest.mark.parametrize(("settings", "words"), BAD, ids=["no scheme", "a typo", "a line end"])
def test_an_address_or_token_that_cannot_be_used_is_one_line_everywhere(
    make_stage, settings, words
):
    stage = make_stage(3, settings={**SKIP, **settings})
    stage.edit(1, title="Nobody can have it")
    stage.until(lambda: stage.rows("SELECT 1 FROM meta WHERE name = 'trouble'"))
    for task in ("Process Queue", "Sync All Scenes", "View Queue Status", "Health Check"):
        stage.stash.clear_log()
        stage.run_task(task)
        text = "\n".join(lines(stage))
        assert text.count(words) == 1, f"{task}: {text}"
        assert "is not set" not in text
    stage.stash.clear_log()
    stage.edit(2, title="Nor this")
    assert words not in "\n".join(lines(stage))
    stage.configure(**SKIP)
    stage.run_task("Process Queue")
    stage.until(lambda: stage.wrong() == [])


def test_a_save_tells_once_what_the_worker_cannot_use(make_stage):
    stage = make_stage(3, settings={**SKIP, **BAD[0][0]})
    stage.edit(1, title="Nobody can have it")
    stage.until(lambda: stage.rows("SELECT 1 FROM meta WHERE name = 'trouble'"))
    for number in (2, 3):
        stage.edit(number, title="Nor this")
    assert "\n".join(lines(stage)).count(BAD[0][1]) == 1


def test_a_number_out_of_range_is_one_line_in_each_task(make_stage):
    stage = make_stage(3, settings={**SKIP, "max_retries": 99})
    alive(stage)
    for task in ("Process Queue", "Sync All Scenes", "Health Check"):
        stage.stash.clear_log()
        stage.run_task(task)
        text = "\n".join(lines(stage))
        assert text.count("Setting max_retries is 99") == 1, f"{task}: {text}"


def twins(stage):
    """Add two scenes whose file names fit two Plex items each."""
    ids = []
    for title in ("Harbour at Dawn", "Lantern 3"):
        name = title.replace(" ", "-")
        ids.append(stage.stash.add_scene(title=title, files=[f"/data/a/{name}.mp4"]).id)
        for folder in ("one", "two"):
            stage.plex.add_item(stage.section, file=f"/media/{folder}/a/{name}.mp4")
    return ids


def test_scenes_that_the_worker_gave_up_are_named_wherever_they_are_counted(make_stage):
    stage = make_stage(3, settings=SKIP)
    alive(stage)
    first, second = twins(stage)
    stage.operation("sync", scene_ids=[first, second])
    stage.until(lambda: stage.rows("SELECT count(*) FROM dead_letter") == [(2,)])
    both = [f"scene {first} “Harbour at Dawn”", f"scene {second} “Lantern 3”"]
    stage.stash.clear_log()
    stage.edit(2, title="The next save")
    (text,) = [line for line in lines(stage) if "given up since" in line]
    assert "2 scenes given up since" in text
    assert "2 because several Plex items fit (" in text
    assert all(name in text for name in both)
    for task in ("View Queue Status", "Health Check", "Recover Outage Jobs"):
        stage.stash.clear_log()
        stage.run_task(task)
        (text,) = [line for line in lines(stage) if "because several Plex items fit" in line]
        assert all(name in text for name in both), f"{task}: {text}"
    named = stage.operation("status")["named"]["dead"]
    assert [{one["title"] for one in group["first"]} for group in named] == [
        {"Harbour at Dawn", "Lantern 3"}
    ]
    stage.stash.clear_log()
    stage.run_task("Retry Dead Letters")
    assert any("Put 2 dead letters back" in line for line in lines(stage))
    stage.run_task("Process Queue")
    stage.configure(**SKIP, obfuscate_paths=True)
    stage.run_task("Health Check")
    stage.stash.clear_log()
    stage.run_task("View Queue Status")
    assert "Harbour" not in "\n".join(lines(stage))


def test_a_new_scene_that_plex_does_not_have_is_told_once_with_its_title(make_stage):
    stage = make_stage(3, settings=SKIP)
    alive(stage)
    scene = stage.stash.add_scene(title="Lost at Sea", files=["/data/lost.mp4"])
    stage.edit(scene.id, details="Not scanned by Plex yet")
    stage.until(lambda: stage.rows("SELECT 1 FROM queue WHERE reason = 'not_in_plex'"))
    stage.stash.clear_log()
    stage.edit(2, title="The next save")
    stage.edit(3, title="And another")
    named = f"(scene {scene.id} “Lost at Sea”)"
    (text,) = [line for line in lines(stage) if "not in Plex yet" in line]
    assert f"1 scene is not in Plex yet {named}." in text
    for task in ("View Queue Status", "Process Queue", "Health Check"):
        stage.stash.clear_log()
        stage.run_task(task)
        told = [line for line in lines(stage) if "“Lost at Sea”" in line]
        assert len(told) == (task != "Health Check"), f"{task}: {told}"
    queue = {check["name"]: check["detail"] for check in stage.operation("health")["checks"]}
    assert named in queue["queue"]
    stage.plex.add_item(stage.section, file="/media/library/lost.mp4")
    stage.edit(scene.id, details="Scanned by now")
    stage.until(lambda: not stage.rows("SELECT 1 FROM queue"))
    assert stage.wrong() == []


def test_health_in_stashs_log_is_a_summary_and_what_needs_the_user(make_stage):
    stage = make_stage(3, settings=SKIP)
    alive(stage)
    stage.plex.down()
    stage.edit(2, title="While Plex is away")
    stage.until(lambda: stage.operation("status", stored=True)["breaker"]["state"] == "open")
    stage.stash.clear_log()
    stage.run_task("Health Check")
    checks = {check["name"]: check["state"] for check in stage.operation("health")["checks"]}
    assert [name for name, state in checks.items() if state == "failed"] == ["Plex"]
    stage.plex.up()
    said = [text.split("] ", 1)[1] for text in lines(stage)]
    assert any(text.startswith("1 of 1: Plex: Plex at http://127.0.0.1:") for text in said)
    assert any(
        text.startswith(f"Health Check: 1 of {len(NAMES)} checks needs you: Plex.") for text in said
    )
    assert len([text for text in said if "→" in text]) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells when a process began")
def test_a_shim_before_python_is_named_with_what_to_put_in_its_place(make_stage, tmp_path):
    stage = make_stage(6, settings=SKIP)
    shim = tmp_path / "shims" / "python3"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nsleep 1\nexec "{sys.executable}" "$@"\n')
    shim.chmod(0o755)
    stage.stash.plugins.python_path = str(shim)
    for number in range(1, 6):
        stage.edit(number, title=f"Pier {number}")
    stage.stash.clear_log()
    stage.run_task("Health Check")
    stage.stash.plugins.python_path = ""
    (text,) = [line for line in lines(stage) if "A save waits" in line]
    assert "ms of that pass before Python starts" in text
    named = text.split("Put “")[1].split("”")[0]
    assert os.path.samefile(named, sys.executable)
    assert "into Settings > System > Python Executable Path." in text


def test_the_other_tasks_say_what_a_living_worker_has_in_hand(make_stage):
    stage = make_stage(40, latency=Latency(write=0.2), settings=SKIP)
    stage.operation("sync", scene_ids=list(range(1, 41)))
    stage.until(lambda: stage.plex.count("PUT") >= 2)
    added = stage.stash.add_scene(title="Later", files=["/data/later.mp4"])
    said = stage.operation("clear_queue")
    assert "in progress will still be sent" in said
    stage.plex.latency.write = 0.0
    assert stage.operation("clear_match_cache") == "The Plex index was rebuilt: 40 items."
    stage.until(lambda: not stage.rows("SELECT 1 FROM queue"))
    assert stage.operation("clear_queue") == "Nothing was waiting."
    assert stage.operation("retry_dlq") == "There are no dead letters."
    assert (
        stage.operation("retry_dlq", reason="ambiguous")
        == "There are no dead letters with the reason ambiguous."
    )
    assert stage.operation("recover_outage_jobs") == "No dead letter comes from an outage."
    assert stage.operation("clear_dlq") == "There were no dead letters."
    assert stage.operation("purge_dlq") == "There were no dead letters older than 30 days."
    twins(stage)
    stage.operation("sync", scene_ids=[added.id + 1, added.id + 2])
    stage.until(lambda: stage.rows("SELECT count(*) FROM dead_letter") == [(2,)])
    assert stage.operation("purge_dlq").endswith("older than 30 days. 2 newer stay.")
    assert stage.operation("retry_dlq") == (
        "Put 2 dead letters back into the queue. The worker sends what is due."
    )
    stage.until(lambda: stage.rows("SELECT count(*) FROM dead_letter") == [(2,)])
    assert stage.operation("clear_dlq") == "Removed 2 dead letters."


def test_what_a_killed_worker_had_in_hand_is_cleared_too(make_stage):
    stage = make_stage(30, latency=Latency(write=0.2), settings=SKIP)
    stage.operation("sync", scene_ids=list(range(1, 31)))
    stage.until(lambda: stage.plex.count("PUT") >= 2)
    ((pid,),) = stage.rows("SELECT pid FROM drain")
    os.kill(pid, signal.SIGKILL)
    stage.until(lambda: not drain_runs(stage.data_dir))
    assert stage.rows("SELECT 1 FROM queue WHERE lease_id IS NOT NULL LIMIT 1")
    assert re.fullmatch(r"Removed \d+ waiting scenes\.", stage.operation("clear_queue"))
    assert stage.rows("SELECT 1 FROM queue") == []
