"""Pure: splits a change into the requests that it needs, in order.

No request both adds and removes the same name: which of the two Plex does first is unknown (plex.md
§3.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from urllib.parse import quote

from attrs import evolve

from stash2plex.model import Change, Field, ListChange, PlexItem
from stash2plex.rules.desired import ENCODED_LIMIT, PARAMETER_BYTES
from stash2plex.rules.spelling import fold, folds
from stash2plex.rules.traits import Trait, Traits


def edit_parts(change: Change, traits: Traits, *, delta: bool) -> list[Change]:
    """Split a change into requests; most changes need only one.

    `delta` means that its lists lack what is there already. The first request holds everything but
    the removals that a server accepts only one by one or that do not fit into one URL. The last one
    adds the names that are removed first and come back, or change their spelling.
    """
    first, removals, last = {}, {}, {}
    for name, list_change in change.lists.items():
        again = folds(list_change.wanted) & folds(list_change.stale)
        staying = tuple(value for value in list_change.wanted if fold(value) not in again)
        chunks = list(_removals(list_change.stale, traits))
        if chunks and staying and _added_bytes(staying) + _removed_bytes(chunks[0]) > ENCODED_LIMIT:
            chunks.insert(0, ())
        first[name] = ListChange(staying, chunks[0] if chunks else ())
        removals[name] = chunks[1:]
        if again:
            coming = tuple(value for value in list_change.wanted if fold(value) in again)
            last[name] = ListChange(coming if delta else list_change.wanted, ())
    parts = [evolve(change, lists=first)]
    unlocks = change.unlocks
    parts += [Change({}, lists, unlocks=unlocks) for lists in _side_by_side(removals)]
    if last:
        parts.append(Change({}, last, unlocks=unlocks))
    return parts


def to_mend(change: Change, before: PlexItem, after: PlexItem) -> Change | None:
    """Return the lists that a shared edit replaced instead of adding to; None if there are none."""
    lists = {}
    for name, list_change in change.lists.items():
        staying = folds(before.lists.get(name, ())) - folds(list_change.stale)
        if not staying <= folds(after.lists.get(name, ())):
            lists[name] = ListChange(list_change.wanted, ())
    return Change({}, lists) if lists else None


def _removals(stale: tuple[str, ...], traits: Traits) -> Iterator[tuple[str, ...]]:
    """Yield the names to remove, in groups for one request each."""
    if traits.has(Trait.ONE_REMOVAL):
        yield from ((value,) for value in stale)
        return
    chunk: list[str] = []
    size = 0
    for value in stale:
        bytes_of = _removed_bytes((value,))
        if chunk and size + bytes_of > ENCODED_LIMIT:
            yield tuple(chunk)
            chunk, size = [], 0
        chunk.append(value)
        size += bytes_of
    if chunk:
        yield tuple(chunk)


def _added_bytes(names: Iterable[str]) -> int:
    return sum(PARAMETER_BYTES + len(quote(name, safe="")) for name in names)


def _removed_bytes(names: Iterable[str]) -> int:
    # Each is encoded; then they are joined by commas and encoded again.
    return sum(len(quote(quote(name, safe=""), safe="")) + len("%2C") for name in names)


def _side_by_side(
    removals: Mapping[Field, list[tuple[str, ...]]],
) -> Iterator[dict[Field, ListChange]]:
    """Combine removals from several lists in one request as far as possible."""
    for chunks in zip_longest(*removals.values(), fillvalue=()):
        yield {
            name: ListChange((), chunk)
            for name, chunk in zip(removals, chunks, strict=True)
            if chunk
        }
