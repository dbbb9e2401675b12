"""A preview as plain values, its limits, and what it says of scenes that it cannot compare."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex.errors import UsageError
from stash2plex.model import Field
from stash2plex.operations import preview
from stash2plex.operations.preview import preview_all, preview_pages, preview_scenes, preview_some
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture
from stash2plex_testing.stash.faults import Fault as StashFault
from tests.harness.in_process import fill


def test_a_whole_preview_as_plain_values(make_desk):
    desk = make_desk(skip_fields="background", preserve_plex_edits=True, exclude_tags="Fog")
    quay, pier = desk.stash.add_tag("Quay"), desk.stash.add_tag("Pier")
    scenes = [
        desk.scene("a/1.mp4", tags=[quay], rating100=80, cover=picture(1)),
        desk.scene("a/2.mp4", size=2, rating100=60),
        desk.scene("a/3.mp4", size=3),
    ]
    items = [desk.item(f"a/{number}.mp4", size=size) for number, size in ((1, 100), (2, 2), (3, 3))]
    desk.drain(*scenes)
    desk.clock.step(5)
    scenes[0].title, scenes[0].rating100, scenes[0].tags = "Lantern", 40, (pier,)
    desk.stash.generate_cover(scenes[0], picture(2))
    items[0].tags["genre"].append("By hand")
    items[0].texts["summary"] = "By hand"
    scenes[1].rating100 = None
    for number in (4, 5):
        desk.scene(f"b/{number}.mp4", size=number, tags=[desk.stash.add_tag("Fog")])
        desk.scene(f"c/{number}.mp4", size=number, title="", details="")
        desk.scene(f"lost/{number}.mp4", size=90 + number, title=f"Lost {number}")
    for scene in scenes:
        desk.stash.library.touch(scene)
    found = preview_all(desk.app)
    assert dict(found.left_out_reasons) == {"excluded": 2, "no_metadata": 2}
    assert dict(found.not_matched_reasons) == {"not_in_plex": 2}
    first: dict[str, Any] = {
        "scene_id": 1, "title": "Lantern", "rating_key": "1", "matched_by": "the whole path",
        "fields": [
            {"field": "title", "held": "About a/1.mp4", "becomes": "Lantern", "added": [],
             "removed": []},
            {"field": "tags", "held": ["Quay", "By hand"], "becomes": ["By hand", "Pier"],
             "added": ["Pier"], "removed": ["Quay"]},
            {"field": "rating", "held": 8.0, "becomes": 4.0, "added": [], "removed": []},
        ],
        "pictures": ["poster"], "locks": [], "kept": ["summary", "tags"],
    }  # fmt: skip
    second: dict[str, Any] = {
        "scene_id": 2, "title": "About a/2.mp4", "rating_key": "2",
        "matched_by": "the whole path",
        "fields": [
            {"field": "rating", "held": 6.0, "becomes": None, "added": [], "removed": []}
        ],
        "pictures": [], "locks": [], "kept": [],
    }  # fmt: skip
    shown = found.as_json()
    errors = [problem.pop("error") for problem in shown["problems"]]
    assert shown == {
        "seen": 9, "changing": 2, "unchanged": 1, "left_out": 4, "not_matched": 2,
        "fields": {"rating": 2, "title": 1, "tags": 1, "poster": 1}, "shown": 2,
        "scenes": [first, second],
        "problems": [
            {"scene_id": 6, "title": "Lost 4", "reason": "not_in_plex"},
            {"scene_id": 9, "title": "Lost 5", "reason": "not_in_plex"},
        ],
    }  # fmt: skip
    assert all("is not in Plex yet" in error for error in errors)
    some = preview_some(desk.app, [1, 2, 3, 4, 5, 6, 9], 1)
    assert some == {
        "seen": 7, "changing": 2, "unchanged": 1, "left_out": 2, "not_matched": 2,
        "scenes": [{**first, "cover": "/scene/1/screenshot"}],
        "problems": [{**shown["problems"][0], "error": errors[0]}],
    }  # fmt: skip


def test_thirty_scenes_are_a_sample_and_fifty_are_shown(make_desk):
    desk = make_desk()
    fill(desk, 52)
    for number in range(51):
        desk.scene(f"lost/{number}.mp4", size=900 + number)
    assert preview_some(desk.app, None, 50)["seen"] == 30
    found = preview_all(desk.app)
    assert (found.seen, found.changing, found.not_matched) == (103, 52, 51)
    assert [one.scene_id for one in found.scenes] == list(range(1, 51))
    assert [one.scene_id for one in found.problems] == list(range(53, 103))
    assert (found.as_json()["shown"], found.fields[Field.TITLE]) == (50, 52)
    with pytest.raises(UsageError) as caught:
        preview_scenes(desk.app, range(150, 98, -1))
    listed = ", ".join(str(one) for one in range(104, 151))
    assert caught.value.what == f"Stash has no scene {listed}."
    with pytest.raises(UsageError) as caught:
        preview_scenes(desk.app, range(251, 200, -1))
    listed = ", ".join(str(one) for one in range(201, 251))
    assert caught.value.what == f"Stash has no scene {listed}."


@pytest.mark.parametrize("number", [4, 5])
def test_a_preview_in_small_steps_is_the_same(make_desk, monkeypatch, number):
    desk = make_desk()
    ids = [scene.id for scene in fill(desk, number)]
    lost = [desk.scene(f"lost/buoy {one}.mp4", size=900 + one).id for one in range(2)]
    whole = preview_scenes(desk.app, [*ids, *lost])
    for name in ("SCENES_PER_READ", "IDS_PER_READ"):
        monkeypatch.setattr(preview, name, 2)
    monkeypatch.setattr(preview, "SHOWN", 1)
    small = preview_scenes(desk.app, [*ids, *lost])
    assert (small.seen, small.changing, small.not_matched) == (number + 2, number, 2)
    assert (whole.seen, whole.changing, whole.not_matched) == (number + 2, number, 2)
    assert (len(whole.problems), len(small.problems)) == (2, 1)
    assert preview_all(desk.app).changing == number


def test_scenes_that_stash_cannot_show_are_problems_without_a_title(make_desk):
    desk = make_desk()
    scenes = fill(desk, 4)
    asked = []
    for number in (1, 4):
        desk.stash.clear_log()
        ids = [scene.id for scene in scenes[:number]]
        assert preview_scenes(desk.app, ids).changing == number
        asked.append(desk.stash.count(path="/graphql"))
    # They are read at once.
    assert asked[0] == asked[1] > 0
    for scene in scenes[1:3]:
        desk.stash.faults.add(
            StashFault("graphql_error", scene=scene, message="it is broken", times=None)
        )
    found = preview_scenes(desk.app, [scene.id for scene in scenes])
    assert (found.seen, found.changing, found.not_matched) == (4, 2, 2)
    assert [(one.scene_id, one.title) for one in found.problems] == [
        (scenes[1].id, ""), (scenes[2].id, ""),
    ]  # fmt: skip
    assert all(one.error for one in found.problems)
    assert [one.scene_id for one in preview_all(desk.app).problems] == [scenes[1].id, scenes[2].id]


def test_items_that_moved_in_plex_are_named_and_the_others_compared(make_desk):
    desk = make_desk()
    fill(desk, 4)
    preview_all(desk.app)
    items = desk.plex.all_items()
    desk.app.open_session().index.refresh(desk.app.settings().plex_library)
    desk.plex.faults.add(Fault("status", path="/library/sections/1/all", times=None))
    found = preview_of(desk, 4)
    assert (found.changing, found.not_matched) == (4, 0)
    desk.plex.remove_item(items[0])
    desk.plex.trash_item(items[2])
    found = preview_of(desk, 4)
    assert (found.seen, found.changing, found.not_matched) == (4, 2, 2)
    assert [(one.scene_id, one.title, one.reason, one.error) for one in found.problems] == [
        (number, f"About {number - 1}.mp4", "not_in_plex",
         f"“About {number - 1}.mp4” has moved in Plex.")
        for number in (1, 3)
    ]  # fmt: skip


def test_an_item_that_cannot_be_read_is_a_problem_of_the_preview(make_desk):
    desk = make_desk()
    scenes = [desk.scene("a.mp4", size=1), desk.scene("b.mp4", size=2)]
    items = [desk.item("a.mp4", size=1), desk.item("b.mp4", size=2)]
    desk.drain(*scenes)
    for scene in scenes:
        scene.title = f"Edited {scene.id}"
    desk.plex.faults.add(Fault("status", times=None, **scopes.item(items[0], "read")))
    known = preview_scenes(desk.app, [scene.id for scene in scenes])
    assert (known.seen, known.changing, known.not_matched) == (2, 1, 1)
    (problem,) = known.problems
    assert (problem.scene_id, problem.reason) == (1, "transient")


def preview_of(desk, number):
    """Preview scenes; what cannot be listed is as it was listed before."""
    return preview_scenes(desk.app, range(1, number + 1))


def test_what_is_known_after_each_page_is_shown(make_desk, monkeypatch):
    desk = make_desk()
    scenes = fill(desk, 5)
    desk.drain(scenes[0])
    monkeypatch.setattr(preview, "IDS_PER_READ", 2)
    ids = [scene.id for scene in scenes]
    pages: list[preview.Page] = [
        (list(desk.app.stash.scenes(ids[start : start + 2]).values()), {}) for start in (0, 2, 4)
    ]
    seen: list[tuple[int, int]] = []
    found = preview_pages(desk.app, pages, lambda one: seen.append((one.seen, one.changing)))
    assert seen == [(2, 0), (4, 2), (5, 4)]
    assert (found.seen, found.changing, found.settled) == (5, 4, 1)
    assert len({one.path for one in desk.plex.requests if "/metadata/" in one.path}) >= 2


def test_a_picture_alone_is_found_behind_fifty_changes_too(make_desk, monkeypatch):
    desk = make_desk(skip_fields="background")
    monkeypatch.setattr(preview, "SHOWN", 1)
    scenes = [desk.scene(f"a/{one}.mp4", size=one, cover=picture(one)) for one in range(1, 5)]
    for one in range(1, 5):
        desk.item(f"a/{one}.mp4", size=one)
    desk.drain(*scenes)
    desk.clock.step(5)
    for scene in scenes[1:]:
        desk.stash.generate_cover(scene, picture(9))
    scenes[3].title = "Lantern"
    found = preview_scenes(desk.app, [scene.id for scene in scenes])
    assert (found.changing, found.unchanged, found.settled) == (3, 0, 1)
    # The cover of the last one is not read: its title changes in any case.
    assert (dict(found.fields), len(found.scenes)) == ({"poster": 2, "title": 1}, 1)


def test_scenes_in_a_library_that_is_not_chosen_are_left_out(make_desk):
    desk = make_desk(plex_library="Harbour Films")
    desk.plex.add_section("Attic", locations=["/attic"])
    desk.item("a/1.mp4")
    for number in range(3):
        desk.scene(f"x/{number}.mp4", size=number)
    desk.restart(path_map="/data/x=>/attic")
    desk.app.sweeper.sweep_all(desk.app.settings(), desk.app.stash)
    desk.drain()
    found = preview_all(desk.app)
    assert (found.left_out, dict(found.left_out_reasons), found.not_matched) == (
        3, {"library": 3}, 0,
    )  # fmt: skip
