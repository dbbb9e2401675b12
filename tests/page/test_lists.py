"""Lists of scenes, trouble, dead letters, runs and outages; each bounded, whatever is stored."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from stash2plex.errors import UsageError
from stash2plex.rules.scene_states import REASONS, STATES
from stash2plex.store.outages import Outage, daily
from stash2plex.tasks.lists import scenes
from stash2plex_testing.plex.faults import Fault
from tests.page.conftest import Page

MANY = 100_000
DAY = 86_400.0


@pytest.fixture
def harbour(make_desk):
    """A desk whose scenes are in several states: see the titles."""
    desk = make_desk(max_retries=1, only_organized=True)
    made = [
        desk.scene("a/1.mp4", title="Lantern", organized=True),
        desk.scene("a/2.mp4", title="Quay", organized=True),
        desk.scene("a/3.mp4", title="Ferry", organized=True),
        desk.scene("a/4.mp4", title="Fog"),
    ]
    desk.item("a/1.mp4")
    for name in ("c/3.mp4", "d/3.mp4"):
        desk.item(name)
    desk.drain(*made)
    desk.add(desk.scene("a/5.mp4", title="Buoy", organized=True))
    return desk


def titles(answer):
    return [one["title"] for one in answer["items"]]


def test_each_state_lists_as_many_scenes_as_it_counts(harbour):
    page = Page(harbour.app)
    counts = page.call("page")["scenes"]
    listed = {}
    for state in STATES:
        answer = page.call("scenes", state=state)
        assert (answer["total"], len(answer["items"])) == (counts[state], counts[state])
        listed[state] = titles(answer)
    assert listed == {
        "in_sync": ["Lantern"],
        "to_send": ["Buoy"],
        "sending": [],
        "waiting": [],
        "not_in_plex": ["Quay"],
        "given_up": ["Ferry"],
        "left_out": ["Fog"],
    }
    (dead,) = page.call("scenes", state="given_up")["items"]
    assert (dead["reason"], dead["path"]) == ("ambiguous", "/data/a/3.mp4")
    (left,) = page.call("scenes", state="left_out")["items"]
    assert (left["reason"], left["words"]) == ("not_organized", "not organized")
    assert page.call("scenes", state="left_out", reason="excluded")["total"] == 0
    assert titles(page.call("scenes", state="in_sync", search="lant")) == ["Lantern"]
    assert page.call("scenes", state="in_sync", search="quay")["total"] == 0
    assert page.call("scenes", state="in_sync", offset=1)["items"] == []


def test_titles_are_known_without_stash_too(harbour):
    harbour.stash.stop()
    page = Page(harbour.app)
    for state, title in (("in_sync", "Lantern"), ("not_in_plex", "Quay"), ("given_up", "Ferry")):
        assert titles(page.call("scenes", state=state)) == [title]
    assert titles(page.call("scenes", state="to_send")) == ["scene 5"]
    assert "problem" in page.call("scenes", state="in_sync", search="x")
    harbour.stash.start()


@pytest.mark.parametrize("arguments", [{"state": "lost"}, {"state": "left_out", "reason": "fog"}])
def test_an_unknown_state_or_reason_is_a_problem(make_desk, arguments):
    page = Page(make_desk().app)
    with pytest.raises(UsageError, match="allowed"):
        scenes(page.make_call(arguments))


def test_what_is_not_in_plex_shows_its_file_and_the_scan(harbour):
    page = Page(harbour.app)
    (missing,) = page.call("not_in_plex")["items"]
    assert (missing["title"], missing["path"], missing["looks"]) == ("Quay", "/data/a/2.mp4", 1)
    assert missing["next_look_at"]
    assert (missing["folder"], missing["scan"]) == (None, None)
    harbour.restart(trigger_plex_scan=True)
    harbour.clock.step(3600)
    harbour.drain()
    missing, _ = Page(harbour.app).call("not_in_plex")["items"]
    assert missing["scan"] in (None, "asked", "due")


def test_trouble_is_grouped_with_its_cure_worst_first(harbour):
    page = Page(harbour.app)
    (card,) = page.call("trouble")["cards"]
    assert (card["kind"], card["name"], card["number"]) == ("scenes", "ambiguous", 1)
    assert page.call("page")["troubles"] == 1
    harbour.plex.faults.add(Fault("status", status=401, times=None))
    harbour.app.store.connection.execute("INSERT INTO meta VALUES ('trouble', 'Max tags is 0.')")
    harbour.drain()
    page.call("health")
    shown = page.call("trouble")
    assert [one["kind"] for one in shown["cards"]] == ["server", "setting", "scenes"]
    assert shown["cards"][0]["action"] == "sign_in"
    assert shown["health_at"]
    assert page.call("page")["troubles"] == 3


def test_dead_letters_are_searched_and_retried_by_reason(harbour):
    page = Page(harbour.app)
    assert titles(page.call("dead_letters", search="FERR")) == ["Ferry"]
    assert titles(page.call("dead_letters", search="a/3")) == ["Ferry"]
    assert page.call("dead_letters", search="quay")["total"] == 0
    assert page.call("dead_letters", reason="ambiguous", search="ferry")["total"] == 1
    assert page.call("discard_reason", reason="rejected") == {"changed": 0}
    assert page.call("retry_reason", reason="ambiguous") == {"changed": 1}
    assert page.call("dead_letters")["total"] == 0
    assert "problem" in page.call("retry_reason", reason="")


def test_an_entity_counts_its_scenes(make_desk):
    desk = make_desk()
    tag = desk.stash.add_tag(name="Fog")
    first, second = desk.scene("a/1.mp4", tags=[tag]), desk.scene("a/2.mp4", tags=[tag])
    for name in ("a/1.mp4", "a/2.mp4"):
        desk.item(name)
    desk.drain(first, second)
    page = Page(desk.app)
    assert page.call("entity", tag_id=tag.id) == {
        "kind": "tag", "id": tag.id, "scenes": 2, "not_in_sync": 0, "states": {"in_sync": 2},
    }  # fmt: skip
    desk.add(second)
    assert page.call("entity", tag_id=tag.id)["states"] == {"in_sync": 1, "to_send": 1}
    assert page.call("entity", studio_id=9)["scenes"] == 0
    assert "problem" in page.call("entity")


def test_runs_are_listed_newest_first(make_desk):
    desk = make_desk()
    first = desk.app.store.runs.begin("Sync All Scenes", None, 20.0)
    desk.app.store.runs.end(first.id)
    desk.app.store.runs.begin("Process Queue", None, 20.0)
    page = Page(desk.app)
    answer = page.call("runs", limit=1)
    assert (answer["total"], answer["items"][0]["name"]) == (2, "Process Queue")
    assert page.call("runs", offset=1)["items"][0]["state"] == "ended"


def test_a_day_shows_its_share_and_nothing_before_it_was_watched():
    now = 100 * DAY + 3600
    outages = [Outage("plex", 99 * DAY, 99 * DAY + DAY / 4, "down", 0)]
    assert daily(outages, "plex", 4, now, 98.5 * DAY) == [None, 1.0, 0.75, 1.0]
    assert daily(outages, "stash", 2, now, 0) == [1.0, 1.0]


def test_the_picture_of_the_outages_has_ninety_days(make_desk):
    desk = make_desk()
    desk.app.store.connection.execute(
        "INSERT INTO outage (server, started_at, ended_at, cause, waiting)"
        " VALUES ('plex', ?1 - 600, ?1, 'down', 0)",
        (desk.clock(),),
    )
    days = Page(desk.app).call("outages")["days"]
    assert len(days) == 90
    assert sum(day["outages"] for day in days) == 1
    assert min(day["plex"] for day in days if day["plex"] is not None) < 1.0


# -- a hundred thousand scenes ------------------------------------------------------------


@pytest.fixture
def large(make_desk):
    """A desk with 100,000 scenes in several states, and 10,000 dead letters."""
    desk = make_desk()
    database = desk.app.store.connection
    database.execute("BEGIN")
    states = ["in_sync", "not_in_plex", *REASONS, ""]
    database.executemany(
        "INSERT INTO scene (id, standing) VALUES (?, ?)",
        ((number, states[number % len(states)]) for number in range(1, MANY + 1)),
    )
    database.executemany(
        "INSERT INTO queue (kind, id, priority, added_at, due_at, reason)"
        " VALUES ('scene', ?, ?, 1, ?, ?)",
        (
            (number, number % 3, 1.0 if number % 2 else 4e9, ("", "not_in_plex")[number % 2])
            for number in range(60_001, 80_001)
        ),
    )
    database.executemany(
        "INSERT INTO dead_letter (kind, id, title, reason, error, attempts, first_failed_at,"
        " last_failed_at) VALUES ('scene', ?, ?, ?, ?, 5, 1, ?)",
        (
            (number, f"Ferry {number}", ("ambiguous", "rejected")[number % 2], "e" * 300, number)
            for number in range(80_001, 90_001)
        ),
    )
    database.execute("COMMIT")
    # Titles are those that are known here.
    desk.stash.stop()
    yield desk
    desk.stash.start()


class Work:
    """Counts the steps that SQLite's machine takes, which no clock decides."""

    STEPS = 1_000

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.steps = 0

    def __enter__(self):
        self.database.set_progress_handler(self._count, self.STEPS)
        return self

    def __exit__(self, *_):
        self.database.set_progress_handler(None, 0)

    def _count(self):
        self.steps += self.STEPS
        return 0


MOST_STEPS = 12_000_000
"""About a second of SQLite on a slow machine: it takes some 20 million steps a second here."""


QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("page", {}),
    ("trouble", {}),
    ("dead_letters", {"limit": 100, "offset": 9_000}),
    ("dead_letters", {"limit": 100, "reason": "rejected", "search": "ferry 89"}),
    ("runs", {}),
    ("not_in_plex", {"limit": 100, "offset": 10_000}),
    *(("scenes", {"state": state, "limit": 100, "offset": 5_000}) for state in STATES),
]


def test_no_reading_operation_works_long_on_a_large_library_and_its_lists_add_up(large):
    page = Page(large.app)
    for mode, arguments in QUESTIONS:
        with Work(large.app.store.connection) as work:
            answer = page.call(mode, **arguments)
        assert "problem" not in answer
        assert work.steps < MOST_STEPS, (mode, arguments)
    counts = page.call("page")["scenes"]
    totals = {state: page.call("scenes", state=state, limit=1)["total"] for state in STATES}
    assert totals == {state: counts[state] for state in STATES}
    assert sum(totals.values()) == counts["total"] == MANY
