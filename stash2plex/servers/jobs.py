"""Queries for the jobs in Stash's queue, to learn how the job of a task ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cattrs import Converter

from stash2plex.model import TaskJob
from stash2plex.servers.wire import structure

FIELDS = "{ id status description added: addTime }"

TASK_DESCRIPTION = "Running plugin task: "
"""How Stash describes the job of a plugin's task; the task's name follows (stash.md §4.2)."""


QUEUE_QUERY = f"query JobQueue {{ jobQueue {FIELDS} }}"


def jobs_query(ids: Iterable[int]) -> str:
    """Return the query for jobs by their numbers; a job that Stash has dropped is null."""
    parts = (f'job{id_:d}: findJob(input: {{id: "{id_:d}"}}) {FIELDS}' for id_ in ids)
    return f"query Jobs {{ {' '.join(parts)} }}"


def read_jobs(converter: Converter, data: Mapping[str, Any]) -> list[TaskJob]:
    """Read the answer to either query. Raises Transient if its shape is unexpected."""
    queued = data.get("jobQueue")
    rows = list(queued) if isinstance(queued, list) else []
    rows += [value for name, value in data.items() if name != "jobQueue" and value is not None]
    return [structure(converter, row, TaskJob, "Stash", "its jobs") for row in rows]
