"""Variables of a request: checked as gqlparser does, and given the types that are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    VariableDefinitionNode,
    type_from_ast,
)

from stash2plex_testing.stash.requestbody import Number, plain

Path = tuple[str | int, ...]


class VariableError(ValueError):
    """A variable that does not fit; `path` is its place."""

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.path = path


def read_variables(
    schema: GraphQLSchema,
    definitions: Sequence[VariableDefinitionNode],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the variables that an operation has, as the executor takes them.

    Numbers may stand for texts and the other way round, as with gqlgen. Raises VariableError.
    """
    values = {}
    for definition in definitions:
        name = definition.variable.name.value
        path: Path = ("variable", name)
        # The document was found valid, so that each type is there.
        wanted = type_from_ast(schema, definition.type)
        if name not in given:
            if isinstance(wanted, GraphQLNonNull) and definition.default_value is None:
                raise VariableError("must be defined", path)
            continue
        value = given[name]
        if value is None and isinstance(wanted, GraphQLNonNull):
            raise VariableError("cannot be null", path)
        if isinstance(value, Number) and _name(wanted) == "Int" and not _whole(value):
            raise VariableError("cannot use value 0 as Int", path)
        values[name] = _read(wanted, value, path)
    return values


def _read(wanted: Any, value: Any, path: Path) -> Any:
    if isinstance(wanted, GraphQLNonNull):
        wanted = wanted.of_type
    if value is None:
        return None
    if isinstance(wanted, GraphQLList):
        return _read_list(wanted, value if isinstance(value, list) else [value], path)
    if isinstance(wanted, GraphQLInputObjectType):
        return _read_object(wanted, value, path)
    if isinstance(wanted, GraphQLEnumType):
        return _read_enum(wanted, value, path)
    return _read_scalar(_name(wanted), value, path)


def _read_list(wanted: GraphQLList[Any], items: list[Any], path: Path) -> list[Any]:
    read = []
    for index, item in enumerate(items):
        if item is None and isinstance(wanted.of_type, GraphQLNonNull):
            raise VariableError("cannot be null", (*path, index))
        read.append(_read(wanted.of_type, item, (*path, index)))
    return read


def _read_object(wanted: GraphQLInputObjectType, value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise VariableError(f"must be a {wanted.name}, not a {_kind(value)}", path)
    for name in value:
        if name not in wanted.fields and name != "__typename":
            raise VariableError("unknown field", (*path, name))
    read = {}
    for name, field in wanted.fields.items():
        required = isinstance(field.type, GraphQLNonNull)
        if name not in value:
            if required and not _has_default(field):
                raise VariableError("must be defined", (*path, name))
            continue
        if value[name] is None and required:
            raise VariableError("cannot be null", (*path, name))
        read[name] = _read(field.type, value[name], (*path, name))
    return read


def _has_default(field: Any) -> bool:
    return field.ast_node is not None and field.ast_node.default_value is not None


def _read_enum(wanted: GraphQLEnumType, value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise VariableError("enums must be ints or strings", path)
    if value not in wanted.values:
        raise VariableError(f"{value} is not a valid {wanted.name}", path)
    return value


def _read_scalar(name: str, value: Any, path: Path) -> Any:
    text = isinstance(value, str)
    if name == "Int" and text and _whole(value):
        return int(value)
    if name == "Float" and text and _is_float(value):
        return float(value)
    if name in ("String", "ID") and text:
        return str(value)
    if name == "Boolean" and isinstance(value, bool):
        return value
    if name in ("Int", "Float", "String", "ID", "Boolean"):
        raise VariableError(f"cannot use {_kind(value)} as {name}", path)
    return plain(value)


def _whole(text: str) -> bool:
    return text.lstrip("+-").isdecimal() and text.isascii()


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _name(wanted: Any) -> str:
    inner = wanted.of_type if isinstance(wanted, GraphQLNonNull) else wanted
    return str(getattr(inner, "name", ""))


def _kind(value: Any) -> str:
    """Name a value's kind as Go's reflection does; a JSON number is a text to it."""
    if isinstance(value, str):
        return "string"
    return {bool: "bool", list: "slice", dict: "map"}.get(type(value), "string")
