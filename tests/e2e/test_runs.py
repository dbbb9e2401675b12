"""What a task reports about its own keys while a worker lives."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

from tests.harness.presses import OFF, SCENES, figures, infos, press, rest, wake, writes
from tests.support import present

# -- rows 1 and 2: whoever does the work --------------------------------------------------


def test_sync_all_beside_a_worker_tells_of_its_own_scenes(make_harbour):
    stage = make_harbour()
    wake(stage)
    job = press(stage, "Sync All Scenes").wait(60)
    first, *_, last = infos(job)
    assert first == "Sync All Scenes: 40 scenes queued."
    assert re.fullmatch(r"Sync All Scenes: 40 scenes in sync after \d+ s\.", last)
    assert "nothing was due" not in "\n".join(job.log)
    assert max(figures(job)) == SCENES
    assert job.progress_values == sorted(job.progress_values)
    assert job.progress_values[-1] == 1.0
    assert stage.wrong() == []


def test_a_worker_killed_in_the_middle_changes_no_figure(make_harbour):
    stage = make_harbour()
    pid = wake(stage)
    job = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 8)
    os.kill(pid, signal.SIGKILL)
    job.wait(60)
    assert re.search(r"40 scenes in sync after", infos(job)[-1])
    assert max(figures(job)) == SCENES
    assert stage.wrong() == []


def test_a_worker_that_starts_during_the_task_changes_no_figure(make_harbour):
    stage = make_harbour()
    job = press(stage, "Sync All Scenes")
    for number in (39, 40):
        stage.edit(number, title=f"Jetty {number}")
    job.wait(60)
    # The two are due already, or in sync already: it depends on who was faster.
    asked = [
        int(one) for one in re.findall(r"(\d+) (?:scenes queued|was due|were due)", infos(job)[0])
    ]
    done = int(present(re.search(r"(\d+) scenes in sync after", infos(job)[-1]))[1])
    assert sum(asked) <= done <= SCENES, job.log
    stage.until(lambda: stage.wrong() == [])


def test_a_second_press_finds_what_the_killed_one_left_and_counts_it_once(make_harbour):
    stage = make_harbour(**OFF)
    first = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 8)
    # No Stop: the process dies, and Stash calls the job finished.
    first.process.kill()
    first.wait(30)
    assert first.status == "FINISHED"
    second = press(stage, "Sync All Scenes").wait(60)
    found = re.search(
        r"0 scenes queued; (\d+) were due already \(from “Sync All Scenes” at [\d:]+\); "
        r"(\d+) in sync already",
        infos(second)[0],
    )
    assert found, second.log
    left = int(found[1])
    assert left + int(found[2]) == SCENES
    assert re.search(rf"{left} scenes in sync after", infos(second)[-1])
    assert stage.rows("SELECT state FROM run WHERE id > 0") == [("lost",), ("ended",)]
    assert stage.wrong() == []


def test_a_task_killed_without_a_stop_goes_on_in_the_worker(make_harbour):
    stage = make_harbour()
    wake(stage)
    job = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 8)
    job.process.kill()
    job.wait(30)
    rest(stage)
    assert stage.wrong() == []
    assert stage.rows("SELECT done, held FROM run WHERE id = 1") == [(SCENES, 0)]


def test_two_presses_one_after_the_other(make_harbour):
    stage = make_harbour()
    wake(stage)
    jobs = [press(stage, "Sync All Scenes") for _ in range(2)]
    for job in jobs:
        job.wait(60)
    assert re.search(r"40 scenes in sync after", infos(jobs[0])[-1])
    assert infos(jobs[1])[-1] == "Sync All Scenes: nothing was due."
    assert "40 in sync already" in infos(jobs[1])[0]


def test_a_command_line_beside_a_task(make_harbour):
    stage = make_harbour()
    wake(stage)
    stage.plex.latency.write = 0.15
    job = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 4)
    script = os.path.join(stage.stash.plugins_dir, "Stash2Plex", "process_queue.py")
    done = subprocess.run(
        [sys.executable, "-S", script],
        env={"PATH": os.environ["PATH"], "STASH2PLEX_STASH_URL": stage.stash.url},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    job.wait(60)
    assert re.search(r"40 scenes in sync after", infos(job)[-1])
    told = " ".join(done.stderr.split())
    found = int(
        present(re.search(r"(\d+) scenes are due already \(from “Sync All Scenes”", told))[1]
    )
    assert f"{found} scenes in sync after" in done.stdout
    assert done.returncode == 0
    assert found < SCENES


def test_a_save_in_mid_run_is_counted_once(make_harbour):
    stage = make_harbour()
    wake(stage)
    job = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 4)
    for number in range(30, 41):
        stage.edit(number, title=f"Jetty {number}")
    job.wait(60)
    assert re.search(r"40 scenes in sync after", infos(job)[-1]), job.log
    stage.until(lambda: stage.wrong() == [])


def test_a_queue_cleared_in_mid_run_is_told(make_harbour):
    stage = make_harbour()
    wake(stage)
    job = press(stage, "Sync All Scenes")
    stage.until(lambda: writes(stage) >= 1)
    # Another scene than those in hand waits for its turn.
    stage.operation("clear_queue")
    job.wait(60)
    (done,) = re.findall(r"(\d+) scenes? in sync after", infos(job)[-1])
    removed = re.findall(r"(\d+) removed from the queue", infos(job)[-1])
    assert int(done) + sum(map(int, removed)) == SCENES


def test_a_scene_given_up_is_failed_once_and_one_put_off_waits(make_harbour):
    stage = make_harbour(6)
    for number in (101, 102):
        stage.stash.add_scene(title="Twins", files=[f"/data/{number}/twin.mp4"])
    for folder in ("a", "b"):
        stage.plex.add_item(stage.section, file=f"/media/library/{folder}/twin.mp4")
    stage.stash.add_scene(title="Lost", files=["/data/lost.mp4"])
    wake(stage)
    for press_number in (1, 2):
        job = press(stage, "Sync All Scenes").wait(90)
        last = infos(job)[-1]
        synced = 6 if press_number == 1 else 0
        assert f"{synced} scenes in sync after" in last, job.log
        assert "2 given up (scene 8 “Twins”, scene 7 “Twins”)" in last
        assert "1 not in Plex yet" in last


def test_reconcile_beside_a_worker_tells_of_what_it_found(make_harbour):
    stage = make_harbour(12)
    wake(stage)
    press(stage, "Sync All Scenes").wait(60)
    for item in list(stage.plex.all_items())[:5]:
        item.title = "A title from Plex"
        item.updated_at += 100
    job = press(stage, "Reconcile Library (All)").wait(60)
    assert re.search(r": 5 scenes in sync after", infos(job)[-1]), job.log
    assert stage.wrong() == []


def test_process_queue_tells_what_was_due_and_from_whom(make_harbour):
    stage = make_harbour(8, **OFF)
    stage.operation("status")
    for number in range(1, 9):
        stage.edit(number, title=f"Jetty {number}")
    job = press(stage, "Process Queue").wait(60)
    assert infos(job)[0] == "Process Queue: 8 scenes are due already (from saves)."
    assert re.search(r"8 scenes in sync after", infos(job)[-1])
    # The look at Stash saw eight changes, but a hook had queued each of them.
    assert "changed in Stash unseen" not in "\n".join(job.log)


# -- row 12: why scenes need nothing ------------------------------------------------------


def test_sync_all_says_why_scenes_need_nothing(make_stage):
    stage = make_stage(0, settings={**OFF, "only_organized": True, "exclude_tags": "Fog"})
    fog = stage.stash.add_tag("Fog")
    for number in range(4):
        stage.stash.add_scene(files=[f"/data/{number}.mp4"], organized=True)
    stage.stash.add_scene(title="Rough", files=["/data/rough.mp4"])
    stage.stash.add_scene(title="Foggy", files=["/data/foggy.mp4"], tags=[fog], organized=True)
    stage.stash.add_scene(title="Nowhere", files=[], organized=True)
    for name in ("Sync All Scenes", "Sync Recent Scenes"):
        job = press(stage, name).wait(60)
        assert infos(job)[0] == (
            f"{name}: 0 scenes queued: 4 have no metadata yet, 1 not organized, "
            "1 with an excluded tag, 1 without a file."
        )
        assert infos(job)[-1] == f"{name}: nothing was due."
