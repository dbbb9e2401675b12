"""What an undo must not touch: what others changed, other items, other servers."""

from __future__ import annotations

import pytest

from stash2plex.model import Field
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.undo import Chosen, forecast, undo
from stash2plex.sync.observer import Silent
from stash2plex_testing.plex import combined
from tests.drains.test_undo import EVERYTHING, put_back, state


@pytest.fixture
def pier(make_desk):
    """Give a desk, a scene, and its item, which showed something before."""
    desk = make_desk()
    tags = [desk.stash.add_tag(name) for name in ("Fog", "Tide")]
    scene = desk.scene("a/pier.mp4", rating100=80, date="2020-02-02", tags=tags)
    item = desk.item("a/pier.mp4")
    item.texts["summary"] = "Before"
    item.tags["genre"] = ["Old"]
    item.floats["userRating"] = 3.0
    return desk, scene, item


def left(report):
    return {name: why for _, name, why in report.done.left}


# -- theirs -------------------------------------------------------------------------------


def test_the_users_own_way_back_is_no_change(pier):
    """The user typed by hand what was there first; only our lock goes."""
    desk, scene, item = pier
    before = state(item)
    desk.drain(scene)
    item.title, item.texts["summary"] = before["title"], "Before"
    assert put_back(desk)[1].done.theirs == 0
    assert state(item) == before


def test_a_rating_that_the_user_removed_stays_removed(pier):
    desk, scene, item = pier
    desk.drain(scene)
    item.floats.pop("userRating")
    report = put_back(desk)[1]
    assert "userRating" not in item.floats
    assert left(report) == {"rating": "theirs"}


def test_a_text_that_the_user_emptied_stays_empty(pier):
    desk, scene, item = pier
    desk.drain(scene)
    item.texts["summary"] = ""
    report = put_back(desk)[1]
    assert item.texts["summary"] == ""
    assert left(report) == {"summary": "theirs"}


def test_a_value_of_another_tool_stays_and_ours_go(pier):
    desk, scene, item = pier
    desk.drain(scene)
    item.tags["genre"] = [*item.tags["genre"], "Of another tool"]
    report = put_back(desk)[1]
    assert sorted(item.tags["genre"]) == ["Of another tool", "Old"]
    assert left(report) == {"tags": "theirs"}


def test_a_value_that_the_user_took_from_ours_needs_nothing(pier):
    desk, scene, item = pier
    before = state(item)
    desk.drain(scene)
    item.tags["genre"].remove("Fog")
    assert put_back(desk)[1].done.theirs == 0
    assert state(item) == before


def test_an_edit_by_hand_that_a_sync_replaced_does_not_come_back_but_the_first_state_does(pier):
    desk, scene, item = pier
    before = state(item)
    desk.drain(scene)
    item.title = "By hand"
    scene.title = "Another title"
    desk.drain(scene)
    assert item.title == "Another title"
    put_back(desk)
    assert state(item) == before


# -- the item and the file ----------------------------------------------------------------


def test_an_item_that_was_added_again_under_another_key_gets_nothing_of_the_old_one(pier):
    desk, scene, item = pier
    desk.drain(scene)
    again = desk.plex.readd_item(item)
    assert again.rating_key != item.rating_key
    before = state(again)
    report = put_back(desk)[1]
    assert (report.done.queued, report.done.gone, report.done.back) == (1, 1, 0)
    assert state(again) == before


def test_another_item_under_the_same_key_after_a_rebuild_gets_nothing(pier):
    desk, scene, item = pier
    desk.drain(scene)
    item.parts[0].path = "/media/a/quay.mp4"
    after = state(item)
    report = put_back(desk)[1]
    assert (report.done.gone, report.done.back) == (1, 0)
    assert state(item) == after


def test_a_restored_plex_shows_its_values_as_theirs(pier):
    """A copy of Plex from before the sync: it holds none of our values, so nothing is written."""
    desk, scene, item = pier
    before = state(item)
    desk.drain(scene)
    item.title, item.texts["summary"] = "pier", "Before"
    item.tags["genre"], item.floats["userRating"] = ["Old"], 3.0
    item.originally_available_at, item.locked = "", set()
    desk.plex.clear_log()
    report = put_back(desk)[1]
    assert state(item) == before
    assert desk.plex.count("PUT") == 0
    assert (report.done.theirs, report.done.cannot) == (0, 0)


