"""The difference between wanted and held, and what it leaves behind."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.apply import plan_change, written_values
from stash2plex.config import Settings
from stash2plex.desired import desired_state
from stash2plex.model import Entity, Field, ListChange, Record
from stash2plex.plex import edit_parameters
from tests.support import make_item, make_scene, named

PLAIN = Settings()


def record(**written):
    return Record(1, "7", "1", "/media/a.mp4", "path", "f", {str(k): v for k, v in written.items()})


def plan(scene, item, old=None, preserve=False):
    return plan_change(desired_state(scene, PLAIN), item, old, preserve=preserve)


def test_equal_and_locked_is_no_change_and_unlocked_is_a_lock():
    held = {Field.TITLE: "A harbour"}
    locked = make_item(texts=held, locked=frozenset({Field.TITLE}))
    assert not plan(make_scene(), locked).edits
    change = plan(make_scene(), make_item(texts=held))
    assert (change.texts, change.locks) == ({}, {Field.TITLE})


@pytest.mark.parametrize(
    ("held", "ours", "expected"),
    [
        ("Theirs", None, None),
        ("Ours", "Ours", ""),
        ("Changed by a person", "Ours", None),
        ("", "Ours", None),
    ],
)
def test_an_empty_value_clears_only_what_we_wrote(held, ours, expected):
    old = record(summary=ours) if ours else None
    change = plan(make_scene(details=""), make_item(texts={Field.SUMMARY: held}), old)
    assert change.texts.get(Field.SUMMARY) == expected


def test_an_emptied_title_becomes_the_file_name_and_is_never_empty():
    scene = make_scene(title="", details="Still something")
    item = make_item(texts={Field.TITLE: "A harbour"})
    assert plan(scene, item, record(title="A harbour")).texts[Field.TITLE] == "a"
    assert Field.TITLE not in plan(scene, item).texts
    nameless = make_scene(title="", details="x", files=())
    assert Field.TITLE not in plan(nameless, item, record(title="A harbour")).texts


def test_a_scene_without_metadata_changes_nothing():
    item = make_item(texts={Field.TITLE: "Kept"}, lists={Field.TAGS: ("Kept",)}, rating=5.0)
    change = plan(make_scene(title=""), item, record(title="Kept", tags=["Kept"], rating=5.0))
    assert not change.edits
    assert not change.clear_rating


def test_stale_tags_go_and_the_wanted_list_is_whole():
    item = make_item(lists={Field.TAGS: ("Fog", "Old")})
    change = plan(make_scene(tags=named("Fog", "Tide")), item)
    assert change.lists[Field.TAGS] == ListChange(("Fog", "Tide"), ("Old",))


def test_collections_of_a_person_stay_and_our_old_one_goes():
    item = make_item(lists={Field.COLLECTION: ("Favourites", "Old Quay")})
    scene = make_scene(studio=Entity(1, "New Quay"))
    change = plan(scene, item, record(collection=["Old Quay"]))
    assert change.lists[Field.COLLECTION] == ListChange(("Favourites", "New Quay"), ("Old Quay",))


def test_an_emptied_list_loses_only_ours():
    item = make_item(lists={Field.TAGS: ("Ours", "Theirs")})
    change = plan(make_scene(), item, record(tags=["Ours"]))
    assert change.lists[Field.TAGS] == ListChange(("Theirs",), ("Ours",))
    assert Field.TAGS not in plan(make_scene(), item).lists


@pytest.mark.parametrize(
    ("wanted", "held", "ours", "rating", "clear"),
    [
        (80, None, None, 8.0, False),
        (80, 8.0, None, None, False),
        (83, 8.3, None, None, False),
        (None, 8.0, 8.0, None, True),
        (None, 6.0, 8.0, None, False),
        (None, 8.0, None, None, False),
    ],
)
def test_ratings(wanted, held, ours, rating, clear):
    change = plan(make_scene(rating100=wanted), make_item(rating=held), record(rating=ours))
    assert (change.rating, change.clear_rating) == (rating, clear)


def test_what_a_person_changed_stays_where_that_is_wished():
    item = make_item(
        texts={Field.TITLE: "By hand"}, lists={Field.TAGS: ("Fog", "By hand")}, rating=2.0
    )
    scene = make_scene(title="New", tags=named("Fog", "Gone by hand", "New"), rating100=90)
    old = record(title="Old", tags=["Fog", "Gone by hand"], rating=8.0)
    change = plan(scene, item, old, preserve=True)
    assert Field.TITLE not in change.texts
    assert change.lists[Field.TAGS].wanted == ("Fog", "By hand", "New")
    assert change.rating is None
    written = written_values(desired_state(scene, PLAIN), change, old)
    assert (written["title"], written["rating"]) == ("Old", 8.0)


NAMES = st.lists(st.sampled_from(["Fog", "Tide", "Wind, cold", "fog"]), unique=True, max_size=4)
TEXT = st.sampled_from(["", "A pier", "B\nC"])


def hold(item, change, semantics):
    """Do to an item what Plex does with an edit."""
    lists = dict(item.lists)
    for name, one in change.lists.items():
        base = () if semantics == "replace" and one.wanted else item.lists.get(name, ())
        kept = [value for value in dict.fromkeys((*base, *one.wanted)) if value not in one.stale]
        lists[name] = tuple(kept)
    rating = (
        None if change.clear_rating else change.rating if change.rating is not None else item.rating
    )
    locked = item.locked | set(change.texts) | set(change.lists) | change.locks
    return evolve(
        item, texts={**item.texts, **change.texts}, lists=lists, rating=rating, locked=locked
    )


@given(
    TEXT, TEXT, NAMES, NAMES, NAMES, st.none() | st.integers(1, 100), st.booleans(),
    st.sampled_from(["append", "replace"]),
)  # fmt: skip
def test_applying_twice_equals_once(title, details, tags, held, ours, rating, preserve, semantics):
    scene = make_scene(title=title, details=details, tags=named(*tags), rating100=rating)
    desired = desired_state(scene, PLAIN)
    item = make_item(texts={Field.TITLE: "x"}, lists={Field.TAGS: tuple(held)}, rating=3.0)
    old = record(tags=ours, rating=3.0, summary="B\nC")
    change = plan_change(desired, item, old, preserve=preserve)
    after = hold(item, change, semantics)
    new = evolve(old, written=written_values(desired, change, old))
    again = plan_change(desired, after, new, preserve=preserve)
    assert not again.edits
    assert not again.clear_rating
    if tags and not preserve and not desired.empty:
        assert set(after.lists[Field.TAGS]) == set(desired.lists[Field.TAGS])


@given(st.lists(st.text(min_size=1, max_size=9), unique=True, max_size=5), st.data())
def test_no_value_is_both_added_and_removed(values, data):
    split = data.draw(st.integers(0, len(values)))
    item = make_item(lists={Field.TAGS: tuple(values)})
    change = plan(make_scene(tags=named(*values[:split])), item)
    for one in change.lists.values():
        assert not set(one.wanted) & set(one.stale)
    for name, _ in edit_parameters(change):
        assert name.isascii()
