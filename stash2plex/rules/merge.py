"""Pure: the three-way merge of what Stash holds, what Plex holds, and what we last wrote.

A value in Plex is the user's if its field is locked and we did not write the value: Plex locks each
field that a user edits (plex.md §3.2), and the record holds what we wrote and what Plex made of it.
With `preserve_plex_edits` the value stays until both sides agree or the user unlocks the field;
without it Stash wins. In both cases, an empty value in Stash clears only what we wrote.
"""

from __future__ import annotations

from attrs import evolve, frozen

from stash2plex.model import (
    LIST_FIELDS,
    TEXT_FIELDS,
    Change,
    Desired,
    Field,
    ListChange,
    PlexItem,
    Record,
)
from stash2plex.rules.desired import clean_text
from stash2plex.rules.memory import BACK, BEFORE, Base, base_of, before_change, names_of
from stash2plex.rules.spelling import (
    counted,
    fold,
    folds,
    is_rounded,
    once,
    same_rating,
    text_spelling,
)

HELD_LIMIT = 1_000_000
"""How many characters of a text in Plex are compared."""


def plan_change(
    desired: Desired, item: PlexItem, record: Record | None, *, preserve: bool
) -> Change:
    """Compare wanted and held values, with what we last wrote as their common base.

    It sends no request. A scene that holds nothing at all changes nothing. A record of another item
    counts as none.
    """
    if desired.empty:
        return Change({}, {})
    base = base_of(record, item)
    locks: set[Field] = set()
    kept: set[Field] = set()
    texts: dict[Field, str] = {}
    for name, wanted in desired.texts.items():
        held = held_text(item, name)
        if _is_as_wanted(name, desired, item, base, preserve=preserve):
            if wanted and name not in item.locked:
                locks.add(name)
        elif not wanted:
            cleared = target_text(name, desired)
            if base.wrote(name, held) and cleared != held and (cleared or name is not Field.TITLE):
                texts[name] = cleared
        elif preserve and name in item.locked and not base.may_overwrite(name, held):
            kept.add(name)
        else:
            texts[name] = wanted
    lists: dict[Field, ListChange] = {}
    for name, wanted_list in desired.lists.items():
        compared = _compare_list(name, wanted_list, item, base, preserve=preserve)
        if compared.change is not None:
            lists[name] = compared.change
        elif wanted_list and name not in item.locked:
            locks.add(name)
        if compared.is_kept:
            kept.add(name)
    rating, clear = None, False
    if desired.rates and not _has_rating(desired, item, base, preserve=preserve):
        if desired.rating is None:
            clear = base.rated(item.rating)
        elif preserve and base.person_rated(item.rating):
            kept.add(Field.RATING)
        else:
            rating = desired.rating
    return Change(texts, lists, rating, clear, frozenset(locks), frozenset(kept))


def remember(
    desired: Desired, item: PlexItem, change: Change, record: Record | None
) -> tuple[dict[str, object], dict[str, object]]:
    """Return what is ours in Plex after a change, and what the user removed there.

    Both are the base of the next comparison. A skipped field keeps its old base, so that it can be
    compared again later.
    """
    base = base_of(record, item)
    written, removed = dict(base.last.written), dict(base.removed)
    if desired.empty:
        return written, removed
    for name, wanted in desired.texts.items():
        held = held_text(item, name)
        if name in change.texts:
            written[name] = change.texts[name]
        elif name not in change.kept and _stands_for(name, desired, held, base):
            written[name] = target_text(name, desired)
        elif held == wanted or base.wrote(name, held):
            written[name] = held
        else:
            written.pop(name, None)
    for name, wanted_list in desired.lists.items():
        held_list = item.lists.get(name, ())
        if name not in change.lists and base.settled_list(name, wanted_list, held_list):
            continue
        after = folds(change.lists[name].wanted if name in change.lists else held_list)
        written[name] = [value for value in wanted_list if fold(value) in after]
        removed[name] = [value for value in wanted_list if fold(value) not in after]
    if desired.rates:
        kept = Field.RATING in change.kept
        # In Plex, a rating that the user removed looks like one that was never given.
        removed[Field.RATING] = kept
        if kept or desired.rating is None:
            written.pop(Field.RATING, None)
        else:
            written[Field.RATING] = desired.rating
    if len(base.versions) > 1:
        written |= _ours_of_skipped(desired, item, base)
    return written, {name: value for name, value in removed.items() if value}


