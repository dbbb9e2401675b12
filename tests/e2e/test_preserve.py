"""A user's edits in Plex, with python-plexapi as the user and as the reader."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from stash2plex_testing.stash import picture

OFF = {"background_worker": "off"}
KEEP = {**OFF, "preserve_plex_edits": True}


def item_of(stage, path="/media/library/quay.mp4"):
    return stage.items()[path]


def names(tags):
    return sorted(tag.tag for tag in tags)


@pytest.mark.parametrize("semantics", ["append", "replace"])
def test_what_a_person_changed_in_plex_stays_until_stash_shall_win(make_stage, semantics):
    stage = make_stage(0, settings={**KEEP, "skip_fields": "poster background"})
    stage.plex.tag_semantics = semantics
    fog, tide, wind = (stage.stash.add_tag(name) for name in ("Fog", "Tide, high", "Wind"))
    scene = stage.stash.add_scene(
        title="Quay", details="Ours", rating100=80, files=["/data/quay.mp4"], tags=[fog, tide]
    )
    stage.plex.add_item(stage.section, file="/media/library/quay.mp4")
    stage.run_task("Sync All Scenes")

    item = item_of(stage)
    item.batchEdits().editSummary("By hand").addGenre("By hand").addCollection("Favourites")
    item.removeGenre("Fog").saveEdits()
    item.rate(3.0)
    ids = [str(one.id) for one in (fog, wind)]
    stage.edit(scene.id, title="Quay at noon", details="Newer", rating100=90, tag_ids=ids)
    stage.run_task("Process Queue")
    item = item_of(stage)
    assert (item.title, item.summary, item.userRating) == ("Quay at noon", "By hand", 3.0)
    assert names(item.genres) == ["By hand", "Wind"]
    assert names(item.collections) == ["Favourites"]

    stage.plex.clear_log()
    stage.operation("sync", scene_ids=[scene.id])
    stage.run_task("Process Queue")
    assert stage.plex.count("PUT") == 0

    # A lost record must not make a person's edits ours.
    with closing(sqlite3.connect(stage.database)) as database, database:
        database.execute("DELETE FROM scene_record")
    stage.edit(scene.id, title="Quay at dusk")
    stage.run_task("Process Queue")
    item = item_of(stage)
    # Nor is ours told apart from a person's any more, where the field is locked.
    assert (item.title, item.summary, item.userRating) == ("Quay at noon", "By hand", 3.0)
    assert names(item.genres) == ["By hand", "Wind"]

    stage.configure(**OFF, skip_fields="poster background", preserve_plex_edits=False)
    stage.run_task("Sync All Scenes")
    assert stage.wrong() == []
    item = item_of(stage)
    assert names(item.genres) == ["Fog", "Wind"]
    assert names(item.collections) == ["Favourites"]


def test_a_poster_that_a_person_chose_stays(make_stage):
    stage = make_stage(0, settings=KEEP)
    scene = stage.stash.add_scene(title="Quay", files=["/data/quay.mp4"], cover=picture(1))
    held = stage.plex.add_item(stage.section, file="/media/library/quay.mp4")
    clock = iter(range(1, 60))

    def recover(number):
        """Give the scene another cover; its address changes with the second of the edit."""
        scene.cover = picture(number)
        scene.updated_at = f"2026-01-01T00:00:{next(clock):02}Z"
        stage.operation("sync", scene_ids=[scene.id])
        stage.run_task("Process Queue")

    recover(1)
    ours = held.selected["posters"]
    stage.plex.clear_log()
    recover(2)
    assert held.selected["posters"] != ours
    assert (stage.plex.count("POST"), stage.plex.count("GET", "(posters|arts)$")) == (2, 2)
    # The first one again: Plex has it, so it is chosen and not sent.
    recover(1)
    assert held.selected == {"posters": ours, "arts": ours}
    assert stage.plex.count("POST") == 2

    item = item_of(stage)
    second = next(one for one in item.posters() if not one.ratingKey.endswith(ours))
    second.select()
    recover(3)
    assert held.selected["posters"] == second.ratingKey.rpartition("/")[2]
    assert held.selected["arts"] not in (ours, held.selected["posters"])
    stage.configure(**OFF, preserve_plex_edits=False)
    stage.run_task("Sync All Scenes")
    assert held.selected["posters"] == held.selected["arts"]


def test_a_background_that_was_skipped_for_a_while_catches_up(make_stage):
    stage = make_stage(0, settings=OFF)
    scene = stage.stash.add_scene(title="Quay", files=["/data/quay.mp4"], cover=picture(1))
    held = stage.plex.add_item(stage.section, file="/media/library/quay.mp4")
    scene.updated_at = "2026-01-01T00:00:00Z"
    stage.run_task("Sync All Scenes")
    stage.configure(**OFF, skip_fields="background summary")
    scene.cover = picture(2)
    stage.edit(scene.id, details="Written while it was skipped")
    stage.run_task("Process Queue")
    assert held.selected["posters"] != held.selected["arts"]
    assert "summary" not in held.texts
    stage.configure(**OFF, skip_fields="")
    stage.run_task("Sync All Scenes")
    assert held.selected["posters"] == held.selected["arts"]
    assert held.texts["summary"] == "Written while it was skipped"


def test_a_scene_that_left_stash_leaves_an_orphan_until_another_takes_its_item(make_stage):
    stage = make_stage(0, settings=OFF)
    scene = stage.stash.add_scene(title="Quay", files=["/data/quay.mp4"])
    held = stage.plex.add_item(stage.section, file="/media/library/quay.mp4")
    stage.run_task("Sync All Scenes")
    stage.graphql(
        "mutation D($input: SceneDestroyInput!) { sceneDestroy(input: $input) }",
        input={"id": str(scene.id)},
    )
    stage.run_task("Process Queue")
    assert held.title == "Quay"
    assert stage.rows("SELECT count(*) FROM scene_record") == [(0,)]
    (orphan,) = stage.rows("SELECT scene_id, title, rating_key, plex_path FROM orphan")
    assert orphan == (scene.id, "Quay", str(held.rating_key), "/media/library/quay.mp4")
    stage.stash.add_scene(title="Quay again", files=["/data/quay.mp4"])
    stage.run_task("Sync All Scenes")
    assert held.title == "Quay again"
    assert stage.rows("SELECT count(*) FROM orphan") == [(0,)]
