"""What lists can be ordered by (stash.md §5.1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from stash2plex_testing.stash.collation import natural
from stash2plex_testing.stash.criteria import StashError, full_date
from stash2plex_testing.stash.gotext import NUMBER
from stash2plex_testing.stash.library import Library
from stash2plex_testing.stash.records import Scene

Key = Callable[[Any], Any]


def _of_file(name: str) -> Key:
    return lambda scene: getattr(scene.files[0], name) if scene.files else None


def _joined_path(scene: Scene) -> str:
    """Folder and name without a slash between them, as Stash joins them here."""
    file = scene.files[0] if scene.files else None
    return natural(file.folder.path + file.basename if file else "")


def _shown_title(scene: Scene) -> str:
    name = scene.files[0].basename if scene.files else ""
    folder = scene.files[0].folder.path if scene.files else ""
    return f"{natural(scene.title or name)}\0{natural(folder)}"


def _date(row: Any) -> str | None:
    return row.date and full_date(row.date)


def _side(scene: Scene) -> int | None:
    return min(scene.files[0].width, scene.files[0].height) if scene.files else None


PLAIN: Mapping[str, Key] = {
    "id": lambda row: row.id,
    "created_at": lambda row: row.created_at,
    "updated_at": lambda row: row.updated_at,
}

SCENE_SORTS: Mapping[str, Key] = {
    **PLAIN,
    "title": _shown_title,
    "date": _date,
    "rating": lambda scene: scene.rating100,
    "code": lambda scene: scene.code,
    "path": _joined_path,
    "filesize": _of_file("size"),
    "duration": _of_file("duration"),
    "resolution": _side,
    "file_count": lambda scene: len(scene.files),
    "file_mod_time": _of_file("mod_time"),
    "last_played_at": lambda scene: max(scene.plays, default=None),
    "play_count": lambda scene: len(scene.plays),
    "play_duration": lambda scene: scene.play_duration,
    "resume_time": lambda scene: scene.resume_time,
    "o_counter": lambda scene: len(scene.orgasms),
    "last_o_at": lambda scene: max(scene.orgasms, default=None),
    "tag_count": lambda scene: len(scene.tags),
    "performer_count": lambda scene: len(scene.performers),
    "organized": lambda scene: scene.organized,
    "studio": lambda scene: natural(scene.studio.name) if scene.studio else None,
}


def _by_name(row: Any) -> str:
    return natural(getattr(row, "sort_name", None) or row.name)


NAMED: Mapping[str, Key] = {**PLAIN, "name": _by_name}
RATED: Mapping[str, Key] = {**NAMED, "rating": lambda row: row.rating100}

SORTS: Mapping[str, Mapping[str, Key]] = {
    "scene": SCENE_SORTS,
    "performer": {**RATED, "birthdate": lambda row: row.birthdate},
    "studio": RATED,
    "tag": NAMED,
    "group": {**RATED, "date": _date, "duration": lambda row: row.duration},
    "file": {**PLAIN, "path": lambda file: natural(file.path)},
    "marker": {
        **PLAIN,
        "title": lambda row: natural(row.title or row.primary_tag.name),
        "seconds": lambda row: row.seconds,
        "scene_id": lambda row: row.scene.id,
    },
}

DEFAULTS = {"file": "path", "marker": "title"}
"""What other kinds than these and scenes are ordered by where nothing is asked for: the name."""


def sort_key(kind: str, sort: str | None, library: Library) -> Key:
    """Return the key of an order. Raises StashError for one that Stash does not know.

    `library` is for counts.
    """
    if not sort:
        if kind == "scene":
            # No order is asked of the database, so that it reads the index of the studios.
            return lambda scene: scene.studio.id if scene.studio else 0
        sort = DEFAULTS.get(kind, "name")
    if sort == "random" or sort.startswith("random_"):
        return _random(sort.removeprefix("random").removeprefix("_") or "0")
    if sort == "scenes_count" and kind in ("performer", "studio", "tag", "group"):
        return _scenes_count(kind, library)
    key = SORTS[kind].get(sort)
    if key is None:
        raise StashError(f"invalid sort: {sort}")
    return key


def tie_break(row: Any) -> str:
    """Order rows of equal value: those without a title or name by id, then the others by it."""
    text = row.title if isinstance(row, Scene) else getattr(row, "name", "") and _by_name(row)
    return f"1{natural(text)}" if text else f"0{row.id:012}"


def _random(seed_text: str) -> Key:
    if not NUMBER.fullmatch(seed_text) or seed_text[0] in "+-":
        raise StashError(f"invalid random seed: {seed_text}")
    seed = int(seed_text) % 10**8

    def key(row: Any) -> float:
        number = row.id + seed
        # SQLite goes on with floats where 64 bits are too few.
        square = float(number * number * 52959209)
        return math.fmod(square + float(number * 1047483763), 2147483647.0)

    return key


def _scenes_count(kind: str, library: Library) -> Key:
    counts: dict[int, int] = {}
    for scene in library.scenes.values():
        rows = {
            "performer": [row.id for row in scene.performers],
            "studio": [scene.studio.id] if scene.studio else [],
            "tag": [row.id for row in scene.tags],
            "group": [link.group.id for link in scene.groups],
        }[kind]
        for number in rows:
            counts[number] = counts.get(number, 0) + 1
    return lambda row: counts.get(row.id, 0)
