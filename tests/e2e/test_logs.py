"""What stands in Stash's log and in worker.log: few lines, each once, and nothing private."""

from __future__ import annotations

import itertools
import logging
import os
import re
import stat
import time
from types import SimpleNamespace

from stash2plex import hook, plugin
from stash2plex.lock import drain_lock
from stash2plex.logs.handlers import MAX_ALIKE, SharedFile
from stash2plex.operations import notifications as telling
from stash2plex.sync.goals import Background
from stash2plex.sync.observer import Silent
from tests.harness.process import open_stage
from tests.support import ManualClock

TEXT_ONLY = {"skip_fields": "poster background"}
OFF = {**TEXT_ONLY, "background_worker": "off"}
LINE = re.compile("\x01([eiwd])\x02(.*)")


def open_turned(stage, clock):
    app = open_stage(stage, clock)
    app.logs.keep(stage.data_dir)
    return app


def worker_log(stage):
    with open(os.path.join(stage.data_dir, "worker.log"), encoding="utf-8") as file:
        return file.read()


def test_a_full_day_of_a_thousand_edits_and_an_outage_is_a_page_of_log(
    make_stage, monkeypatch, capfd
):
    stage = make_stage(100, settings=TEXT_ONLY)
    twins = [
        stage.stash.add_scene(title=f"Twins {number}", files=[f"/data/{number}/quay.mp4"])
        for number in range(8)
    ]
    for folder in "abc":
        stage.plex.add_item(stage.section, file=f"/media/{folder}/quay.mp4")
    clock = ManualClock(time.time() - 90_000)
    monkeypatch.setattr(hook, "time", SimpleNamespace(time=clock, monotonic=time.monotonic))
    monkeypatch.setattr(telling, "time", SimpleNamespace(time=clock))
    os.makedirs(stage.data_dir, exist_ok=True)
    busy = drain_lock(stage.data_dir)
    assert busy.acquire()  # so that no save starts a worker: the one of this test does the work

    numbers = itertools.count()

    def save(scene):
        scene.title = f"{(scene.title or 'Pier').split(' no ')[0]} no {next(numbers)}"
        context = {"type": "Scene.Update.Post", "id": scene.id}
        connection = {"Dir": stage.stash.config_dir}
        request = {"args": {"hookContext": context}, "server_connection": connection}
        hook.handle(
            request,
            stage.data_dir,
            repair=plugin.repair,
            notify=plugin.notify,
            start_failed=plugin.start_failed,
        )

    scenes = stage.stash.scenes[:100]
    edits = 0
    for step in range(100):
        for scene in scenes[step % 10 * 10 : step % 10 * 10 + 10] if step != 60 else twins:
            save(scene)
            edits += 1
        if step == 40:
            stage.plex.down()
            clock.at[clock.now + 600] = lambda: save(scenes[0])
            clock.at[clock.now + 2400] = stage.plex.up
        app = open_turned(stage, clock)
        app.drain(Background("background worker", idle=1.0), Silent(), lambda: False)
        app.close()
        clock.now += 860.0
    assert edits >= 998
    busy.release()
    monkeypatch.undo()
    for task in ("Process Queue", "View Queue Status", "Health Check", "Sync Recent Scenes"):
        stage.run_task(task)
    shown = LINE.findall(capfd.readouterr().err) + [
        (level, text) for level, text in stage.stash.plugin_log if level != "debug"
    ]
    assert len(shown) <= 50, shown
    said = [text for _, text in shown]
    assert sum("is out of reach since" in text for text in said) == 1
    assert sum("What waited is sent now" in text for text in said) == 1
    assert sum("given up since" in text for text in said) == 1
    assert stage.rows("SELECT count(*) FROM dead_letter") == [(8,)]
    kept = worker_log(stage)
    assert kept.count("Given up on scene:") >= 8


