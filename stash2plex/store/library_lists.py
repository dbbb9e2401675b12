"""Counts and lists what each Plex library holds, with and without a scene."""

from __future__ import annotations

import sqlite3

from attrs import frozen

from stash2plex.model import PlexFile

COUNTS = (
    "SELECT section_id, count(DISTINCT rating_key), count(*), count(DISTINCT CASE WHEN EXISTS"
    " (SELECT 1 FROM scene_record WHERE scene_record.rating_key = plex_file.rating_key)"
    " OR EXISTS (SELECT 1 FROM follower WHERE follower.rating_key = plex_file.rating_key)"
    " THEN rating_key END) FROM plex_file GROUP BY section_id"
)
SECTIONS = (
    "SELECT plex_section.section_id, title, listed_at, details_at FROM plex_section"
    " LEFT JOIN plex_comparison ON plex_comparison.section_id = plex_section.section_id"
    " ORDER BY title, plex_section.section_id"
)
WITHOUT_SCENE = (
    " FROM plex_file WHERE (:section = '' OR section_id = :section)"
    " AND (:search = '' OR instr(lower(path), lower(:search)))"
    " AND NOT EXISTS (SELECT 1 FROM scene_record"
    " WHERE scene_record.rating_key = plex_file.rating_key)"
    " AND NOT EXISTS (SELECT 1 FROM follower WHERE follower.rating_key = plex_file.rating_key)"
)
UNKNOWN_COUNT = "SELECT count(*)" + WITHOUT_SCENE
UNKNOWN = (
    "SELECT section_id, rating_key, path, size"
    + WITHOUT_SCENE
    + " ORDER BY rating_key, path LIMIT :limit OFFSET :offset"
)


@frozen
class LibraryCounts:
    """What a library holds: items, their files, and how many items a scene has.

    `listed_at` is when it was listed from end to end, `compared_at` when all of it was compared;
    both are epoch seconds.
    """

    section_id: str
    title: str
    items: int
    files: int
    with_scene: int
    listed_at: float
    compared_at: float | None


def library_counts(database: sqlite3.Connection) -> list[LibraryCounts]:
    """Count what each library holds, by title."""
    counts: dict[str, tuple[int, int, int]] = {
        section: (items, files, with_scene)
        for section, items, files, with_scene in database.execute(COUNTS)
    }
    libraries = []
    for section_id, title, listed_at, compared_at in database.execute(SECTIONS).fetchall():
        items, files, with_scene = counts.get(section_id, (0, 0, 0))
        libraries.append(
            LibraryCounts(section_id, title, items, files, with_scene, listed_at, compared_at)
        )
    return libraries


def count_unknown(database: sqlite3.Connection, section_id: str, search: str) -> int:
    """Count the files without a scene, in one library or all, with a text in their path."""
    given = {"section": section_id, "search": search}
    return int(database.execute(UNKNOWN_COUNT, given).fetchone()[0])


def list_unknown(
    database: sqlite3.Connection, section_id: str, search: str, limit: int, offset: int
) -> list[PlexFile]:
    """List a page of them."""
    given = {"section": section_id, "search": search, "limit": limit, "offset": offset}
    return [PlexFile(*row) for row in database.execute(UNKNOWN, given)]
