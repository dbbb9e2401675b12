"""Turns what a server answered into typed values, and refuses what has another shape."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from cattrs import BaseValidationError, Converter
from cattrs.errors import StructureHandlerNotFoundError

from stash2plex.db import MAX_INTEGER
from stash2plex.errors import Transient

T = TypeVar("T")
SURROGATE = re.compile("[\ud800-\udfff]")


def make_converter() -> Converter:
    """Build a converter that takes no text for a number and no object for a text.

    A number where a text is expected is fine: Plex writes ids both ways (plex.md §2.1).
    """
    converter = Converter()

    def text(value: Any, _: type[str]) -> str:
        if isinstance(value, str):
            # JSON can spell halves of a letter, which no database and no URL can hold.
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
        return float(value)

    def flag(value: Any, _: type[bool]) -> bool:
        if value in (True, 1, "1", "true"):
            return True
        if value in (False, 0, "0", "false"):
            return False
        raise ValueError("not true or false")

    converter.register_structure_hook(str, text)
    converter.register_structure_hook(int, whole)
    converter.register_structure_hook(float, decimal)
    converter.register_structure_hook(bool, flag)
    return converter


def structure(converter: Converter, value: Any, shape: type[T], server: str, doing: str) -> T:
    """Give a value its type. Raises Transient where the answer has another shape."""
    try:
        return give_shape(converter, value, shape)
    except ValueError as error:
        raise Transient(
            server, f"{server} answered {doing} in a shape that Stash2Plex does not know."
        ) from error


def give_shape(converter: Converter, value: Any, shape: type[T]) -> T:
    """Give a value its type. Raises ValueError where it has another shape."""
    try:
        return converter.structure(value, shape)
    except (
        BaseValidationError,
        StructureHandlerNotFoundError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:
        raise ValueError(f"It is no {shape.__name__}.") from error
