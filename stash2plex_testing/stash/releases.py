"""Knows which definitions of the schema each release of Stash has.

`since.json` lists what is newer than the oldest release of the list, found by comparing the schema
of each release's source with ours. Nothing that we use was removed or got another type in between.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def releases() -> list[str]:
    """List the releases that were compared, oldest first."""
    names: list[str] = _facts()["releases"]
    return names


def missing_in(release: str) -> tuple[str, ...]:
    """Return the definitions that a release does not have, as `load_schema` takes them."""
    known = releases()
    return tuple(
        one
        for since, names in _facts()["since"].items()
        if since not in known or known.index(since) > known.index(release)
        for one in names
    )


def _facts() -> dict[str, Any]:
    text = files("stash2plex_testing.stash").joinpath("since.json").read_text("utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts
