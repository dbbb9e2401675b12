"""Which libraries of Plex the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from stash2plex.errors import ConfigError
from stash2plex.model import Section
from stash2plex.namelist import NameList, Reading, name_key, read_names

LIBRARY_FIX = "Correct Settings > Plugins > Stash2Plex > Plex library."


def choose_sections(sections: Sequence[Section], names: NameList) -> list[Section]:
    """Pick the libraries that the setting names, or every movie-type one.

    "Other videos" libraries are of the type movie too (plex.md §2.1). Raises ConfigError that
    lists the libraries there are, where none of the named ones exists.
    """
    movies = _movies(sections)
    if not names:
        if not movies:
            raise ConfigError("Plex has no library of the type movie or other videos.")
        return movies
    found = {name_key(name) for name in _read(sections, names).found}
    chosen = [section for section in movies if name_key(section.title) in found]
    if not chosen:
        raise ConfigError(lost_libraries(sections, names), LIBRARY_FIX)
    return chosen


def lost_libraries(sections: Sequence[Section], names: NameList) -> str:
    """Return which libraries are named that Plex does not have; empty where it has all."""
    unknown = _read(sections, names).unknown
    if not unknown:
        return ""
    lost = ", ".join(f"“{name}”" for name in sorted(unknown))
    there = ", ".join(f"“{section.title}”" for section in _movies(sections)) or "none"
    return f"Plex has no movie-type library named {lost}. It has: {there}."


def wrong_libraries(sections: Sequence[Section], names: NameList) -> str:
    """Return which named libraries are not for movies, with their types; empty for none."""
    others = [section for section in sections if section.type != "movie"]
    known = {name_key(section.title) for section in others}
    wrong = {name_key(name) for name in read_names(names.text, known).found}
    return "; ".join(
        f"“{section.title}” is of the type {section.type}"
        for section in others
        if name_key(section.title) in wrong
    )


def _movies(sections: Sequence[Section]) -> list[Section]:
    return [section for section in sections if section.type == "movie"]


def _read(sections: Sequence[Section], names: NameList) -> Reading:
    return read_names(names.text, {name_key(section.title) for section in _movies(sections)})
