"""Which fields are put back, with what is sent for each, and which are left as they are."""

from __future__ import annotations

import pytest
from attrs import Factory, evolve, frozen

from stash2plex.model import Change, Field, ListChange, Record
from stash2plex.rules.first_state import (
    Before,
    FirstState,
    plain_fields,
    read_fields,
    touched,
    value_of,
    values_before,
)
from stash2plex.rules.memory import Base, Version
from stash2plex.rules.undo_goals import goals_of
from stash2plex.rules.way_back import (
    ALTERED,
    EARLY,
    NEWER,
    NO_TITLE,
    NOT_KEPT,
    ChosenPictures,
    Goal,
    WayBack,
    chooses_none,
    plan_way_back,
)
from tests.support import make_item

TITLE, SUMMARY, STUDIO, TAGS = Field.TITLE, Field.SUMMARY, Field.STUDIO, Field.TAGS
RATING, POSTER, BACKGROUND = Field.RATING, Field.POSTER, Field.BACKGROUND
STATE = FirstState(1, "7", "m", "1", "/media/a.mp4", 9.0)
NO_FIELDS: frozenset[Field] = frozenset()


@frozen
class Write:
    """A write as the history has it."""

    run_id: int
    fields: dict[str, tuple[object, object]]
    shown: dict[str, object] = Factory(dict)
    cause: str = "task"


def plan(goals, item, written, chosen=None):
    return plan_way_back(goals, item, Base((Version(written),)), chosen or ChosenPictures())


def at(place, name, change, pictures=None):
    """Return what is expected of one field: it comes back, or is the user's by now."""
    one = frozenset({name})
    return WayBack(
        change,
        pictures or {},
        back=one if place == "back" else frozenset(),
        theirs=one if place == "theirs" else frozenset(),
    )


# -- texts, ratings, lists ----------------------------------------------------------------


def test_texts_that_are_ours_go_back_and_others_stay():
    item = make_item(
        texts={
            TITLE: "Ours", SUMMARY: "Mine", STUDIO: "First ", Field.TAGLINE: "Ours",
            Field.DATE: "2020-05-01",
        },
        locked=frozenset({TITLE, STUDIO, Field.DATE}),
    )  # fmt: skip
    goals = {
        SUMMARY: Goal("First", False),
        TITLE: Goal("First", False),
        STUDIO: Goal("  First", False),
        Field.TAGLINE: Goal(None, False),
        Field.DATE: Goal("2001-01-01", True),
    }
    written = dict.fromkeys(("title", "summary", "tagline"), "Ours") | {"date": "2020-05-01"}
    way = plan(goals, item, written)
    assert way == WayBack(
        Change(
            {TITLE: "First", Field.TAGLINE: "", Field.DATE: "2001-01-01"}, {},
            unlocks=frozenset({TITLE, STUDIO, Field.TAGLINE}),
        ),
        back=frozenset({TITLE, STUDIO, Field.TAGLINE, Field.DATE}),
        theirs=frozenset({SUMMARY}),
    )  # fmt: skip
    assert not way.is_idle
    # A lock that stays as it is, or that is not there, is not taken away.
    goals = {TITLE: Goal("Ours", None), SUMMARY: Goal("Mine", False), STUDIO: Goal("First", True)}
    way = plan(goals, item, written)
    assert way == WayBack(Change({}, {}), back=frozenset(goals))
    assert way.is_idle


def test_an_item_cannot_be_without_a_title():
    item = make_item(texts={TITLE: "Ours", STUDIO: "Ours"})
    way = plan(
        {TITLE: Goal("", False), STUDIO: Goal("", False)},
        item,
        {"title": "Ours", "studio": "Ours"},
    )
    assert way.change == Change({STUDIO: ""}, {}, unlocks=frozenset({STUDIO}))
    assert way.cannot == {TITLE: NO_TITLE}
    assert (way.open_fields, way.settled) == ({TITLE}, {STUDIO})


