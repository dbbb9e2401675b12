"""Which item a scene gets where Plex has several versions or copies of its file."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("first", [False, True])
def test_the_original_is_shown_beside_its_optimized_version(make_desk, first):
    desk = make_desk(path_map="/data=>/media")
    item = desk.item("films/Harbour (2019).mkv", size=7)
    desk.plex.add_optimized(item, first=first)
    made = "films/Plex Versions/Optimized for TV/Harbour (2019).mp4"
    scenes = [desk.scene(made, size=3), desk.scene("films/Harbour (2019).mkv", size=7)]
    desk.drain(*scenes)
    assert item.title == scenes[1].title
    assert desk.dead() == {}
    assert desk.rows("SELECT id, reason FROM queue") == [(scenes[0].id, "not_in_plex")]
    assert desk.rows("SELECT path FROM plex_file") == [("/media/films/Harbour (2019).mkv",)]
    desk.drain(*reversed(scenes))
    assert item.title == scenes[1].title


def test_two_versions_of_a_user_are_two_files_still(make_desk):
    desk = make_desk()
    desk.plex.add_item(desk.films, files=["/media/a/pier.mkv", "/media/a/pier-b.mkv"], size=9)
    scenes = [desk.scene("a/pier.mkv", size=9), desk.scene("a/pier-b.mkv", size=9)]
    desk.drain(*scenes)
    assert set(desk.dead().values()) == {"ambiguous"}


def test_an_ambiguous_match_names_the_libraries(make_desk):
    desk = make_desk()
    copies = desk.plex.add_section("Copies", locations=["/copies"])
    desk.item("a/pier.mp4")
    desk.plex.add_item(copies, "/copies/a/pier.mp4", size=100)
    scene = desk.scene("a/pier.mp4")
    desk.drain(scene)
    assert (
        "“/media/a/pier.mp4” in “Harbour Films”, “/copies/a/pier.mp4” in “Copies”"
        in desk.errors()[scene.id]
    )
