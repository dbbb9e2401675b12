"""Which values are one that Plex spells in its own way."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.config import Settings
from stash2plex.model import Field
from stash2plex.rules.desired import desired_state
from stash2plex.rules.spelling import (
    Spelling,
    counted,
    fold,
    is_rounded,
    name_spelling,
    once,
    same_rating,
    text_spelling,
)
from stash2plex_testing.plex import SWITCHES, combined
from tests.support import make_scene, named

COMPOSED = "Café am Kai"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


@pytest.mark.parametrize(
    ("sent", "shown", "spelling"),
    [
        (COMPOSED, DECOMPOSED, Spelling.FORM),
        ("The Sound of Tides", "The Sound Of Tides", Spelling.CASE),
        ("Straße am Kai", "STRASSE AM KAI", Spelling.CASE),
        ("Two  blanks", "Two blanks", Spelling.BLANKS),
        ("Fog, at last!", "Fog at last", Spelling.MARKS),
        ("A pier of more letters", "A pier of more l", Spelling.CUT),
        ("A pier", "A", None),
        ("!", "?", None),
        ("Fog", "Tide", None),
        ("Fog", "", None),
        ("", "Fog", None),
    ],
)
def test_how_a_text_is_spelt(sent, shown, spelling):
    assert text_spelling(Field.SUMMARY, sent, shown) is spelling
    assert name_spelling(sent, shown) is spelling


@pytest.mark.parametrize(
    ("sent", "shown", "is_one"),
    [
        ("2024-06-24", "2024-06-23", True),
        ("2024-03-01", "2024-02-29", True),
        ("2023-12-31", "2024-01-01", True),
        ("2024-06-24", "2024-06-22", False),
        ("2024-06-24", "", False),
        ("2024-06-24", "soon", False),
    ],
)
def test_a_date_is_the_same_a_day_before_and_after(sent, shown, is_one):
    assert (text_spelling(Field.DATE, sent, shown) is Spelling.DAY) == is_one


@pytest.mark.parametrize(
    ("sent", "shown", "is_one"),
    [(4.5, 5.0, True), (4.5, 4.0, True), (9.0, 10.0, True), (4.5, 6.0, False), (4.5, None, False)],
)
def test_a_rating_is_the_same_when_rounded(sent, shown, is_one):
    assert is_rounded(sent, shown) == is_one
    assert not is_rounded(None, shown)


def test_a_rating_that_is_no_number_is_another_one():
    assert same_rating(None, 0)
    assert same_rating(7.5, 7.52)
    assert not same_rating("7.5", 7.5)
    assert not same_rating(7.5, "7.5")


def test_names_that_differ_by_case_or_form_are_one_of_a_scene():
    scene = make_scene(tags=named("Fog", "fog", DECOMPOSED, COMPOSED.upper(), "Tide"))
    assert desired_state(scene, Settings()).lists[Field.TAGS] == ("Fog", COMPOSED, "Tide")


@given(st.lists(st.text(max_size=6)))
def test_each_name_stays_once_in_its_first_spelling(names):
    kept = once(names)
    assert max(counted(kept).values(), default=1) == 1
    assert counted(kept).keys() == counted(names).keys()
    assert all(names.index(one) == next(n for n, x in enumerate(names) if fold(x) == fold(one))
               for one in kept)  # fmt: skip


SPELLING_SWITCHES = ("capitalise_first", "title_case", "squeezes_blanks", "composes", "decomposes")


@given(st.sampled_from(SPELLING_SWITCHES), st.text(st.characters(categories=["L", "N", "Zs"])))
def test_whatever_a_server_does_to_a_name_is_known_as_its_spelling(switch, name):
    assert switch in SWITCHES
    shown = combined(switch).spell("genre", name.strip())
    assert fold(shown) == fold(name) or name_spelling(name, shown) is not None