@pytest.mark.parametrize(
    ("goal", "held", "written", "rating", "clears", "place"),
    [
        (4.0, 4.0, {"rating": 8.0}, None, False, "back"),
        (4.0, 8.0, {"rating": 8.0}, 4.0, False, "back"),
        (4, 8.0, {"rating": 8.0}, 4.0, False, "back"),
        (4.0, 5.5, {"rating": 8.0}, None, False, "theirs"),
        (None, 8.0, {"rating": 8.0}, None, True, "back"),
        (0, 8.0, {"rating": 8.0}, None, True, "back"),
        ("odd", 8.0, {"rating": 8.0}, None, True, "back"),
        (None, None, {"rating": 8.0}, None, False, "back"),
        # We took it away, and it is still away; or the user did.
        (4.0, None, {}, 4.0, False, "back"),
        (4.0, None, {"rating": 8.0}, None, False, "theirs"),
        (4.0, 0.0, {}, 4.0, False, "back"),
    ],
)
def test_a_rating_goes_back_if_we_gave_it_or_took_it_away(
    goal, held, written, rating, clears, place
):
    way = plan({RATING: Goal(goal, False)}, make_item(rating=held), written)
    assert way == at(place, RATING, Change({}, {}, rating, clears))
    assert way.is_idle is not (rating is not None or clears)


@pytest.mark.parametrize(
    ("goal", "held", "target", "stale", "place"),
    [
        # First was “Fog, Ebb”; ours are “Ebb, Mole”.
        (Goal(["Fog", "Ebb"]), ("Fog", "Ebb"), None, (), "back"),
        (Goal(["Fog", "Ebb"]), ("Fog", "Ebb", "Mole"), ("Fog", "Ebb"), ("Mole",), "back"),
        (Goal(["Fog"]), ("Ebb", "Fog", "Mole"), ("Fog",), ("Ebb", "Mole"), "back"),
        # What the user added stays; what the user took away stays away.
        (Goal(["Fog"]), ("Fog", "Mine"), None, (), "theirs"),
        (Goal(["Fog"]), ("Mole", "Mine", "Fog"), ("Mine", "Fog"), ("Mole",), "theirs"),
        (Goal(["Fog", "Gull"]), ("Fog", "Mole"), ("Fog",), ("Mole",), "theirs"),
        # What we took away comes back.
        (Goal(["Fog", "Gull"], None, frozenset({"gull"})), ("Mole", "Fog"), ("Fog", "Gull"),
         ("Mole",), "back"),
        (Goal(["Gull", "Fog", "Pier"], None, frozenset({"pier"})), ("Fog",), ("Fog", "Pier"), (),
         "theirs"),
        # Twice there, or respelt by us: away first, and there again.
        (Goal(["Fog"]), ("Fog", "Fog", "Mole"), ("Fog",), ("Fog", "Mole"), "back"),
        (Goal(["EBB", "Fog"]), ("Ebb", "Fog"), ("EBB", "Fog"), ("Ebb",), "back"),
        (Goal(["FOG"]), ("Fog",), None, (), "back"),
        (Goal(None), ("Ebb", "Mole"), (), ("Ebb", "Mole"), "back"),
        (Goal([]), (), None, (), "back"),
    ],
)  # fmt: skip
def test_a_list_loses_ours_and_gets_what_we_took_away(goal, held, target, stale, place):
    way = plan({TAGS: goal}, make_item(lists={TAGS: held}), {"tags": ["Ebb", "Mole"]})
    lists = {} if target is None else {TAGS: ListChange(target, stale)}
    assert way == at(place, TAGS, Change({}, lists))


