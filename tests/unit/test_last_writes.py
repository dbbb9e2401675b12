"""Whose a value in Plex is, by the last write and by those whose end is unknown."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.model import Field, ListChange, Record
from stash2plex.rules.memory import (
    BACK,
    BEFORE,
    Base,
    ListBefore,
    Version,
    base_of,
    before_change,
    list_before,
    names_of,
)
from tests.support import make_item

TITLE, TAGS, RATING = Field.TITLE, Field.TAGS, Field.RATING
A_LIST = {"held": ["Fog", "Ebb"], "stale": ["Ebb"], "delta": True}


def base(*versions, **removed):
    return Base(versions, removed)


@pytest.mark.parametrize(
    ("version", "held", "is_ours"),
    [
        (Version(), "Pier", False),
        (Version(), "", False),
        (Version({"title": "Pier"}), "Pier", True),
        (Version({"title": "Pier"}), "Quay", False),
        (Version({"summary": "Pier"}), "Pier", False),
        # What Plex shows instead.
        (Version({"title": "Pier"}, {"title": "Mole"}), "Mole", True),
        (Version({"title": "Pier"}, {"title": "Mole"}), "Pier", True),
        (Version({"title": "Pier"}, {"title": "Mole"}), "PIER", False),
        # Its spelling is open until it was read back.
        (Version({"title": "Pier"}), "PIER", True),
        (Version({"title": "Pier"}, verified=True), "PIER", False),
        (Version({"title": "Pier"}, {}, {"title": ""}, verified=True), "PIER", True),
        (Version({"title": "Pier"}, {}, {"summary": ""}, verified=True), "PIER", False),
        (Version({"title": "Pier"}, {"title": "Mole"}, {"title": ""}), "PIER", False),
    ],
)
def test_a_text_is_ours_if_plex_may_have_made_it_of_what_was_written(version, held, is_ours):
    assert version.made(TITLE, held) is is_ours
    assert base(Version(), version, Version()).wrote(TITLE, held) is is_ours


@pytest.mark.parametrize(
    ("version", "held", "is_ours"),
    [
        (Version(), 8.0, False),
        (Version({"rating": 8.0}), 8.0, True),
        (Version({"rating": 8.0}), 8.9, True),
        (Version({"rating": 8.0}), 9.1, False),
        (Version({"rating": 8.0}, verified=True), 8.5, False),
        (Version({"rating": 8.0}, {}, {"rating": None}, verified=True), 8.5, True),
        (Version({"rating": 8.0}, {"rating": 9.5}), 9.5, True),
        (Version({"rating": 8.0}, {"rating": 9.5}), 8.5, False),
        (Version({"rating": "odd"}), 8.0, False),
    ],
)
def test_a_rating_is_ours_if_plex_may_have_made_it_of_the_written_one(version, held, is_ours):
    assert version.rated(held) is is_ours
    assert base(Version(), version, Version()).rated(held) is is_ours


def test_no_rating_is_nobodys():
    zero = Version({"rating": 0.0})
    assert zero.rated(None)
    assert not base(zero).rated(None)
    assert not base(zero).rated(0.0)


def test_a_text_that_a_write_should_have_changed_may_be_overwritten():
    known = base(
        Version({"title": "Pier"}, {}, {"title": "First"}, verified=True),
        Version({"title": "Quay"}, {}, {"title": "Second"}),
    )
    texts = ["Pier", "First", "Quay", "Second", "Third", "QUAY"]
    assert [known.may_overwrite(TITLE, text) for text in texts] == [
        True, True, True, True, False, True,
    ]  # fmt: skip
    assert not known.may_overwrite(Field.SUMMARY, "First")
    assert [known.knows(name) for name in (TITLE, Field.SUMMARY)] == [True, False]
    assert base(Version(), Version({"summary": ""})).knows(Field.SUMMARY)


@pytest.mark.parametrize(
    ("version", "target", "held", "is_settled"),
    [
        (Version({"title": "Pier"}, {"title": "PIER!"}), "Pier", "PIER!", True),
        (Version({"title": "Pier"}, {"title": "PIER!"}), "Pier", "Pier", False),
        (Version({"title": "Pier"}, {"title": "PIER!"}), "Quay", "PIER!", False),
        (Version({"title": "Pier"}), "Pier", "PIER", False),
        (Version({"title": "Pier"}, {}, {"title": ""}), "Pier", "PIER", True),
        (Version({"title": "Pier"}, {}, {"title": ""}), "Pier", "Quay", False),
        (Version({}, {}, {"title": ""}), "Pier", "PIER", False),
    ],
)
def test_a_text_is_settled_if_it_is_still_wanted(version, target, held, is_settled):
    assert base(version).settled(TITLE, target, held) is is_settled
    # Only the last write whose end is known counts.
    assert not base(Version(), version).settled(TITLE, target, held)


def test_names_of_ours_are_those_written_and_those_that_plex_made_of_them():
    known = base(
        Version({"tags": ["Fog"]}, {"tags": ["F.o.g.", "Stranger"]}),
        Version({"tags": ["Ebb"]}, {}, {"tags": {"held": ["Old"], "stale": ["Gull"]}}),
        Version({"performers": ["Performer 17"]}),
    )
    assert known.ours(TAGS) == {"fog", "f.o.g.", "ebb", "gull"}
    assert known.ours(Field.PERFORMERS) == {"performer 17"}
    assert known.ours(Field.DIRECTOR) == set()


def test_names_that_were_surely_there_were_removed_by_the_user():
    first = Version({"tags": ["Fog", "Ebb", "Gull"]})
    assert first.surely(TAGS) == {"fog", "ebb", "gull"}
    assert evolve(first, shown={"tags": ["fog", "Pier"]}).surely(TAGS) == {"fog"}
    unread = evolve(first, before={"tags": {"held": ["EBB", "Pier"]}})
    assert unread.surely(TAGS) == {"ebb"}
    assert evolve(unread, shown={"tags": ["Gull"]}).surely(TAGS) == {"gull"}
    second = Version({"tags": ["Ebb", "Gull", "Mole"]})
    assert base(first, second, tags=["Quay"]).away(TAGS) == {"ebb", "gull", "quay"}
    assert base(first, Version()).away(TAGS) == set()


def test_names_that_were_to_come_back_are_owed():
    known = base(
        Version({"tags": ["Fog"]}),
        Version({BACK: {"tags": ["Ebb", "Mole"], "director": ["Performer 17"]}}),
        Version({BACK: "odd"}),
        Version({BACK: {"tags": ["Fog"]}}),
    )
    assert known.owed(TAGS) == ["Ebb", "Mole", "Fog"]
    assert known.owed(Field.PERFORMERS) == []


@pytest.mark.parametrize(
    ("value", "is_respelt"),
    [("Fog", False), ("fog", False), ("FOG", True), ("Ebb", False)],
)
def test_a_name_is_respelt_if_stash_spells_it_as_never_written(value, is_respelt):
    assert base(Version({"tags": ["Fog", "fog"]})).respelt(TAGS, value) is is_respelt


def test_a_list_is_settled_without_what_the_user_removed():
    last = Version({"tags": ["Fog", "Ebb"]}, {"tags": ["fog", "EBB"]})
    known = base(last, tags=["Mole"])
    assert known.settled_list(TAGS, ["Mole", "Fog", "Ebb"], ["Ebb", "Fog"])
    assert not known.settled_list(TAGS, ["Fog", "Ebb"], ["Ebb", "Fog"])
    assert not known.settled_list(TAGS, ["Mole", "Fog", "Ebb"], ["Ebb", "Fog", "Fog"])
    assert not base(evolve(last, shown={})).settled_list(TAGS, ["Fog", "Ebb"], ["Fog", "Ebb"])
    assert not base(evolve(last, written={})).settled_list(TAGS, [], ["Fog", "Ebb"])


@pytest.mark.parametrize(
    ("version", "wanted", "held", "is_settled"),
    [
        (Version({"rating": 7.3}, {"rating": 7.0}), 7.3, 7.0, True),
        (Version({"rating": 7.3}, {"rating": 7.0}), 7.3, 7.5, False),
        (Version({"rating": 7.3}, {"rating": 7.0}), 8.0, 7.0, False),
        (Version({"rating": 7.3}, {}, {"rating": None}), 7.3, 7.0, True),
        (Version({"rating": 7.3}, {}, {"rating": None}), 7.3, 9.0, False),
        (Version({"rating": 7.3}), 7.3, 7.0, False),
        (Version(), None, None, False),
    ],
)
def test_a_rating_is_settled_if_it_is_still_wanted(version, wanted, held, is_settled):
    assert base(version).settled_rating(wanted, held) is is_settled


@pytest.mark.parametrize(
    ("known", "held", "is_users"),
    [
        (base(Version()), 8.0, True),
        (base(Version({"rating": 8.0})), 8.0, False),
        (base(Version({"rating": 8.0})), 3.0, True),
        # A rating that is gone was removed, unless nothing of ours was ever there.
        (base(Version({"rating": 8.0})), None, True),
        (base(Version()), None, False),
        (base(Version({"rating": 8.0}), Version()), None, False),
        (base(Version(), rating=True), None, True),
        (base(Version(), rating=False), None, False),
        # Plex shows none of what was written.
        (base(Version({"rating": 0.3}, {"rating": None})), None, False),
        (base(Version({"rating": 0.3}, {"rating": 0.5})), None, True),
        # The last write was to change it, and did not.
        (base(Version({"rating": 8.0}, {}, {"rating": 3.0})), 3.0, False),
        (base(Version({"rating": 8.0}, {}, {"rating": 3.0})), 4.0, True),
        (base(Version({"rating": 8.0}, {}, {"rating": None})), None, False),
    ],
)
def test_a_rating_is_the_users_if_it_is_not_ours(known, held, is_users):
    assert known.person_rated(held) is is_users


def test_what_is_known_of_an_item_is_its_own_record():
    record = Record(
        1, "7", "1", "/media/a.mp4", "path", "f", {"title": "Pier"},
        removed={"tags": ["Fog"]}, shown={"title": "PIER"}, unread={"summary": ""}, verified=True,
        announced=({"title": "Quay", BEFORE: {"title": "Pier"}}, {"title": "Mole", BEFORE: "odd"}),
    )  # fmt: skip
    item = make_item()
    assert base_of(record, item) == base(
        Version({"title": "Pier"}, {"title": "PIER"}, {"summary": ""}, verified=True),
        Version(record.announced[0], before={"title": "Pier"}),
        Version(record.announced[1]),
        tags=["Fog"],
    )
    for other in (None, evolve(record, rating_key="8")):
        assert base_of(other, item) == Base()
        assert not base_of(other, item).knows(TITLE)


@pytest.mark.parametrize(
    ("value", "is_read"),
    [
        (A_LIST, ListBefore(("Fog", "Ebb"), ("Ebb",), True)),
        ({}, ListBefore()),
        ({"held": "Fog", "stale": 3, "delta": 1}, ListBefore()),
        (["Fog"], ListBefore()),
        (None, ListBefore()),
    ],
)
def test_a_list_before_a_write_is_stored_and_read(value, is_read):
    assert list_before(value) == is_read
    assert list_before(is_read.plain()) == is_read


@pytest.mark.parametrize(
    ("value", "names"),
    [(["Fog", 3], ("Fog", "3")), (("Fog",), ("Fog",)), ("Fog", ()), (None, ()), ({"Fog": 1}, ())],
)
def test_names_are_read_from_a_list_only(value, names):
    assert names_of(value) == names


@pytest.mark.parametrize("delta", [False, True])
def test_names_that_come_back_do_not_count_as_removed(delta):
    item = make_item(lists={TAGS: ("fog", "Ebb", "Mole")})
    change = ListChange(("Fog", "Quay"), ("fog", "Ebb"))
    assert before_change(item, TAGS, change, delta=delta) == ListBefore(
        ("fog", "Ebb", "Mole"), ("Ebb",), delta
    )
    assert before_change(make_item(), TAGS, change, delta=delta).held == ()
