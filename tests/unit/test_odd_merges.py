"""Merges that few items lead to: Plex's spelling in mixed lists, and what a write forgets."""

from __future__ import annotations

from attrs import evolve

from stash2plex.config import Settings
from stash2plex.model import Change, Field, ListChange, Record
from stash2plex.rules.desired import desired_state
from stash2plex.rules.merge import plan_change, remember_shown
from tests.support import make_item, make_scene, named

PLAIN = Settings()
RECORD = Record(1, "7", "1", "/media/a.mp4", "path", "f", {"tags": ["Fog", "Tide"]}, verified=True)


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
