"""An edit travels in a URL: none passes the bound, whatever is to be removed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.model import Change, Field, ListChange
from stash2plex.servers.plexedit import by_field, edit_query, fitting_edits

ROOM = 20_000
LONG = tuple(f"灯台と霧の港 {number}" for number in range(200))


@pytest.mark.parametrize("name", [Field.TAGS, Field.PERFORMERS, Field.DIRECTOR, Field.COLLECTION])
def test_a_long_list_of_names_to_remove_goes_out_in_several_edits(name):
    change = Change({}, {name: ListChange(tuple(f"fog {n}" for n in range(50)), LONG)})
    assert len(edit_query(change)) > ROOM
    edits = fitting_edits(change, ROOM)
    assert all(len(edit) <= ROOM for edit in edits)
    assert len(edits) <= 4
    assert sum("tag.tag-" in edit.replace("%5B%5D.", "[].") for edit in edits) == len(edits) - 1
    # The whole wanted list is in one edit, and in the last: right whether Plex adds or replaces.
    assert "fog%200" in edits[-1]
    assert "fog%2049" in edits[-1]


def test_texts_locks_and_the_rating_go_once():
    change = Change(
        {Field.TITLE: "Pier", Field.SUMMARY: "霧" * 1700},
        {Field.TAGS: ListChange(("fog",), LONG)},
        rating=8.0,
        locks=frozenset({Field.STUDIO}),
    )
    edits = fitting_edits(change, ROOM)
    whole = "".join(edits)
    assert all(len(edit) <= ROOM for edit in edits)
    for once in ("title.value", "summary.value", "userRating.value", "studio.locked"):
        assert whole.count(once) == 1, once


def test_a_value_that_is_longer_than_the_room_stays_whole():
    change = Change({Field.SUMMARY: "a" * 300}, {})
    assert fitting_edits(change, 100) == [edit_query(change)]


@given(
    st.lists(st.text(min_size=1, max_size=30), max_size=40, unique=True),
    st.lists(st.text(min_size=1, max_size=30), max_size=60, unique=True),
    st.integers(600, 3000),
)
def test_no_name_is_lost_or_sent_twice(wanted, stale, room):
    wanted = wanted[:10]
    change = Change({Field.TITLE: "Pier"}, {Field.TAGS: ListChange(tuple(wanted), tuple(stale))})
    edits = fitting_edits(change, room)
    assert sum(edit.count("tag.tag=") for edit in edits) == len(wanted)
    removed = [
        edit.split("tag.tag-=")[1].split("&")[0].split("%2C")
        for edit in edits
        if "tag.tag-=" in edit
    ]
    assert sum(len(one) for one in removed) == len(stale)


def test_a_change_of_a_rating_alone_is_one_part():
    change = Change({}, {}, rating=7.0)
    assert by_field(change) == [change]