# -- pictures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("goal", "chosen", "locked", "sent", "place"),
    [
        # Ours by its hash: the earlier one is chosen.
        (Goal("metadata://a"), {"keys": {POSTER: "upload://posters/abc"}}, True, "metadata://a",
         "back"),
        (Goal("metadata://a"), {"keys": {POSTER: "metadata://a"}}, True, None, "back"),
        (Goal("metadata://a"), {"keys": {POSTER: "metadata://b"}}, True, None, "theirs"),
        (Goal("metadata://a"), {"keys": {POSTER: "upload://posters/xyz"}}, True, None, "theirs"),
        (Goal("metadata://a"), {"keys": {POSTER: "upload://posters/xyz"}, "is_open": True}, True,
         "metadata://a", "back"),
        (Goal("metadata://a"), {"keys": {POSTER: "metadata://b"}, "is_open": True}, True, None,
         "theirs"),
        # Plex chose itself before: none is chosen, or the only one.
        (Goal(None), {"keys": {POSTER: "upload://posters/abc"}}, True, "", "back"),
        (Goal(None), {"keys": {POSTER: "upload://posters/abc"}, "offers": {POSTER: ("m://1",)}},
         True, "m://1", "back"),
        (Goal(None), {"keys": {POSTER: "upload://posters/abc"},
                      "offers": {POSTER: ("m://1", "m://2")}}, True, "", "back"),
        (Goal(None), {"keys": {POSTER: "m://1"}}, False, None, "back"),
        (Goal(None), {"keys": {POSTER: "m://1"}}, True, None, "theirs"),
        (Goal(None), {"keys": {POSTER: "m://1"}, "has_begun": True}, True, None, "back"),
        (Goal("m://2"), {"keys": {POSTER: "m://1"}, "has_begun": True}, False, None, "theirs"),
        # Nobody looked.
        (Goal("metadata://a"), {"keys": {BACKGROUND: "upload://posters/abc"}}, True, None, None),
    ],
)  # fmt: skip
def test_a_picture_of_ours_gives_way_to_the_earlier_one(goal, chosen, locked, sent, place):
    item = make_item(locked=frozenset({POSTER} if locked else ()))
    ours = {POSTER: frozenset({"", "abc"}), BACKGROUND: frozenset({"xyz"})}
    way = plan({POSTER: goal}, item, {}, ChosenPictures(ours=ours, **chosen))
    pictures = {} if sent is None else {POSTER: sent}
    assert way == at(place, POSTER, Change({}, {}), pictures)
    assert way.is_idle is (sent is None)


@pytest.mark.parametrize(
    ("version", "can"),
    [
        ("1.43.0.10162-b67a664ab", True), ("1.42.9.1", False), ("1.43", True), ("1.42", False),
        ("2.0", True), ("0.99", False), ("1.100.0", True), ("", True), ("1", True),
        ("1.x.3", True), ("dev.42.1", True),
    ],
)  # fmt: skip
def test_which_plex_can_choose_no_picture(version, can):
    assert chooses_none(version) is can


def test_what_may_come_back_at_another_try_is_not_settled():
    way = WayBack(
        Change({}, {}),
        back=frozenset({TITLE}),
        theirs=frozenset({TAGS}),
        cannot={SUMMARY: ALTERED, STUDIO: NOT_KEPT, RATING: EARLY, POSTER: NEWER},
    )
    assert way.open_fields == {STUDIO, RATING, POSTER}
    assert way.settled == {TITLE, TAGS, SUMMARY}
    assert way.is_idle
    assert not evolve(way, change=Change({}, {}, unlocks=frozenset({TITLE}))).is_idle


# -- goals --------------------------------------------------------------------------------


def of_run(run, *writes, state=STATE, fields=NO_FIELDS, record=None):
    return goals_of(state, record, asked_run=run, fields=fields, writes=writes)


def test_the_whole_way_back_of_a_run():
    state = evolve(STATE, fields={TITLE: Before("First", False), TAGS: Before(["Fog"], True)})
    before = Write(1, {"title": ("First", "Second"), "studio": ("", "Q")}, {"studio": "Quay"})
    one = Write(
        2,
        {"title": ("Second", "A"), "tags": (["FOG"], ["Ebb"]), "poster": ("m://1", "abc")},
        {"title": "a"},
    )
    other = Write(
        2, {"title": ("a", "B"), "studio": ("Quay", "Mole"), "tags": (["Ebb"], ["Gull"])},
        {"tags": ["GULL"]},
    )  # fmt: skip
    back = of_run(2, before, one, other, state=state)
    assert back is not None
    assert back.goals == {
        TITLE: Goal("Second", None, frozenset()),
        STUDIO: Goal("Quay", None, frozenset()),
        TAGS: Goal(["FOG"], True, frozenset({"fog"})),
        POSTER: Goal("m://1", None, frozenset()),
    }
    # The newest write of a field counts, with what Plex made of it.
    assert back.version == Version(
        {TITLE: "B", STUDIO: "Mole", TAGS: ["Gull"], POSTER: "abc"}, {TAGS: ["GULL"]}
    )
    assert (back.cannot, back.earlier) == ({}, {TITLE, STUDIO})
    assert back.hashes == {POSTER: {"abc"}}
    assert [back.is_first(name) for name in (TITLE, TAGS, STUDIO)] == [False, True, False]
    assert [back.is_ours_before(name) for name in (TITLE, TAGS, STUDIO)] == [True, False, True]
    some = of_run(2, before, one, other, state=state, fields=frozenset({TAGS, SUMMARY}))
    assert some is not None
    assert some.goals.keys() == {TAGS}


