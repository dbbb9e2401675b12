"""The whole queries of a glance and of jobs, what they read, and what happens to an odd row."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex.errors import Refused, Transient, Unavailable
from stash2plex.model import Glance, Mark, StashJob, TaskJob
from stash2plex.servers.glance import (
    KINDS_FIELD,
    GlanceReader,
    glance_query,
    read_glance,
    read_kinds,
)
from stash2plex.servers.jobs import QUEUE_QUERY, TASK_DESCRIPTION, jobs_query, read_jobs
from stash2plex.servers.wire import make_converter

CONVERTER = make_converter()
SPOILT = Transient("Stash", "Stash answered with an error.")
NEWEST = {"per_page": 1, "page": 1, "sort": "updated_at", "direction": "DESC"}


def jobs_part(first):
    return " ".join(
        f'job{number}: findJob(input: {{id: "{number}"}}) {{ id status description }}'
        for number in range(first, first + 11)
    )


START = (
    " jobQueue { id status description } configuration { general { apiKey username "
    "configFilePath } plugins(include: $ids) } "
)


@pytest.mark.parametrize(("last", "first"), [(-1, 1), (0, 1), (1, 1), (2, 2), (40, 40)])
def test_the_whole_query_of_a_glance(last, first):
    assert glance_query(last, ["scene", "studio"]) == (
        "query Glance($ids: [ID!], $newest: FindFilterType) {"
        + START
        + "scene: findScenes(filter: $newest) { count scenes { updated_at } } "
        + "studio: findStudios(filter: $newest) { count studios { updated_at } } "
        + jobs_part(first)
        + " }"
    )
    assert glance_query(last, ()) == (
        "query Glance($ids: [ID!]) {" + START + jobs_part(first) + " }"
    )


def test_what_a_stash_can_be_asked_for_is_read_from_rows_of_any_shape():
    assert KINDS_FIELD == '__type(name: "SceneFilterType") { inputFields { name } }'
    every = ("scene", "performer", "studio", "tag", "group", "file")
    rows = ["no row", {"x": 1}, {"name": "files_filter"}, None]
    assert read_kinds({"__type": {"inputFields": rows}}) == every
    assert read_kinds({"__type": {"inputFields": rows[:2]}}) == every[:-1]
    assert read_kinds({"__type": {"inputFields": None}}) == every[:-1]
    assert read_kinds({"__type": "x"}) == every[:-1]


def stash(*answers):
    """Return a query that answers from a list, and what it is asked."""
    left, asked = list(answers), []

    def query(text, variables=None):
        asked.append((text, variables))
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return query, asked


def rows(kind, number=1):
    return {"count": number, f"{kind}s": []}


def test_one_request_asks_for_everything():
    query, asked = stash({"jobQueue": None, "scene": rows("scene"), "tag": rows("tag")})
    assert GlanceReader(query).data("Stash2Plex", 4, ["scene", "tag"]) == {
        "jobQueue": None,
        "scene": rows("scene"),
        "tag": rows("tag"),
    }
    assert asked == [(glance_query(4, ["scene", "tag"]), {"ids": ["Stash2Plex"], "newest": NEWEST})]


def alone(kind):
    return (
        f"query Newest($newest: FindFilterType) {{ {kind}: find{kind.capitalize()}s("
        f"filter: $newest) {{ count {kind}s {{ updated_at }} }} }}"
    )


def test_a_row_that_spoils_a_glance_is_passed_over_until_it_can_be_read():
    query, asked = stash(
        SPOILT,
        {"jobQueue": None},
        {"scene": rows("scene", 3)},
        SPOILT,
        SPOILT,
        {"tag": rows("tag", 4)},
        {"jobQueue": [], "scene": rows("scene", 5)},
        SPOILT,
        {"tag": rows("tag", 6)},
        {"jobQueue": [], "scene": rows("scene", 7)},
        {"tag": rows("tag", 8)},
        {"jobQueue": [], "scene": rows("scene", 9), "tag": rows("tag", 9)},
    )
    reader = GlanceReader(query)
    kinds = ["scene", "tag"]

    def look():
        asked.clear()
        data = reader.data("it", 4, kinds)
        return {kind: data[kind]["count"] for kind in kinds}, [
            (text, (variables["newest"]["page"] if "newest" in variables else None))
            for text, variables in asked
        ]

    everything, without = glance_query(4, kinds), glance_query(4, ())
    assert look() == (
        {"scene": 3, "tag": 4},
        [
            (everything, 1), (without, None), (alone("scene"), 1),
            (alone("tag"), 1), (alone("tag"), 2), (alone("tag"), 3),
        ],
    )  # fmt: skip
    some = glance_query(4, ["scene"])
    assert look() == ({"scene": 5, "tag": 6}, [(some, 1), (alone("tag"), 1), (alone("tag"), 2)])
    assert look() == ({"scene": 7, "tag": 8}, [(some, 1), (alone("tag"), 1)])
    assert look() == ({"scene": 9, "tag": 9}, [(everything, 1)])


@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        ([SPOILT, SPOILT], 2),
        ([Refused("Stash", "Stash wants a log-in.")], 1),
        ([SPOILT, {}, SPOILT, SPOILT, SPOILT, SPOILT], 6),
        ([SPOILT, {}, SPOILT, Refused("Stash", "Stash wants a log-in.")], 4),
    ],
)
def test_a_stash_that_answers_nothing_or_for_no_row_is_the_cause(answers, requests):
    query, asked = stash(*answers)
    with pytest.raises(type(answers[-1])) as raised:
        GlanceReader(query).data("it", 0, ["scene"])
    assert raised.value is answers[-1]
    assert len(asked) == requests


def test_up_to_three_rows_are_passed_over():
    query, asked = stash(SPOILT, {}, SPOILT, SPOILT, SPOILT, {"scene": rows("scene", 3)})
    assert GlanceReader(query).data("it", 0, ["scene"])["scene"]["count"] == 3
    assert [variables["newest"]["page"] for _, variables in asked[2:]] == [1, 2, 3, 4]


def test_a_server_that_is_down_is_asked_once():
    down = Unavailable("Stash", "It is down.", scope="server")
    query, asked = stash(down)
    with pytest.raises(Unavailable):
        GlanceReader(query).data("it", 0, ["scene"])
    assert len(asked) == 1


def job(number, status="RUNNING", words="Scanning..."):
    return {"id": str(number), "status": status, "description": words}


def test_everything_that_a_glance_reads():
    data: dict[str, Any] = {
        "scene": {"count": 3, "scenes": [{"updated_at": "b"}, {"updated_at": "a"}]},
        "tag": {"count": 0, "tags": []},
        "jobQueue": [job(9, "READY"), "no job", job(8)],
        "job3": job(3, "FINISHED", "Cleaning..."),
        "job8": job(8, "FINISHED"),
        "job5": None,
        "configuration": {"general": {"apiKey": "x"}, "plugins": {"b": 1, "a": {"d": 2, "c": 3}}},
    }
    assert read_glance(CONVERTER, data, ["scene", "tag"]) == Glance(
        {"scene": Mark("b", 3), "tag": Mark("", 0)},
        (
            StashJob(3, "FINISHED", "Cleaning..."),
            StashJob(8, "FINISHED", "Scanning..."),
            StashJob(9, "READY", "Scanning..."),
        ),
        '{"a": {"c": 3, "d": 2}, "b": 1}',
    )
    assert read_glance(CONVERTER, {"jobQueue": "x", "configuration": 3}, ()) == Glance(
        {}, (), "null"
    )


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"scene": None}, "Stash answered a glance without its scenes."),
        ({}, "Stash answered a glance without its scenes."),
        ({"scene": {"count": "x", "scenes": []}},
         "Stash answered the newest scene in a shape that Stash2Plex does not know."),
        ({"scene": {"count": 1, "scenes": [{}]}},
         "Stash answered the newest scene in a shape that Stash2Plex does not know."),
        ({"scene": {"count": 0, "scenes": []}, "jobQueue": [{"id": "x"}]},
         "Stash answered its jobs in a shape that Stash2Plex does not know."),
    ],
)  # fmt: skip
def test_a_glance_of_another_shape_is_named(values, what):
    with pytest.raises(Transient) as raised:
        read_glance(CONVERTER, values, ["scene"])
    assert raised.value.what == what


# -- jobs ---------------------------------------------------------------------------------


def test_the_whole_queries_for_jobs():
    fields = "{ id status description added: addTime }"
    assert TASK_DESCRIPTION == "Running plugin task: "
    assert f"query JobQueue {{ jobQueue {fields} }}" == QUEUE_QUERY
    assert jobs_query([3, 7]) == (
        f'query Jobs {{ job3: findJob(input: {{id: "3"}}) {fields} '
        f'job7: findJob(input: {{id: "7"}}) {fields} }}'
    )


def test_jobs_are_read_from_either_query():
    row = {**job(3), "added": "2026-05-06T12:00:00Z"}
    read = read_jobs(CONVERTER, {"jobQueue": [row], "job4": {**row, "id": "4"}, "job5": None})
    assert [(one.id, one.status, one.description) for one in read] == [
        (3, "RUNNING", "Scanning..."),
        (4, "RUNNING", "Scanning..."),
    ]
    assert all(isinstance(one, TaskJob) for one in read)
    assert read_jobs(CONVERTER, {"jobQueue": None}) == []
    with pytest.raises(Transient) as raised:
        read_jobs(CONVERTER, {"jobQueue": ["no job"]})
    assert raised.value.what == "Stash answered its jobs in a shape that Stash2Plex does not know."
