"""One request for the scenes that are new, and whether Stash runs a scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen
from cattrs import Converter

from stash2plex.errors import Transient
from stash2plex.model import StashJob
from stash2plex.servers.wire import structure

SCAN = "Scanning"
"""The start of the description of Stash's scans (stash.md §4.1)."""

NEW_SCENES_QUERY = (
    "query NewScenes($criteria: SceneFilterType, $filter: FindFilterType) {"
    " jobQueue { id status description }"
    " findScenes(scene_filter: $criteria, filter: $filter) { scenes { id } } }"
)

MAX_SCENES = 1000
"""How many new scenes one request reads."""


@frozen
class NewScenes:
    """The scenes above an id, by growing id.

    `newest` is the highest id seen so far, `scans` whether a scan runs or waits for its turn.
    """

    scans: bool
    newest: int
    ids: tuple[int, ...] = ()


@frozen
class _Row:
    id: int


@frozen
class _Found:
    scenes: list[_Row] = Factory(list)


@frozen
class _Answer:
    findScenes: _Found  # noqa: N815 - Stash's name
    jobQueue: list[StashJob] | None = None  # noqa: N815 - Stash's name


def new_scenes_variables(after: int | None) -> dict[str, object]:
    """Return the variables of the query; without `after` it asks for the newest scene alone."""
    if after is None:
        return {"filter": {"per_page": 1, "sort": "id", "direction": "DESC"}}
    return {
        "criteria": {"id": {"value": after, "modifier": "GREATER_THAN"}},
        "filter": {"per_page": MAX_SCENES, "sort": "id", "direction": "ASC"},
    }


def read_new_scenes(converter: Converter, data: Mapping[str, Any], after: int | None) -> NewScenes:
    """Read the answer. Raises Transient if its shape is unexpected."""
    answer = structure(converter, data, _Answer, "Stash", "its new scenes")
    ids = [row.id for row in answer.findScenes.scenes]
    # Null if nothing is queued (stash.md §4.1).
    scans = any(job.description.startswith(SCAN) for job in answer.jobQueue or ())
    if after is None:
        return NewScenes(scans, max(ids, default=0))
    if ids and (ids[0] <= after or ids != sorted(ids)):
        raise Transient("Stash", "Stash answered scenes that were not asked for.")
    return NewScenes(scans, max(ids, default=after), tuple(ids))
