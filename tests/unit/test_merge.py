"""The difference between wanted and held, and what it leaves behind."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.config import Settings
from stash2plex.model import Change, Entity, Field, ListChange, Record
from stash2plex.rules.desired import desired_state
from stash2plex.rules.edit_parts import edit_parts
from stash2plex.rules.merge import as_shared, plan_change, remember, remember_shown
from stash2plex.rules.spelling import counted, folds
from stash2plex.rules.traits import NO_TRAITS, Trait, Traits
from stash2plex.servers.plexedit import edit_parameters
from tests.support import make_item, make_scene, named

PLAIN = Settings()
RECORD = Record(1, "7", "1", "/media/a.mp4", "path", "f", {"tags": ["Fog", "Tide"]}, verified=True)


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


TOUCHED = frozenset({Field.TITLE, Field.SUMMARY, Field.TAGS})
"""Plex locks each field that the user or an edit of ours touches."""


def test_what_a_person_changed_stays_where_that_is_wished():
    item = make_item(
        texts={Field.TITLE: "By hand"},
        lists={Field.TAGS: ("Fog", "By hand")},
        rating=2.0,
        locked=TOUCHED,
    )
    scene = make_scene(title="New", tags=named("Fog", "Gone by hand", "New"), rating100=90)
    old = record(title="Old", tags=["Fog", "Gone by hand"], rating=8.0)
    change = plan(scene, item, old, preserve=True)
    assert Field.TITLE not in change.texts
    assert change.lists[Field.TAGS].wanted == ("Fog", "By hand", "New")
    assert change.rating is None
    assert change.kept == {Field.TITLE, Field.TAGS, Field.RATING}
    written, removed = remember(desired_state(scene, PLAIN), item, change, old)
    assert (written["tags"], removed) == (
        ["Fog", "New"],
        {"tags": ["Gone by hand"], "rating": True},
    )
    assert not {"title", "rating"} & set(written)


def test_emptied_by_a_person_is_an_edit_too():
    item = make_item(texts={Field.SUMMARY: ""}, locked=TOUCHED)
    scene = make_scene(details="New", rating100=70)
    change = plan(scene, item, record(summary="Old", rating=8.0), preserve=True)
    assert Field.SUMMARY not in change.texts
    assert change.rating is None
    _, removed = remember(desired_state(scene, PLAIN), item, change, record(rating=8.0))
    assert removed["rating"] is True
    assert plan(scene, item, evolve(record(), removed=removed), preserve=True).rating is None


def test_without_a_record_a_locked_field_that_differs_is_a_persons():
    scene = make_scene(details="New", tags=named("Fog", "New"), studio=Entity(1, "Quay"))
    lists = {Field.TAGS: ("Fog", "By hand"), Field.COLLECTION: ("Favourites",)}
    item = make_item(
        texts={Field.TITLE: "a", Field.SUMMARY: "By hand"},
        lists=lists,
        locked=frozenset({Field.SUMMARY, Field.TAGS, Field.COLLECTION}),
    )
    change = plan(scene, item, preserve=True)
    assert change.texts == {Field.TITLE: "A harbour", Field.STUDIO: "Quay"}
    assert change.lists == {Field.COLLECTION: ListChange(("Favourites", "Quay"), ())}
    written, removed = remember(desired_state(scene, PLAIN), item, change, None)
    assert (written["tags"], removed) == (["Fog"], {"tags": ["New"]})
    # From then on what Stash adds and drops comes through, tag by tag.
    later = make_scene(tags=named("New", "Newer"))
    old = evolve(record(), written=written, removed=removed)
    assert plan(later, item, old, preserve=True).lists[Field.TAGS] == ListChange(
        ("By hand", "Newer"), ("Fog",)
    )


def test_an_unlocked_field_is_handed_back():
    item = make_item(texts={Field.TITLE: "By hand"}, lists={Field.TAGS: ("By hand",)})
    change = plan(make_scene(tags=named("Fog")), item, record(title="Old", tags=[]), preserve=True)
    assert change.texts == {Field.TITLE: "A harbour"}
    assert change.lists[Field.TAGS] == ListChange(("Fog",), ("By hand",))


def test_what_an_unseen_edit_left_is_ours():
    item = make_item(
        texts={Field.TITLE: "Sent"}, lists={Field.TAGS: ("Sent",)}, rating=6.0, locked=TOUCHED
    )
    sent = {"title": "Sent", "tags": ["Sent"], "rating": 6.0}
    old = evolve(record(title="Old", tags=["Old"], rating=8.0), announced=(sent,))
    scene = make_scene(title="New", tags=named("Old"), rating100=90)
    change = plan(scene, item, old, preserve=True)
    assert change.texts[Field.TITLE] == "New"
    assert change.lists[Field.TAGS] == ListChange(("Old",), ("Sent",))
    assert change.rating == 9.0
    emptied = plan(make_scene(title="New"), item, old)
    assert emptied.lists[Field.TAGS] == ListChange((), ("Sent",))
    assert emptied.clear_rating


def test_a_record_of_another_item_counts_as_none():
    old = evolve(record(summary="Ours"), rating_key="8")
    item = make_item(texts={Field.SUMMARY: "Ours"})
    assert Field.SUMMARY not in plan(make_scene(details=""), item, old).texts


@pytest.mark.parametrize("preserve", [False, True])
def test_fewer_tags_take_the_surplus_of_ours_away(preserve):
    desired = desired_state(make_scene(tags=named("Fog", "Tide")), Settings(max_tags=1))
    item = make_item(lists={Field.TAGS: ("Fog", "Tide")}, locked=TOUCHED)
    change = plan_change(desired, item, record(tags=["Fog", "Tide"]), preserve=preserve)
    assert change.lists[Field.TAGS] == ListChange(("Fog",), ("Tide",))


def test_a_skipped_field_is_left_and_remembered():
    scene = make_scene(details="New")
    desired = desired_state(scene, Settings(skip_fields=frozenset({Field.SUMMARY})))
    item = make_item(texts={Field.SUMMARY: "Ours"}, locked=TOUCHED)
    change = plan_change(desired, item, record(summary="Ours"), preserve=True)
    assert Field.SUMMARY not in change.texts
    written, removed = remember(desired, item, change, record(summary="Ours"))
    assert written["summary"] == "Ours"
    back = evolve(record(), written=written, removed=removed)
    assert plan(scene, item, back, preserve=True).texts[Field.SUMMARY] == "New"


def test_of_a_list_that_the_user_edited_ours_follow_stash_and_theirs_keep_their_spelling():
    item = make_item(lists={Field.TAGS: ("Theirs", "fog", "TIDE")}, locked=frozenset({Field.TAGS}))
    scene = make_scene(tags=named("FOG", "Ebb"))
    record = evolve(RECORD, written={"tags": ["fog", "TIDE"]})
    change = plan_change(desired_state(scene, PLAIN), item, record, preserve=True)
    # “fog” was written so and is spelled otherwise in Stash by now; “TIDE” is gone from it.
    assert change.lists[Field.TAGS].wanted == ("Theirs", "FOG", "Ebb")
    assert set(change.lists[Field.TAGS].stale) == {"fog", "TIDE"}


def test_a_list_that_is_left_alone_keeps_what_is_known_of_it_only_where_it_is_settled():
    desired = desired_state(make_scene(tags=named("Fog", "Tide")), PLAIN)
    record = evolve(RECORD, shown={"tags": ["fog", "tide"]}, unread={"tags": None})
    nothing = Change({}, {})
    settled = make_item(lists={Field.TAGS: ("fog", "tide")})
    shown, unread = remember_shown(desired, settled, nothing, record, delta=False)
    assert (shown, unread) == ({"tags": ["fog", "tide"]}, {})
    other = make_item(lists={Field.TAGS: ("Ebb",)})
    shown, unread = remember_shown(desired, other, nothing, record, delta=False)
    assert (shown, unread) == ({}, {})
    change = Change({}, {Field.TAGS: ListChange(("Fog", "Tide"), ())})
    shown, unread = remember_shown(desired, other, change, record, delta=False)
    assert (shown, list(unread)) == ({}, ["tags"])


def test_a_rating_that_is_left_alone_is_known_as_shown_only_where_it_is_settled():
    desired = desired_state(make_scene(rating100=77), PLAIN)
    known = {"rating": 7.7}
    record = evolve(RECORD, written=known, shown={"rating": 8.0}, unread={"rating": None})
    nothing = Change({}, {})
    for held, kept, expected in (
        (8.0, frozenset(), {"rating": 8.0}),
        (3.0, frozenset(), {}),
        (8.0, frozenset({Field.RATING}), {}),
    ):
        change = evolve(nothing, kept=kept)
        item = make_item(rating=held)
        shown, unread = remember_shown(desired, item, change, record, delta=False)
        assert (shown, unread) == (expected, {})


def test_of_a_rating_that_is_skipped_what_is_known_stays():
    record = evolve(RECORD, shown={"rating": 8.0}, unread={"rating": None})
    skipping = Settings(skip_fields=frozenset({Field.RATING}))
    desired = desired_state(make_scene(rating100=80), skipping)
    change = Change({}, {}, rating=6.0)
    assert remember_shown(desired, make_item(), change, record, delta=False) == (
        {"rating": 8.0},
        {"rating": None},
    )


NAMES = st.lists(st.sampled_from(["Fog", "Tide", "Wind, cold", "fog"]), unique=True, max_size=4)
TEXT = st.sampled_from(["", "A pier", "B\nC"])


def hold(item, change, semantics):
    """Do to an item what Plex does with an edit."""
    lists = dict(item.lists)
    for part in edit_parts(change, NO_TRAITS, delta=False):
        for name, one in part.lists.items():
            base = () if semantics == "replace" and one.wanted else lists.get(name, ())
            kept = [value for value in (*base, *one.wanted) if value not in one.stale]
            lists[name] = tuple(dict.fromkeys(kept))
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
    written, removed = remember(desired, item, change, old)
    new = evolve(old, written=written, removed=removed)
    again = plan_change(desired, after, new, preserve=preserve)
    assert not again.edits
    assert not again.clear_rating
    if tags and not preserve and not desired.empty:
        assert counted(after.lists[Field.TAGS]) == counted(desired.lists[Field.TAGS])


@given(
    st.lists(st.text(min_size=1, max_size=9), max_size=5), st.data(), st.booleans(), st.booleans()
)
def test_no_request_adds_and_removes_one_name(values, data, one_removal, delta):
    split = data.draw(st.integers(0, len(values)))
    item = make_item(lists={Field.TAGS: tuple(values)})
    old = record(tags=data.draw(st.permutations([value.swapcase() for value in values])))
    change = plan(make_scene(tags=named(*values[:split])), item, old)
    traits = Traits(frozenset({(Trait.ONE_REMOVAL, None)})) if one_removal else NO_TRAITS
    for part in edit_parts(as_shared(change, item) if delta else change, traits, delta=delta):
        for one in part.lists.values():
            assert not folds(one.wanted) & folds(one.stale)
            assert len(one.stale) < 2 or not one_removal
        assert all(name.isascii() for name, _ in edit_parameters(part))
