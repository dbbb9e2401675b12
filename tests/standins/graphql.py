"""What several tests read of the stand-in's GraphQL."""

from __future__ import annotations

from typing import Any

from stash2plex_testing.stash import Answer


def first(answer: Answer) -> dict[str, Any]:
    """Give the first error of an answer, and see that there is no data."""
    content = answer.json()
    assert content["data"] is None
    error: dict[str, Any] = content["errors"][0]
    return error
