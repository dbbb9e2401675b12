"""Mutations of performers, studios, tags and groups, with their hooks (stash.md §3.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stash2plex_testing.stash.core import Context
from stash2plex_testing.stash.criteria import StashError, number_of
from stash2plex_testing.stash.fields import Resolver
from stash2plex_testing.stash.inputs import apply_entity
from stash2plex_testing.stash.records import Performer, Tag

Values = Mapping[str, Any]

KINDS = ("performer", "studio", "tag", "group")


def triggers(kind: str, what: str) -> list[str]:
    """Name the hooks of an operation: a group's fire under its old name as well (§1.5)."""
    names = ["Group", "Movie"] if kind == "group" else [kind.capitalize()]
    return [f"{name}.{what}.Post" for name in names]


def fire(context: Context, kind: str, what: str, number: int, given: Any, fields: Any = ()) -> None:
    """Run the hooks of an operation. Raises StashError if the client went away meanwhile."""
    for trigger in triggers(kind, what):
        context.hook(trigger, number, given, fields)


def _create(kind: str) -> Resolver:
    type_name = f"{kind.capitalize()}CreateInput"

    def resolve(_: None, context: Context, input: Values) -> Any:  # noqa: A002 - Stash's name
        library = context.core.library
        adders: dict[str, Callable[[str], Any]] = {
            "performer": library.add_performer,
            "studio": library.add_studio,
            "tag": library.add_tag,
            "group": library.add_group,
        }
        with library.lock:
            row = adders[kind](input["name"])
            try:
                apply_entity(library, row, input)
            except StashError:
                table: Any = library.table_of(kind)
                table.undo(row)
                raise
        fire(context, kind, "Create", row.id, context.core.struct(type_name, input))
        return row

    return resolve


def _update(kind: str) -> Resolver:
    type_name = f"{kind.capitalize()}UpdateInput"

    def resolve(_: None, context: Context, input: Values) -> Any:  # noqa: A002 - Stash's name
        library = context.core.library
        with library.lock:
            table = library.table_of(kind)
            if kind == "group" and number_of(input["id"]) not in table:
                raise StashError("not found")
            row = context.row(table, input["id"], kind)
            apply_entity(library, row, input)
        fire(context, kind, "Update", row.id, context.core.struct(type_name, input), input)
        return library.table_of(kind).get(row.id)

    return resolve


def _destroy(kind: str) -> Resolver:
    type_name = f"{kind.capitalize()}DestroyInput"

    def resolve(_: None, context: Context, input: Values) -> bool:  # noqa: A002 - Stash's name
        _remove(context, kind, [input["id"]])
        given = context.core.struct(type_name, input)
        fire(context, kind, "Destroy", number_of(input["id"]), given)
        return True

    return resolve


def _destroy_many(kind: str) -> Resolver:
    def resolve(_: None, context: Context, ids: list[str]) -> bool:
        _remove(context, kind, ids)
        for text in ids:
            # Each gets the list of all ids (stash.md §3.5).
            fire(context, kind, "Destroy", number_of(text), ids)
        return True

    return resolve


def _remove(context: Context, kind: str, ids: list[str]) -> None:
    library = context.core.library
    with library.lock:
        table = library.table_of(kind)
        numbers = [number_of(text) for text in ids]
        for number in numbers:
            if number not in table:
                raise StashError(f"id {number} does not exist in {kind}s")
        for row in [table[number] for number in numbers]:
            library.destroy_entity(row)


def sources_of(context: Context, table: Any, texts: list[str], kind: str) -> list[Any]:
    """Find what is to be merged. Raises StashError if one is missing."""
    try:
        return [context.row(table, text, kind) for text in texts]
    except StashError as error:
        raise StashError(f"finding source {kind}s: {error}") from None


def performer_merge(_: None, context: Context, input: Values) -> Performer:  # noqa: A002
    """Merge performers. No hook; the destination is bumped, no scene (stash.md §10)."""
    library = context.core.library
    with library.lock:
        destination: Performer = context.row(library.performers, input["destination"], "performer")
        sources = sources_of(context, library.performers, input["source"], "performer")
        if destination in sources:
            raise StashError("destination performer cannot be in source list")
        library.merge_performers(sources, destination)
        values = {k: v for k, v in (input.get("values") or {}).items() if k != "id"}
        apply_entity(library, destination, values)
    return destination


def tags_merge(_: None, context: Context, input: Values) -> Tag:  # noqa: A002 - Stash's name
    """Merge tags. One hook for the destination, which is not bumped (stash.md §3.5, §10)."""
    library = context.core.library
    with library.lock:
        destination: Tag = context.row(library.tags, input["destination"], "tag")
        numbers = [number_of(id_) for id_ in input["source"]]
        for number in numbers:
            if number not in library.tags:
                raise StashError(f"id {number} does not exist in tags")
        sources = [library.tags[number] for number in numbers]
        if destination in sources:
            raise StashError("cannot merge where source == destination")
        library.merge_tags(sources, destination)
    given = context.core.struct("TagsMergeInput", input)
    context.hook("Tag.Merge.Post", destination.id, given)
    return destination


ENTITY_MUTATIONS: Mapping[str, Resolver] = {
    **{f"{kind}Create": _create(kind) for kind in KINDS},
    **{f"{kind}Update": _update(kind) for kind in KINDS},
    **{f"{kind}Destroy": _destroy(kind) for kind in KINDS},
    **{f"{kind}sDestroy": _destroy_many(kind) for kind in KINDS},
    "performerMerge": performer_merge,
    "tagsMerge": tags_merge,
}
