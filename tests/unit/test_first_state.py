"""What is kept of an item before our first write to each of its fields."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.model import Change, Field, ListChange
from stash2plex.rules.first_state import (
    Before,
    FirstState,
    plain_fields,
    read_fields,
    values_before,
)
from tests.support import make_item

ITEM = make_item(
    texts={Field.TITLE: "First", Field.SUMMARY: "Seen at dawn."},
    lists={Field.TAGS: ("Fog", "Ebb")},
    locked=frozenset({Field.TITLE, Field.POSTER}),
)
KNOWN = FirstState(1, "7", "m", "1", "/media/a.mp4", 9.0)
IMAGES = frozenset({Field.POSTER, Field.BACKGROUND})
TITLE = Change({Field.TITLE: "Ours"}, {})


def test_what_is_written_first_is_kept_with_its_lock():
    change = Change({Field.TITLE: "Ours", Field.SUMMARY: "Ours"}, {})
    assert values_before(ITEM, change, {}, None) == {
        Field.TITLE: Before("First", locked=True),
        Field.SUMMARY: Before("Seen at dawn.", locked=False),
    }


def test_what_is_kept_already_stays_until_all_was_put_back():
    kept = evolve(KNOWN, fields={Field.TITLE: Before("Older", locked=False)})
    assert values_before(ITEM, TITLE, {}, kept) == {}
    undone = evolve(kept, undone_at=10.0)
    assert values_before(ITEM, TITLE, {}, undone) == {Field.TITLE: Before("First", locked=True)}


@pytest.mark.parametrize("value", ["Ours", None, "", []])
def test_what_was_ours_before_anything_was_kept_is_lost(value):
    early = evolve(KNOWN, before_history=True)
    kept = {} if value else {Field.TITLE: Before("First", locked=True)}
    assert values_before(ITEM, TITLE, {Field.TITLE: value}, early) == kept
    assert values_before(ITEM, TITLE, {Field.TITLE: value}, KNOWN).keys() == {Field.TITLE}


def test_a_picture_that_plex_chose_itself_is_known_without_a_question():
    own = {Field.BACKGROUND: Before(None, locked=False)}
    assert values_before(ITEM, Change({}, {}), {}, None, IMAGES) == own
    assert values_before(ITEM, Change({}, {}), {}, KNOWN, IMAGES) == own
    kept = evolve(KNOWN, fields={Field.BACKGROUND: Before("key", locked=True)})
    assert values_before(ITEM, Change({}, {}), {}, kept, IMAGES) == {}
    early = evolve(KNOWN, before_history=True)
    assert values_before(ITEM, Change({}, {}), {}, early, IMAGES) == {}


def test_names_that_we_take_from_a_list_are_ours_to_bring_back():
    change = Change({}, {Field.TAGS: ListChange(("Tide",), ("fog",))})
    first = Before(["Fog", "Ebb"], locked=False, taken=frozenset({"fog"}))
    assert values_before(ITEM, change, {}, None) == {Field.TAGS: first}
    # Sent again, it is no longer taken away.
    again = Change({}, {Field.TAGS: ListChange(("Fog",), ())})
    kept = evolve(KNOWN, fields={Field.TAGS: first})
    assert values_before(ITEM, again, {}, kept) == {Field.TAGS: evolve(first, taken=frozenset())}
    assert values_before(ITEM, change, {}, kept) == {}


def test_fields_are_stored_and_read_and_what_is_damaged_is_left_out():
    fields = {
        Field.TITLE: Before("First", locked=True),
        Field.TAGS: Before(["Fog"], locked=False, taken=frozenset({"ebb", "fog"})),
    }
    stored = plain_fields(fields)
    assert stored == {"tags": [["Fog"], 0, ["ebb", "fog"]], "title": ["First", 1]}
    assert read_fields(stored) == fields
    damaged = {"title": "First", "summary": ["a"], "lantern": ["a", 1], "tags": [7, 1]}
    assert read_fields({**stored, **damaged}) == {}
