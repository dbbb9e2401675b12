"""What is remembered of an item counts as long as it is that item, and no longer."""

from __future__ import annotations

from stash2plex_testing.stash import picture


def synced(make_desk, **settings):
    """Give a desk, a scene with a tag and a cover, and its item, as after a first sync."""
    desk = make_desk(skip_fields="", **settings)
    tags = [desk.stash.add_tag(name) for name in ("Fog", "Tide")]
    scene = desk.scene("a/pier.mp4", tags=tags[:1], cover=picture(1))
    item = desk.item("a/pier.mp4")
    desk.drain(scene)
    assert (item.title, item.number_of_uploads) == (scene.title, 2)
    return desk, scene, item, tags


def empty(item):
    """Make an item as a scan leaves it."""
    item.title, item.texts, item.tags, item.images = "fresh", {}, {}, {}
    item.locked, item.selected, item.number_of_uploads = set(), {}, 0


def test_an_item_of_a_rebuilt_plex_that_has_the_old_id_gets_everything(make_desk):
    desk, scene, item, _ = synced(make_desk)
    empty(item)
    desk.plex.move_file(item, "/media/films/a/pier.mp4")
    scene.details = "Another text"
    desk.drain(scene)
    assert item.title == scene.title
    assert item.texts["summary"] == "Another text"
    assert item.number_of_uploads == 2


def test_an_item_whose_file_moved_in_plex_still_holds_what_is_ours(make_desk):
    desk, scene, item, _ = synced(make_desk, preserve_plex_edits=True)
    desk.plex.move_file(item, "/media/films/a/pier.mp4")
    scene.details = "Another text"
    desk.drain(scene)
    # Were it not known as ours, a locked field that differs would be a person's.
    assert item.texts["summary"] == "Another text"
    assert item.number_of_uploads == 2


def test_an_item_that_a_person_wrote_over_still_holds_what_else_is_ours(make_desk):
    desk, scene, item, tags = synced(make_desk, preserve_plex_edits=True)
    item.title = "By hand"
    item.texts.update(summary="By hand", tagline="By hand", studio="By hand")
    scene.tags = tags[1:]
    desk.drain(scene)
    assert item.title == "By hand"
    assert item.tags["genre"] == ["Tide"]


def test_a_scene_whose_file_became_another_one_is_looked_up_again(make_desk):
    desk, scene, _, _ = synced(make_desk)
    other = desk.item("a/quay.mp4", size=200)
    # Stash renames a file without a word about its scene.
    scene.files[0].basename, scene.files[0].size = "quay.mp4", 200
    desk.drain(scene)
    assert other.title == scene.title
