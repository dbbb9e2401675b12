"""Answers GraphQL: schema, documents kept by their text, execution (stash.md §5)."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from stash2plex_testing.stash.bulk_mutations import BULK_MUTATIONS
from stash2plex_testing.stash.core import Context
from stash2plex_testing.stash.criteria import Panic, StashError
from stash2plex_testing.stash.entity_mutations import ENTITY_MUTATIONS
from stash2plex_testing.stash.fields import FIELDS, Resolver
from stash2plex_testing.stash.plan import NotPlannedError, NullError, Plan, reader, whole
from stash2plex_testing.stash.queries import QUERIES, stored_settings
from stash2plex_testing.stash.requestbody import Asked
from stash2plex_testing.stash.scene_mutations import SCENE_MUTATIONS
from stash2plex_testing.stash.system_mutations import SYSTEM_MUTATIONS
from stash2plex_testing.stash.variables import VariableError, read_variables
from stash2plex_testing.stash.wording import (
    VALIDATING,
    Told,
    empty_selection,
    rule_errors,
    syntax_error,
    told,
)

CACHED = 256
"""How many parsed documents are kept."""

ALIASED = re.compile(r"\b(\w+): ?findScene\(id: ?(\d+)\)")
"""One of many scenes read in one request; the numbers make each such document a new text."""

PREFIX = "fake_stash_"

RESOLVERS: Mapping[str, Mapping[str, Resolver]] = {
    **FIELDS,
    "Query": QUERIES,
    "Mutation": {
        **SCENE_MUTATIONS,
        **ENTITY_MUTATIONS,
        **BULK_MUTATIONS,
        **SYSTEM_MUTATIONS,
    },
    "ConfigResult": {"plugins": stored_settings},
}


@dataclass(frozen=True)
class Prepared:
    """A document that was parsed and found valid, or what is wrong with it."""

    document: DocumentNode | None
    errors: tuple[Told, ...] = ()


class Documents:
    """Prepared documents and plans by text; the least used ones are dropped."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Any:
        """Return what is kept, None where nothing is."""
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def put(self, key: Any, value: Any) -> None:
        """Store a value."""
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > CACHED:
                self._kept.popitem(last=False)


def _leave_out(schema: GraphQLSchema, place: str) -> None:
    """Remove `Type.field` or `Type.field(argument)` from a schema; other texts are ignored."""
    if found := re.fullmatch(r"(\w+)\.(\w+)(?:\((\w+)\))?", place):
        owner = schema.type_map[found[1]]
        assert isinstance(owner, GraphQLObjectType | GraphQLInputObjectType | GraphQLInterfaceType)
        if found[3]:
            assert isinstance(owner, GraphQLObjectType)
            del owner.fields[found[2]].args[found[3]]
        else:
            del owner.fields[found[2]]


@lru_cache(maxsize=16)
def load_schema(missing: tuple[str, ...] = ()) -> GraphQLSchema:
    """Read the schema and add the resolvers. Raises ValueError for a resolver without a field.

    Fields in `missing` are left out, as an older Stash does not have them: by their names, in every
    type, or as `Type.field` and `Type.field(argument)`.
    """
    text = files("stash2plex_testing.stash").joinpath("schema.graphql").read_text("utf-8")
    lines = text.splitlines()
    schema = build_schema(
        "\n".join(
            line for line in lines if re.split(r"[(:]", line.strip(), maxsplit=1)[0] not in missing
        )
    )
    for one in missing:
        _leave_out(schema, one)
    for type_name, fields in RESOLVERS.items():
        owner = schema.type_map[type_name]
        assert isinstance(owner, GraphQLObjectType)
        left_out = {*missing, *(one.removeprefix(f"{type_name}.") for one in missing)}
        unknown = [name for name in fields if name not in owner.fields and name not in left_out]
        if unknown:
            raise ValueError(f"{type_name} has no {unknown}")
    files_of_any_kind = schema.type_map["BaseFile"]
    assert isinstance(files_of_any_kind, GraphQLInterfaceType)
    # There are videos only.
    files_of_any_kind.resolve_type = lambda *_: "VideoFile"
    for owner in schema.type_map.values():
        if isinstance(owner, GraphQLObjectType) and not owner.name.startswith("__"):
            for name, field in owner.fields.items():
                resolver = RESOLVERS.get(owner.name, {}).get(name) or reader(name)
                field.resolve = _with_info(resolver)
    return schema


def _with_info(resolver: Resolver) -> Any:
    return lambda value, info, **arguments: resolver(value, info.context, **arguments)


@lru_cache(maxsize=16)
def load_graphql(missing: tuple[str, ...] = ()) -> GraphQL:
    """Return the GraphQL of all servers with the same fields: what one has read all know."""
    return GraphQL(load_schema(missing))


