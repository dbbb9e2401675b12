"""Sends a change to Plex in as many requests as its server needs."""

from __future__ import annotations

from attrs import evolve

from stash2plex.model import Change, Field, PlexItem
from stash2plex.rules.edit_parts import edit_parts
from stash2plex.rules.merge import as_shared
from stash2plex.rules.spelling import folds
from stash2plex.rules.traits import Trait, Traits
from stash2plex.servers.plex import Plex


def sends_missing(change: Change, item: PlexItem, traits: Traits, *, preserve: bool) -> bool:
    """Return whether to send lists without what is in Plex already.

    While it is unknown whether the server adds or replaces, a list that comes wholly from Stash is
    sent in this way: reading it back shows which, and whole lists repair it. With `preserve`,
    anything that disappeared would count as removed by the user.
    """
    if traits.sends_missing:
        return True
    if preserve or traits.has(Trait.REPLACES) or not change.lists:
        return False
    return all(
        name is not Field.COLLECTION
        and not list_change.stale
        and item.lists.get(name)
        and folds(item.lists[name]) <= folds(list_change.wanted)
        for name, list_change in change.lists.items()
    )


def send_edit(plex: Plex, item: PlexItem, change: Change, traits: Traits, *, delta: bool) -> None:
    """Edit one item; with `delta`, lists are sent without what is in Plex already.

    Raises what the client raises; what was sent before that remains.
    """
    apart = (
        change.rating is not None
        and traits.has(Trait.RATES_APART)
        and not traits.loses(Field.RATING)
    )
    rating = change.rating
    if apart:
        change = evolve(change, rating=None)
    if change.edits:
        sent = as_shared(change, item) if delta else change
        for part in edit_parts(sent, traits, delta=delta):
            plex.edit(item.section_id, [item.rating_key], part)
    if apart and rating is not None:
        plex.rate(item.rating_key, rating)


def send_shared_edit(
    plex: Plex, first: PlexItem, keys: list[str], change: Change, traits: Traits
) -> None:
    """Edit several items of one library that want exactly the same change as the `first`."""
    for part in edit_parts(as_shared(change, first), traits, delta=True):
        plex.edit(first.section_id, keys, part)
