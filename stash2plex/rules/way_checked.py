"""Pure: decides from a reading whether an item that was put back shows what it was to show."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from stash2plex.model import LIST_FIELDS, Field, PlexItem
from stash2plex.rules.desired import clean_text
from stash2plex.rules.memory import names_of
from stash2plex.rules.merge import HELD_LIMIT, held_text
from stash2plex.rules.spelling import Spelling, counted, folds, is_rounded, text_spelling
from stash2plex.rules.traits import Trait, Traits
from stash2plex.rules.way_back import ALTERED, NOT_KEPT, Goal, WayBack

SAME_VALUE = (Spelling.FORM, Spelling.CASE, Spelling.BLANKS, Spelling.MARKS)
"""How a server may spell a text that still counts as the same."""


def careful(traits: Traits, item: PlexItem) -> Traits:
    """Return the traits to write with after a try that did not do: in smaller steps.

    The server may have traits that no reading has shown yet, such as those of a new version.
    """
    steps = {(Trait.ONE_REMOVAL, None), (Trait.RATES_APART, None)}
    if any(number > 1 for held in item.lists.values() for number in counted(held).values()):
        steps.add((Trait.DOUBLES, None))
    return traits.with_learnt(steps)


def without_respelled(way: WayBack, item: PlexItem) -> WayBack:
    """Return a plan without the lists that differ from the item by their spelling only.

    They were written before, and this is how the server spells them.
    """
    lists = {
        name: list_change
        for name, list_change in way.change.lists.items()
        if counted(list_change.wanted) != counted(item.lists.get(name, ()))
    }
    change = evolve(way.change, lists=lists)
    unlocks = change.unlocks & {*change.fields, *way.pictures, *item.locked}
    return evolve(way, change=evolve(change, unlocks=unlocks))


def checked(way: WayBack, goals: Mapping[Field, Goal], left: WayBack, item: PlexItem) -> WayBack:
    """Return what became of each field. `left` is what the `item` still lacks after the writes.

    What was changed meanwhile is not ours.
    """
    undone = {*left.change.fields, *left.change.unlocks, *left.pictures}
    cannot = {**way.cannot, **{name: NOT_KEPT for name in undone if name not in way.cannot}}
    sent = {*way.change.fields, *way.pictures} - cannot.keys()
    theirs = set(way.theirs) - cannot.keys()
    for name in sorted(sent & left.theirs - way.theirs):
        how = _kept_as(name, goals[name], item)
        if how == ALTERED:
            cannot[name] = ALTERED
        elif how is None:
            theirs.add(name)
    return evolve(
        way, back=way.back - cannot.keys() - theirs, theirs=frozenset(theirs), cannot=cannot
    )


def _kept_as(name: Field, goal: Goal, item: PlexItem) -> str | None:
    """Return how Plex keeps what a field was to become: as it is (""), ALTERED, or None for not."""
    if name is Field.RATING:
        wanted = goal.value if isinstance(goal.value, (int, float)) else None
        return ALTERED if is_rounded(wanted, item.rating) else None
    if name in LIST_FIELDS:
        wants = folds(names_of(goal.value))
        return "" if folds(item.lists.get(name, ())) == wants else None
    spelling = text_spelling(
        name, clean_text(str(goal.value or ""), HELD_LIMIT), held_text(item, name)
    )
    if spelling in SAME_VALUE:
        return ""
    return None if spelling is None else ALTERED
