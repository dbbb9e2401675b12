"""Chooses the Plex libraries that the settings name."""

from __future__ import annotations

from collections.abc import Sequence

from stash2plex.errors import ConfigError
from stash2plex.model import Section
from stash2plex.namelist import NameList, Reading, name_key, read_names

LIBRARY_FIX = "Correct Settings > Plugins > Stash2Plex > Plex library."


def choose_sections(sections: Sequence[Section], names: NameList) -> list[Section]:
    """Choose the libraries that the setting names, or every movie-type one.

    "Other videos" libraries have the type movie too (plex.md §2.1). If none of the named
    libraries exists, raises a ConfigError that lists those that do.
    """
    movies = _movies(sections)
    if not names:
        if not movies:
            raise ConfigError("Plex has no movie or “Other videos” library.")
        return movies
    existing = {name_key(name) for name in _read(sections, names).found}
    chosen = [section for section in movies if name_key(section.title) in existing]
    if not chosen:
        raise ConfigError(lost_libraries(sections, names), LIBRARY_FIX)
    return chosen


def other_libraries(sections: Sequence[Section], chosen: Sequence[Section]) -> list[Section]:
    """Return the movie libraries that are not chosen."""
    ids = {section.id for section in chosen}
    return [section for section in _movies(sections) if section.id not in ids]


def lost_libraries(sections: Sequence[Section], names: NameList) -> str:
    """Return the named libraries that Plex does not have; empty if it has all."""
    unknown = _read(sections, names).unknown
    if not unknown:
        return ""
    lost = ", ".join(f"“{name}”" for name in sorted(unknown))
    there = ", ".join(f"“{section.title}”" for section in _movies(sections)) or "none"
    return f"Plex has no movie-type library named {lost}. It has: {there}."


def wrong_libraries(sections: Sequence[Section], names: NameList) -> str:
    """Return the named libraries that are not for movies, with their types; empty for none."""
    others = [section for section in sections if section.type != "movie"]
    known = {name_key(section.title) for section in others}
    wrong = {name_key(name) for name in read_names(names.text, known).found}
    return "; ".join(
        f"“{section.title}” has the type {section.type}"
        for section in others
        if name_key(section.title) in wrong
    )


def _movies(sections: Sequence[Section]) -> list[Section]:
    return [section for section in sections if section.type == "movie"]


def _read(sections: Sequence[Section], names: NameList) -> Reading:
    return read_names(names.text, {name_key(section.title) for section in _movies(sections)})
