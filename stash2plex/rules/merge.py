"""Pure: the three-way merge of what Stash holds, what Plex holds, and what we last wrote.

A value in Plex is a person's when its field is locked and it is not one that we wrote: Plex locks
each field that a person edits (plex.md §3.2), and we remember what we wrote. With
`preserve_plex_edits` it stays until both sides agree or the person unlocks the field; without it
Stash wins. An empty value of Stash clears only what we wrote, either way.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, evolve, frozen

from stash2plex.model import Change, Desired, Field, ListChange, PlexItem, Record
from stash2plex.rules.desired import clean_text

HELD_LIMIT = 1_000_000
"""Characters of a text of Plex that are compared."""


def plan_change(
    desired: Desired, item: PlexItem, record: Record | None, *, preserve: bool
) -> Change:
    """Compare wanted and held, with what we last wrote between them.

    Cheap, and asks nobody. A scene that holds nothing at all changes nothing. A record of another
    item counts as none.
    """
    if desired.empty:
        return Change({}, {})
    base = _base_of(record, item)
    locks: set[Field] = set()
    kept: set[Field] = set()
    texts: dict[Field, str] = {}
    for name, wanted in desired.texts.items():
        held = held_text(item, name)
        if wanted == held:
            if wanted and name not in item.locked:
                locks.add(name)
        elif not wanted:
            cleared = desired.fallback_title if name is Field.TITLE else ""
            if held and base.wrote(name, held) and (cleared or name is not Field.TITLE):
                texts[name] = cleared
        elif preserve and name in item.locked and not base.wrote(name, held):
            kept.add(name)
        else:
            texts[name] = wanted
    lists: dict[Field, ListChange] = {}
    for name, wanted_list in desired.lists.items():
        held_list = item.lists.get(name, ())
        target = _list_target(name, wanted_list, item, base, preserve=preserve)
        if set(target) != set(held_list):
            stale = tuple(value for value in held_list if value not in target)
            lists[name] = ListChange(target, stale)
        elif wanted_list and name not in item.locked:
            locks.add(name)
        missing, more = set(wanted_list) - set(target), set(target) - set(wanted_list)
        if missing or (more and wanted_list and name is not Field.COLLECTION):
            kept.add(name)
    rating, clear = None, False
    if desired.rates and not same_rating(item.rating, desired.rating):
        if desired.rating is None:
            clear = base.rated(item.rating)
        elif preserve and base.person_rated(item.rating):
            kept.add(Field.RATING)
        else:
            rating = desired.rating
    return Change(
        {name: text for name, text in texts.items() if text != held_text(item, name)},
        lists,
        rating,
        clear,
        frozenset(locks),
        frozenset(kept),
    )


def remember(
    desired: Desired, item: PlexItem, change: Change, record: Record | None
) -> tuple[dict[str, object], dict[str, object]]:
    """Work out what is ours in Plex after a change, and what a person took away there.

    The base of the next comparison. A field that is none of our business now keeps what was
    remembered of it, so that it can be taken up again.
    """
    base = _base_of(record, item)
    written, removed = dict(base.versions[0]), dict(base.removed)
    if desired.empty:
        return written, removed
    for name, wanted in desired.texts.items():
        held = change.texts.get(name, held_text(item, name))
        if held == wanted or name in change.texts or base.wrote(name, held):
            written[name] = held
        else:
            written.pop(name, None)
    for name, wanted_list in desired.lists.items():
        after = change.lists[name].wanted if name in change.lists else item.lists.get(name, ())
        written[name] = [value for value in after if value in wanted_list]
        removed[name] = [value for value in wanted_list if value not in after]
    if desired.rates:
        kept = Field.RATING in change.kept
        # Nothing in Plex tells a rating that a person took away from one that was never given.
        removed[Field.RATING] = kept
        if kept or desired.rating is None:
            written.pop(Field.RATING, None)
        else:
            written[Field.RATING] = desired.rating
    return written, {name: value for name, value in removed.items() if value}


def held_text(item: PlexItem, name: Field) -> str:
    """Return a text of Plex the way it is compared: trimmed, one Unicode form."""
    return clean_text(item.texts.get(name, ""), HELD_LIMIT)


def same_rating(left: object, right: object) -> bool:
    """Whether two ratings out of ten are one; none at all and 0 are the same to Plex."""
    one, other = left or 0.0, right or 0.0
    if not isinstance(one, (int, float)) or not isinstance(other, (int, float)):
        return False
    return abs(one - other) < 0.05  # noqa: PLR2004 - half of Stash's smallest step


# -- one edit for many --------------------------------------------------------------------


def as_shared(change: Change, item: PlexItem) -> Change:
    """Say a change so that it fits every item that lacks and holds the same.

    An edit of several items adds to their lists (plex.md §3.6), so only what is missing goes out.
    """
    lists = {
        name: ListChange(
            tuple(value for value in one.wanted if value not in item.lists.get(name, ())),
            one.stale,
        )
        for name, one in change.lists.items()
    }
    return evolve(change, lists=lists)


def share_key(change: Change) -> tuple[object, ...] | None:
    """Return what is equal for changes that one edit can carry; None for one that goes alone."""
    if not change.edits or change.clear_rating:
        return None
    return (
        tuple(sorted(change.texts.items())),
        tuple(sorted((name, one.wanted, one.stale) for name, one in change.lists.items())),
        change.rating,
        change.locks,
    )


# -- the base -----------------------------------------------------------------------------


@frozen
class _Base:
    """What is remembered of the last write. `versions` begin with what surely was ours.

    A process that was killed may or may not have sent what it announced, so each version is ours.
    """

    versions: tuple[Mapping[str, object], ...] = ({},)
    removed: Mapping[str, object] = Factory(dict)

    def wrote(self, name: Field, held: str) -> bool:
        """Whether a text is one that we wrote."""
        return any(name in one and one[name] == held for one in self.versions)

    def knows(self, name: Field) -> bool:
        """Whether we have written this list before."""
        return any(name in one for one in self.versions)

    def ours(self, name: Field) -> set[str]:
        """Name what may be ours in a list."""
        return set().union(*(_names(one.get(name)) for one in self.versions))

    def away(self, name: Field) -> set[str]:
        """Name what a person took from a list, should it be missing: we had it there surely."""
        surely = set.intersection(*(_names(one.get(name)) for one in self.versions))
        return surely | _names(self.removed.get(name))

    def rated(self, held: float | None) -> bool:
        """Whether a rating is one that we gave."""
        return bool(held) and any(
            same_rating(held, one[Field.RATING]) for one in self.versions if Field.RATING in one
        )

    def person_rated(self, held: float | None) -> bool:
        """Whether a person gave or took a rating: only persons do, so locks say nothing here."""
        if held:
            return not self.rated(held)
        return bool(self.removed.get(Field.RATING)) or all(
            Field.RATING in one for one in self.versions
        )


def _base_of(record: Record | None, item: PlexItem) -> _Base:
    if record is None or record.rating_key != item.rating_key:
        # Never synced, or the file has a new item: nothing that we wrote to the old one is there.
        return _Base()
    return _Base((record.written, *record.announced), record.removed)


def _names(value: object) -> set[str]:
    return {str(one) for one in value} if isinstance(value, (list, tuple)) else set()


def _list_target(
    name: Field, wanted: tuple[str, ...], item: PlexItem, base: _Base, *, preserve: bool
) -> tuple[str, ...]:
    """Return what a list should become.

    Collections are shared with a person's own: only what we put there goes. The same holds for a
    list that is empty in Stash, and, value by value, for one that a person edited.
    """
    held = item.lists.get(name, ())
    shared = name is Field.COLLECTION
    edited = preserve and name in item.locked
    if wanted and not shared and not edited:
        return wanted
    if wanted and edited and not shared and not base.knows(name):
        # Nobody knows which of it is ours: all of it is taken for a person's.
        return held
    ours = base.ours(name)
    kept = [value for value in held if value in wanted or value not in ours]
    away = base.away(name) if edited else set()
    added = [value for value in wanted if value not in held and value not in away]
    return (*kept, *added)
