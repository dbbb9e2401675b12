"""Files that move, vanish, come back or are joined in Plex, and ids that name other items."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex_testing.stash import picture


def synced(desk, *paths):
    scenes = [desk.scene(path, size=100 + number) for number, path in enumerate(paths)]
    items = [desk.item(path, size=100 + number) for number, path in enumerate(paths)]
    desk.drain(*scenes)
    assert desk.titles() == [scene.title for scene in scenes]
    return scenes, items


def edit(scene, title):
    scene.title = title
    return scene


def attempts(desk):
    return desk.rows("SELECT count(*) FROM failure WHERE reason <> 'not_in_plex'")[0][0]


def test_a_file_renamed_in_place_keeps_its_item(make_desk):
    desk = make_desk()
    (scene,), (item,) = synced(desk, "a/pier.mp4")
    desk.plex.move_file(item, "/media/b/jetty.mp4")
    desk.stash.move_file(scene.files[0], "/data/b/jetty.mp4")
    desk.clock.step(60)
    desk.drain(edit(scene, "Moved"))
    assert item.title == "Moved"
    assert desk.rows("SELECT plex_path FROM scene_record") == [("/media/b/jetty.mp4",)]
    assert attempts(desk) == 0


def test_a_file_moved_to_another_folder_is_looked_up_at_once(make_desk):
    desk = make_desk()
    (scene, _), (item, _) = synced(desk, "a/pier.mp4", "a/quay.mp4")
    desk.plex.move_file(item, "/media/b/pier.mp4")
    desk.stash.move_file(scene.files[0], "/data/b/pier.mp4")
    desk.drain(edit(scene, "Moved"))
    assert item.title == "Moved"
    assert attempts(desk) == 0


def test_an_item_deleted_and_added_again_gets_fields_and_pictures(make_desk):
    desk = make_desk(skip_fields="")
    scene = desk.scene("a/pier.mp4", cover=picture(1))
    old = desk.item("a/pier.mp4")
    desk.drain(scene)
    new = desk.plex.readd_item(old)
    desk.clock.step(60)
    # Nobody edits the scene; the news alone shows that its item is another one.
    other = desk.scene("b/quay.mp4")
    desk.item("b/quay.mp4")
    desk.drain(other)
    assert desk.rows("SELECT fingerprint FROM scene_record WHERE scene_id = ?", scene.id) == [("",)]
    desk.drain(scene)
    assert new.title == scene.title
    assert new.number_of_uploads == 2
    assert attempts(desk) == 0


@pytest.mark.parametrize("again", ["readd", "move_and_readd"])
def test_an_item_that_went_between_two_runs_is_followed_in_one(make_desk, again):
    desk = make_desk()
    (scene, _), (item, _) = synced(desk, "a/pier.mp4", "a/quay.mp4")
    if again == "move_and_readd":
        item.parts[0].path = "/media/b/pier.mp4"
        desk.stash.move_file(scene.files[0], "/data/b/pier.mp4")
    new = desk.plex.readd_item(item)
    desk.drain(edit(scene, "Found"))
    assert new.title == "Found"
    assert desk.dead() == {}
    assert attempts(desk) == 0


def test_an_item_that_goes_between_read_and_write_is_followed_without_an_attempt(make_desk):
    desk = make_desk()
    (scene,), (item,) = synced(desk, "a/pier.mp4")
    gone: list[Any] = []
    routes = desk.plex._routes
    answered = routes.answer

    def answer(request):
        if request.method == "PUT" and not gone:
            gone.append(desk.plex.readd_item(item))
        return answered(request)

    routes.answer = answer
    desk.drain(edit(scene, "Found"))
    assert gone[0].title == "Found"
    assert attempts(desk) == 0


def test_an_item_in_the_bin_waits_and_is_found_when_it_is_back(make_desk):
    desk = make_desk()
    (scene,), (item,) = synced(desk, "a/pier.mp4")
    desk.plex.trash_item(item)
    desk.drain(edit(scene, "Back"))
    assert item.title != "Back"
    assert desk.rows("SELECT reason, attempts FROM queue") == [("not_in_plex", 0)]
    desk.clock.step(700)
    item.deleted_at = None
    desk.plex._library.touch(desk.films)
    desk.work(700)
    assert item.title == "Back"


def test_ids_that_name_other_items_after_a_rebuild_get_nothing_of_a_stranger(make_desk):
    desk = make_desk(skip_fields="")
    scenes = [desk.scene(f"a/{n}.mp4", size=100 + n, cover=picture(n)) for n in (1, 2, 3)]
    items = [desk.item(f"a/{n}.mp4", size=100 + n) for n in (1, 2, 3)]
    desk.drain(*scenes)
    first, second, third = (item.parts for item in items)
    items[0].parts, items[1].parts, items[2].parts = second, third, first
    for item in items:
        item.title, item.texts, item.tags, item.images = "fresh", {}, {}, {}
        item.number_of_uploads = 0
    for scene in scenes:
        edit(scene, f"New {scene.id}")
    desk.drain(*scenes)
    shown = {item.parts[0].path: item for item in items}
    for number, scene in enumerate(scenes, 1):
        item = shown[f"/media/a/{number}.mp4"]
        assert item.title == f"New {scene.id}"
        assert item.texts["summary"] == scene.details
        assert item.number_of_uploads == 2
    assert desk.dead() == {}


def test_a_scene_with_two_files_and_an_item_with_two_versions(make_desk):
    desk = make_desk()
    scene = desk.stash.add_scene(
        title="Both", files=["/data/a/quay.mp4", "/data/a/quay-hd.mp4"], sizes=[1, 2]
    )
    item = desk.plex.add_item(
        desk.films, files=["/media/a/quay-hd.mp4", "/media/a/quay.mp4"], sizes=[2, 1]
    )
    desk.drain(scene)
    assert item.title == "Both"
    item.parts.pop()
    desk.drain(edit(scene, "One left"))
    assert item.title == "One left"
    assert desk.rows("SELECT plex_path FROM scene_record") == [("/media/a/quay-hd.mp4",)]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("apart", [True, False], ids=["one-by-one", "together"])
def test_two_scenes_of_one_item_are_both_refused_whoever_came_first(make_desk, first, apart):
    desk = make_desk()
    scenes = [desk.scene("a/pier.mp4", size=1), desk.scene("a/pier-hd.mp4", size=2)]
    item = desk.plex.add_item(
        desk.films, files=["/media/a/pier.mp4", "/media/a/pier-hd.mp4"], sizes=[1, 2]
    )
    order = [scenes[first], scenes[1 - first]]
    if apart:
        desk.drain(order[0])
        desk.drain(order[1])
    else:
        desk.drain(*order)
        assert desk.plex.count("PUT") == 0
    assert desk.dead() == {1: "ambiguous", 2: "ambiguous"}
    for error in desk.errors().values():
        assert "scene 1 “About a/pier.mp4”, scene 2 “About a/pier-hd.mp4”" in error
    # Split in Plex: one file gets an item of its own, and a retry of either frees both.
    item.parts.pop()
    split = desk.item("a/pier-hd.mp4", size=2)
    desk.clock.step(700)
    desk.drain(scenes[1])
    assert desk.dead() == {}
    assert (item.title, split.title) == tuple(scene.title for scene in scenes)


@pytest.mark.parametrize("first", [0, 1])
def test_loosely_the_lower_id_is_shown(make_desk, first):
    desk = make_desk(loose_matching=True)
    scenes = [desk.scene("a/pier.mp4", size=1), desk.scene("a/pier-hd.mp4", size=2)]
    item = desk.plex.add_item(
        desk.films, files=["/media/a/pier.mp4", "/media/a/pier-hd.mp4"], sizes=[1, 2]
    )
    desk.drain(scenes[first])
    desk.drain(scenes[1 - first])
    assert item.title == scenes[0].title
    assert desk.dead() == {}
    assert desk.rows("SELECT * FROM queue") == []
    desk.drain(edit(scenes[1], "Not shown"))
    assert item.title == scenes[0].title


@pytest.mark.parametrize("first", [0, 1])
def test_a_copy_that_plex_does_not_have_waits_instead_of_taking_the_originals_item(
    make_desk, first
):
    desk = make_desk(path_map="/data=>/media")
    scenes = [desk.scene("a/pier.mp4", size=1), desk.scene("copies/pier.mp4", size=1)]
    item = desk.item("a/pier.mp4", size=1)
    desk.drain(scenes[first])
    desk.drain(scenes[1 - first])
    assert item.title == scenes[0].title
    assert desk.dead() == {}
    assert desk.rows("SELECT id, reason FROM queue") == [(2, "not_in_plex")]
    assert "is that of scene 1" in desk.rows("SELECT error FROM failure WHERE id = 2")[-1][0]


def test_a_scene_that_leaves_stash_frees_its_item(make_desk):
    desk = make_desk()
    scenes = [desk.scene("a/pier.mp4", size=1), desk.scene("a/pier-hd.mp4", size=2)]
    item = desk.plex.add_item(
        desk.films, files=["/media/a/pier.mp4", "/media/a/pier-hd.mp4"], sizes=[1, 2]
    )
    desk.drain(*scenes)
    desk.stash.core.library.destroy_scene(scenes[0])
    desk.drain(scenes[0])
    assert desk.dead() == {}
    assert item.title == scenes[1].title


def test_another_server_gets_everything_even_where_its_ids_are_the_same(make_desk):
    desk = make_desk(skip_fields="")
    scene = desk.scene("a/pier.mp4", cover=picture(1))
    desk.item("a/pier.mp4")
    desk.drain(scene)
    item = desk.plex.all_items()[0]
    desk.plex.machine_identifier = "another"
    item.title, item.texts, item.tags, item.images = "fresh", {}, {}, {}
    item.number_of_uploads = 0
    assert "A different Plex server" in desk.drain(edit(scene, "New")).gave_up
    assert item.title == "fresh"
    desk.app.store.plex_files.clear()
    desk.clock.step(120)
    desk.drain(scene)
    assert (item.title, item.number_of_uploads) == ("New", 2)


def test_a_file_renamed_in_place_long_after_it_was_added_keeps_its_item(make_desk):
    desk = make_desk()
    item = desk.item("a/pier.mp4", size=100)
    # No delta of what was added shows the old item any more, and it is too early for a full list.
    desk.clock.step(8000)
    desk.item("a/quay.mp4", size=101)
    scene = desk.scene("a/pier.mp4", size=100)
    desk.drain(scene)
    desk.plex.move_file(item, "/media/b/jetty.mp4")
    desk.stash.move_file(scene.files[0], "/data/b/jetty.mp4")
    desk.clock.step(60)
    desk.drain(edit(scene, "Moved"))
    assert item.title == "Moved"
    assert attempts(desk) == 0


def test_a_file_that_moved_and_went_to_the_bin_teaches_nothing(make_desk):
    desk = make_desk()
    (scene,), (item,) = synced(desk, "a/pier.mp4")
    desk.plex.move_file(item, "/media/b/jetty.mp4")
    desk.plex.trash_item(item)
    desk.stash.move_file(scene.files[0], "/data/b/jetty.mp4")
    desk.clock.step(60)
    desk.plex.clear_log()
    desk.drain(edit(scene, "Moved"))
    assert item.title != "Moved"
    ((reason, error),) = desk.rows("SELECT reason, error FROM failure")
    assert (reason, "is not in Plex yet" in error) == ("not_in_plex", True)
    assert desk.plex.count("GET", "/metadata/") == 1


def test_a_file_that_moved_in_plex_is_found_by_a_scene_that_never_had_it(make_desk):
    desk = make_desk()
    item = desk.item("a/pier.mp4", size=100)
    # Too old for a delta of what was added, and no record names the item.
    desk.clock.step(8000)
    desk.item("a/quay.mp4", size=101)
    desk.drain(desk.scene("a/quay.mp4", size=101))
    desk.plex.move_file(item, "/media/b/jetty.mp4")
    scene = desk.scene("b/jetty.mp4", size=100)
    desk.clock.step(590)
    desk.drain(scene)
    assert item.title != scene.title
    # A library that has changed is listed again for a miss, ten minutes after the last time.
    desk.clock.step(20)
    desk.drain(scene)
    assert item.title == scene.title
