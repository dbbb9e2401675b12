"""Pure: how far a failure reaches. A wider scope needs evidence of its own."""

from __future__ import annotations

from stash2plex.errors import (
    FIELD,
    ITEM,
    SERVER,
    Refused,
    ServerError,
    Unavailable,
)


def known_scope(error: Exception) -> str | None:
    """Return the scope that an error shows alone; None where only other requests can show it.

    A refusal is about the server, and so is what names its scope. An answer that makes no sense
    for what was asked is about that one thing. A server that fails may fail at this one thing only.
    """
    if not isinstance(error, ServerError):
        return ITEM
    if error.scope is not None:
        return error.scope
    if isinstance(error, Refused):
        return SERVER
    return None if isinstance(error, Unavailable) else ITEM


def scope_of(error: Exception, *, server_works: bool) -> str:
    """Return how far a failure reaches.

    `server_works` says that the server did the same for another item after the request began.
    """
    known = known_scope(error)
    if known is not None:
        return known
    return ITEM if server_works else SERVER


def costs_attempt(scope: str) -> bool:
    """Whether a failure of this scope counts against the scene that met it."""
    return scope in (FIELD, ITEM)