def test_a_later_write_that_was_undone_does_not_stand_in_the_way():
    one = Write(1, {"title": ("First", "A"), "tags": (["Fog"], ["Ebb"]), "poster": ("", "abc")})
    later = Write(2, {"title": ("A", "B"), "tags": (["Ebb"], ["Mole"]), "poster": ("abc", "xyz")})
    other = Write(3, {"title": ("B", "a"), "studio": ("", "Q")}, cause="undo")
    back = of_run(1, one, later, other)
    assert back is not None
    assert back.cannot == {TITLE: NEWER, TAGS: NEWER, POSTER: NEWER}
    assert back.goals == {}
    undone = Write(
        3, {"title": ("B", "A"), "tags": (["Mole"], ["EBB"]), "poster": ("xyz", "upload://p/abc")},
        cause="undo",
    )  # fmt: skip
    back = of_run(1, one, later, undone)
    assert back is not None
    assert (back.cannot, set(back.goals)) == ({}, {TITLE, TAGS, POSTER})
    once_more = Write(4, {"tags": (["Ebb"], ["Gull"])})
    back = of_run(1, one, later, undone, once_more)
    assert back is not None
    assert (back.cannot, set(back.goals)) == ({TAGS: NEWER}, {TITLE, POSTER})
    # Only a write that has the field can have left its value there.
    beside = Write(1, {"studio": ("", "Quay")})
    back = of_run(1, one, beside, later, evolve(undone, fields={"title": ("B", "Mine")}))
    assert back is not None
    assert back.cannot == {TITLE: NEWER, TAGS: NEWER, POSTER: NEWER}
    # A picture that was taken away is nobody's.
    emptied = Write(1, {"poster": ("m://1", "")})
    back = of_run(1, emptied, later, Write(3, {"poster": ("xyz", "")}, cause="undo"))
    assert back is not None
    assert back.cannot == {POSTER: NEWER}


@pytest.mark.parametrize(
    ("value", "is_something"), [("Ours", True), (None, False), ("", False), ([], False), (0, True)]
)
def test_only_what_holds_something_of_ours_needs_a_way_back(value, is_something):
    early = evolve(STATE, before_history=True)
    record = Record(1, "7", "1", "/media/a.mp4", "path", "f", {"studio": value})
    back = of_run(0, state=early, record=record)
    assert (back is not None) is is_something
    assert back is None or back.cannot == {STUDIO: EARLY}
    # Without a record, what was kept of ours counts, whatever it is.
    kept = evolve(early, ours={"written": {"studio": value}, "background_hash": "h"})
    back = of_run(0, state=kept, fields=frozenset({STUDIO, BACKGROUND}))
    assert back is not None
    assert back.cannot == {STUDIO: EARLY, BACKGROUND: EARLY}
    assert back.hashes == {POSTER: frozenset(), BACKGROUND: {"h"}}
    assert of_run(0, state=evolve(kept, before_history=False)) is None


def test_hashes_of_both_times_are_ours():
    state = evolve(STATE, fields={POSTER: Before("m://1", True)}, ours={"poster_hash": "old"})
    record = Record(1, "7", "1", "/media/a.mp4", "path", "f", {}, poster_hash="new")
    back = of_run(0, state=evolve(state, uploads=3), record=record)
    assert back is not None
    assert back.goals == {POSTER: Goal("m://1", True)}
    assert back.hashes == {POSTER: {"old", "new"}, BACKGROUND: frozenset()}
    assert (back.uploads, back.is_picture_open, back.has_begun, back.follows) == (
        3, False, False, False,
    )  # fmt: skip
    assert back.is_first(POSTER)
    texts = evolve(back, goals={TITLE: Goal("First", True)})
    assert (texts.uploads, texts.is_first(TITLE)) == (0, False)


# -- first states -------------------------------------------------------------------------


