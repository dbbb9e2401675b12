"""Which values of an item are ours, by what was written and shown."""

from __future__ import annotations

import pytest

from stash2plex.model import Field
from stash2plex.rules.memory import Base, ListBefore, Version, list_before

SHORTENED = Base((Version(written={Field.TAGS: ["Fog", "Tide"]}, shown={Field.TAGS: ["Fog"]}),))
"""Plex showed one of the two tags that were written."""


@pytest.mark.parametrize(
    ("wanted", "held", "is_settled"),
    [
        (["Fog", "Tide"], ["Fog"], True),
        (["Fog", "Tide"], ["Fog", "Quay"], False),
        (["Fog", "Pier"], ["Fog"], False),
        (["Pier"], ["Quay"], False),
    ],
)
def test_a_list_is_settled_if_it_is_still_wanted_and_still_shown_so(wanted, held, is_settled):
    assert SHORTENED.settled_list(Field.TAGS, wanted, held) is is_settled


@pytest.mark.parametrize("value", [None, "text", 5, ["Fog"]])
def test_a_damaged_list_of_before_a_write_counts_as_empty(value):
    assert list_before(value) == ListBefore()
