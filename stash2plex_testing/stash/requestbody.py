"""The body of a GraphQL request, as gqlgen reads it (stash.md §5)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from stash2plex_testing.stash.criteria import Panic

FIELDS = {"query": "string", "operationname": "string", "variables": "map[string]interface {}",
          "extensions": "map[string]interface {}"}  # fmt: skip
NAMES = {"query": "query", "operationname": "operationName", "variables": "variables",
         "extensions": "extensions"}  # fmt: skip
KEY = "looking for beginning of object key string"
AFTER = {
    "Expecting property name enclosed in double quotes": KEY,
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Illegal trailing comma before end of object": KEY,
}


class Number(str):
    """The digits of a JSON number: gqlgen keeps them as text until a type is asked for."""

    __slots__ = ()

    def plain(self) -> int | float:
        """Return the number."""
        return int(self) if self.lstrip("-").isdecimal() else float(self)


class BodyError(ValueError):
    """The body cannot be read; the text is Go's."""


@dataclass(frozen=True)
class Asked:
    """What a request asks for. Numbers in `variables` are `Number`."""

    query: str = ""
    operation_name: str = ""
    variables: dict[str, Any] = field(default_factory=dict)


def plain(value: Any) -> Any:
    """Turn every `Number` into a number."""
    if isinstance(value, Number):
        return value.plain()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def read_json(text: str) -> Any:
    """Read the first JSON value of a text; what follows it is not looked at.

    Raises BodyError with Go's text.
    """
    text = text.lstrip(" \t\r\n")
    if not text:
        raise BodyError("EOF")
    decoder = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_no_constant)
    try:
        return decoder.raw_decode(text)[0]
    except json.JSONDecodeError as error:
        if error.pos >= len(text) or error.msg.startswith("Unterminated string"):
            raise BodyError("unexpected EOF") from error
        where = AFTER.get(error.msg, "looking for beginning of value")
        raise BodyError(f"invalid character '{text[error.pos]}' {where}") from error


def read_request(body: bytes) -> Asked:
    """Read a request's body. Raises BodyError; Panic for the one body that makes gqlgen panic."""
    text = body.decode("utf-8", "replace")
    try:
        return _asked(read_json(text))
    except BodyError as error:
        start = "json request body could not be decoded"
        raise BodyError(f"{start}: {error} body:{text}") from error


def _asked(value: Any) -> Asked:
    if value is None:
        raise Panic("runtime error: invalid memory address or nil pointer dereference")
    if not isinstance(value, dict):
        kind = kind_of(value)
        raise BodyError(f"json: cannot unmarshal {kind} into Go value of type graphql.RawParams")
    taken: dict[str, Any] = {}
    for key, item in value.items():
        # Go compares the names of fields without regard to case.
        name = key.lower()
        if name not in FIELDS or item is None:
            continue
        wanted = str if FIELDS[name] == "string" else dict
        if not isinstance(item, wanted) or isinstance(item, Number):
            raise BodyError(
                f"json: cannot unmarshal {kind_of(item)} into Go struct field "
                f"RawParams.{NAMES[name]} of type {FIELDS[name]}"
            )
        taken[name] = item
    return Asked(taken.get("query", ""), taken.get("operationname", ""), taken.get("variables", {}))


def kind_of(value: Any) -> str:
    """Name a JSON value's kind as Go's messages do."""
    if isinstance(value, Number):
        return "number"
    kinds = {dict: "object", list: "array", str: "string", bool: "bool"}
    return kinds.get(type(value), "number")


def _no_constant(name: str) -> None:
    raise BodyError(f"invalid character '{name[0]}' looking for beginning of value")
