"""What Stash2Plex asks Stash to do: start and stop tasks, and store settings."""

from __future__ import annotations

from collections.abc import Mapping

from stash2plex.errors import Transient
from stash2plex.servers.stash_link import StashLink


def start_task(
    link: StashLink,
    plugin_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    arguments: Mapping[str, object] | None = None,
) -> str:
    """Start a task of a plugin; returns the number of its job.

    `name` is that of its button. A task without a button has a `description`, which Stash shows
    while it runs, and `arguments`.
    """
    data = link.query(
        "mutation StartTask($id: ID!, $name: String, $description: String, $arguments: Map) {"
        " runPluginTask(plugin_id: $id, task_name: $name, description: $description,"
        " args_map: $arguments) }",
        {"id": plugin_id, "name": name, "description": description, "arguments": arguments},
    )
    job = data.get("runPluginTask")
    if not isinstance(job, (str, int)):
        raise Transient("Stash", "Stash's answer to the start of a task has no job.")
    return str(job)


def stop_job(link: StashLink, job_id: int) -> None:
    """Stop a job; Stash ends its process."""
    link.query("mutation StopJob($id: ID!) { stopJob(job_id: $id) }", {"id": str(job_id)})


def store_settings(link: StashLink, plugin_id: str, settings: Mapping[str, object]) -> None:
    """Store all settings of one plugin; Stash keeps no other than these."""
    link.query(
        "mutation StoreSettings($id: ID!, $settings: Map!) {"
        " configurePlugin(plugin_id: $id, input: $settings) }",
        {"id": plugin_id, "settings": dict(settings)},
    )