def _ours_of_skipped(desired: Desired, item: PlexItem, base: Base) -> dict[str, object]:
    """Return what writes with an unknown end left of ours in fields that are skipped by now.

    The end of this write ends their announcements, so that nothing else would know it later.
    """
    ours: dict[str, object] = {}
    for name in TEXT_FIELDS:
        held = held_text(item, name)
        if name not in desired.texts and base.wrote(name, held):
            ours[name] = held
    for name in LIST_FIELDS:
        mine = base.ours(name)
        there = [value for value in item.lists.get(name, ()) if fold(value) in mine]
        if name not in desired.lists and there:
            ours[name] = there
    if not desired.rates and base.rated(item.rating):
        ours[Field.RATING] = item.rating
    return ours


def announcement(
    desired: Desired, item: PlexItem, change: Change, record: Record | None
) -> dict[str, object]:
    """Work out what a change will leave of ours if its end stays unknown.

    Names that one request removes and the next adds may be missing then: they count neither as
    present nor as removed by the user. What the changed fields show now is kept with it: the change
    may not arrive, or the server may ignore it.
    """
    written, _ = remember(desired, item, change, record)
    back: dict[str, list[str]] = {}
    for name, list_change in change.lists.items():
        again = folds(list_change.wanted) & folds(list_change.stale)
        if again:
            written[name] = [
                value for value in names_of(written.get(name)) if fold(value) not in again
            ]
            back[name] = [value for value in list_change.wanted if fold(value) in again]
    before = {
        **{name: held_text(item, name) for name in change.texts},
        **{
            name: before_change(item, name, list_change, delta=False).plain()
            for name, list_change in change.lists.items()
        },
    }
    return {**written, **({BACK: back} if back else {}), **({BEFORE: before} if before else {})}


def remember_shown(
    desired: Desired, item: PlexItem, change: Change, record: Record | None, *, delta: bool
) -> tuple[dict[str, object], dict[str, object]]:
    """Return how Plex shows our values, and what must be read back after a change.

    Both are by field: what Plex shows instead of what was written, and what it showed before this
    write. `delta` means that lists are sent without the values that are there already.
    """
    base = base_of(record, item)
    shown, unread = dict(base.last.shown), dict(base.last.before)
    if desired.empty:
        return shown, unread
    for name in desired.texts:
        shown.pop(name, None)
        unread.pop(name, None)
        held = held_text(item, name)
        if name in change.texts:
            unread[name] = held
        elif name not in change.kept and _stands_for(name, desired, held, base):
            shown[name] = held
    for name, wanted_list in desired.lists.items():
        held_list = item.lists.get(name, ())
        settled = base.settled_list(name, wanted_list, held_list)
        unread.pop(name, None)
        if name in change.lists:
            shown.pop(name, None)
            before = before_change(item, name, change.lists[name], delta=delta)
            unread[name] = before.plain()
        elif not settled:
            shown.pop(name, None)
    if desired.rates:
        shown.pop(Field.RATING, None)
        unread.pop(Field.RATING, None)
        if change.rating is not None or change.clear_rating:
            unread[Field.RATING] = item.rating
        elif Field.RATING not in change.kept and base.settled_rating(desired.rating, item.rating):
            shown[Field.RATING] = item.rating
    return shown, unread


def held_text(item: PlexItem, name: Field) -> str:
    """Return a text in Plex in the form that is compared: trimmed, one Unicode form."""
    return clean_text(item.texts.get(name, ""), HELD_LIMIT)


def target_text(name: Field, desired: Desired) -> str:
    """Return what a text becomes: an emptied title becomes the file's name."""
    wanted = desired.texts[name]
    return desired.fallback_title if name is Field.TITLE and not wanted else wanted


# -- texts and ratings --------------------------------------------------------------------


def _is_as_wanted(
    name: Field, desired: Desired, item: PlexItem, base: Base, *, preserve: bool
) -> bool:
    """Return whether Plex holds a wanted text, in Plex's spelling if that is known."""
    wanted, held = desired.texts[name], held_text(item, name)
    if wanted == held or base.settled(name, target_text(name, desired), held):
        return True
    return preserve and name in item.locked and _is_adopted(name, wanted, held, base)


def _is_adopted(name: Field, wanted: str, held: str, base: Base) -> bool:
    """Return whether an unknown text counts as ours: it is Stash's, in Plex's spelling."""
    return not base.knows(name) and text_spelling(name, wanted, held) is not None


