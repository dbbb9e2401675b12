"""Lists of names where a comma may be part of a name."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stash2plex.namelist import SEPARATORS, NameList, name_key, read_names


def read(text, *names):
    reading = read_names(text, {name_key(name) for name in names})
    return reading.found, reading.unknown


@pytest.mark.parametrize(
    ("text", "names", "found", "unknown"),
    [
        ("Night, indoor", ["Night, indoor"], ("Night, indoor",), ()),
        ("Night, indoor", ["Night", "indoor"], ("Night", "indoor"), ()),
        # The longest goes first, whatever else there is.
        ("Night, indoor", ["Night", "Night, indoor", "indoor"], ("Night, indoor",), ()),
        ("Night, indoor, calm", ["Night", "Night, indoor"], ("Night, indoor",), ("calm",)),
        (
            "Night, indoor, Day, outdoor, Fog",
            ["Night, indoor", "Day, outdoor", "Fog"],
            ("Night, indoor", "Day, outdoor", "Fog"),
            (),
        ),
        # Quotes keep a name whole, also where its parts are names.
        ('"Night, indoor"', ["Night", "indoor"], (), ("Night, indoor",)),
        ('"Night", indoor', ["Night, indoor", "Night", "indoor"], ("Night", "indoor"), ()),
        ("“Night, indoor”, Fog", ["Night, indoor", "Fog"], ("Night, indoor", "Fog"), ()),
        ("'Night, indoor'", ["Night, indoor"], ("Night, indoor",), ()),
        # Quotes that are part of a name.
        ('12" vinyl, Fog', ['12" vinyl', "Fog"], ('12" vinyl', "Fog"), ()),
        ('"Big" boats, Fog', ['"Big" boats', "Fog"], ('"Big" boats', "Fog"), ()),
        ('"Night", indoor', ['"Night", indoor'], ('"Night", indoor',), ()),
        ('"Night ""big"", indoor"', ['Night "big", indoor'], ('Night "big", indoor',), ()),
        ('"Night "big", indoor"', ['Night "big", indoor'], ('Night "big", indoor',), ()),
        ('"Night ""big"", indoor", Fog', ["Fog"], ("Fog",), ('Night "big", indoor',)),
        ("'Til dawn, Fog", ["Fog"], ("Fog",), ("'Til dawn",)),
        # Commas as input methods write them.
        ("夜，室内", ["夜，室内"], ("夜，室内",), ()),
        ("夜，室内", ["夜", "室内"], ("夜", "室内"), ()),
        ("夜、室内", ["夜", "室内"], ("夜", "室内"), ()),
        # What tells no names apart.
        (" NIGHT, Indoor ,fog", ["Night, indoor", "Fog"], ("NIGHT, Indoor", "fog"), ()),
        (unicodedata.normalize("NFD", "Über, alles"), ["über, alles"], None, ()),
        ("Strasse", ["Straße"], ("Strasse",), ()),
        ("A,,B, ,", ["A", "B"], ("A", "B"), ()),
        ("A,,B", ["A,,B"], ("A,,B",), ()),
        # A name that begins or ends with a comma, beside the same without it.
        ("Night,", ["Night,", "Night"], ("Night,",), ()),
        (",Night, Fog", [",Night", "Fog"], (",Night", "Fog"), ()),
        ("Fog, Night,, Tide", ["Night,", "Fog", "Tide"], ("Fog", "Night,", "Tide"), ()),
        ('"Night,", Fog', ["Night,", "Night", "Fog"], ("Night,", "Fog"), ()),
        (",", [","], (",",), ()),
        # One name begins another.
        ("Night, indoor, Night", ["Night", "Night, indoor"], ("Night, indoor", "Night"), ()),
        ("Night, Night, indoor", ["Night", "Night, indoor"], ("Night", "Night, indoor"), ()),
        ("Night, indoor", ["Night", "Night, indoor, calm"], ("Night",), ("indoor",)),
        # Quotes inside.
        ("O'Neil, 'Til, now", ["O'Neil", "'Til, now"], ("O'Neil", "'Til, now"), ()),
        ('Night, "indoor"', ['Night, "indoor"'], ('Night, "indoor"',), ()),
        # Spaces anywhere.
        ("Night,indoor", ["Night, indoor"], ("Night,indoor",), ()),
        ("Night , indoor", ["Night, indoor", "Night"], ("Night , indoor",), ()),
        ("Night,  indoor", ["Night , indoor"], ("Night,  indoor",), ()),
        ("Low\u00a0tide", ["Low  tide"], ("Low\u00a0tide",), ()),
        ("", ["A"], (), ()),
        (' "" ', ["A"], (), ()),
    ],
)
def test_how_a_list_is_read(text, names, found, unknown):
    got = read(text, *names)
    assert got[1] == unknown
    if found is None:
        assert len(got[0]) == 1
    else:
        assert got[0] == found


def test_before_it_is_read_a_list_means_everything_that_it_may_mean():
    tags = NameList.parse("Night, indoor, calm")
    assert tags
    assert tags.means(0, ["Night, Indoor"])
    assert tags.means(0, ["other", " CALM "])
    assert not tags.means(0, ["Night, calm"])
    assert not NameList.parse(" , ")
    assert NameList.parse("").as_json() == []


def test_a_name_that_is_made_later_is_meant_too():
    keys = read_names("Fog, Night, indoor", {"fog"}).keys
    assert keys == {name_key(one) for one in ("Fog", "Night", "indoor", "Night, indoor")}


NAMES = some.lists(some.text(min_size=1, max_size=8).filter(name_key), min_size=1, max_size=5)


@given(NAMES)
def test_names_in_quotes_are_found_whatever_they_hold(names):
    text = NameList.of(*names).text
    got = read_names(text, {name_key(name) for name in names})
    assert {name_key(name) for name in got.found} == {name_key(name) for name in names}
    assert got.unknown == ()


@given(some.text(alphabet=SEPARATORS + "\"'“”ab ", max_size=24), NAMES)
def test_any_text_can_be_read(text, names):
    known = {name_key(name) for name in names}
    reading = read_names(text, known)
    assert all(name_key(name) in known for name in reading.found)
    assert "" not in reading.keys
    assert {name_key(name) for name in (*reading.found, *reading.unknown)} <= reading.keys
