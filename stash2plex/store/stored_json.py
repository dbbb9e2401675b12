"""Reads the JSON of our own tables: what cannot be read is as what is not there."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from stash2plex.servers.wire import give_shape, make_converter

T = TypeVar("T")


def load(text: str | None) -> Any:
    """Return a stored value; None where there is none, or where it is no JSON."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None


def load_object(text: str | None) -> dict[str, Any] | None:
    """Return a stored object; None where there is none, or something else."""
    value = load(text)
    return value if isinstance(value, dict) else None


def load_list(text: str | None) -> list[Any]:
    """Return a stored list; an empty one where there is none, or something else."""
    value = load(text)
    return value if isinstance(value, list) else []


def load_shape(text: str | None, shape: type[T]) -> T | None:
    """Return a stored value of a type; None where there is none, or one of another shape."""
    try:
        return give_shape(make_converter(), load(text), shape)
    except ValueError:
        return None
