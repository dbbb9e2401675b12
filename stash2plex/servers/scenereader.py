"""Reads scenes of Stash, by id or by page; one that cannot be read does not affect the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from cattrs import Converter

from stash2plex.errors import SERVER, ServerError, Transient
from stash2plex.model import Scene
from stash2plex.servers.apart import BatchReader, ReadScenes, may_be_part
from stash2plex.servers.scenepages import Criteria, ScenePages
from stash2plex.servers.stash_link import Answer
from stash2plex.servers.stashwire import SCENE_FIELDS, WireScene, dig, read_scene, rows_of
from stash2plex.servers.wire import structure

NOBODY = 0
"""An id that no scene has."""


class Query(Protocol):
    """Sends a GraphQL query to Stash."""

    def __call__(self, text: str, variables: Mapping[str, object] | None = None) -> Answer:
        """Return the answer, with the fields that failed alone."""


class SceneReader:
    """Reads scenes with `query`; `pages` reads them by page."""

    def __init__(self, query: Query, converter: Converter) -> None:
        self._query = query
        self._converter = converter
        self._by_id = BatchReader(self._read_scenes, "Scene", NOBODY)
        self.pages = ScenePages(self._list_ids, self._read_page, self.scenes)

    def scenes(self, ids: Sequence[int]) -> ReadScenes:
        """Read scenes by their ids, with one request if all can be read."""
        scenes = ReadScenes()
        if ids:
            scenes.add(self._by_id.rows(ids))
        return scenes

    def sample(self, number: int, seed: int) -> tuple[int, list[Scene]]:
        """Count all scenes, and read `number` of them, chosen at random; bad ones are left out."""
        chosen = {"filter": {"per_page": number, "sort": f"random_{seed:d}"}}
        start = "query Sample($filter: FindFilterType) { findScenes(filter: $filter) { count scenes"
        try:
            data = self._whole(f"{start} {{ ...SceneFields }} }} }} {SCENE_FIELDS}", chosen)
            scenes = self._structured(data, "a sample of scenes")
        except ServerError as error:
            if not may_be_part(error):
                raise
            data = self._whole(f"{start} {{ id }} }} }}", chosen)
            scenes = list(self.scenes(self._ids(data)).values())
        count = dig(data, "findScenes", "count")
        return structure(self._converter, count, int, "Stash", "the number of scenes"), scenes

    def _structured(self, data: dict[str, Any], doing: str) -> list[Scene]:
        return [
            read_scene(structure(self._converter, row, WireScene, "Stash", doing))
            for row in rows_of(data)
        ]

    def _ids(self, data: dict[str, Any]) -> list[int]:
        return [
            structure(self._converter, dig(row, "id"), int, "Stash", "a scene id")
            for row in rows_of(data)
        ]

    def _read_scenes(self, ids: Sequence[int]) -> ReadScenes:
        """Read scenes with one request.

        Each has an alias: `findScenes(ids:)` fails as a whole for one missing id (stash.md §5.1).
        """
        aliases = " ".join(
            f"s{int(id_)}: findScene(id: {int(id_)}) {{ ...SceneFields }}" for id_ in ids
        )
        answer = self._query(f"query Scenes {{ {aliases} }} {SCENE_FIELDS}")
        scenes = ReadScenes()
        for id_ in ids:
            value = answer.data.get(f"s{id_}")
            if failure := answer.failed.get(f"s{id_}"):
                scenes.unreadable[id_] = _of_scene(id_, failure)
            elif value is not None:
                try:
                    scenes[id_] = self._scene(value, id_)
                except Transient as error:
                    scenes.unreadable[id_] = _of_scene(id_, error)
        return scenes

    def _scene(self, value: Any, id_: int) -> Scene:
        """Read one scene. Raises Transient if it has another shape or another id."""
        wire = structure(self._converter, value, WireScene, "Stash", f"scene {id_}")
        if wire.id != id_:
            raise Transient("Stash", f"Stash answered scene {wire.id} for scene {id_}.")
        return read_scene(wire)

    def _read_page(self, after: int, criteria: Criteria, size: int) -> list[Scene]:
        data = self._whole(
            "query ScenePage($criteria: SceneFilterType, $filter: FindFilterType) {"
            " findScenes(scene_filter: $criteria, filter: $filter) {"
            " scenes { ...SceneFields } } } " + SCENE_FIELDS,
            _variables(after, criteria, size, 1),
        )
        page = self._structured(data, "a page of scenes")
        _check_order([scene.id for scene in page], after, size)
        return page

    def _list_ids(self, after: int, criteria: Criteria, size: int, page: int) -> list[int]:
        data = self._whole(
            "query SceneIds($criteria: SceneFilterType, $filter: FindFilterType) {"
            " findScenes(scene_filter: $criteria, filter: $filter) { scenes { id } } }",
            _variables(after, criteria, size, page),
        )
        ids = self._ids(data)
        _check_order(ids, after, size)
        return ids

    def _whole(self, text: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """Return the data of an answer. Raises the error of any part of it."""
        answer = self._query(text, variables)
        for error in answer.failed.values():
            raise error
        return answer.data


def _variables(after: int, criteria: Criteria, size: int, page: int) -> dict[str, object]:
    """Return the variables of a page by growing id, above one."""
    return {
        "criteria": {"id": {"value": after, "modifier": "GREATER_THAN"}, **criteria},
        "filter": {"per_page": size, "page": page, "sort": "id", "direction": "ASC"},
    }


def _check_order(ids: Sequence[int], after: int, size: int) -> None:
    """Raise Transient unless ids are what was asked for: above one, growing, not too many."""
    if ids and (min(ids) <= after or list(ids) != sorted(ids) or len(ids) > size):
        words = "Stash answered scenes that were not asked for."
        raise Transient("Stash", words, scope=SERVER)


def _of_scene(id_: int, error: ServerError) -> ServerError:
    """Return the error of a scene that Stash has but cannot show."""
    return error.with_words(f"Scene {id_} cannot be read in Stash: {error.what}", error.fix)