def test_a_copy_from_between_two_syncs_keeps_the_older_value_of_ours_as_it_is(pier):
    desk, scene, item = pier
    desk.drain(scene)
    older = item.title
    scene.title = "Another title"
    desk.drain(scene)
    item.title = older
    report = put_back(desk)[1]
    # It is not the last that we wrote: it may be the user's choice by now.
    assert item.title == older
    assert left(report) == {"title": "theirs"}


def test_an_item_of_another_library_that_was_put_back_in_part_is_ours_no_more(make_desk):
    desk = make_desk()
    quays = desk.plex.add_section("Quays", locations=["/media"])
    scene, own = desk.scene("a.mp4"), desk.item("a.mp4")
    second = desk.plex.add_item(quays, "/media/a.mp4", size=100)
    desk.drain(scene)
    put_back(desk, Chosen(scene_ids=(scene.id,), fields=frozenset({Field.TITLE})))
    assert [item.title for item in (own, second)] == ["a", "a"]
    assert [item.texts["summary"] for item in (own, second)] == ["Seen at a.mp4."] * 2
    store = desk.app.store
    records = [store.records.get(scene.id), *store.followers.of(scene.id).values()]
    assert ["title" in one.written for one in records if one] == [False, False]
    assert ["summary" in one.written for one in records if one] == [True, True]


# -- left out afterwards ------------------------------------------------------------------


@pytest.mark.parametrize("why", ["exclude_tags", "only_organized"])
def test_a_scene_that_is_excluded_afterwards_is_counted_and_can_go_back(pier, why):
    desk, scene, item = pier
    before = state(item)
    desk.drain(scene)
    desk.restart(**({why: "Fog"} if why == "exclude_tags" else {why: True}))
    scene.title = "Changed"
    desk.drain(scene)
    assert "1 scene left out by now" in check_kept(desk.app).detail
    assert item.title != before["title"]
    assert forecast(desk.app, Chosen(left_out=True)).queued == 1
    undo(desk.app, Chosen(left_out=True))
    desk.process(Silent())
    assert state(item) == before
    assert "left out" not in check_kept(desk.app).detail


# -- collections --------------------------------------------------------------------------


def test_a_collection_that_differs_by_case_only_was_there_and_stays(make_desk):
    desk = make_desk()
    desk.plex.traits = combined("folds_case", "one_row_per_folded_name")
    scene = desk.scene("a/1.mp4", studio=desk.stash.add_studio("HARBOUR"))
    item = desk.item("a/1.mp4")
    desk.plex.add_collection(desk.films, "Harbour")
    desk.drain(scene)
    put_back(desk)
    assert not item.tags.get("collection")
    assert desk.plex.collection_titles(desk.films) == ["Harbour"]


def test_a_smart_collection_of_the_same_name_stays(make_desk):
    desk = make_desk()
    scene = desk.scene("a/1.mp4", studio=desk.stash.add_studio("Harbour"))
    item = desk.item("a/1.mp4")
    desk.drain(scene)
    desk.plex.add_collection(desk.films, "Harbour", smart=True)
    put_back(desk)
    assert not item.tags.get("collection")
    assert desk.plex.collection_titles(desk.films) == ["Harbour"]


def test_one_field_of_collections_leaves_the_rest(make_desk):
    desk = make_desk()
    scene = desk.scene("a/1.mp4", studio=desk.stash.add_studio("Harbour"))
    item = desk.item("a/1.mp4")
    desk.drain(scene)
    put_back(desk, Chosen(scene_ids=[scene.id], fields=frozenset({Field.COLLECTION})))
    assert not item.tags.get("collection")
    assert (item.title, item.texts["studio"]) == (scene.title, "Harbour")
    assert desk.plex.collection_titles(desk.films) == []
    assert put_back(desk, EVERYTHING)[0] == 1
