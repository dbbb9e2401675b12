"""Full sweeps, and the doors that start one: what it may do, and when it happens."""

from __future__ import annotations

import os
import signal

from stash2plex.db import get_meta
from stash2plex.lock import drain_lock
from stash2plex.sync.goals import Background
from stash2plex_testing.stash import Fault
from tests.e2e.sweeping import (
    LONG,
    OFF,
    PAGE,
    SHORT,
    TEXT_ONLY,
    drain,
    synced,
)
from tests.harness.process import open_stage
from tests.support import ManualClock

# -- full sweeps --------------------------------------------------------------------------


def test_a_sweep_that_breaks_off_adds_work_and_stays_due(workshop, small_pages):
    stage, app, clock = workshop(20)
    synced(app, clock)
    for scene in stage.stash.scenes:
        scene.details = f"Changed without a trace, {scene.id}"
    gone = stage.stash.scenes[-1]
    stage.stash.library.destroy_scene(gone)
    stage.stash.faults.add(Fault("status", operation="query ScenePage", status=503, after=2))
    clock.now += 86_400
    drain(app, SHORT)
    done = stage.rows("SELECT count(*) FROM scene_record WHERE written LIKE '%without a trace%'")
    assert 0 < done[0][0] < 19
    assert app.store.records.get(gone.id) is not None
    stage.stash.faults.clear()
    clock.now += 61
    drain(app, SHORT)
    assert stage.wrong() == []
    assert app.store.records.get(gone.id) is None


def test_a_sweep_that_is_stopped_half_way_stays_due(workshop, small_pages):
    stage, app, clock = workshop(20)
    synced(app, clock)
    stage.stash.scenes[-1].title = "Changed without a trace"
    clock.now += 86_400
    drain(app, SHORT, lambda: stage.stash.count(operation=PAGE) >= 2)
    assert stage.stash.count(operation=PAGE) < 20
    clock.now += 61
    drain(app, SHORT)
    assert stage.wrong() == []


def test_a_stash_without_any_scene_takes_no_record_away(workshop):
    stage, app, clock = workshop(5)
    synced(app, clock)
    for scene in stage.stash.scenes:
        stage.stash.library.destroy_scene(scene)
    clock.now += 86_400
    drain(app, SHORT)
    assert stage.rows("SELECT count(*) FROM scene_record")[0][0] > 0


def test_a_changed_setting_touches_the_scenes_that_differ_and_no_others(workshop):
    stage, app, clock = workshop(12)
    tag = stage.stash.add_tag("Unwanted")
    for scene in stage.stash.scenes[:2]:
        scene.tags = (*scene.tags, tag)
    synced(app, clock)
    stage.plex.clear_log()
    stage.configure(**TEXT_ONLY, ignore_tags="unwanted")
    clock.now += 61
    drain(app)
    assert 1 <= stage.plex.count("PUT") <= 2
    assert stage.plex.count("GET", "/library/metadata") <= 2
    held = stage.items()
    scenes = stage.read_scenes()
    assert all(
        "Unwanted" not in {genre.tag for genre in stage.item_of(scene, held).genres}
        for scene in scenes
    )
    stage.stash.clear_log()
    clock.now += 61
    drain(app)
    assert stage.stash.count(operation=PAGE) == 0


def test_a_field_that_is_skipped_from_now_on_looks_at_all_and_writes_nothing(workshop):
    stage, app, clock = workshop(40)
    synced(app, clock)
    stage.plex.clear_log()
    stage.configure(skip_fields="poster background tagline director")
    clock.now += 61
    drain(app)
    assert stage.plex.count("PUT") == stage.plex.count("POST") == 0
    assert stage.plex.count("GET", "/library/metadata") <= 2
    assert app.store.queue.is_empty()
    stage.stash.clear_log()
    clock.now += 61
    drain(app)
    assert stage.stash.count(operation=PAGE) == 0


def test_an_idle_worker_sees_a_changed_setting_within_a_minute(workshop):
    stage, app, clock = workshop(6)
    synced(app, clock)
    stage.plex.clear_log()
    clock.at[clock.now + 200] = lambda: stage.configure(**TEXT_ONLY, ignore_tags="-", max_tags=1)
    drain(app, Background("background worker", idle=400.0))
    assert stage.plex.count("PUT") > 0
    clock.at[clock.now + 200] = lambda: stage.configure(**TEXT_ONLY, **OFF)
    assert drain(app, LONG).gave_up == "Background worker is off."


def test_a_setting_that_helps_brings_dead_letters_back(workshop):
    stage, app, clock = workshop(0)
    stage.stash.add_scene(title="Twins", files=["/data/a/quay.mp4"])
    stage.plex.add_item(stage.section, file="/media/one/a/quay.mp4")
    stage.plex.add_item(stage.section, file="/media/two/a/quay.mp4")
    synced(app, clock)
    assert app.store.queue.counts().dead == 1
    clock.now += 86_400
    drain(app, SHORT)
    assert app.store.queue.counts().dead == 1
    stage.configure(**TEXT_ONLY, path_map="/data=>/media/two")
    clock.now += 61
    drain(app)
    assert app.store.queue.counts().dead == 0
    assert [item.title for item in stage.plex.all_items()] == ["quay", "Twins"]


