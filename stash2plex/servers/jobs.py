"""Jobs of Stash's queue, asked for to learn how the job of a task ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen
from cattrs import Converter

from stash2plex.servers.wire import structure

FIELDS = "{ id status description added: addTime }"

TASK_DESCRIPTION = "Running plugin task: "
"""How Stash describes the job of a plugin's task; the task's name follows (stash.md §4.2)."""


@frozen
class TaskJob:
    """A job of Stash's queue. `added` is the time as Stash writes it.

    Stash numbers its jobs from 1 after each start, so only all but the status name a job.
    """

    id: int
    status: str
    description: str
    added: str

    @property
    def stopped(self) -> bool:
        """Whether the user stopped it: a job whose process fails or is killed is FINISHED."""
        return self.status in ("STOPPING", "CANCELLED")

    @property
    def runs(self) -> bool:
        """Whether it is not over."""
        return self.status in ("READY", "RUNNING")

    def is_same(self, other: TaskJob) -> bool:
        """Whether both are one job at two times."""
        return (self.id, self.description, self.added) == (
            other.id,
            other.description,
            other.added,
        )


QUEUE_QUERY = f"query JobQueue {{ jobQueue {FIELDS} }}"


def jobs_query(ids: Iterable[int]) -> str:
    """Write the question for jobs by their numbers; a job that is forgotten is null."""
    parts = (f'job{id_:d}: findJob(input: {{id: "{id_:d}"}}) {FIELDS}' for id_ in ids)
    return f"query Jobs {{ {' '.join(parts)} }}"


def read_jobs(converter: Converter, data: Mapping[str, Any]) -> list[TaskJob]:
    """Read the answer to either question. Raises Transient where it has another shape."""
    queued = data.get("jobQueue")
    rows = list(queued) if isinstance(queued, list) else []
    rows += [value for name, value in data.items() if name != "jobQueue" and value is not None]
    return [structure(converter, row, TaskJob, "Stash", "its jobs") for row in rows]
