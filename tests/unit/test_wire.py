"""Values as servers send them: which spellings are read, and which are no answer."""

from __future__ import annotations

import pytest

from stash2plex.errors import Transient
from stash2plex.servers.wire import make_converter, structure
from stash2plex.store.progress import Progress


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (True, str),
        ([], str),
        ("deep", float),
        (True, float),
        ({}, float),
        (2, bool),
        ("", bool),
        (2**63, int),
        (10**400, float),
        ("1e999", float),
        ("nan", float),
        ("deep", Progress),
        ([1], Progress),
    ],
)
def test_a_value_of_another_kind_is_no_answer(value, shape):
    with pytest.raises(Transient):
        structure(make_converter(), value, shape, "Plex", "a lantern")


@pytest.mark.parametrize(
    ("value", "shape", "expected"),
    [
        (7, str, "7"),
        ("1.5", float, 1.5),
        (1, bool, True),
        ("false", bool, False),
        (2**63 - 1, int, 2**63 - 1),
    ],
)
def test_the_ways_to_spell_a_value(value, shape, expected):
    assert structure(make_converter(), value, shape, "Plex", "a lantern") == expected
