"""Single requests to Stash: start a task, stop a job, store settings, look at a scene."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex.errors import Transient
from stash2plex.servers.stash_deeds import start_task, stop_job, store_settings
from stash2plex.servers.stash_link import StashLink
from stash2plex.servers.stash_lists import SceneLook, look_at_scene


class Link(StashLink):
    """Answers what a test wants, and keeps what it was asked for."""

    def __init__(self, **data: Any) -> None:
        self.data = data
        self.asked: list[tuple[str, Any]] = []

    def query(self, text: str, variables: Any = None, **_: Any) -> dict[str, Any]:
        self.asked.append((text, variables))
        return self.data


@pytest.mark.parametrize(("job", "id_"), [("7", "7"), (7, "7")])
def test_a_task_that_was_started_has_a_job(job, id_):
    link = Link(runPluginTask=job)
    arguments = {"mode": "survey"}
    assert start_task(link, "Stash2Plex", description="It counts.", arguments=arguments) == id_
    ((text, variables),) = link.asked
    assert "runPluginTask(plugin_id: $id, task_name: $name, description: $description," in text
    assert variables == {
        "id": "Stash2Plex", "name": None, "description": "It counts.", "arguments": arguments,
    }  # fmt: skip
    with pytest.raises(Transient, match="has no job"):
        start_task(Link(runPluginTask=None), "Stash2Plex", name="Sync All Scenes")


def test_a_job_is_stopped_and_settings_are_stored_by_one_mutation_each():
    link = Link()
    stop_job(link, 7)
    store_settings(link, "Stash2Plex", {"max_tags": 3})
    (stop, stopped), (store, stored) = link.asked
    assert (stop, stopped) == (
        "mutation StopJob($id: ID!) { stopJob(job_id: $id) }", {"id": "7"},
    )  # fmt: skip
    assert "configurePlugin(plugin_id: $id, input: $settings)" in store
    assert stored == {"id": "Stash2Plex", "settings": {"max_tags": 3}}


def test_a_scene_is_looked_at_by_its_first_file():
    files = [{"size": 9, "duration": 61.5}, {"size": 1, "duration": 2.0}]
    assert look_at_scene(Link(findScene={"date": "2024-06-01", "files": files}), 7) == SceneLook(
        "2024-06-01", 9, 61.5
    )
    assert look_at_scene(Link(findScene={"date": None, "files": []}), 7) == SceneLook(
        None, None, None
    )
    assert look_at_scene(Link(findScene=None), 7) is None
