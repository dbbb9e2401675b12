"""The way back beside a living worker, and the guide that leads out, step by step."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

from stash2plex_testing.plex import Latency
from tests.e2e.test_living_worker import all_sent, live, worker_pid
from tests.e2e.test_put_back import look, some_history_in_plex
from tests.harness.process import workers
from tools.build_plugin import ROOT

GUIDE = os.path.join(ROOT, "docs", "guides", "stop-using.md")


def start(stage, *words):
    """Start the archive's command line as a user does; returns the process."""
    folder = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    return subprocess.Popen(
        [sys.executable, "-IS", os.path.join(folder, "process_queue.py"), *words],
        env={"PATH": os.environ["PATH"], "HOME": folder, "STASH2PLEX_STASH_URL": stage.stash.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(stage, *words):
    """Run it to its end; returns what it shows."""
    process = start(stage, *words)
    shown, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return shown + said


def test_a_command_beside_a_living_worker_and_saves(make_stage):
    stage = make_stage(
        10, settings={"skip_fields": "poster background"}, latency=Latency(write=0.03)
    )
    some_history_in_plex(stage)
    before = look(stage)
    stage.run_task("Sync All Scenes")
    pid = live(stage)
    stage.plex.clear_log()
    process = start(stage, "undo", "--all", "--json")
    stage.until(lambda: stage.plex.count("PUT") >= 3)
    # Saves come meanwhile: of a scene that goes back, and of one that is new.
    stage.edit(2, title="Saved meanwhile")
    stage.plex.add_item(stage.section, file="/media/library/quay.mp4")
    scene = stage.stash.add_scene(title="Quay", files=["/data/quay.mp4"])
    stage.edit(scene.id, title="Quay at noon")
    shown, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    report = json.loads(shown)
    assert report["scenes"] == report["done"] >= 6
    assert (report["theirs"], report["cannot"], report["gone"]) == (0, 0, 0)
    stage.until(lambda: "Quay at noon" in {item.title for item in stage.plex.all_items()})
    stage.until(lambda: all_sent(stage))
    after = look(stage)
    del after["/media/library/quay.mp4"]
    assert {path: one for path, one in after.items() if one != before[path]} == {}
    # The worker did it, and lives on.
    assert worker_pid(stage) == pid
    assert stage.operation("status")["scenes"]["left_out"] >= report["done"]


def test_the_guide_leads_out_step_by_step(make_stage):
    stage = make_stage(4)
    some_history_in_plex(stage)
    before = look(stage, pictures=True)
    stage.run_task("Sync All Scenes")
    stage.until(lambda: stage.rows("SELECT count(*) FROM waiting_picture") == [(0,)])
    with open(GUIDE, encoding="utf-8") as file:
        guide = file.read()
    chosen = stage.rows("SELECT scene_id, run_id FROM history ORDER BY id LIMIT 1")[0]
    commands = re.findall(r"^\$ stash2plex (.*)$", guide, re.MULTILINE)
    commands += re.findall(r"`stash2plex ([^`]+)`", guide)
    assert len(commands) >= 7
    for command in commands:
        known = {"12": str(chosen[0]), "7": str(chosen[1])}
        run(stage, *(known.get(word, word) for word in shlex.split(command)))
        if command == "undo --all":
            assert look(stage, pictures=True) == before
    # 1. Put Plex back.
    stage.run_task("Put Plex Back")
    assert "Press it again within ten minutes to do that." in stage.log_text()
    stage.run_task("Put Plex Back")
    assert look(stage, pictures=True) == before
    # 2. Uninstall, and delete the folder beside config.yml.
    stage.stash.uninstall("Stash2Plex")
    stage.until(lambda: workers(stage.data_dir)[0] == [])
    # Stash itself leaves empty folders.
    assert [files for *_, files in os.walk(stage.stash.plugins_dir) if files] == []
    data = os.path.join(stage.stash.config_dir, "stash2plex")
    assert data == stage.data_dir
    shutil.rmtree(data)
    # Nothing writes any more.
    stage.plex.clear_log()
    stage.edit(1, title="Saved after all")
    assert stage.plex.requests == []
    assert not os.path.exists(data)
