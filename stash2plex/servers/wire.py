"""Turns a server's answer into typed values, and rejects unexpected shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
from cattrs import Converter
from cattrs.errors import StructureHandlerNotFoundError

from stash2plex.db import MAX_INTEGER
from stash2plex.errors import Transient

T = TypeVar("T")
SURROGATE = re.compile("[\ud800-\udfff]")


def make_converter(*, drops_null: bool = False) -> Converter:
    """Return a converter that does not accept a text as a number, or an object as a text.

    A number is accepted as a text, because Plex writes ids both ways (plex.md §2.1). With
    `drops_null`, a null counts as a missing value.
    """
    # Which part does not fit is shown nowhere, and to find that out costs a tenth of all reading.
    converter = Converter(detailed_validation=False)

    def text(value: Any, _: type[str]) -> str:
        if isinstance(value, str):
            # JSON can hold half a character, which no database and no URL can.
            return value if value.isascii() else SURROGATE.sub("\ufffd", value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise ValueError("not a text")

    def whole(value: Any, _: type[int]) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ValueError("not a whole number")
        number = int(value)
        if not -MAX_INTEGER <= number <= MAX_INTEGER:
            raise ValueError("not a number that a database can hold")
        return number

    def decimal(value: Any, _: type[float]) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError("not a number")
        number = float(value)
        if not math.isfinite(number):
            raise ValueError("not a number of a rating or a size")
        return number

    def flag(value: Any, _: type[bool]) -> bool:
        if value in (True, 1, "1", "true"):
            return True
        if value in (False, 0, "0", "false"):
            return False
        raise ValueError("not true or false")

    def shape(cls: type[Any]) -> Callable[[Any, type[Any]], Any]:
        read = converter.gen_structure_attrs_fromdict(cls)

        def from_object(value: Any, _: type[Any]) -> Any:
            if not isinstance(value, dict):
                # cattrs looks for names in a text and in a list too, and finds none: all defaults.
                raise ValueError("not an object")
            if drops_null:
                value = {name: part for name, part in value.items() if part is not None}
            return read(value, cls)

        return from_object

    converter.register_structure_hook_factory(attrs.has, shape)
    converter.register_structure_hook(str, text)
    converter.register_structure_hook(int, whole)
    converter.register_structure_hook(float, decimal)
    converter.register_structure_hook(bool, flag)
    return converter


def structure(converter: Converter, value: Any, shape: type[T], server: str, doing: str) -> T:
    """Return a value as `shape`. Raises Transient if the answer does not fit."""
    try:
        return give_shape(converter, value, shape)
    except ValueError as error:
        raise other_shape(server, doing) from error


def other_shape(server: str, doing: str) -> Transient:
    """Return the error for an answer with an unexpected shape."""
    return Transient(server, f"{server} answered {doing} in a shape that Stash2Plex does not know.")


def give_shape(converter: Converter, value: Any, shape: type[T]) -> T:
    """Return a value as `shape`. Raises ValueError if it does not fit."""
    try:
        return converter.structure(value, shape)
    except (
        StructureHandlerNotFoundError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        ArithmeticError,
    ) as error:
        raise ValueError(f"It is no {shape.__name__}.") from error
