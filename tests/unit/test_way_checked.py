"""What a reading after an undo shows of each field."""

from __future__ import annotations

import pytest

from stash2plex.model import Change, Field, ListChange
from stash2plex.rules.memory import Base, Version
from stash2plex.rules.traits import NO_TRAITS, Trait
from stash2plex.rules.way_back import (
    ALTERED,
    NOT_KEPT,
    ChosenPictures,
    Goal,
    WayBack,
    plan_way_back,
)
from stash2plex.rules.way_checked import careful, checked, without_respelled
from tests.support import make_item

OURS = {"title": "Ours", "date": "2024-05-06", "rating": 7.8, "tags": ["Fog", "Tide"]}
BASE = Base((Version(OURS),))
FIRST = {
    Field.TITLE: "Before",
    Field.DATE: "2001-02-03",
    Field.RATING: 4.3,
    Field.TAGS: ["Old", "fog"],
}


def item(title="Before", date="2001-02-03", rating=4.3, tags=("Old", "fog"), **values):
    texts = {Field.TITLE: title, Field.DATE: date}
    return make_item(texts=texts, rating=rating, lists={Field.TAGS: tuple(tags)}, **values)


def plan(goals, seen):
    return plan_way_back(goals, seen, BASE, ChosenPictures())


def result(**after):
    """Put everything back that is ours; `after` is what Plex shows then."""
    goals = {name: Goal(value, False, frozenset({"old"})) for name, value in FIRST.items()}
    first = plan(goals, item("Ours", "2024-05-06", 7.8, ("Fog", "Tide")))
    assert first.back == FIRST.keys()
    seen = item(**after)
    return checked(first, goals, without_respelled(plan(goals, seen), seen), seen)


def test_what_plex_shows_is_back():
    way = result()
    assert (way.back, way.theirs, way.cannot) == (FIRST.keys(), frozenset(), {})


@pytest.mark.parametrize(
    ("after", "name", "why"),
    [
        ({"title": "Ours"}, Field.TITLE, NOT_KEPT),
        ({"rating": 7.8}, Field.RATING, NOT_KEPT),
        ({"tags": ["Old", "fog", "Tide"]}, Field.TAGS, NOT_KEPT),
        ({"tags": ["Old", "Old", "fog"]}, Field.TAGS, NOT_KEPT),
        ({"date": "2001-02-02"}, Field.DATE, ALTERED),
        ({"rating": 4.5}, Field.RATING, ALTERED),
        # Its lock stays.
        ({"locked": frozenset({Field.TITLE})}, Field.TITLE, NOT_KEPT),
    ],
)
def test_what_plex_does_not_keep_cannot_come_back(after, name, why):
    way = result(**after)
    assert (way.back, way.theirs) == (FIRST.keys() - {name}, frozenset())
    assert way.cannot == {name: why}
    # Of what Plex keeps in another form, nothing is left to try.
    assert way.open_fields == ({name} if why == NOT_KEPT else set())
    assert way.settled == FIRST.keys() - way.open_fields


@pytest.mark.parametrize(
    "after", [{"title": "BEFORE"}, {"title": " before"}, {"tags": ["OLD", "Fog"]}]
)
def test_a_spelling_of_the_server_is_the_same_value(after):
    assert result(**after).back == FIRST.keys()


@pytest.mark.parametrize(
    ("after", "name"),
    [
        ({"title": "By hand"}, Field.TITLE),
        ({"rating": 9.0}, Field.RATING),
        ({"date": "1999-01-01"}, Field.DATE),
        ({"tags": ["Old", "fog", "By hand"]}, Field.TAGS),
    ],
)
def test_what_somebody_changed_meanwhile_is_theirs(after, name):
    way = result(**after)
    assert (way.theirs, way.cannot) == ({name}, {})
    assert way.back == FIRST.keys() - {name}


def test_a_list_with_values_of_the_user_that_keeps_ours_too_is_no_success():
    goals = {Field.TAGS: Goal(["Old"], None, frozenset())}
    first = plan(goals, item(tags=("Old", "Tide", "By hand")))
    assert first.theirs == {Field.TAGS}
    way = checked(first, goals, first, item(tags=("Old", "Tide", "By hand")))
    assert (way.back, way.theirs, way.cannot) == (frozenset(), frozenset(), {Field.TAGS: NOT_KEPT})


def test_a_list_is_not_written_again_for_its_spelling():
    held = item(tags=("Fog",))
    respelled = Change(
        {}, {Field.TAGS: ListChange(("fog",), ("Fog",))}, unlocks=frozenset({Field.TAGS})
    )
    assert without_respelled(WayBack(respelled), held).is_idle
    locked = item(tags=("Fog",), locked=frozenset({Field.TAGS}))
    assert without_respelled(WayBack(respelled), locked).change.unlocks == {Field.TAGS}


def test_the_second_try_takes_smaller_steps():
    assert careful(NO_TRAITS, item()).has(Trait.ONE_REMOVAL)
    assert careful(NO_TRAITS, item()).has(Trait.RATES_APART)
    assert not careful(NO_TRAITS, item()).sends_missing
    assert careful(NO_TRAITS, item(tags=("Old", "old"))).sends_missing
