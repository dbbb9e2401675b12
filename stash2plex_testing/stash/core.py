"""What resolvers use: the parts of one server, and one request's view of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLInputObjectType, GraphQLSchema, get_named_type, is_list_type
from graphql.type import is_non_null_type

from stash2plex_testing.stash.auth import Sessions
from stash2plex_testing.stash.criteria import StashError, number_of
from stash2plex_testing.stash.jobs import JobQueue
from stash2plex_testing.stash.library import Library, Table
from stash2plex_testing.stash.log import Journal
from stash2plex_testing.stash.plugins import Caller, Plugins
from stash2plex_testing.stash.records import Record, Scene

GENERATED = (
    "TagCreateInput",
    "TagUpdateInput",
    "GroupCreateInput",
    "GroupUpdateInput",
    "SceneMarkerCreateInput",
    "SceneMarkerUpdateInput",
    "BulkSceneUpdateInput",
    "BulkPerformerUpdateInput",
    "BulkStudioUpdateInput",
    "BulkTagUpdateInput",
    "BulkGroupUpdateInput",
    "BulkUpdateGroupDescriptionsInput",
    "BulkUpdateIds",
    "BulkUpdateStrings",
)
MORE_FIELDS = dict.fromkeys(("PerformerCreateInput", "PerformerUpdateInput"), ("aliases", "height"))
"""Fields that a struct still has but the schema no longer does."""


@dataclass
class Core:
    """The parts of a server."""

    library: Library
    journal: Journal
    jobs: JobQueue
    sessions: Sessions
    plugins: Plugins
    clock: Callable[[], float]
    config_dir: str
    root: str
    version: str = "v0.30.1"
    external_host: str = ""
    """Put into picture addresses instead of the request's own host (stash.md §5.6)."""
    interface: str = ""
    """Folder of the built host page (`host.py`), served instead of our own page."""
    language: str = "en-GB"
    """The language of the interface, such as `de-DE`."""
    shuffle_performers: bool = False
    """Performers have no defined order (stash.md §5.4); true gives each request another one."""
    schema: GraphQLSchema = field(init=False)

    def struct(self, type_name: str, value: Any) -> Any:
        """Return an input as Go's struct of it is written (stash.md §3.3).

        Structs of Stash's own have every field, those not sent as null; those that gqlgen has made
        leave out what is null or an empty list.
        """
        input_type = self.schema.type_map[type_name]
        assert isinstance(input_type, GraphQLInputObjectType)
        filled: dict[str, Any] = {}
        for name, input_field in input_type.fields.items():
            sent = value.get(name)
            inner = get_named_type(input_field.type)
            if sent is None or not isinstance(inner, GraphQLInputObjectType):
                filled[name] = sent
                continue
            outer = input_field.type
            outer = outer.of_type if is_non_null_type(outer) else outer
            filled[name] = (
                [self.struct(inner.name, item) for item in sent]
                if is_list_type(outer)
                else self.struct(inner.name, sent)
            )
        if type_name in GENERATED:
            return {name: sent for name, sent in filled.items() if sent not in (None, [])}
        return {**filled, **dict.fromkeys(MORE_FIELDS.get(type_name, ()))}


@dataclass(frozen=True)
class Context:
    """One request."""

    core: Core
    caller: Caller

    @property
    def base(self) -> str:
        """Start of the addresses that the answer holds."""
        return self.core.external_host or self.caller.base_url

    def hook(self, trigger: str, object_id: int, given: Any, fields: Any = ()) -> None:
        """Run hooks and wait. Raises StashError where the client went away meanwhile."""
        if not self.core.plugins.run_hooks(
            trigger, object_id, self.caller, given=given, fields=fields
        ):
            raise StashError("context canceled")

    def row(self, table: Table[Any], text: object, kind: str) -> Any:
        """Find a row. Raises StashError if there is none."""
        return require(table, text, kind)


class IdError(StashError):
    """An id that is not a number."""


def require(table: Table[Any], text: object, kind: str) -> Any:
    """Find a row by the text of its id. Raises StashError if there is none."""
    try:
        number = number_of(text)
    except StashError as error:
        raise IdError(f"converting id: {error}") from None
    row = table.get(number)
    if row is None:
        raise StashError(f"{kind} with id {number} not found")
    return row


def foreign(table: Table[Any], texts: Any) -> tuple[Any, ...]:
    """Find the rows that an input refers to. Raises StashError as the database would."""
    rows: list[Record] = []
    for text in texts or ():
        try:
            row = table.get(number_of(text))
        except StashError as error:
            raise IdError(str(error)) from None
        if row is None:
            raise StashError("FOREIGN KEY constraint failed")
        rows.append(row)
    return tuple(dict.fromkeys(rows))


def destroyed(scene: Scene) -> dict[str, str]:
    """Return what a destroy hook contains of a scene besides its id (stash.md §3.4)."""
    file = scene.files[0] if scene.files else None
    return {
        "checksum": "",
        "oshash": file.oshash if file else "",
        "path": file.path if file else "",
    }
