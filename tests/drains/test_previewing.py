"""What a preview counts, over both stand-ins in this process; nothing is written by it."""

from __future__ import annotations

import io

import pytest

from stash2plex.errors import UsageError
from stash2plex.operations.preview import preview_all, preview_recent, preview_scenes
from stash2plex.tasks.scenes import preview
from stash2plex.tasks.task import Call
from stash2plex.ui.lines.preview import preview_lines
from stash2plex_testing.plex import Fault
from stash2plex_testing.stash import picture
from tests.harness.in_process import listen


def counts(found):
    return {
        name: getattr(found, name)
        for name in ("seen", "settled", "unchanged", "left_out", "changing", "not_matched")
        if getattr(found, name)
    }


def test_each_scene_is_counted_once_by_what_a_sync_would_do(make_desk):
    desk = make_desk(exclude_tags="Fog")
    paths = [f"a/{n}.mp4" for n in range(1, 5)]
    scenes = [desk.scene(path, size=n) for n, path in enumerate(paths)]
    items = [desk.item(path, size=n) for n, path in enumerate(paths)]
    desk.drain(*scenes)
    scenes[1].title = "Edited"
    scenes[2].tags = (desk.stash.add_tag("Fog"),)
    desk.app.store.records.invalidate([scenes[3].id])
    lost = desk.scene("b/lost.mp4")
    desk.stash.add_scene(files=["/data/bare.mp4"])
    desk.plex.clear_log()
    found = preview_all(desk.app)
    assert counts(found) == {
        "seen": 6, "settled": 1, "unchanged": 1, "left_out": 2, "changing": 1, "not_matched": 1,
    }  # fmt: skip
    (one,) = found.scenes
    assert (one.scene_id, one.rating_key) == (scenes[1].id, str(items[1].rating_key))
    assert [(each.name, each.held, each.becomes) for each in one.fields] == [
        ("title", "About a/2.mp4", "Edited")
    ]
    (problem,) = found.problems
    assert (problem.scene_id, problem.reason) == (lost.id, "not_in_plex")
    assert {record.method for record in desk.plex.requests} == {"GET"}
    assert items[1].title == "About a/2.mp4"


def test_an_item_that_went_since_it_was_listed_is_named(make_desk):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4")
    desk.item("a/pier.mp4")
    desk.plex.faults.add(Fault("status", path="/metadata/", status=404))
    found = preview_all(desk.app)
    assert counts(found) == {"seen": 1, "not_matched": 1}
    assert (found.problems[0].scene_id, found.problems[0].reason) == (scene.id, "not_in_plex")


def test_a_new_cover_alone_is_a_change(make_desk):
    desk = make_desk(skip_fields="")
    scene = desk.scene("a/pier.mp4", cover=picture(1))
    desk.item("a/pier.mp4")
    desk.drain(scene)
    assert counts(preview_all(desk.app)) == {"seen": 1, "settled": 1}
    desk.clock.step(5)
    scene.cover = picture(2)
    desk.stash.library.touch(scene)
    (one,) = preview_all(desk.app).scenes
    assert (one.fields, set(one.pictures)) == ((), {"poster", "background"})


def test_chosen_scenes_each_once_and_one_that_is_not_there(make_desk):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4")
    assert preview_scenes(desk.app, [scene.id, scene.id]).seen == 1
    with pytest.raises(UsageError, match="no scene 98, 99"):
        preview_scenes(desk.app, [99, scene.id, 98])


def test_recent_scenes_only(make_desk):
    desk = make_desk()
    desk.scene("a/old.mp4")
    desk.clock.step(3 * 86_400)
    new = desk.scene("a/new.mp4")
    found = preview_recent(desk.app, 86_400)
    assert (found.seen, [one.scene_id for one in found.problems]) == (1, [new.id])


def test_the_task_logs_each_line_of_its_preview_as_it_is(make_desk):
    desk = make_desk()
    desk.scene("a/pier.mp4")
    desk.item("a/pier.mp4")
    lines = listen(desk)
    answer = preview(Call(desk.app, {}, {}, "", desk.app.logs.logger, io.StringIO()))
    found = preview_all(desk.app)
    assert lines == preview_lines(found)
    assert answer == found.as_json()


def test_a_rehearsal_leaves_no_file_behind(make_desk, tmp_path, monkeypatch):
    desk = make_desk()
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with desk.app.rehearsal() as copy:
        copy.store.queue.add("scene", 1)
    assert list(here.iterdir()) == []
    assert desk.app.store.queue.is_empty()
