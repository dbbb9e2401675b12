"""A survey that another one, a disabled plugin or a kill ends, and what is shown of it then."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from typing import Any

import pytest
from attrs import evolve

from stash2plex.db import connect
from stash2plex.errors import ServerError
from stash2plex.operations.surveys import LOST, carry_out, changes_json
from stash2plex.store.progress import Progress
from stash2plex.store.surveys import SurveyKind, Surveys
from stash2plex.sync.observer import Silent
from stash2plex.text import utc
from stash2plex_testing.stash import picture
from stash2plex_testing.stash.faults import Fault
from tests.page.conftest import Page

CHANGES, COMPARISON = SurveyKind.CHANGES, SurveyKind.COMPARISON


class Watcher:
    """Keeps every progress, and does something at the first scenes."""

    def __init__(self, act: Any = None) -> None:
        self.act = act
        self.seen: list[Progress] = []

    def progress(self, progress: Progress) -> None:
        self.seen.append(progress)
        if self.act is not None and progress.done:
            act, self.act = self.act, None
            act()


@pytest.fixture
def desk(make_desk, monkeypatch):
    """Six scenes with their items, two on a page: the first two are in sync."""
    monkeypatch.setattr("stash2plex.servers.stash.PAGE", 2)
    monkeypatch.setattr("stash2plex.sync.reconcile.IDS_PER_READ", 2)
    desk = make_desk()
    for number in range(1, 7):
        desk.scene(f"pier/{number}.mp4", size=number, title=f"Lantern {number}")
        desk.item(f"pier/{number}.mp4", size=number)
    desk.drain(*[desk.stash.library.scenes[number] for number in (1, 2)])
    return desk


def begin(desk, kind, word="a word"):
    return Surveys(desk.app.store.connection).begin(kind, word, desk.clock())


def stored(desk, kind):
    survey = Surveys(desk.app.store.connection).read(kind)
    assert survey is not None
    return survey


@pytest.mark.parametrize("kind", [CHANGES, COMPARISON])
def test_the_progress_counts_scenes_and_ends(desk, kind):
    begin(desk, kind)
    watcher = Watcher()
    assert carry_out(desk.app, kind, "a word", watcher)
    assert [one for one in dict.fromkeys(watcher.seen) if one.done] == [
        Progress(done=2, left=4), Progress(done=4, left=2), Progress(done=6),
        Progress(done=6, ended=True),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [CHANGES, COMPARISON])
def test_of_a_stash_without_scenes_nothing_is_left(make_desk, kind):
    desk = make_desk()
    begin(desk, kind)
    watcher = Watcher()
    assert carry_out(desk.app, kind, "a word", watcher)
    assert list(dict.fromkeys(watcher.seen)) == [Progress(), Progress(ended=True)]
    assert (stored(desk, kind).total, stored(desk, kind).problem) == (0, None)


@pytest.mark.parametrize("kind", [CHANGES, COMPARISON])
def test_a_survey_ends_where_another_one_has_begun(desk, kind):
    begin(desk, kind)
    watcher = Watcher(lambda: begin(desk, kind, "the next"))
    assert carry_out(desk.app, kind, "a word", watcher)
    assert watcher.seen[-2:] == [Progress(done=2, left=4), Progress(done=2, ended=True)]
    survey = stored(desk, kind)
    # What the first one counts or fails with is not the next one's.
    assert (survey.word, survey.done, survey.ended_at, survey.problem, survey.counts) == (
        "the next", 0, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize("kind", [CHANGES, COMPARISON])
def test_a_survey_ends_where_the_plugin_was_disabled(desk, kind):
    os.makedirs(desk.stash.plugins.folder, exist_ok=True)
    with open(os.path.join(desk.stash.plugins.folder, "Stash2Plex.yml"), "w") as file:
        file.write("name: Stash2Plex\nversion: '1'\n")
    desk.stash.plugins.reload()
    begin(desk, kind)

    def disable():
        desk.stash.plugins.disabled.add("Stash2Plex")
        desk.clock.step(61)

    assert carry_out(desk.app, kind, "a word", Watcher(disable))
    survey = stored(desk, kind)
    assert (survey.done, survey.total, survey.ended_at, survey.problem) == (
        2, 6, desk.clock(), "The plugin was disabled in Stash.",
    )  # fmt: skip


class Killed(BaseException):
    """Ends a process wherever it is."""


def test_a_survey_that_a_signal_ends_can_be_started_again(desk):
    begin(desk, CHANGES)

    def kill():
        raise Killed

    with pytest.raises(Killed):
        carry_out(desk.app, CHANGES, "a word", Watcher(kill))
    survey = stored(desk, CHANGES)
    assert (survey.done, survey.ended_at, survey.problem) == (2, desk.clock(), LOST)


def test_a_comparison_that_stash_cuts_short_keeps_what_it_found_until_then(desk, monkeypatch):
    desk.stash.library.scenes[1].title = "Lantern at dusk"
    begin(desk, COMPARISON)
    desk.stash.faults.add(Fault("status", operation="findScenes", after=3, times=None))
    # Their items were not read yet.
    monkeypatch.setattr("stash2plex.sync.reconcile.IDS_PER_READ", 200)
    assert carry_out(desk.app, COMPARISON, "a word", Watcher())
    survey = stored(desk, COMPARISON)
    assert survey.ended_at == desk.clock()
    assert "Stash" in str(survey.problem)
    shown = Page(desk.app).call("compare")
    assert shown["work"] == {
        "state": "failed", "began_at": utc(desk.clock()), "ended_at": utc(desk.clock()),
        "done": 2, "total": 6, "problem": survey.problem,
    }  # fmt: skip
    assert (shown["seen"], shown["in_sync"], shown["differing"], shown["missing"]) == (2, 1, 1, 0)
    (item,) = shown["items"]
    assert (item["scene_id"], item["field"]) == (1, "title")


def test_every_kind_of_field_is_compared_by_its_values(make_desk):
    desk = make_desk(skip_fields="")
    quay, pier = desk.stash.add_tag(name="Quay"), desk.stash.add_tag(name="Pier")
    scene = desk.scene("a/1.mp4", title="Lantern", tags=[quay], rating100=80, cover=picture(1))
    item = desk.item("a/1.mp4")
    desk.drain(scene)
    desk.clock.step(5)
    key = str(item.rating_key)
    scene.title, scene.rating100, scene.tags = "Fog", 60, [pier]
    desk.stash.generate_cover(scene, picture(2))
    begin(desk, COMPARISON)
    carry_out(desk.app, COMPARISON, "a word", Watcher())
    shown = Page(desk.app).call("compare")
    common = {"scene_id": scene.id, "title": "Fog", "rating_key": key}
    assert {row["field"]: row for row in shown["items"]} == {
        "title": {**common, "field": "title", "stash": "Fog", "plex": "Lantern",
                  "written": "Lantern"},
        "rating": {**common, "field": "rating", "stash": 6.0, "plex": 8.0, "written": 8.0},
        "tags": {**common, "field": "tags", "stash": ["Pier"], "plex": ["Quay"],
                 "written": ["Quay"]},
        **{
            name: {**common, "field": name, "stash": None, "plex": None, "written": None}
            for name in ("poster", "background")
        },
    }  # fmt: skip
    assert shown["total"] == 5
    assert set(shown["fields"].values()) == {1}


def test_a_survey_that_ends_between_two_looks_is_not_lost(desk, monkeypatch):
    begun = begin(desk, CHANGES)
    jobs, look = desk.stash.jobs, desk.stash.jobs.queue
    path = os.path.join(desk.app.folder, "stash2plex.db")

    def end():
        with closing(connect(path)) as database:
            done = evolve(begun, ended_at=desk.clock(), done=6)
            assert Surveys(database).keep(CHANGES, done)
        return look()

    monkeypatch.setattr(jobs, "queue", end)
    work = Page(desk.app).call("count_changes")["work"]
    assert (work["state"], work["done"], work["problem"]) == ("ended", 6, None)


NOTHING_DONE = {"began_at": None, "ended_at": None, "done": 0, "total": None, "problem": None}


def test_before_anything_is_counted_or_compared_every_number_is_zero(desk):
    page = Page(desk.app)
    none = {"state": "none", **NOTHING_DONE}
    counts: dict[str, Any] = {
        "changing": 0, "unchanged": 0, "not_matched": {}, "left_out": {}, "fields": {},
    }  # fmt: skip
    found: dict[str, Any] = {
        "seen": 0, "in_sync": 0, "differing": 0, "missing": 0, "fields": {}, "total": 0,
        "items": [],
    }  # fmt: skip
    assert page.call("count_changes") == {"work": none, **counts}
    assert page.call("compare") == {"work": none, **found}
    now = utc(desk.clock())
    begun = {"state": "running", **NOTHING_DONE, "began_at": now}
    assert page.call("count_changes", start=True) == {"work": begun, **counts}
    assert page.call("compare", start=True) == {"work": begun, **found}


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("count_changes", "Stash2Plex: count what a sync would change"),
        ("compare", "Stash2Plex: compare every scene with Plex"),
    ],
)
def test_a_survey_that_runs_is_not_started_again(desk, mode, name):
    gate = threading.Event()
    desk.stash.jobs.add("Another task", lambda _: gate.wait(30) and None)
    page = Page(desk.app)
    begun = page.call(mode, start=True)
    desk.clock.step(100)
    assert page.call(mode, start=True) == begun
    jobs = [job.description for job in desk.stash.jobs.queue()]
    assert jobs == ["Another task", f"Running plugin task: {name}"]
    gate.set()


def test_a_survey_without_a_job_was_lost(desk):
    begin(desk, CHANGES)
    assert Page(desk.app).call("count_changes")["work"] == {
        "state": "failed", **NOTHING_DONE, "began_at": utc(desk.clock()),
        "problem": "It was ended before every scene was seen. Start it again.",
    }  # fmt: skip


def test_a_survey_that_stash_does_not_start_has_ended(desk):
    desk.stash.down()
    assert "problem" in Page(desk.app).call("compare", start=True)
    survey = stored(desk, COMPARISON)
    assert (survey.ended_at, survey.done) == (desk.clock(), 0)
    assert "Stash" in str(survey.problem)


def test_a_comparison_of_scenes_that_differ_all_has_none_in_sync(make_desk):
    desk = make_desk()
    desk.scene("a/1.mp4")
    desk.item("a/1.mp4")
    begin(desk, COMPARISON)
    carry_out(desk.app, COMPARISON, "a word", Watcher())
    shown = Page(desk.app).call("compare")
    assert (shown["seen"], shown["in_sync"], shown["differing"], shown["missing"]) == (1, 0, 1, 0)


@pytest.mark.parametrize(("seconds", "state"), [(0.0, "ended"), (59.9, "ended"), (60.0, "running"),
                                                (-1.0, "running")])  # fmt: skip
def test_a_count_that_just_ended_is_not_started_again(desk, monkeypatch, seconds, state):
    begin(desk, CHANGES)
    carry_out(desk.app, CHANGES, "a word", Watcher())
    desk.clock.step(seconds)
    page = Page(desk.app)
    assert page.call("count_changes", start=True)["work"]["state"] == state


def test_the_end_of_a_comparison_does_not_keep_the_next_from_starting(desk):
    begin(desk, COMPARISON)
    carry_out(desk.app, COMPARISON, "a word", Watcher())
    assert Page(desk.app).call("compare", start=True)["work"]["state"] == "running"


def test_a_survey_that_fails_is_stored_with_the_cause(make_desk):
    desk = make_desk()
    surveys = Surveys(desk.app.store.connection)
    surveys.begin(SurveyKind.CHANGES, "a word", desk.clock())
    desk.stash.down()
    assert carry_out(desk.app, SurveyKind.CHANGES, "a word", Silent())
    ended = surveys.read(SurveyKind.CHANGES)
    assert ended is not None
    assert ended.ended_at is not None
    assert "refuses the connection" in str(ended.problem)
    # It is done once.
    assert not carry_out(desk.app, SurveyKind.CHANGES, "a word", Silent())


def test_a_survey_that_stash_does_not_start_is_a_failure_that_stays_known(make_desk):
    desk = make_desk()
    desk.stash.down()
    with pytest.raises(ServerError):
        changes_json(desk.app, start=True)
    stored = Surveys(desk.app.store.connection).read(SurveyKind.CHANGES)
    assert stored is not None
    assert stored.problem


def test_a_survey_ends_when_another_has_begun(make_desk):
    desk = make_desk()
    surveys = Surveys(desk.app.store.connection)
    first = surveys.begin(SurveyKind.CHANGES, "first", 1.0)
    surveys.begin(SurveyKind.CHANGES, "second", 2.0)
    assert not surveys.keep(SurveyKind.CHANGES, first)
    assert not carry_out(desk.app, SurveyKind.CHANGES, "first", Silent())