def test_a_task_that_fails_a_hundred_times_shows_three_and_counts_the_rest(make_stage):
    stage = make_stage(0, settings=OFF)
    for number in range(30):
        stage.stash.add_scene(title=f"Twins {number}", files=[f"/data/{number}/quay.mp4"])
    for folder in "ab":
        stage.plex.add_item(stage.section, file=f"/media/{folder}/quay.mp4")
    stage.run_task("Sync All Scenes")
    shown = [text for _, text in stage.stash.plugin_log if "Given up on" in text]
    assert len(shown) == MAX_ALIKE + 1
    assert "27 more lines like this, in “worker.log”" in shown[-1]
    assert worker_log(stage).count("Given up on") == 30
    assert stat.S_IMODE(os.stat(os.path.join(stage.data_dir, "worker.log")).st_mode) == 0o600


def test_a_hidden_log_says_nothing_of_the_library(make_stage):
    stage = make_stage(
        10, settings={**OFF, "obfuscate_paths": True, "debug_logging": True, "exclude_tags": "Fog"}
    )
    stage.stash.add_scene(title="Secret “sunken” cove", files=["/data/hidden bay/quay.mp4"])
    for folder in "ab":
        stage.plex.add_item(stage.section, file=f"/media/{folder}/quay.mp4")
    stage.operation("sync", scene_ids=list(range(1, 12)))
    for task in ("Process Queue", "View Queue Status", "Health Check", "Outage Summary Report"):
        stage.run_task(task)
    stage.configure(**OFF, obfuscate_paths=True, plex_library="Secret films")
    said = stage.said("process_queue", max_wait=1)
    everything = stage.log_text() + worker_log(stage) + said
    assert "scenes in sync after" in everything
    private = {"Secret", "hidden bay", "quay", "sunken", "Harbour Films", "/data", "/media"}
    for scene in stage.read_scenes():
        private |= {scene["title"], *(one["name"] for one in scene["performers"])}
        private |= {os.path.basename(file["path"]) for file in scene["files"]}
        private |= {scene["studio"]["name"]} if scene["studio"] else set()
    private -= {"", None}
    assert [word for word in private if word in everything] == []
    assert re.search(r"“/[0-9a-f]{8}/[0-9a-f]{8}/[0-9a-f]{8}\.mp4”", everything)
    # A program that asks gets the real names.
    assert "Secret" in str(stage.operation("dead_letters"))


def test_debug_logging_explains_each_decision_in_worker_log_only(make_stage):
    stage = make_stage(3, settings={**OFF, "debug_logging": True, "only_organized": True})
    for scene in stage.stash.scenes:
        scene.organized = scene.id == 1
    stage.run_task("Sync All Scenes")
    stage.operation("sync", scene_ids=[1, 2])
    stage.run_task("Process Queue")
    kept = worker_log(stage)
    assert "in Plex by the end of the path: " in kept
    assert "scene:1: nothing has changed" in kept
    assert "scene:2: it is not organized (Only organized is on)" in kept
    assert "scene:2" not in stage.log_text()


def test_a_setting_that_stops_the_worker_is_told_by_the_next_save(make_stage):
    stage = make_stage(2, settings={**TEXT_ONLY, "plex_library": "Harbour Filmz"})
    stage.edit(1, title="A first save")
    stage.until(lambda: "Harbour Filmz" in worker_log(stage))
    stage.edit(2, title="A second save")
    stage.edit(1, title="A third save")
    told = [text for _, text in stage.stash.plugin_log if "Harbour Filmz" in text]
    assert len(told) == 1
    assert "It has: “Harbour Films”" in told[0]


def test_two_processes_write_one_file_and_rotate_it(tmp_path):
    first, second = SharedFile(str(tmp_path)), SharedFile(str(tmp_path))
    for file in (first, second):
        file.maxBytes = 2_000

    def write(file, name):
        for number in range(200):
            file.emit(logging.LogRecord("x", 20, "", 0, f"{name} {number:04}", (), None))

    write(first, "one")
    write(second, "two")
    write(first, "three")
    for file in (first, second):
        file.close()
    assert (tmp_path / "worker.log").stat().st_size <= 2_000
    assert (tmp_path / "worker.log").read_text().endswith("three 0199\n")


def test_a_file_that_cannot_be_written_is_said_once(tmp_path, capfd):
    file = SharedFile(str(tmp_path / "missing"))
    for _ in range(3):
        file.emit(logging.LogRecord("x", 20, "", 0, "a line", (), None))
    file.close()
    assert capfd.readouterr().err.count("cannot be written") == 1
