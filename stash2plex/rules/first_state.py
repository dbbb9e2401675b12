"""Pure: what an item shows before a write, in the plain form that the database keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, evolve, frozen

from stash2plex.model import LIST_FIELDS, TEXT_FIELDS, Change, Field, ListChange, PlexItem
from stash2plex.rules.memory import names_of
from stash2plex.rules.spelling import folds


@frozen
class Before:
    """A field before our first write to it: its value, and whether it was locked.

    A picture's value is the key of the chosen one, empty if none was chosen, and None if the choice
    was Plex's own: then it is not locked. `taken` are the folded
    names of a list that we took away: what else is missing was removed by the user.
    """

    value: object
    locked: bool
    taken: frozenset[str] = frozenset()


@frozen
class FirstState:
    """What an item showed before our first write, by field.

    It belongs to the item `rating_key` of the Plex `server` and to the file at `path`, which is
    empty if it is unknown. `before_history` means that we had written there before anything was
    kept. `ours` is what was last written there if no record belongs to the item any more.
    `uploads` counts the pictures sent there. `at` and `undone_at`, when all was put
    back, are in epoch seconds.
    """

    scene_id: int
    rating_key: str
    server: str
    section_id: str
    path: str
    at: float
    fields: Mapping[Field, Before] = Factory(dict)
    before_history: bool = False
    ours: Mapping[str, Any] = Factory(dict)
    uploads: int = 0
    undone_at: float | None = None


def value_of(item: PlexItem, name: Field) -> object:
    """Return what an item shows of a field that is no picture."""
    if name is Field.RATING:
        return item.rating
    if name in LIST_FIELDS:
        return list(item.lists.get(name, ()))
    return item.texts.get(name, "")


def touched(change: Change) -> frozenset[Field]:
    """Return the fields whose value or lock a change writes."""
    return frozenset(change.fields) | change.locks


def values_before(
    item: PlexItem,
    change: Change,
    written: Mapping[str, object],
    known: FirstState | None,
    images: frozenset[Field] = frozenset(),
) -> dict[Field, Before]:
    """Return what must be kept of an item before a change, beside what is `known`.

    `images` are pictures that follow. What Plex chose itself is known without a question: its field
    is not locked (plex.md §4.3).

    `written` is what is ours there already. Where that was written before anything was kept, what
    the item showed first is lost.
    """
    early = known is not None and known.before_history
    lost = {name for name, value in written.items() if early and value not in (None, "", [])}
    kept = known.fields if known is not None and known.undone_at is None else {}
    new = {
        name: Before(value_of(item, name), name in item.locked)
        for name in touched(change)
        if name not in kept and name not in lost
    }
    if known is None or not known.before_history:
        own = images - item.locked - kept.keys()
        new.update((name, Before(None, locked=False)) for name in own)
    for name, list_change in change.lists.items():
        before = new.get(name) or kept.get(name)
        if before is not None:
            after = evolve(before, taken=_taken(before, list_change))
            if after != before:
                new[name] = after
    return new


def _taken(before: Before, change: ListChange) -> frozenset[str]:
    first = folds(names_of(before.value))
    return (before.taken | (folds(change.stale) & first)) - folds(change.wanted)


def plain_fields(fields: Mapping[Field, Before]) -> dict[str, list[object]]:
    """Return fields in the form that the database keeps."""
    return {
        str(name): [
            before.value,
            int(before.locked),
            *([sorted(before.taken)] if before.taken else []),
        ]
        for name, before in sorted(fields.items())
    }


def read_fields(stored: Mapping[str, Any]) -> dict[Field, Before]:
    """Read fields from the database's form; what is damaged is left out."""
    names = {str(name): name for name in Field}
    fields = {}
    for name, kept in stored.items():
        if name in names and isinstance(kept, list) and len(kept) in (2, 3):
            value, locked, *taken = kept
            if _fits(names[name], value):
                away = frozenset(names_of(taken[0])) if taken else frozenset()
                fields[names[name]] = Before(value, bool(locked), away)
    return fields


def _fits(name: Field, value: object) -> bool:
    if name is Field.RATING:
        return value is None or isinstance(value, (int, float))
    if name in LIST_FIELDS:
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    return isinstance(value, str) or (value is None and name not in TEXT_FIELDS)