def test_a_save_in_the_middle_of_a_sweep_does_not_wait_for_its_end(workshop, small_pages):
    stage, app, clock = workshop(160)
    synced(app, clock)
    stage.plex.clear_log()
    stage.stash.clear_log()
    asked = []
    read = app.stash.scene_page

    def page(after, criteria=None):
        asked.append((after, stage.plex.count("PUT")))
        if len(asked) == 3:
            stage.stash.scenes[0].title = "Saved meanwhile"
            of_the_hook = open_stage(stage, clock)
            of_the_hook.store.queue.add("scene", 1)
            of_the_hook.close()
        return read(after, criteria)

    app.stash.scene_page = page
    clock.now += 86_400
    drain(app, SHORT)
    assert len(asked) == 41
    first = next(number for number, (_, writes) in enumerate(asked) if writes)
    assert first < 25


def test_a_studio_stands_for_those_below_it_and_a_tag_for_itself(workshop):
    stage, app, _ = workshop(0)
    port = stage.stash.add_studio("Port")
    quay = stage.stash.add_studio("Quay", stage.stash.add_studio("Harbour", port))
    weather = stage.stash.add_tag("Weather")
    fog = stage.stash.add_tag("Fog", parents=[weather])
    fleet = stage.stash.add_group("Fleet")
    scene = stage.stash.add_scene(studio=quay, tags=[fog], groups=[fleet], files=["/data/a.mp4"])
    stage.stash.add_scene(title="Another", files=["/data/b.mp4"])
    assert app.stash.scene_ids_showing("studio", port.id) == [scene.id]
    assert app.stash.scene_ids_showing("tag", fog.id) == [scene.id]
    assert app.stash.scene_ids_showing("tag", weather.id) == []
    assert app.stash.scene_ids_showing("group", fleet.id) == [scene.id]


# -- doors --------------------------------------------------------------------------------


def test_wake_starts_a_worker_when_no_look_was_for_ten_minutes(make_stage):
    stage = make_stage(3)
    assert stage.operation("wake") == {"started": True, "due": 0}
    stage.until(lambda: stage.rows("SELECT 1 FROM meta WHERE name = 'upkeep'"))
    stage.end_worker()
    assert stage.operation("wake") == {"started": False, "due": 0}


def test_wake_starts_nothing_without_a_plex_or_when_switched_off(make_stage):
    stage = make_stage(1)
    stage.configure(plex_token="")
    assert not stage.operation("wake")["started"]
    stage.configure(**OFF)
    assert not stage.operation("wake")["started"]


def test_process_queue_finds_what_no_hook_told(make_stage):
    stage = make_stage(4, settings={**OFF, **TEXT_ONLY})
    stage.run_task("Sync All Scenes")
    scene = stage.stash.scenes[0]
    performer = stage.stash.add_performer("Performer 17")
    stage.stash.auto_tag(scene, performers=[performer])
    scene.updated_at = stage.stash.library.time_text(stage.stash.core.clock() + 5)
    stage.run_task("Process Queue")
    assert stage.wrong() == []


def test_process_queue_has_a_living_worker_look_at_once(make_stage):
    stage = make_stage(4, settings=TEXT_ONLY)
    stage.run_task("Sync All Scenes")
    assert stage.operation("wake")["started"] is False
    stage.edit(1, title="Starts a worker")
    stage.until(lambda: stage.queue()["pending"] + stage.queue()["in_progress"] == 0)
    assert stage.operation("status")["worker"]["running"]
    scene = stage.stash.scenes[1]
    scene.title = "Seen because somebody asked"
    scene.updated_at = stage.stash.library.time_text(stage.stash.core.clock() + 5)
    stage.run_task("Process Queue")
    assert stage.wrong() == []


def test_a_worker_that_is_killed_in_the_middle_of_a_sweep_leaves_it_due(make_stage):
    stage = make_stage(6, settings={**TEXT_ONLY, "reconcile_interval": "never"})
    stage.run_task("Sync All Scenes")
    stage.end_worker()
    for scene in stage.stash.scenes:
        scene.details = f"Changed without a trace, {scene.id}"
    stage.configure(**TEXT_ONLY, reconcile_interval="never", max_tags=99)
    stage.stash.latency.read = 0.3
    stage.operation("sync", scene_ids=[1])
    stage.until(lambda: stage.rows("SELECT 1 FROM meta WHERE value LIKE '%a setting%'"))
    ((pid,),) = stage.rows("SELECT pid FROM drain")
    os.kill(pid, signal.SIGKILL)
    stage.stash.latency.read = 0.0
    stage.until(lambda: not stage.operation("status", stored=True)["worker"]["running"])
    stage.run_task("Process Queue")
    assert stage.wrong() == []


def test_a_merge_of_tags_queues_the_sources_too(make_stage):
    stage = make_stage(3, settings=OFF)
    stage.operation("status")
    one, two = stage.stash.add_tag("Ebb"), stage.stash.add_tag("Flow")
    stage.stash.merge_tags([one], two)
    assert set(stage.rows("SELECT kind, id FROM queue")) == {("tag", one.id), ("tag", two.id)}


def test_a_damaged_database_needs_no_person(make_stage):
    stage = make_stage(5, settings=TEXT_ONLY)
    stage.run_task("Sync All Scenes")
    stage.end_worker()
    for end in ("-wal", "-shm"):
        if os.path.exists(stage.database + end):
            os.remove(stage.database + end)
    with open(stage.database, "wb") as file:
        file.write(b"harbour " * 4000)
    stage.stash.scenes[4].title = "Changed meanwhile, unseen"
    stage.edit(1, title="Saved after the damage")
    stage.until(lambda: stage.wrong() == [])
    lock = drain_lock(stage.data_dir)
    stage.end_worker()
    assert lock.acquire()
    app = open_stage(stage, ManualClock())
    assert get_meta(app.store.connection, "rebuild") is None
    app.close()
    lock.release()
