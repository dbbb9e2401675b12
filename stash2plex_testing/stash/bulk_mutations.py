"""Bulk updates of performers, studios, tags and groups, as a real v0.30.1 answered them.

All rows are updated first; then the hooks run one by one, in the order of the ids, and each gets
the whole input. An id that is given twice is updated and reported twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stash2plex_testing.stash.core import Context
from stash2plex_testing.stash.criteria import StashError, number_of
from stash2plex_testing.stash.entity_mutations import KINDS, fire
from stash2plex_testing.stash.fields import Resolver
from stash2plex_testing.stash.inputs import apply_entity, checked_bool, combined
from stash2plex_testing.stash.library import Library
from stash2plex_testing.stash.records import Entity, Group, Tag

Values = Mapping[str, Any]

SWITCHES = ("favorite", "ignore_auto_tag")


def _bulk(kind: str) -> Resolver:
    type_name = f"Bulk{kind.capitalize()}UpdateInput"

    def resolve(_: None, context: Context, input: Values) -> list[Any] | None:  # noqa: A002 - Stash's name
        """Update all, then run the hooks; null for no ids at all."""
        library = context.core.library
        with library.lock:
            rows = _rows(library, kind, input.get("ids") or ())
            for row in rows:
                apply_entity(library, row, _plain(library, row, input))
        given = context.core.struct(type_name, input)
        for row in rows:
            fire(context, kind, "Update", row.id, given, input)
        table = library.table_of(kind)
        return [row for row in rows if row.id in table] or None

    return resolve


def _rows(library: Library, kind: str, texts: Any) -> list[Entity]:
    """Find the rows of a bulk update. Raises StashError for an id that is none or unknown."""
    try:
        numbers = [number_of(text) for text in texts]
    except StashError as error:
        raise StashError(f"converting ids: {error}") from None
    table: Any = library.table_of(kind)
    for number in numbers:
        if number not in table:
            unknown = "not found" if kind == "group" else f"{kind} with id {number} not found"
            raise StashError(unknown)
    return [table[number] for number in numbers]


def _plain(library: Library, row: Entity, values: Values) -> dict[str, Any]:
    """Return the fields of a single update that do to a row what the bulk update asks for."""
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if name == "ids":
            continue
        if name in SWITCHES:
            plain[name] = checked_bool(value)
        elif isinstance(value, Mapping) and "mode" in value:
            given = value.get("ids") or value.get("values") or value.get("groups") or ()
            plain[name] = _combined(_held(library, row, name), tuple(given), value["mode"])
        else:
            plain[name] = value
    return plain


def _combined(held: tuple[Any, ...], given: tuple[Any, ...], mode: str) -> list[Any]:
    """Set, add or remove. A group in a group counts by its id, whatever its description."""
    if any(isinstance(one, Mapping) for one in given):
        numbers = {one["group_id"] for one in given}
        kept = tuple(one for one in held if one["group_id"] not in numbers)
        return list({"SET": given, "ADD": kept + given, "REMOVE": kept}[mode])
    return list(combined(held, given, mode))


def _held(library: Library, row: Entity, name: str) -> tuple[Any, ...]:
    """Return what a row holds of a list, in the form of the input."""
    if name == "child_ids":
        return tuple(str(tag.id) for tag in library.tags.values() if row in tag.parents)
    if name == "parent_ids" and isinstance(row, Tag):
        return tuple(str(tag.id) for tag in row.parents)
    if name == "containing_groups" and isinstance(row, Group):
        return tuple({"group_id": str(above.id), "description": t} for above, t in row.containing)
    if name == "tag_ids":
        return tuple(str(tag.id) for tag in getattr(row, "tags", ()))
    return tuple(getattr(row, name, ()))


BULK_MUTATIONS: Mapping[str, Resolver] = {
    f"bulk{kind.capitalize()}Update": _bulk(kind) for kind in KINDS
}
