"""Works out which folder Plex is asked to scan for a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stash2plex.rules.matching import Rule, folded_parts, is_below, map_path, split_path
from stash2plex.rules.path_inference import head

Locations = Mapping[str, Sequence[str]]
"""The folders of each library, by its id."""


def scan_target(path: str, rules: Sequence[Rule], libraries: Locations) -> tuple[str, str] | None:
    """Return the library and the folder in Plex where a file in Stash should be.

    None if no library has a location above it: then Plex would do nothing (plex.md §6.1).
    """
    mapped = map_path(path, rules)
    folder = head(mapped, len(split_path(mapped)) - 1)
    for section_id, locations in libraries.items():
        for location in locations:
            if _is_at_or_below(folder, location):
                below = split_path(folder)[len(split_path(location)) :]
                separator = "\\" if "\\" in location else "/"
                return section_id, separator.join([location.rstrip("\\/"), *below])
    return None


def holds(locations: Sequence[str], path: str) -> bool:
    """Whether a path of Plex lies below one of the folders of a library."""
    parts = folded_parts(path)
    return any(is_below(parts, folded_parts(location)) for location in locations)


def folder_above(folder: str, locations: Sequence[str]) -> str:
    """Return the parent folder; empty if that is above the library's locations."""
    parent = head(folder, len(split_path(folder)) - 1)
    inside = any(_is_at_or_below(parent, location) for location in locations)
    return parent if inside else ""


def _is_at_or_below(folder: str, location: str) -> bool:
    return is_below((*folded_parts(folder), ""), folded_parts(location))
