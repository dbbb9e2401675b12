"""Which pictures go out, and how few requests that takes."""

from __future__ import annotations

import pytest

from stash2plex_testing.stash import picture

MOMENTS = iter(range(1, 60))


@pytest.fixture
def pier(make_desk):
    """Give a desk, a scene with a cover, and its item, as after a first sync."""
    desk = make_desk(skip_fields="")
    scene, item = desk.scene("a/pier.mp4", cover=picture(1)), desk.item("a/pier.mp4")
    desk.drain(scene)
    desk.plex.clear_log()
    desk.stash.clear_log()
    return desk, scene, item


def save(desk, scene, **values):
    """Edit a scene, which changes the address of its cover, and sync it."""
    for name, value in values.items():
        setattr(scene, name, value)
    desk.clock.step(2)
    scene.updated_at = f"2027-02-01T00:00:{next(MOMENTS):02}Z"
    desk.drain(scene)


def covers(desk):
    """Name how Stash answered each question for a cover."""
    return [entry.status for entry in desk.stash.requests if "/screenshot" in entry.path]


def test_an_edit_of_the_text_fetches_no_cover_again_and_sends_none(pier):
    desk, scene, item = pier
    save(desk, scene, title="Another title")
    assert item.title == "Another title"
    assert covers(desk) == [304]
    assert (desk.plex.count("POST"), desk.plex.count("PUT")) == (0, 1)
    assert item.number_of_uploads == 2
    # Nothing at all changed: nobody is asked for the cover.
    desk.stash.clear_log()
    desk.drain(scene)
    assert covers(desk) == []


def test_a_comparison_of_the_text_asks_nobody_for_the_cover(pier):
    desk, scene, item = pier
    item.title = "Overwritten in Plex"
    desk.app.store.records.invalidate([scene.id])
    desk.drain(scene)
    assert item.title == scene.title
    assert covers(desk) == []


def test_a_picture_that_was_left_out_for_a_while_catches_up(pier):
    desk, scene, item = pier
    desk.restart(skip_fields="background")
    save(desk, scene, cover=picture(2))
    assert item.selected["posters"] != item.selected["arts"]
    desk.restart(skip_fields="")
    save(desk, scene, title="So that it is looked at")
    assert item.selected["posters"] == item.selected["arts"]
    assert item.number_of_uploads == 4
    # What is known to be there was not asked for.
    assert (desk.plex.count("GET", "/posters$"), desk.plex.count("GET", "/arts$")) == (1, 1)


def test_a_cover_that_plex_had_before_is_chosen_and_not_sent_again(pier):
    desk, scene, item = pier
    first = dict(item.selected)
    save(desk, scene, cover=picture(2))
    desk.plex.clear_log()
    save(desk, scene, cover=picture(1))
    assert item.selected == first
    assert (desk.plex.count("POST"), desk.plex.count("PUT")) == (0, 2)


def test_a_cover_that_a_killed_run_has_sent_is_left_as_it_is(pier):
    desk, scene, item = pier
    with desk.app.store.connection as database:
        database.execute("UPDATE scene_record SET poster_hash = '', background_hash = ''")
    save(desk, scene)
    assert item.number_of_uploads == 2
    assert (desk.plex.count("POST"), desk.plex.count("PUT")) == (0, 0)


def test_a_new_cover_goes_out_to_both_places_and_the_uploads_lock_them(pier):
    desk, scene, item = pier
    old = dict(item.selected)
    save(desk, scene, title="Another title", cover=picture(2))
    assert desk.plex.count("POST") == 2
    assert {item.selected[name] != old[name] for name in ("posters", "arts")} == {True}
    assert {"thumb", "art"} <= item.locked
    # The edit went out before anything was known of the cover, and locks none of it.
    edits = [record.query for record in desk.plex.requests if record.method == "PUT"]
    assert ["thumb.locked" in query for query in edits] == [False]
    # A cover alone needs no edit.
    desk.plex.clear_log()
    save(desk, scene, cover=picture(4))
    assert (desk.plex.count("POST"), desk.plex.count("PUT")) == (2, 0)


def test_each_picture_follows_its_own_setting(make_desk):
    desk = make_desk(skip_fields="poster")
    scene, item = desk.scene("a/pier.mp4", cover=picture(1)), desk.item("a/pier.mp4")
    desk.drain(scene)
    assert set(item.selected) == {"arts"}
    ((poster, background),) = desk.rows("SELECT poster_hash, background_hash FROM scene_record")
    assert (poster, len(background)) == ("", 40)
    desk.restart(skip_fields="background")
    scene.title = "So that it is looked at"
    desk.drain(scene)
    assert set(item.selected) == {"arts", "posters"}
    assert item.number_of_uploads == 2


def test_a_scene_without_a_cover_of_its_own_sends_none(make_desk):
    desk = make_desk(skip_fields="")
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.drain(scene)
    assert (item.title, item.number_of_uploads) == (scene.title, 0)
    assert desk.dead() == {}


def test_a_cover_that_is_too_large_costs_the_picture_only(make_desk):
    desk = make_desk(skip_fields="")
    scene = desk.scene("a/pier.mp4", cover=picture(1) + b"\0" * 11_000_000)
    item = desk.item("a/pier.mp4")
    desk.drain(scene)
    assert (item.title, item.number_of_uploads) == (scene.title, 0)
    assert (desk.rows("SELECT * FROM queue"), desk.dead()) == ([], {})
    # A smaller one goes out with the next edit.
    save(desk, scene, cover=picture(2))
    assert item.number_of_uploads == 2
