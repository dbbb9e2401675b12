"""What the page reads is bounded, whatever is stored: no clock decides, the work is counted."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from stash2plex.rules.scene_states import STATES
from stash2plex_testing.page.large import DEAD, SCENES, fill
from tests.page.conftest import Page

FORMS = [(SCENES // 5, DEAD // 5), pytest.param((SCENES, DEAD), marks=pytest.mark.nightly)]
"""Scenes, and how many of them were given up: a form for each change, and the one promised."""

STEPS_PER_SCENE = 120
"""With 100,000 scenes about a second of SQLite on a slow machine: it takes some 20 million steps
a second here."""

STATEMENTS = 120
"""No operation asks the database once for each scene."""

QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("page", {}),
    ("trouble", {}),
    ("dead_letters", {"limit": 100, "offset": 900}),
    ("dead_letters", {"limit": 100, "reason": "rejected", "search": "ferry 9"}),
    ("runs", {"limit": 25, "offset": 1_000}),
    ("not_in_plex", {"limit": 100, "offset": 1_000}),
    *(("scenes", {"state": state, "limit": 100, "offset": 500}) for state in STATES),
    ("library", {}),
    ("unknown_files", {"limit": 25, "offset": 1_000}),
    ("unknown_files", {"limit": 25, "search": "harbour/7", "section_id": "1"}),
    ("history", {"limit": 25, "offset": 5_000}),
    ("history", {"limit": 25, "run_id": 3}),
    ("history", {"limit": 25, "scene_id": 17}),
    ("outages", {"limit": 10}),
    ("entity", {"tag_id": 1}),
    ("entity", {"performer_id": 3}),
    ("entity", {"studio_id": 3}),
    ("candidates", {"scene_id": 1}),
    ("compare", {"limit": 25}),
    ("count_changes", {}),
]


class Work:
    """Counts the steps that SQLite's machine takes, and the statements."""

    STEPS = 1_000

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.steps = 0
        self.statements = 0

    def __enter__(self):
        self.database.set_progress_handler(self._count, self.STEPS)
        self.database.set_trace_callback(self._trace)
        return self

    def __exit__(self, *_):
        self.database.set_progress_handler(None, 0)
        self.database.set_trace_callback(None)

    def _count(self):
        self.steps += self.STEPS
        return 0

    def _trace(self, _):
        self.statements += 1


@pytest.fixture(params=FORMS)
def large(make_desk, request):
    """A desk with many scenes in several states, all that is stored about them, and dead letters.

    One of them, scene 1, is in Stash too, and two of Plex's items fit it.
    """
    desk = make_desk()
    scenes, dead = request.param
    fill(desk.app.store.connection, scenes, dead)
    desk.scene("harbour/a/1.mp4", title="Lantern")
    desk.app.store.connection.executemany(
        "INSERT INTO plex_file VALUES (?, ?, '1', '1.mp4', ?, 100, 1)",
        [(folder, f"/media/harbour/{folder}/1.mp4", folder) for folder in "bc"],
    )
    return desk, scenes


def test_no_reading_operation_works_long_on_a_large_library_and_its_lists_add_up(large):
    desk, scenes = large
    page = Page(desk.app)
    for mode, arguments in QUESTIONS:
        with Work(desk.app.store.connection) as work:
            answer = page.call(mode, **arguments)
        assert "problem" not in answer, (mode, answer)
        assert work.steps < STEPS_PER_SCENE * scenes, (mode, arguments, work.steps)
        assert work.statements < STATEMENTS, (mode, arguments, work.statements)
        # What the browser draws is a page of them, whatever there is.
        assert len(answer.get("items", ())) <= arguments.get("limit", 0)
    counts = page.call("page")["scenes"]
    totals = {state: page.call("scenes", state=state, limit=1)["total"] for state in STATES}
    assert totals == {state: counts[state] for state in STATES}
    assert sum(totals.values()) == counts["total"] == scenes
    assert len(page.call("candidates", scene_id=1)["candidates"]) == 2
    assert page.call("entity", tag_id=1)["scenes"] == scenes // 2