class GraphQL:
    """The GraphQL of servers with one schema. It knows nothing of a single server."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._documents = Documents()
        self._plans = Documents()

    def answer(
        self, asked: Asked, context: Context, *, only_queries: bool = False
    ) -> tuple[int, dict[str, Any]]:
        """Answer a request.

        Gives the answer and its status: 200, 422 for what is not valid, 406 for a mutation where
        there may be `only_queries`.
        """
        text, variables = asked.query, asked.variables
        quick = self._aliased(text, variables, context)
        if quick is not None:
            return 200, {"data": quick}
        prepared = self._prepare(text)
        if prepared.document is None:
            return _invalid(*prepared.errors)
        operation = get_operation_ast(prepared.document, asked.operation_name or None)
        if operation is None:
            return _invalid(told(f"operation {asked.operation_name} not found", VALIDATING))
        definitions = operation.variable_definitions or ()
        try:
            values = read_variables(self.schema, definitions, variables)
        except VariableError as error:
            return _invalid(told(str(error), VALIDATING, path=error.path))
        coerced = get_variable_values(self.schema, definitions, values)
        if isinstance(coerced, list):
            return _invalid(*(told(error.message, VALIDATING) for error in coerced))
        if only_queries and operation.operation is not OperationType.QUERY:
            message = "GET requests only allow query operations"
            return 406, {"errors": [{"message": message}], "data": None}
        key = (text, operation.name.value if operation.name else None)
        plan = self._plan(key, prepared.document, operation)
        if plan is not None:
            try:
                return 200, {"data": plan.run(context, coerced)}
            except (NullError, StashError):
                # Reading again is harmless, and the executor knows what becomes null.
                pass
        result = execute_sync(
            self.schema,
            prepared.document,
            context_value=context,
            variable_values=values,
            operation_name=asked.operation_name or None,
        )
        data = whole(result.data)
        if not result.errors:
            return 200, {"data": data}
        for failure in result.errors:
            _log(context, failure)
        return 200, {"errors": [_failed(error) for error in result.errors], "data": data}

    def _aliased(
        self, text: str, variables: Mapping[str, Any], context: Context
    ) -> dict[str, Any] | None:
        """Read many scenes in one request, without parsing each text again.

        Texts that differ only in the aliases and ids of `findScene` share a document with
        our aliases. None if the text does not have that form.
        """
        # A string or a comment could hold what only looks like a field.
        if variables or '"' in text or "#" in text or PREFIX in text:
            return None
        pairs = ALIASED.findall(text)
        if len(pairs) < 2 or len({alias for alias, _ in pairs}) < len(pairs):
            return None
        numbers = iter(range(len(pairs)))
        shared = ALIASED.sub(lambda _: f"{PREFIX}{next(numbers)}: findScene(id: 0)", text)
        prepared = self._prepare(shared)
        operation = get_operation_ast(prepared.document) if prepared.document else None
        if operation is None or prepared.document is None or operation.variable_definitions:
            return None
        plan = self._plan((shared, None), prepared.document, operation)
        if plan is None:
            return None
        replaced = {f"{PREFIX}{number}": pair for number, pair in enumerate(pairs)}
        try:
            return plan.run(context, None, replaced)
        except (NullError, StashError):
            return None

    def _prepare(self, text: str) -> Prepared:
        prepared = self._documents.get(text)
        if prepared is None:
            prepared = self._check(text)
            self._documents.put(text, prepared)
        assert isinstance(prepared, Prepared)
        return prepared

    def _check(self, text: str) -> Prepared:
        try:
            document = parse(text)
        except GraphQLError as error:
            return Prepared(None, (syntax_error(error, text),))
        if empty := empty_selection(document):
            return Prepared(None, (empty,))
        if not any(isinstance(node, OperationDefinitionNode) for node in document.definitions):
            return Prepared(None, (told("no operation provided", VALIDATING),))
        errors = validate(self.schema, document)
        if errors:
            return Prepared(None, rule_errors(self.schema, document, errors))
        return Prepared(document)

    def _plan(
        self, key: Any, document: DocumentNode, operation: OperationDefinitionNode
    ) -> Plan | None:
        plan = self._plans.get(key)
        if plan is None:
            try:
                plan = Plan(self.schema, document, operation, RESOLVERS)
            except NotPlannedError:
                plan = False
            self._plans.put(key, plan)
        return plan or None


def _invalid(*errors: Told) -> tuple[int, dict[str, Any]]:
    return 422, {"errors": list(errors), "data": None}


def _log(context: Context, error: GraphQLError) -> None:
    """Write a failed field to the log, as Stash does unless the client has gone."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.path or ()]
    if error.message == "context canceled":
        return
    path = "".join(steps).removeprefix(".")
    if isinstance(error.original_error, Panic):
        context.core.journal.log("error", error.original_error.what)
    context.core.journal.log("error", f"{path}: input: {path} {error.message}")


def _failed(error: GraphQLError) -> dict[str, Any]:
    """Return an error that happened while the answer was made: message and path, as gqlgen does."""
    path = {"path": list(error.path)} if error.path else {}
    return {"message": error.message, **path}
