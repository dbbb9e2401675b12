"""Files that Plex does not have yet and files that move, with the built archive."""

from __future__ import annotations

TEXT_ONLY = {"background_worker": "off", "skip_fields": "poster background"}


def test_process_queue_has_plex_scan_the_folder_and_sends_what_it_finds(make_stage):
    stage = make_stage(3, settings={**TEXT_ONLY, "trigger_plex_scan": True})
    stage.plex.scanning.seconds = 1
    stage.stash.add_scene(title="Quay at dawn", files=["/data/new/quay.mp4"], sizes=[7])
    stage.section.stage_file("/media/library/new/quay.mp4", 7)
    stage.run_task("Sync All Scenes")
    asked = [one.query for one in stage.plex.requests if one.path.endswith("/refresh")]
    assert [query["path"] for query in asked] == [["/media/library/new"]]
    assert stage.wrong() == []


def test_moves_in_plex_and_scenes_of_one_item(make_stage):
    stage = make_stage(4, settings=TEXT_ONLY)
    stage.run_task("Sync All Scenes")
    scenes = stage.read_scenes()
    moved, again = stage.plex.all_items()[:2]
    stage.plex.move_file(moved, "/media/library/elsewhere/moved.mp4")
    stage.stash.move_file(stage.stash.scenes[0].files[0], "/data/elsewhere/moved.mp4")
    stage.plex.readd_item(again)
    joined, gone = stage.plex.all_items()[1:3]
    joined.parts += gone.parts
    stage.plex.remove_item(gone)
    for scene in scenes:
        stage.edit(int(scene["id"]), title=f"Edited {scene['id']}")
    stage.run_task("Process Queue")
    letters = stage.operation("dead_letters")["items"]
    assert sorted(letter["reason"] for letter in letters) == ["ambiguous", "ambiguous"]
    shared = {letter["scene_id"] for letter in letters}
    assert all(f"scene {scene_id}" in letters[0]["error"] for scene_id in shared)
    shown = {item.title for item in stage.plex.all_items()}
    assert {f"Edited {s['id']}" for s in scenes if int(s["id"]) not in shared} <= shown
    assert not {f"Edited {scene_id}" for scene_id in shared} & shown
