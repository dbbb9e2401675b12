"""One request that shows whether anything in the library moved, and which jobs run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import Factory, define, field, frozen
from cattrs import Converter

from stash2plex.errors import ServerError, Transient
from stash2plex.model import Glance, Mark, StashJob
from stash2plex.servers.apart import may_be_part
from stash2plex.servers.wire import structure

KINDS = ("scene", "performer", "studio", "tag", "group", "file")
"""Kinds whose `updated_at` may move when what a scene shows changes (stash.md §10)."""

KINDS_FIELD = '__type(name: "SceneFilterType") { inputFields { name } }'
"""Asks what a scene filter can do: before v0.30 it cannot select by the time of a file."""

CONFIGURED = "configuration { general { apiKey username configFilePath } plugins(include: $ids) }"
"""Asks for every part of the configuration that we read; `$ids` are the plugin's."""

JOBS_ASKED = 10
"""How many finished jobs Stash remembers (stash.md §4.1)."""


MAX_SKIP = 3
"""How many of the newest rows of a kind are passed over where they cannot be read."""


class Query(Protocol):
    """Sends a GraphQL query to Stash."""

    def __call__(self, text: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Return the data of the answer. Raises the error of any part of it."""


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
    parts = [_newest_field(kind) for kind in kinds]
    first = max(1, int(last_job))
    parts += [
        f'job{number}: findJob(input: {{id: "{number}"}}) {{ id status description }}'
        for number in range(first, first + JOBS_ASKED + 1)
    ]
    newest = ", $newest: FindFilterType" if kinds else ""
    return (
        f"query Glance($ids: [ID!]{newest}) {{"
        f" jobQueue {{ id status description }} {CONFIGURED} " + " ".join(parts) + " }"
    )


def _newest_field(kind: str) -> str:
    return f"{kind}: find{kind.capitalize()}s(filter: $newest) {{ count {kind}s {{ updated_at }} }}"


def _newest(place: int) -> dict[str, object]:
    """Return the filter that selects one row: the newest for place 1."""
    return {"per_page": 1, "page": place, "sort": "updated_at", "direction": "DESC"}


@define
class GlanceReader:
    """Asks with `query`. A newest row that cannot be read is passed over, the next one counts.

    Such a kind is asked for apart from the others until its newest row can be read again.
    """

    query: Query
    _odd: set[str] = field(init=False, factory=set)

    def data(self, plugin_id: str, last_job: int, kinds: Sequence[str]) -> dict[str, Any]:
        """Return the data of one glance. Raises the error of a Stash that answers nothing."""
        together = [kind for kind in kinds if kind not in self._odd]
        apart = [kind for kind in kinds if kind in self._odd]
        try:
            data = self._ask(plugin_id, last_job, together)
        except ServerError as error:
            if not may_be_part(error):
                raise
            data = self._ask(plugin_id, last_job, ())
            apart = list(kinds)
        return {**data, **{kind: self._newest_of(kind) for kind in apart}}

    def _ask(self, plugin_id: str, last_job: int, kinds: Sequence[str]) -> dict[str, Any]:
        variables: dict[str, object] = {"ids": [plugin_id]}
        if kinds:
            variables["newest"] = _newest(1)
        return self.query(glance_query(last_job, kinds), variables)

    def _newest_of(self, kind: str) -> Any:
        """Return the count of a kind and its newest row that can be read."""
        text = f"query Newest($newest: FindFilterType) {{ {_newest_field(kind)} }}"
        for place in range(1, 2 + MAX_SKIP):
            try:
                newest = self.query(text, {"newest": _newest(place)}).get(kind)
            except ServerError as error:
                if place > MAX_SKIP or not may_be_part(error):
                    raise
                self._odd.add(kind)
            else:
                if place == 1:
                    self._odd.discard(kind)
                return newest
        raise AssertionError("the last place returns or raises")  # pragma: no cover - as it says


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
