"""Small questions to Stash for lists that the user reads: tags and scenes by name, and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from attrs import Factory, frozen
from cattrs import Converter

from stash2plex.servers.stash_link import StashLink
from stash2plex.servers.wire import make_converter, structure

HITS = 1_000
"""How many scenes a search by text considers."""


@frozen
class TagRow:
    """A tag of Stash, and how many scenes have it."""

    id: int
    name: str
    scene_count: int = 0
    aliases: list[str] = Factory(list)


@frozen
class _WireTags:
    count: int
    tags: list[TagRow]


@frozen
class _WireScene:
    id: int


@frozen
class _WireFile:
    size: int | None = None
    duration: float | None = None


@frozen
class _WireLook:
    date: str | None = None
    files: list[_WireFile] = Factory(list)


@frozen
class _WireScenes:
    count: int
    scenes: list[_WireScene] = Factory(list)


def search_tags(link: StashLink, text: str, limit: int) -> tuple[int, Sequence[TagRow]]:
    """Count the tags whose name or alias holds `text`, and read the first `limit` by name.

    Raises what a query raises.
    """
    data = link.query(
        "query SearchTags($filter: FindFilterType) { findTags(filter: $filter) {"
        " count tags { id name aliases scene_count } } }",
        {"filter": {"q": text, "per_page": limit, "sort": "name", "direction": "ASC"}},
    )
    answer = structure(_reader(), data.get("findTags"), _WireTags, "Stash", "its tags")
    return answer.count, answer.tags


def count_scenes(link: StashLink, criteria: Mapping[str, object]) -> int:
    """Count the scenes that fit a scene filter. Raises what a query raises."""
    data = link.query(
        "query CountOf($criteria: SceneFilterType) {"
        " findScenes(scene_filter: $criteria, filter: {per_page: 0}) { count } }",
        {"criteria": dict(criteria)},
    )
    answer = structure(
        _reader(), data.get("findScenes"), _WireScenes, "Stash", "a number of scenes"
    )
    return answer.count


def search_scenes(link: StashLink, text: str) -> list[int]:
    """List the first `HITS` scenes that Stash finds by a text, in title, path and more.

    Raises what a query raises.
    """
    data = link.query(
        "query SearchScenes($filter: FindFilterType) {"
        " findScenes(filter: $filter) { count scenes { id } } }",
        {"filter": {"q": text, "per_page": HITS, "sort": "id", "direction": "ASC"}},
    )
    answer = structure(_reader(), data.get("findScenes"), _WireScenes, "Stash", "a list of scenes")
    return [scene.id for scene in answer.scenes]


@frozen
class SceneLook:
    """What the user tells a scene's files apart by: date, and of the first file size and length."""

    date: str | None
    size: int | None
    seconds: float | None


def look_at_scene(link: StashLink, scene_id: int) -> SceneLook | None:
    """Read by what the user knows a scene; None if it is gone. Raises what a query raises."""
    data = link.query(
        "query LookAtScene($id: ID!) { findScene(id: $id) { date files { size duration } } }",
        {"id": str(scene_id)},
    )
    if data.get("findScene") is None:
        return None
    wire = structure(_reader(), data["findScene"], _WireLook, "Stash", f"scene {scene_id}")
    first = wire.files[0] if wire.files else _WireFile()
    return SceneLook(wire.date, first.size, first.duration)


@cache
def _reader() -> Converter:
    """Build the converter once."""
    return make_converter()