def test_what_a_change_touches_and_what_was_there():
    item = make_item(texts={TITLE: "First"}, lists={TAGS: ("Fog",)}, rating=4.0)
    names = (TITLE, SUMMARY, TAGS, Field.DIRECTOR, RATING)
    assert [value_of(item, name) for name in names] == ["First", "", ["Fog"], [], 4.0]
    change = Change(
        {TITLE: "A"}, {TAGS: ListChange((), ())}, None, clear_rating=True,
        locks=frozenset({STUDIO}), kept=frozenset({SUMMARY}), unlocks=frozenset({Field.DATE}),
    )  # fmt: skip
    assert touched(change) == {TITLE, TAGS, RATING, STUDIO}
    assert touched(Change({}, {}, 4.0)) == {RATING}
    assert touched(Change({}, {})) == frozenset()


def test_all_that_is_kept_before_a_change():
    item = make_item(
        texts={TITLE: "First", STUDIO: "Q"}, lists={TAGS: ("Fog", "Ebb"), Field.DIRECTOR: ("P",)},
        rating=4.0, locked=frozenset({STUDIO, POSTER}),
    )  # fmt: skip
    change = Change(
        {TITLE: "A", STUDIO: "B"},
        {TAGS: ListChange(("Ebb",), ("Fog", "Mole")), Field.DIRECTOR: ListChange(("P", "R"), ())},
        8.0,
    )
    images = frozenset({POSTER, BACKGROUND})
    whole = {
        TITLE: Before("First", False),
        STUDIO: Before("Q", True),
        TAGS: Before(["Fog", "Ebb"], False, frozenset({"fog"})),
        Field.DIRECTOR: Before(["P"], False),
        RATING: Before(4.0, False),
        BACKGROUND: Before(None, False),
    }
    assert values_before(item, change, {}, None, images) == whole
    assert values_before(item, change, {}, STATE, images) == whole
    known = evolve(
        STATE, fields={**whole, TAGS: Before(["Fog", "Gull"], True, frozenset({"gull"}))}
    )
    back = {TAGS: Before(["Fog", "Gull"], True, frozenset({"gull", "fog"}))}
    assert values_before(item, change, {}, known, images) == back
    # All was put back: everything begins again.
    undone = evolve(known, undone_at=5.0)
    assert values_before(item, change, {}, undone, images) == whole
    # What comes back in a list is no longer taken.
    again = Change({}, {TAGS: ListChange(("Gull",), ())})
    assert values_before(item, again, {}, known) == {TAGS: Before(["Fog", "Gull"], True)}
    early = evolve(STATE, before_history=True)
    written = {"title": "A", "tags": ["Ebb"], "rating": None, "studio": ""}
    assert values_before(item, change, written, early, images) == {
        name: whole[name] for name in (STUDIO, Field.DIRECTOR, RATING)
    }
    assert values_before(item, change, written, evolve(early, before_history=False)) == {
        name: whole[name] for name in whole if name is not BACKGROUND
    }


def test_first_values_are_stored_and_read_by_their_kind():
    fields = {
        TITLE: Before("First", True),
        TAGS: Before(["Fog", "Ebb"], False, frozenset({"gull", "ebb"})),
        RATING: Before(None, False),
        POSTER: Before(None, False),
        BACKGROUND: Before("m://1", True),
    }
    plain = {
        "background": ["m://1", 1],
        "poster": [None, 0],
        "rating": [None, 0],
        "tags": [["Fog", "Ebb"], 0, ["ebb", "gull"]],
        "title": ["First", 1],
    }
    assert plain_fields(fields) == plain
    assert list(plain_fields(fields)) == list(plain)
    assert read_fields(plain) == fields
    assert read_fields({"rating": [4, 1], "tags": [[], 0]}) == {
        RATING: Before(4, True), TAGS: Before([], False),
    }  # fmt: skip
    damaged = {
        "fog": ["x", 1], "title": [None, 1], "summary": ["x"], "studio": ["x", 1, [], 2],
        "rating": ["4", 1], "tags": ["Fog", 0], "director": [["P", 3], 0], "poster": [3, 0],
        "date": "x", "tagline": ["kept", 0, "odd"],
    }  # fmt: skip
    assert read_fields(damaged) == {Field.TAGLINE: Before("kept", False)}
