"""What a drain asks of the servers, counted: pace, pictures, the path index."""

from __future__ import annotations

import pytest

from stash2plex_testing.plex import Fault, Overload
from stash2plex_testing.stash import picture

OFF = {"background_worker": "off"}
LONG_AGO = "2026-01-01T00:00:00Z"
"""The address of a cover changes with the second of an edit; two in one second look the same."""

TEXT_ONLY = {**OFF, "skip_fields": "poster background"}


def test_a_plex_that_slows_down_under_load_is_not_driven_into_time_outs(make_stage):
    stage = make_stage(60, settings={**TEXT_ONLY, "read_timeout": 5})
    stage.plex.overload = Overload(capacity=3, factor=2.0, base=0.01, hang_above=12)
    stage.run_task("Sync All Scenes")
    stage.plex.overload = None
    assert stage.plex.most_in_flight <= 8
    assert stage.rows("SELECT count(*) FROM outage") == [(0,)]
    assert stage.wrong() == []


def test_after_an_outage_one_goes_first(make_stage):
    stage = make_stage(40, settings=TEXT_ONLY)
    stage.plex.faults.add(Fault("status", method="PUT", times=6, status=503))
    stage.run_task("Sync All Scenes")
    assert stage.rows("SELECT count(*) FROM outage WHERE ended_at IS NULL") == [(0,)]
    assert stage.rows("SELECT count(*) FROM dead_letter") == [(0,)]
    assert stage.wrong() == []


def test_a_picture_is_sent_once_and_asked_for_by_its_etag(make_stage):
    stage = make_stage(0, settings=OFF)
    scene = stage.stash.add_scene(title="Quay", files=["/data/quay.mp4"], cover=picture(1))
    stage.plex.add_item(stage.section, file="/media/library/quay.mp4")
    scene.updated_at = LONG_AGO
    stage.run_task("Sync All Scenes")
    assert stage.plex.count("POST", "posters$") == 1
    assert stage.plex.count("POST", "arts$") == 1
    stage.plex.clear_log()
    stage.stash.clear_log()
    stage.edit(scene.id, title="Quay at dawn")
    stage.run_task("Process Queue")
    assert stage.plex.count("POST") == 0
    asked = [one for one in stage.stash.requests if "screenshot" in one.path]
    assert [one.status for one in asked] == [304]


def test_a_new_cover_goes_out_and_no_cover_does_not(make_stage):
    stage = make_stage(0, settings=OFF)
    scene = stage.stash.add_scene(title="Quay", files=["/data/quay.mp4"])
    stage.plex.add_item(stage.section, file="/media/library/quay.mp4")
    scene.updated_at = LONG_AGO
    stage.run_task("Sync All Scenes")
    assert stage.plex.count("POST") == 0
    scene.cover = picture(2)
    stage.edit(scene.id, title="Quay at noon")
    stage.run_task("Process Queue")
    assert stage.plex.count("POST") == 2
    assert stage.plex.all_items()[0].images["posters"] == stage.plex.all_items()[0].images["arts"]


def test_a_picture_that_plex_refuses_does_not_hold_up_the_text(make_stage):
    stage = make_stage(0, settings=OFF)
    stage.stash.add_scene(title="Quay", files=["/data/quay.mp4"], cover=picture(2))
    stage.plex.add_item(stage.section, file="/media/library/quay.mp4")
    stage.plex.faults.add(Fault("status", method="POST", path="posters", status=400))
    stage.run_task("Sync All Scenes")
    assert stage.queue()["dead"] == 0
    assert stage.wrong() == []
    assert "was not taken" in stage.log_text()


def test_a_cover_that_is_too_large_does_not_hold_up_the_text(make_stage):
    stage = make_stage(0, settings=OFF)
    huge = picture(1) + b"\0" * 11_000_000
    stage.stash.add_scene(title="Quay", files=["/data/quay.mp4"], cover=huge)
    stage.plex.add_item(stage.section, file="/media/library/quay.mp4")
    stage.run_task("Sync All Scenes")
    assert stage.wrong() == []
    assert stage.plex.count("POST") == 0
    assert "too large for Plex" in stage.log_text()


def test_moved_and_added_again_items_are_followed(make_stage):
    stage = make_stage(12, settings=TEXT_ONLY)
    stage.run_task("Sync All Scenes")
    items = stage.plex.all_items()
    stage.plex.readd_item(items[0])
    stage.plex.trash_item(items[1])
    scenes = stage.read_scenes()
    for scene in scenes[:3]:
        stage.edit(int(scene["id"]), title=f"Moved {scene['id']}")
    stage.run_task("Process Queue")
    held = stage.items()
    assert stage.item_of(scenes[0], held).title == f"Moved {scenes[0]['id']}"
    assert stage.item_of(scenes[2], held).title == f"Moved {scenes[2]['id']}"
    assert items[1].title != f"Moved {scenes[1]['id']}"
    assert stage.queue()["dead"] == 0


def test_versions_of_one_item_are_one_match(make_stage):
    stage = make_stage(0, settings=TEXT_ONLY)
    stage.stash.add_scene(title="Both", files=["/data/a/quay.mp4", "/data/a/quay-hd.mp4"])
    stage.plex.add_item(
        stage.section, files=["/media/library/a/quay-hd.mp4", "/media/library/a/quay.mp4"]
    )
    stage.run_task("Sync All Scenes")
    assert stage.plex.all_items()[0].title == "Both"


def test_a_file_that_two_items_hold_is_refused_with_both_named(make_stage):
    stage = make_stage(0, settings=TEXT_ONLY)
    stage.stash.add_scene(title="Twins", files=["/data/a/quay.mp4"])
    stage.plex.add_item(stage.section, file="/media/one/a/quay.mp4")
    stage.plex.add_item(stage.section, file="/media/two/a/quay.mp4")
    stage.run_task("Sync All Scenes")
    (letter,) = stage.operation("dead_letters")["items"]
    assert letter["reason"] == "ambiguous"
    assert "“/media/one/a/quay.mp4” in “Harbour Films”, “/media/two/a/quay.mp4”" in letter["error"]
    assert stage.plex.count("PUT") == 0
    stage.configure(**TEXT_ONLY, path_map="/data=>/media/two")
    stage.run_task("Retry Dead Letters")
    stage.run_task("Process Queue")
    assert [item.title for item in stage.plex.all_items()] == ["quay", "Twins"]


@pytest.mark.parametrize("times", [1, 2])
def test_an_unchanged_library_costs_one_request_for_the_index(make_stage, times):
    stage = make_stage(5, settings=TEXT_ONLY)
    for _ in range(times):
        stage.run_task("Sync All Scenes")
    stage.plex.clear_log()
    stage.run_task("Sync All Scenes")
    assert stage.plex.count("GET", "/all$") <= 1
    assert stage.plex.count() <= 3
