"""A bad part of Plex stops nothing else, with the worker alive (issue 21, points 1 and 7)."""

from __future__ import annotations

import os

from stash2plex_testing.plex import Fault, scopes

TEXT_ONLY = {"skip_fields": "poster background"}


def add(stage, path, section=None, root="/media/library", **values):
    """Add a scene, as a scan does, and Plex's item of its file."""
    scene = stage.stash.add_scene(title="", files=[f"/data/{path}"], sizes=[500 + len(path)])
    item = stage.plex.add_item(
        section or stage.section, f"{root}/{path}", size=500 + len(path), **values
    )
    return scene, item


def save(stage, scene, title):
    stage.edit(scene.id, title=title, details="Seen from the pier.")


def shown(items):
    return [item.texts.get("summary") for item in items]


def test_bytes_a_bad_library_and_one_file_in_two(make_stage):
    stage = make_stage(1, settings=TEXT_ONLY)
    good = [add(stage, f"good-{number}/pier-{number}.mp4") for number in range(5)]
    odd_name = os.fsdecode(b"Caf\xe9 am Kai")
    odd_scene = stage.stash.add_scene(
        title="", files=["/data/kai/Caf\ufffd am Kai.mp4"], sizes=[77]
    )
    odd = stage.plex.add_item(
        stage.section, f"/media/library/kai/{odd_name}.mp4", size=77, title=odd_name
    )
    old = stage.plex.add_section("Old Harbour", locations=["/old"])
    waits, late = add(stage, "old/lamp.mp4", old, "/old")
    twin = stage.plex.add_item(old, good[0][1].parts[0].path, size=good[0][1].parts[0].size)
    fault = stage.plex.faults.add(Fault("status", times=None, **scopes.library(old)))

    for scene, _ in good:
        save(stage, scene, f"Pier {scene.id}")
    save(stage, odd_scene, "Caf\ufffd am Kai")
    save(stage, waits, "Lamp")
    items = [item for _, item in good] + [odd]
    stage.until(lambda: shown(items) == ["Seen from the pier."] * 6)
    stage.until(
        lambda: stage.rows("SELECT attempts, snoozes, reason FROM queue") == [(0, 0, "library")]
    )
    assert stage.rows("SELECT 1 FROM outage") == []
    checks = {check["name"]: check for check in stage.operation("health")["checks"]}
    assert "“Old Harbour” cannot be listed" in checks["Plex library"]["detail"]
    with open(os.path.join(stage.data_dir, "worker.log"), encoding="utf-8") as log:
        assert "Plex does not list “Old Harbour”" in log.read()

    stage.plex.faults.remove(fault)
    stage.until(lambda: shown([late, twin]) == ["Seen from the pier."] * 2, 120)
    stage.until(lambda: stage.rows("SELECT 1 FROM queue") == [])
