"""Reads the JSON in our own tables. What cannot be read counts as missing."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, TypeVar

from cattrs import Converter

from stash2plex.servers.wire import give_shape, make_converter

T = TypeVar("T")


def load(text: str | None) -> Any:
    """Return a stored value; None if there is none, or if it is not JSON."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None


def load_object(text: str | None) -> dict[str, Any] | None:
    """Return a stored object; None if it is missing or something else."""
    value = load(text)
    return value if isinstance(value, dict) else None


def load_list(text: str | None) -> list[Any]:
    """Return a stored list; an empty one if it is missing or something else."""
    value = load(text)
    return value if isinstance(value, list) else []


def load_shape(text: str | None, shape: type[T]) -> T | None:
    """Return a stored value as `shape`; None if it is missing or does not fit."""
    try:
        return give_shape(_converter(), load(text), shape)
    except ValueError:
        return None


@cache
def _converter() -> Converter:
    """Build the converter once: that takes longer than it takes to read a value."""
    return make_converter()
