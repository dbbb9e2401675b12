"""What the user reads, to the letter: every kind of lines and screens."""

from __future__ import annotations

import io
from contextlib import ExitStack
from typing import Any

from attrs import evolve
from rich.console import Console

from stash2plex.operations.dead_letters import find_letter, list_letters
from stash2plex.operations.explain import explain_scene
from stash2plex.operations.health.report import read_health
from stash2plex.operations.history import list_runs, list_writes
from stash2plex.operations.import_legacy import Legacy, Taken
from stash2plex.operations.outages import outage_report
from stash2plex.operations.preview import preview_all
from stash2plex.operations.status import read_status
from stash2plex.operations.undo import Chosen, forecast, queue_undo, undo_report
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex.ui.lines.dead_letters import letter_line, letter_lines
from stash2plex.ui.lines.health import check_lines, health_lines
from stash2plex.ui.lines.history import history_lines, run_lines
from stash2plex.ui.lines.legacy import legacy_json, legacy_lines
from stash2plex.ui.lines.outages import outage_lines
from stash2plex.ui.lines.preview import preview_lines
from stash2plex.ui.lines.scenes import explanation_lines, field_lines
from stash2plex.ui.lines.status import status_lines
from stash2plex.ui.lines.undo import forecast_lines, report_lines
from stash2plex.ui.screens import health_screen, letters_screen, outages_screen, status_screen
from tests.harness.in_process import Desk
from tests.page.test_whole_answers import compared, harbour, storm, utc
from tests.support import present

OF_THE_MACHINE = ("clocks", "database", "disk", "python")
"""Checks that are not compared."""


def drawn(renderable: Any, width: int) -> list[str]:
    shown = io.StringIO()
    Console(file=shown, width=width).print(renderable)
    return [line.rstrip() for line in shown.getvalue().splitlines()]


def words(desk: Desk) -> dict[str, list[str]]:
    """Return all that is said about a desk."""
    app = desk.app
    status, outages = read_status(app), outage_report(app)
    checks = [check for check in read_health(app) if check.name not in OF_THE_MACHINE]
    status["worker"]["pid"] = None
    letters = list_letters(app, 50, 0, None)
    found = {
        "status": status_lines(status),
        "outages": outage_lines(outages),
        "checks": check_lines(checks),
        "health": health_lines(checks),
        "history": history_lines(list_writes(app, scene_id=None, run_id=None, limit=9)),
        "runs": run_lines(list_runs(app, 9)),
        "preview": preview_lines(preview_all(app)),
        "letters": [letter_line(letter) for letter in letters.letters],
        "letter": letter_lines(present(find_letter(app, "scene", 4))),
    }
    for scene_id in range(1, 7):
        known = explain_scene(app, scene_id)
        found[f"scene {scene_id}"] = [*explanation_lines(known), *field_lines(known)]
    for width in (60, 100):
        for name, screen in (
            ("status", status_screen(status, str)),
            ("health", health_screen(checks, width, str)),
            ("outages", outages_screen(outages, width, str)),
            ("letters", letters_screen(letters.letters, letters.groups, width, str)),
        ):
            found[f"{name} screen {width}"] = drawn(screen, width)
    return found


def put_back(desk: Desk) -> dict[str, list[str]]:
    """Forecast the way back, go it, and report it."""
    everything = Chosen(everything=True)
    before = forecast_lines(forecast(desk.app, everything))
    desk.plex.all_items()[0].title = "By hand"
    begun = desk.app.store.runs.begin("Put Plex Back", None, 20.0)
    scenes = queue_undo(desk.app, everything, run_id=begun.id)
    desk.app.drain(Foreground("a test", run_id=begun.id), Silent(), lambda: False)
    report = undo_report(desk.app, scenes)
    return {"forecast": before, "report": report_lines(report)}


def legacy() -> dict[str, Any]:
    found = Legacy("/plugins/old", frozenset({1, 2}), frozenset({3}), 1, ("stats.json",), ("Bad.",))
    taken = Taken(found, 3)
    bare = Taken(evolve(found, unreadable=0, left=(), damaged=()), 1)
    return {
        "legacy": legacy_lines(taken),
        "legacy, nothing odd": legacy_lines(bare),
        "legacy as JSON": legacy_json(taken),
    }


def all_words(folder: str) -> dict[str, Any]:
    """Return the words in a calm, of the way back, and in a storm."""
    with utc(), ExitStack() as stack:
        settings = {"max_retries": 1, "exclude_tags": "Night", "background_worker": "off"}
        desk = stack.enter_context(Desk(folder, **settings))
        harbour(desk)
        told: dict[str, Any] = {"calm": words(desk), **legacy()}
        told.update(put_back(desk))
        storm(desk)
        told["storm"] = words(desk)
        # Two items were put back at a time.
        del told["storm"]["history"]
        return {name: compared(one, desk) for name, one in told.items()}


def test_everything_that_is_said_is_as_approved(tmp_path, approved):
    approved(all_words(str(tmp_path)))
