"""Divides the package for samples: by folder, or by the areas of tests/mutant_areas.toml."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from tools.reach.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = os.path.join(ROOT, "tests", "mutant_areas.toml")


class Areas:
    """The areas. A file is in the area with the longest entry that its path begins with."""

    def __init__(self, entries: dict[str, list[str]]) -> None:
        self._entries = {entry: area for area, held in entries.items() for entry in held}
        self.names = list(entries)

    def of(self, path: str) -> str:
        """Name the area of a file."""
        found = [entry for entry in self._entries if inside(path).startswith(entry)]
        return self._entries[max(found, key=len)]

    def stale(self, paths: Iterable[str]) -> list[str]:
        """Return the entries that no file begins with."""
        held = [inside(path) for path in paths]
        return [entry for entry in self._entries if not any(p.startswith(entry) for p in held)]


def read(path: str = FILE) -> Areas:
    """Read the table."""
    with open(path, "rb") as file:
        return Areas(tomllib.load(file))


def inside(path: str) -> str:
    """Return a path below the package."""
    return path.partition("/")[2]
