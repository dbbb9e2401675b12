"""What an edit of many costs: one process, whatever is edited and however many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.process import Stage, make_stage

__all__ = ["make_stage"]

NUMBER = 30

Edit = tuple[str, Callable[[Any], dict[str, Any]], str]
"""A mutation, its variables for a library, and the kind of what it edits."""


def ids(rows):
    return [str(row.id) for row in rows]


EDITS: dict[str, Edit] = {
    "bulkSceneUpdate": (
        "mutation E($i: BulkSceneUpdateInput!) { bulkSceneUpdate(input: $i) { id } }",
        lambda library: {"i": {"ids": ids(library.scenes.values()), "director": "Ada"}},
        "scene",
    ),
    "scenesUpdate": (
        "mutation E($i: [SceneUpdateInput!]!) { scenesUpdate(input: $i) { id } }",
        lambda library: {
            "i": [{"id": id_, "director": "Ada"} for id_ in ids(library.scenes.values())]
        },
        "scene",
    ),
    "bulkPerformerUpdate": (
        "mutation E($i: BulkPerformerUpdateInput!) { bulkPerformerUpdate(input: $i) { id } }",
        lambda library: {"i": {"ids": ids(library.performers.values()), "country": "NO"}},
        "performer",
    ),
    "bulkStudioUpdate": (
        "mutation E($i: BulkStudioUpdateInput!) { bulkStudioUpdate(input: $i) { id } }",
        lambda library: {"i": {"ids": ids(library.studios.values()), "details": "At sea"}},
        "studio",
    ),
    "bulkTagUpdate": (
        "mutation E($i: BulkTagUpdateInput!) { bulkTagUpdate(input: $i) { id } }",
        lambda library: {"i": {"ids": ids(library.tags.values()), "description": "At sea"}},
        "tag",
    ),
    "bulkGroupUpdate": (
        "mutation E($i: BulkGroupUpdateInput!) { bulkGroupUpdate(input: $i) { id } }",
        lambda library: {"i": {"ids": ids(library.groups.values()), "director": "Ada"}},
        "group",
    ),
    "scenesDestroy": (
        "mutation E($i: ScenesDestroyInput!) { scenesDestroy(input: $i) }",
        lambda library: {"i": {"ids": ids(library.scenes.values())}},
        "scene",
    ),
    "performersDestroy": (
        "mutation E($i: [ID!]!) { performersDestroy(ids: $i) }",
        lambda library: {"i": ids(library.performers.values())},
        "performer",
    ),
    "tagsDestroy": (
        "mutation E($i: [ID!]!) { tagsDestroy(ids: $i) }",
        lambda library: {"i": ids(library.tags.values())},
        "tag",
    ),
    "studiosDestroy": (
        "mutation E($i: [ID!]!) { studiosDestroy(ids: $i) }",
        lambda library: {"i": ids(library.studios.values())},
        "studio",
    ),
    "groupsDestroy": (
        "mutation E($i: [ID!]!) { groupsDestroy(ids: $i) }",
        lambda library: {"i": ids(library.groups.values())},
        "group",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_many_starts_one_process_and_records_every_key(make_stage, name):
    query, variables, kind = EDITS[name]
    stage: Stage = make_stage(NUMBER, settings={"background_worker": "off"})
    for number in range(4):
        stage.stash.add_group(name=f"Group {number}")
    # It learns that no worker is wanted: what is recorded stays in the queue.
    stage.operation("wake")
    stage.stash.clear_log()
    sent = variables(stage.stash.library)
    stage.graphql(query, **sent)
    assert stage.stash.processes == [("Stash2Plex", "record")]
    wanted = sent["i"]["ids"] if isinstance(sent["i"], dict) else sent["i"]
    wanted = sorted(int(one["id"] if isinstance(one, dict) else one) for one in wanted)
    assert len(wanted) > 3
    assert stage.rows("SELECT kind, id FROM queue ORDER BY id") == [(kind, id_) for id_ in wanted]
    assert len(stage.stash.hook_runs) == len(wanted)
    assert [run.error for run in stage.stash.hook_runs] == [None] * len(wanted)
