"""A change in parts: how many names go into one request."""

from __future__ import annotations

from stash2plex.model import Change, Field, ListChange
from stash2plex.rules.desired import ENCODED_LIMIT
from stash2plex.rules.edit_parts import edit_parts
from stash2plex.rules.traits import NO_TRAITS


def test_names_to_remove_fill_a_request_and_no_more():
    # A name of 97 letters takes 100 bytes, with the comma: 160 of them are just not too many.
    names = tuple(f"{at:03}".ljust(97, "x") for at in range(400))
    change = Change({}, {Field.TAGS: ListChange((), names)})
    parts = [part.lists[Field.TAGS].stale for part in edit_parts(change, NO_TRAITS, delta=False)]
    assert [name for part in parts for name in part] == list(names)
    full = ENCODED_LIMIT // 100
    assert [len(part) for part in parts] == [full, full, 400 - 2 * full]
