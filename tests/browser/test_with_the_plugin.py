"""The page over the built archive: real operations, real processes, both stand-ins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness.process import Stage, make_stage

__all__ = ["make_stage"]

HOME = "/plugins/stash2plex"
PATIENCE = 40_000
"""Milliseconds for what several processes have to do."""


@pytest.fixture
def visit(chromium: Any, host_page: str) -> Iterator[Callable[..., Any]]:
    """Open an address of a stage's Stash; faults of scripts fail the test."""
    contexts: list[Any] = []
    faults: list[str] = []

    def opened(stage: Stage, path: str = HOME) -> Any:
        stage.stash.core.interface = host_page
        context = chromium.new_context(viewport={"width": 1200, "height": 900})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(stage.stash.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def test_from_sync_all_to_in_sync(make_stage, visit):
    stage = make_stage(12)
    page = visit(stage)
    page.get_by_role("button", name="Sync all").first.click()
    page.get_by_text("All 12 scenes are in sync.").wait_for()
    assert stage.wrong() == []
    page.goto(f"{stage.stash.url}/scenes/1")
    page.get_by_role("tab", name="Plex").click()
    page.get_by_text("In sync").first.wait_for()
    page.get_by_role("row", name=re.compile("^title .* same$")).wait_for()


def test_pause_holds_a_save_back_and_go_on_sends_it(make_stage, visit):
    stage = make_stage(3)
    stage.run_task("Sync All Scenes")
    page = visit(stage)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused by you since").wait_for()
    stage.edit(1, title="Lantern Night")
    page.get_by_text("1 scene waits.").wait_for()
    assert "Lantern Night" not in str([item.title for item in stage.items().values()])
    page.get_by_role("button", name="Go on").first.click()
    page.get_by_text("All 3 scenes are in sync.").wait_for()
    assert stage.wrong() == []


def test_settings_are_saved_beside_what_others_stored(make_stage, visit):
    stage = make_stage(3)
    page = visit(stage, f"{HOME}/settings")
    page.get_by_label("Max retries").fill("7")
    stage.configure(max_tags=50)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. It counts from now on.").wait_for()
    stored = stage.stash.plugins.settings["Stash2Plex"]
    assert (stored["max_retries"], stored["max_tags"]) == (7, 50)
    assert stored["plex_token"] == stage.plex.token


def test_a_given_up_scene_is_tried_again(make_stage, visit):
    stage = make_stage(0)
    stage.stash.add_scene(title="Twins", files=["/data/a/quay.mp4"])
    stage.plex.add_item(stage.section, file="/media/one/a/quay.mp4")
    stage.plex.add_item(stage.section, file="/media/two/a/quay.mp4")
    stage.run_task("Sync All Scenes")
    page = visit(stage, f"{HOME}/trouble?reason=ambiguous")
    page.get_by_role("button", name="Compare").wait_for()
    page.get_by_label("Select all shown").check(force=True)
    page.get_by_role("button", name="Try again", exact=True).click()
    page.get_by_text("1 scene is queued.").wait_for()