def _stands_for(name: Field, desired: Desired, held: str, base: Base) -> bool:
    """Return whether a held text counts as the wanted one, although it is spelt differently."""
    target = target_text(name, desired)
    return held != target and (
        base.settled(name, target, held) or _is_adopted(name, target, held, base)
    )


def _has_rating(desired: Desired, item: PlexItem, base: Base, *, preserve: bool) -> bool:
    wanted, held = desired.rating, item.rating
    if same_rating(held, wanted) or base.settled_rating(wanted, held):
        return True
    unknown = preserve and not base.knows(Field.RATING) and not base.removed.get(Field.RATING)
    return unknown and is_rounded(wanted, held)


# -- lists --------------------------------------------------------------------------------


@frozen
class _ComparedList:
    """What to do with a list. `is_kept`: part of it stays as the user edited it."""

    change: ListChange | None = None
    is_kept: bool = False


def _compare_list(
    name: Field, wanted: tuple[str, ...], item: PlexItem, base: Base, *, preserve: bool
) -> _ComparedList:
    held = item.lists.get(name, ())
    if base.settled_list(name, wanted, held):
        return _ComparedList()
    target = _list_target(name, wanted, item, base, preserve=preserve)
    there, mine, names = counted(held), folds(wanted), folds(target)
    # In the list twice, or respelt in Stash since: it is removed first.
    again = {
        fold(value)
        for value in target
        if there[fold(value)] > 1 or (fold(value) in there and value not in held)
    }
    change = None
    if names != set(there) or again:
        gone = [
            value
            for value in dict.fromkeys(held)
            if fold(value) not in names or fold(value) in again
        ]
        change = ListChange(target, tuple(gone))
    more = names - mine
    is_kept = bool(mine - names) or bool(more and wanted and name is not Field.COLLECTION)
    return _ComparedList(change, is_kept)


def _list_target(
    name: Field, wanted: tuple[str, ...], item: PlexItem, base: Base, *, preserve: bool
) -> tuple[str, ...]:
    """Return what a list should become, in Plex's own spelling of what it has.

    The user may have collections too: only ours are removed. The same holds for a list that is
    empty in Stash and, value by value, for a list that the user edited.
    """
    held = item.lists.get(name, ())
    spelt = {fold(value): value for value in reversed(held)}

    def as_held(value: str) -> str:
        """Return Plex's spelling, unless Stash's has changed since it was written."""
        return value if base.respelt(name, value) else spelt.get(fold(value), value)

    shared = name is Field.COLLECTION
    edited = preserve and name in item.locked
    mine = once(wanted)
    if wanted and not shared and not edited:
        return tuple(as_held(value) for value in mine)
    if wanted and edited and not shared and not base.knows(name):
        # Which values are ours is unknown, so all of them count as the user's.
        return once(held)
    ours, my_names = base.ours(name), folds(wanted)
    by_name = {fold(value): value for value in mine}
    kept = [
        as_held(by_name[fold(value)]) if fold(value) in my_names else value
        for value in once(held)
        if fold(value) in my_names or fold(value) not in ours
    ]
    away = base.away(name) if edited else set()
    added = [value for value in mine if fold(value) not in spelt and fold(value) not in away]
    owed = [value for value in base.owed(name) if fold(value) not in {*spelt, *my_names, *ours}]
    return (*kept, *added, *once(owed))


# -- one edit for many --------------------------------------------------------------------


def as_shared(change: Change, item: PlexItem) -> Change:
    """Rewrite a change as a delta that applies to every item with the same gaps.

    An edit of several items adds to their lists (plex.md §3.6), so only missing values are sent.
    """
    lists = {}
    for name, list_change in change.lists.items():
        there = folds(item.lists.get(name, ())) - folds(list_change.stale)
        missing = tuple(value for value in list_change.wanted if fold(value) not in there)
        lists[name] = ListChange(missing, list_change.stale)
    return evolve(change, lists=lists)


def share_key(change: Change) -> tuple[object, ...] | None:
    """Return a value that is equal for changes that can share an edit; None for one that cannot."""
    if not change.edits or change.clear_rating:
        return None
    return (
        tuple(sorted(change.texts.items())),
        tuple(
            sorted(
                (name, list_change.wanted, list_change.stale)
                for name, list_change in change.lists.items()
            )
        ),
        change.rating,
        change.locks,
    )
