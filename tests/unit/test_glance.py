"""The one request of a glance: what it asks, and that no answer surprises it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stash2plex.errors import Transient
from stash2plex.model import Mark
from stash2plex.servers.glance import JOBS_ASKED, KINDS, glance_query, read_glance, read_kinds
from stash2plex.servers.wire import make_converter

CONVERTER = make_converter()
TIME = "2026-05-06T12:00:00+02:00"


def answer(**values):
    rows = {kind: {"count": 3, f"{kind}s": [{"updated_at": TIME}]} for kind in KINDS}
    configured = {"plugins": {"Stash2Plex": {"max_tags": 5}}}
    return {**rows, "jobQueue": None, "configuration": configured, **values}


def job(number, status="RUNNING"):
    return {"id": str(number), "status": status, "description": "Scanning..."}


@pytest.mark.parametrize("last", [0, 1, 500])
def test_it_asks_for_the_last_known_job_and_the_ten_after_it(last):
    text = glance_query(last, KINDS)
    first = max(last, 1)
    for number in range(first, first + JOBS_ASKED + 1):
        assert f'findJob(input: {{id: "{number}"}})' in text
    assert text.count("findJob") == JOBS_ASKED + 1


def test_what_a_stash_can_be_asked_for():
    def fields(*names):
        return {"__type": {"inputFields": [{"name": name} for name in names]}}

    assert read_kinds(fields("tags_filter", "files_filter")) == KINDS
    without_files = tuple(kind for kind in KINDS if kind != "file")
    for answer in (fields("tags_filter"), fields(), {"__type": None}, {}):
        assert read_kinds(answer) == without_files


def test_what_it_reads():
    empty = {"count": 0, "groups": []}
    found = read_glance(
        CONVERTER, answer(group=empty, jobQueue=[job(4)], job3=job(3, "FINISHED"), job5=None), KINDS
    )
    assert found.marks["scene"] == Mark(TIME, 3)
    assert found.marks["group"] == Mark("", 0)
    assert [(one.id, one.ended) for one in found.jobs] == [(3, True), (4, False)]


def test_a_job_that_ended_between_the_two_reads_has_ended():
    found = read_glance(CONVERTER, answer(jobQueue=[job(4)], job4=job(4, "FINISHED")), KINDS)
    assert [one.ended for one in found.jobs] == [True]


def test_other_settings_are_another_text_whatever_their_order():
    one = {"plugins": {"Stash2Plex": {"max_tags": 5, "plex_url": "x"}}}
    same = {"plugins": {"Stash2Plex": {"plex_url": "x", "max_tags": 5}}}
    other = {"plugins": {"Stash2Plex": {"max_tags": 6, "plex_url": "x"}}}
    texts = [
        read_glance(CONVERTER, answer(configuration=c), KINDS).configured
        for c in (one, same, other)
    ]
    assert texts[0] == texts[1] != texts[2]


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=5),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from(["count", "scenes", "id", "x"]), inner, max_size=3)
    ),
)


@given(some.dictionaries(some.sampled_from([*KINDS, "jobQueue", "job3", "configuration"]), JSON))
def test_an_answer_of_another_shape_is_said(values):
    try:
        read_glance(CONVERTER, answer(**values), KINDS)
    except Transient as error:
        assert "Stash" in str(error)
