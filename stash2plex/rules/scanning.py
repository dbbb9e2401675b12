"""Works out which folder Plex is asked to scan for a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stash2plex.rules.matching import Rule, folded_parts, is_below, map_path, split_path
from stash2plex.rules.path_inference import head

DRIVE = re.compile(r"[A-Za-z]:")
"""A drive of Windows, as some spell it."""

Locations = Mapping[str, Sequence[str]]
"""The folders of each library, by its id."""


def scan_targets(path: str, rules: Sequence[Rule], libraries: Locations) -> list[tuple[str, str]]:
    """Name the libraries and the folder of Plex that a file of Stash should be in.

    Each library that has a location above the file is one, with the folder as it spells it. None
    where no library has: Plex would do nothing (plex.md §6.1).
    """
    mapped = map_path(path, rules)
    folder = head(mapped, len(split_path(mapped)) - 1)
    targets = []
    for section_id, locations in libraries.items():
        spelled = _spelled(folder, locations)
        if spelled is not None:
            targets.append((section_id, spelled))
    return targets


def holds(locations: Sequence[str], path: str) -> bool:
    """Whether a path of Plex lies below one of the folders of a library."""
    parts = folded_parts(path)
    return any(is_below(parts, folded_parts(location)) for location in locations)


def folder_above(folder: str, locations: Sequence[str]) -> str:
    """Return the parent folder, or nothing if that is above the library's locations."""
    return _spelled(head(folder, len(split_path(folder)) - 1), locations) or ""


def is_shared(folder: str, libraries: Locations) -> bool:
    """Whether more than one library holds a folder of Plex."""
    return sum(_spelled(folder, locations) is not None for locations in libraries.values()) > 1


def _spelled(folder: str, locations: Sequence[str]) -> str | None:
    r"""Spell a folder with the beginning of the deepest location above it; None if there is none.

    Plex accepts a location only in its own spelling: `S:\`, not `S:` (plex-2.md §1, 18).
    """
    above = [
        location
        for location in locations
        if is_below((*folded_parts(folder), ""), folded_parts(location))
    ]
    if not above:
        return None
    location = max(above, key=lambda path: len(split_path(path)))
    below = split_path(folder)[len(split_path(location)) :]
    if not below:
        return location
    separator = "\\" if "\\" in location or DRIVE.fullmatch(location) else "/"
    return separator.join([location.rstrip("\\/"), *below])
