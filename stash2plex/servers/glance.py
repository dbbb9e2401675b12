"""One request that shows whether anything in the library moved, and which jobs run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import Factory, frozen
from cattrs import Converter

from stash2plex.errors import Transient
from stash2plex.model import Glance, Mark, StashJob
from stash2plex.servers.wire import structure

KINDS = ("scene", "performer", "studio", "tag", "group", "file")
"""Kinds whose `updated_at` may move when what a scene shows changes (stash.md §10)."""

KINDS_FIELD = '__type(name: "SceneFilterType") { inputFields { name } }'
"""Asks what a scene filter can do: before v0.30 it cannot select by the time of a file."""

CONFIGURED = "configuration { general { apiKey username configFilePath } plugins(include: $ids) }"
"""Asks for every part of the configuration that we read; `$ids` are the plugin's."""

JOBS_ASKED = 10
"""How many finished jobs Stash remembers (stash.md §4.1)."""


@frozen
class _Row:
    updated_at: str


@frozen
class _Rows:
    count: int
    rows: list[_Row] = Factory(list)


def read_kinds(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which kinds this Stash can be asked for, from an answer with `KINDS_FIELD`."""
    shape = data.get("__type")
    fields = shape.get("inputFields") if isinstance(shape, dict) else None
    names = [row.get("name") for row in fields or () if isinstance(row, dict)]
    return tuple(kind for kind in KINDS if kind != "file" or "files_filter" in names)


def glance_query(last_job: int, kinds: Sequence[str]) -> str:
    """Return the query. It also asks for the job `last_job` and the ten after it.

    Job numbers grow by one and start over with Stash; unknown jobs are null (stash.md §4.1).
    """
    parts = [
        f"{kind}: find{kind.capitalize()}s(filter: $newest) {{ count {kind}s {{ updated_at }} }}"
        for kind in kinds
    ]
    first = max(1, int(last_job))
    parts += [
        f'job{number}: findJob(input: {{id: "{number}"}}) {{ id status description }}'
        for number in range(first, first + JOBS_ASKED + 1)
    ]
    return (
        "query Glance($ids: [ID!], $newest: FindFilterType) {"
        f" jobQueue {{ id status description }} {CONFIGURED} " + " ".join(parts) + " }"
    )


def glance_variables(plugin_id: str) -> dict[str, object]:
    """Return the variables of the query: only the newest row of each kind."""
    newest = {"per_page": 1, "sort": "updated_at", "direction": "DESC"}
    return {"ids": [plugin_id], "newest": newest}


def read_glance(converter: Converter, data: Mapping[str, Any], kinds: Sequence[str]) -> Glance:
    """Read the answer. Raises Transient if its shape is unexpected."""
    marks = {}
    for kind in kinds:
        value = data.get(kind)
        if not isinstance(value, dict):
            raise Transient("Stash", f"Stash answered a glance without its {kind}s.")
        newest = structure(
            converter,
            {"count": value.get("count"), "rows": value.get(f"{kind}s")},
            _Rows,
            "Stash",
            f"the newest {kind}",
        )
        marks[kind] = Mark(newest.rows[0].updated_at if newest.rows else "", newest.count)
    # Null if nothing is queued (stash.md §4.1).
    queued = data.get("jobQueue")
    shown = list(queued) if isinstance(queued, list) else []
    shown += [value for name, value in data.items() if name.startswith("job") and value]
    jobs: dict[int, StashJob] = {}
    for value in shown:
        if isinstance(value, dict):
            job = structure(converter, value, StashJob, "Stash", "its jobs")
            # Asked for last, so a job that ended between the two reads counts as ended.
            jobs[job.id] = job
    configuration = data.get("configuration")
    stored = configuration.get("plugins") if isinstance(configuration, dict) else None
    configured = json.dumps(stored, sort_keys=True)
    return Glance(marks, tuple(jobs[id_] for id_ in sorted(jobs)), configured)
