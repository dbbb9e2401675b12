"""What Plex should hold for a scene."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.config import Settings, parse_settings
from stash2plex.model import Entity, Field
from stash2plex.namelist import NameList
from stash2plex.rules.desired import (
    ENCODED_LIMIT,
    UNPRINTABLE,
    clean_line,
    clean_text,
    complete_date,
    desired_state,
    performer_names,
    reason_to_skip,
    what_was_cut,
)
from tests.support import make_scene, named, present

PLAIN = Settings()


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("2017", "2017-01-01"),
        ("2017-03", "2017-03-01"),
        ("2017-3-9", "2017-03-09"),
        ("2017-03-09", "2017-03-09"),
        ("2017-13", ""),
        ("2017-02-30", ""),
        ("0000", ""),
        ("soon", ""),
        ("", ""),
        ("17", ""),
    ],
)
def test_partial_dates_are_completed_and_bad_ones_dropped(text, completed):
    assert complete_date(text) == completed


@given(st.text(max_size=12))
def test_a_date_is_valid_or_empty(text):
    completed = complete_date(text)
    assert completed == "" or date.fromisoformat(completed).isoformat() == completed


@given(st.text(), st.integers(1, 50))
def test_cleaned_text_is_bounded_printable_and_stable(text, limit):
    once = clean_text(text, limit)
    assert len(once) <= limit
    assert not UNPRINTABLE.search(once)
    assert clean_text(once, limit) == once
    assert "\n" not in clean_line(text, limit)


def test_quotes_and_emoji_stay_as_they_are():
    assert clean_text("“Fog” — 🌊\r\nnext", 99) == "“Fog” — 🌊\nnext"


def test_performers_have_an_order_and_namesakes_a_difference():
    scene = make_scene(
        performers=(
            Entity(1, "Performer 17", "the elder"),
            Entity(2, "Performer 3"),
            Entity(3, "Performer 17", "the younger"),
        )
    )
    assert performer_names(scene) == (
        "Performer 17 (the elder)",
        "Performer 17 (the younger)",
        "Performer 3",
    )


def test_tags_are_limited_and_ignored_ones_left_out():
    scene = make_scene(tags=named("Fog", "Tide", "Fog", "Wind"))
    assert desired_state(scene, Settings(ignore_tags=NameList.of("TIDE"))).lists[Field.TAGS] == (
        "Fog",
        "Wind",
    )
    assert desired_state(scene, Settings(max_tags=1)).lists[Field.TAGS] == ("Fog",)


def test_the_rating_is_out_of_ten():
    assert desired_state(make_scene(rating100=85), PLAIN).rating == 8.5
    assert desired_state(make_scene(rating100=None), PLAIN).rating is None


def test_a_scene_without_anything_is_empty_whatever_is_skipped():
    assert desired_state(make_scene(title=""), PLAIN).empty
    assert not desired_state(make_scene(), Settings(skip_fields=frozenset(Field))).empty


def test_skipped_fields_are_none_of_our_business():
    desired = desired_state(
        make_scene(), Settings(skip_fields=frozenset({Field.TITLE, Field.POSTER}))
    )
    assert Field.TITLE not in desired.texts
    assert desired.images == {Field.BACKGROUND}


def test_the_fingerprint_follows_what_is_sent_and_nothing_else():
    first = desired_state(make_scene(), PLAIN).fingerprint
    assert desired_state(make_scene(updated_at="2027-01-01T00:00:00Z"), PLAIN).fingerprint == first
    shuffled = make_scene(performers=tuple(reversed(named("Performer 2", "Performer 1"))))
    ordered = make_scene(performers=named("Performer 1", "Performer 2"))
    same = {desired_state(one, PLAIN).fingerprint for one in (shuffled, ordered)}
    assert len(same) == 1
    for change in ({"title": "B"}, {"date": "2020"}, {"rating100": 1}, {"tags": named("Fog")}):
        assert desired_state(make_scene(**change), PLAIN).fingerprint != first


def test_choice_of_scenes():
    assert "not organized" in present(reason_to_skip(make_scene(), Settings(only_organized=True)))
    assert reason_to_skip(make_scene(organized=True), Settings(only_organized=True)) is None
    fog = make_scene(tags=named("Fog"))
    assert "“Fog”" in present(reason_to_skip(fog, Settings(exclude_tags=NameList.of("fog"))))


def test_what_is_cut_is_reported():
    scene = make_scene(performers=named(*(f"Performer {at}" for at in range(1_230))))
    cut = what_was_cut(scene, desired_state(scene, Settings()), Settings())
    ((line, *values),) = cut
    assert line % tuple(values) == (
        "“A harbour” has more performers than Plex takes: the first 200 of 1,230 are sent."
    )


@pytest.mark.parametrize("letter", ["a", "é", "灯", "🏮"])
def test_a_text_is_cut_to_what_fits_into_an_address_and_no_further(letter):
    settings, _ = parse_settings({})
    sent = desired_state(make_scene(details=letter * 9_999), settings).texts[Field.SUMMARY]
    width = len(quote(letter))
    assert sent == letter * min(9_999, ENCODED_LIMIT // width)


def test_more_names_than_fit_into_an_address_are_cut_and_counted():
    names = [f"Performer {number:03} {'of the long pier' * 10}" for number in range(150)]
    scene = make_scene(performers=named(*names))
    settings, _ = parse_settings({})
    desired = desired_state(scene, settings)
    sent = desired.lists[Field.PERFORMERS]
    assert list(sent) == names[: len(sent)]
    assert 50 < len(sent) < 150
    (line,) = what_was_cut(scene, desired, settings)
    words = f"the first {len(sent):,} of 150 are sent."
    assert list(line)[2:] == [Field.PERFORMERS, words]
