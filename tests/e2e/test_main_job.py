"""The main job with the built archive: a save reaches Plex, and Process Queue drains a backlog."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from stash2plex.lock import drain_runs
from stash2plex_testing.plex import Latency
from tests.harness.process import workers

OFF = {"background_worker": "off"}


def test_a_save_reaches_plex_without_any_task(make_stage):
    stage = make_stage(6)
    stage.edit(1, title="A lantern at dusk")
    held = stage.until(
        lambda: [item for item in stage.items().values() if item.title == "A lantern at dusk"]
    )
    assert "title" in {field.name for field in held[0].fields if field.locked}
    assert stage.plex.whole_library_edits == 0


def test_three_hundred_scenes_by_hooks_then_process_queue(make_stage):
    stage = make_stage(300, settings=OFF)
    stage.operation("status")
    for number in range(1, 301):
        stage.edit(number, rating100=number % 100 + 1)
    assert stage.queue()["pending"] == 300
    job = stage.run_task("Process Queue")
    assert stage.wrong() == []
    values = job.progress_values
    assert values == sorted(values)
    assert values[-1] == 1.0
    assert len(values) >= 3
    assert len(stage.plex.clients) <= 2  # ours and python-plexapi's
    assert stage.plex.tokens_in_urls == 0
    assert stage.queue() == {"pending": 0, "in_progress": 0, "waiting": 0, "dead": 0}


def test_an_unchanged_library_writes_nothing(make_stage):
    stage = make_stage(40, settings=OFF)
    stage.run_task("Sync All Scenes")
    stage.plex.clear_log()
    stage.run_task("Sync All Scenes")
    assert stage.plex.count("PUT") == 0
    assert stage.plex.count("POST") == 0
    assert stage.plex.count("GET") <= 5
    assert stage.wrong() == []


@pytest.mark.parametrize("semantics", ["append", "replace"])
def test_stale_tags_and_performers_go(make_stage, semantics):
    stage = make_stage(3, settings=OFF)
    stage.plex.tag_semantics = semantics
    scenes = stage.read_scenes()
    ids = [
        stage.graphql(
            "mutation Tag($input: TagCreateInput!) { tagCreate(input: $input) { id } }",
            input={"name": name},
        )["tagCreate"]["id"]
        for name in ("Fog, dense", "Tide & wind")
    ]
    stage.edit(int(scenes[0]["id"]), title="Tagged", tag_ids=ids)
    stage.run_task("Sync All Scenes")
    stage.edit(int(scenes[0]["id"]), tag_ids=ids[1:])
    stage.run_task("Process Queue")
    item = stage.item_of(stage.read_scenes()[0], stage.items())
    assert [tag.tag for tag in item.genres] == ["Tide & wind"]


def test_stopped_half_way_and_run_again(make_stage):
    stage = make_stage(80, latency=Latency(write=0.02, upload=0.02), settings=OFF)
    job = stage.job(stage.task("Sync All Scenes"))
    stage.until(lambda: stage.plex.count("PUT") >= 15)
    stage.graphql("mutation Stop($id: ID!) { stopJob(job_id: $id) }", id=str(job.id))
    job.wait(30)
    # The first process that asks Stash learns that the job was stopped.
    left = stage.operation("status")["queue"]
    # What the stopped task left is held until it is asked for again.
    assert left["waiting"] > 0
    stage.run_task("Process Queue")
    assert stage.wrong() == []
    assert stage.queue()["pending"] == 0
    # What was in the air at the kill is looked at once more; pictures have the same bytes.
    assert all(item.number_of_uploads <= 4 for item in stage.plex.all_items())


def test_process_queue_beside_the_worker_does_nothing_twice(make_stage):
    stage = make_stage(
        60, latency=Latency(write=0.02), settings={"skip_fields": "poster background"}
    )
    stage.operation("sync", scene_ids=[int(scene["id"]) for scene in stage.read_scenes()])
    job = stage.run_task("Process Queue")
    assert stage.wrong() == []
    assert job.progress_values[-1] == 1.0
    edited = [record.query["id"][0] for record in stage.plex.requests if record.method == "PUT"]
    assert len(edited) == len(set(edited))


def test_twenty_saves_at_once_start_one_worker(make_stage):
    stage = make_stage(20)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: stage.edit(number, title=f"Pier {number}"), range(1, 21)))
    stage.until(lambda: stage.queue()["pending"] + stage.queue()["in_progress"] == 0)
    stage.until(lambda: stage.wrong() == [])
    log = os.path.join(stage.data_dir, "worker.log")
    with open(log, encoding="utf-8") as file:
        assert file.read().count("has started") == 1


def test_wake_takes_over_what_a_killed_worker_had_in_hand(make_stage):
    stage = make_stage(
        30, latency=Latency(write=0.2), settings={"skip_fields": "poster background"}
    )
    stage.operation("sync", scene_ids=[int(scene["id"]) for scene in stage.read_scenes()])
    stage.until(lambda: stage.plex.count("PUT") >= 3)
    ((pid,),) = stage.rows("SELECT pid FROM drain")
    os.kill(pid, signal.SIGKILL)
    stage.until(lambda: stage.operation("status", stored=True)["worker"]["running"] is False)
    left = stage.queue()
    assert left["in_progress"] == 0
    assert left["pending"] > 0
    stage.plex.latency.write = 0.0
    assert stage.operation("wake")["started"]
    stage.until(lambda: stage.queue()["pending"] + stage.queue()["in_progress"] == 0)
    assert stage.wrong() == []


def test_the_summary_counts_this_run_and_no_earlier_one(make_stage):
    stage = make_stage(4)
    stage.edit(1, title="Before")
    stage.until(lambda: "Before" in {item.title for item in stage.plex.all_items()})
    stage.run_task("Sync All Scenes")
    stage.stash.clear_log()
    stage.run_task("Sync All Scenes")
    assert "0 scenes queued: 4 in sync already." in stage.log_text()
    assert "in sync after" not in stage.log_text()


def test_an_uninstalled_plugin_stops_writing(make_stage):
    stage = make_stage(2)
    stage.edit(1, title="Before")
    stage.until(lambda: "Before" in {item.title for item in stage.plex.all_items()})
    stage.plex.down()
    stage.edit(2, title="After")
    stage.until(lambda: stage.queue()["pending"] == 1)
    assert drain_runs(stage.data_dir)
    plugin = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    os.remove(os.path.join(plugin, "stash2plex", "version.py"))
    stage.until(lambda: workers(stage.data_dir)[0] == [])
    # It went with work to do, and nothing took its place.
    stage.plex.up()
    assert stage.rows("SELECT kind, id FROM queue WHERE lease_id IS NULL") == [("scene", 2)]
    assert not drain_runs(stage.data_dir)
    assert "After" not in {item.title for item in stage.plex.all_items()}


def test_an_uninstalled_plugin_stops_writing_and_leaves_nothing_in_the_plugins_folder(make_stage):
    stage = make_stage(2)
    plugin = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    stage.edit(1, title="Before")
    stage.until(lambda: "Before" in {item.title for item in stage.plex.all_items()})
    stage.run_task("Process Queue")
    shell = [sys.executable, "-IS", os.path.join(plugin, "process_queue.py"), "--help"]
    subprocess.run(shell, check=True, capture_output=True)
    assert [folder for folder, *_ in os.walk(plugin) if "__pycache__" in folder] == []
    # One that an older version left.
    os.mkdir(os.path.join(plugin, "stash2plex", "__pycache__"))
    with open(os.path.join(plugin, "stash2plex", "__pycache__", "worker.pyc"), "w") as file:
        file.write("")
    stage.stash.uninstall("Stash2Plex")
    stage.until(lambda: not drain_runs(stage.data_dir))
    stage.until(lambda: os.listdir(os.path.dirname(plugin)) == [])
    log = os.path.join(stage.data_dir, "worker.log")
    stage.until(
        lambda: "info    The background worker ends: the plugin was uninstalled." in read(log)
    )
    assert "warning" not in read(log)


def test_a_disabled_plugin_stops_writing_and_carries_on_when_it_is_enabled(make_stage):
    stage = make_stage(2)
    stage.edit(1, title="Before")
    stage.until(lambda: "Before" in {item.title for item in stage.plex.all_items()})
    stage.plex.down()
    stage.edit(2, title="After")
    stage.until(lambda: stage.queue()["pending"] == 1)
    switch = "mutation E($m: BoolMap!) { setPluginsEnabled(enabledMap: $m) }"
    stage.graphql(switch, m={"Stash2Plex": False})
    stage.until(lambda: workers(stage.data_dir)[0] == [])
    assert "ends: the plugin was disabled in Stash." in read(
        os.path.join(stage.data_dir, "worker.log")
    )
    stage.plex.up()
    assert "After" not in {item.title for item in stage.plex.all_items()}
    stage.graphql(switch, m={"Stash2Plex": True})
    stage.edit(1, title="Enabled")
    stage.until(lambda: {"After", "Enabled"} <= {item.title for item in stage.plex.all_items()})


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_plex_down_waits_gives_up_and_carries_on(make_stage):
    stage = make_stage(10, settings=OFF)
    stage.operation("status")
    for number in range(1, 6):
        stage.edit(number, title=f"Pier {number}")
    stage.plex.down()
    answer = stage.said("process_queue", max_wait=2)
    stage.plex.up()
    assert "nothing is lost" in answer
    assert "refuses the connection" in answer
    assert stage.queue()["pending"] == 5
    assert stage.queue()["dead"] == 0
    stage.run_task("Process Queue")
    assert stage.queue() == {"pending": 0, "in_progress": 0, "waiting": 0, "dead": 0}
    shown = {item.title for item in stage.items().values()}
    assert {f"Pier {number}" for number in range(1, 6)} <= shown


def test_process_queue_goes_on_by_itself_when_plex_is_back(make_stage):
    stage = make_stage(6, settings=OFF)
    stage.plex.down()
    job = stage.job(stage.task("Sync All Scenes"))
    stage.until(lambda: stage.operation("status", stored=True)["breaker"]["state"] == "open")
    stage.plex.up()
    job.wait(60)
    assert stage.wrong() == []


def test_not_in_plex_yet_is_snoozed_and_found_later(make_stage):
    stage = make_stage(3, settings=OFF)
    scene = stage.stash.add_scene(title="Fresh catch", files=["/data/new/fresh-catch.mp4"])
    stage.run_task("Sync All Scenes")
    assert stage.queue()["waiting"] == 1
    assert "not in Plex yet" in stage.log_text()
    assert stage.operation("status")["breaker"]["state"] == "closed"
    stage.plex.add_item(stage.section, file="/media/library/new/fresh-catch.mp4")
    stage.operation("sync", scene_ids=[scene.id])
    stage.run_task("Process Queue")
    assert stage.wrong() == []


def test_a_renamed_studio_and_a_destroyed_performer_reach_their_scenes(make_stage):
    stage = make_stage(30, settings=OFF)
    stage.run_task("Sync All Scenes")
    scenes = stage.read_scenes()
    studio = stage.graphql(
        "query S { findStudios(filter: {per_page: -1}) { studios { id name } } }"
    )
    name = next(scene["studio"]["name"] for scene in scenes if scene["studio"])
    chosen = next(one for one in studio["findStudios"]["studios"] if one["name"] == name)
    stage.graphql(
        "mutation R($input: StudioUpdateInput!) { studioUpdate(input: $input) { id } }",
        input={"id": chosen["id"], "name": "Northern Quay"},
    )
    people = stage.graphql(
        "query P { findPerformers(filter: {per_page: -1}) { performers { id name } } }"
    )["findPerformers"]["performers"]
    shown = next(scene["performers"][0]["name"] for scene in scenes if scene["performers"])
    gone = next(one for one in people if one["name"] == shown)
    stage.graphql(
        "mutation D($input: PerformerDestroyInput!) { performerDestroy(input: $input) }",
        input={"id": gone["id"]},
    )
    stage.run_task("Process Queue")
    assert stage.wrong() == []
    held = stage.items()
    for scene in stage.read_scenes():
        names = {tag.tag for tag in stage.item_of(scene, held).collections}
        assert name not in names


@pytest.mark.parametrize("semantics", ["append", "replace", "replace_sets"])
def test_a_rename_that_many_scenes_show_is_one_edit(make_stage, semantics):
    stage = make_stage(3, settings=OFF)
    stage.plex.tag_semantics = semantics
    studio = stage.stash.add_studio("Old Quay")
    for number in range(150):
        path = f"/data/quay/{number}.mp4"
        tags = [stage.stash.add_tag(f"Tag {number}")]
        stage.stash.add_scene(title=f"Quay {number}", studio=studio, tags=tags, files=[path])
        stage.plex.add_item(stage.section, file=path.replace("/data", "/media/library", 1))
    stage.run_task("Sync All Scenes")
    stage.plex.clear_log()
    stage.graphql(
        "mutation R($input: StudioUpdateInput!) { studioUpdate(input: $input) { id } }",
        input={"id": str(studio.id), "name": "New Quay"},
    )
    stage.run_task("Process Queue")
    if semantics != "replace_sets":
        assert stage.plex.count("PUT") <= 3
        assert stage.plex.count("GET", "/library/metadata") <= 4
    assert stage.wrong() == []
    held = stage.items()["/media/library/quay/7.mp4"]
    assert [tag.tag for tag in held.collections] == ["New Quay"]
    assert [tag.tag for tag in held.genres] == ["Tag 7"]


def test_a_scene_without_metadata_wipes_nothing(make_stage):
    stage = make_stage(1, settings=OFF)
    scene = stage.stash.add_scene(files=["/data/quiet/unnamed.mp4"])
    stage.plex.add_item(
        stage.section, file="/media/library/quiet/unnamed.mp4", title="Kept", summary="Kept too"
    )
    stage.operation("sync", scene_ids=[scene.id])
    stage.run_task("Process Queue")
    item = stage.items()["/media/library/quiet/unnamed.mp4"]
    assert (item.title, item.summary) == ("Kept", "Kept too")


def test_the_worker_outlives_the_cookie(make_stage):
    stage = make_stage(4, username="keeper", password="lantern", api_key="key-of-the-harbour")
    stage.edit(1, title="Before")
    stage.until(lambda: "Before" in {item.title for item in stage.items().values()})
    stage.stash.expire_cookies()
    stage.edit(2, title="After")
    stage.until(lambda: "After" in {item.title for item in stage.items().values()})


def test_the_script_in_the_plugin_folder_drains_and_shows(make_stage):
    stage = make_stage(8, settings=OFF)
    stage.operation("sync", scene_ids=[int(scene["id"]) for scene in stage.read_scenes()])
    script = os.path.join(stage.stash.plugins_dir, "Stash2Plex", "process_queue.py")
    environment = {"PATH": os.environ["PATH"], "STASH2PLEX_STASH_URL": stage.stash.url}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", script, *arguments],
            env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    drained = run()
    assert drained.returncode == 0, drained.stderr
    assert "8 scenes in sync" in drained.stdout
    assert stage.wrong() == []
    shown = run("--json", "status")
    assert shown.returncode == 0
    assert '"pending": 0' in shown.stdout
    assert run("sync").returncode == 2
    stage.plex.down()
    try:
        lost = run("sync", "--all", "--wait", "1")
    finally:
        stage.plex.up()
    assert lost.returncode in (0, 3)
