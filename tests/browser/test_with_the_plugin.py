"""The page over the built archive: real operations, real processes, both stand-ins."""

from __future__ import annotations

import re

from tests.browser.conftest import HOME, look_until
from tests.harness.process import make_stage
from tests.support import until

__all__ = ["make_stage"]


def test_from_sync_all_to_in_sync(make_stage, visit):
    stage = make_stage(12)
    page = visit(stage)
    page.get_by_role("button", name="Sync all").first.click()
    look_until(page, "All 12 scenes are in sync.")
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
    look_until(page, "1 scene waits.")
    assert "Lantern Night" not in str([item.title for item in stage.items().values()])
    page.get_by_role("button", name="Go on").first.click()
    look_until(page, "All 3 scenes are in sync.")
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


def test_two_tabs_save_beside_each_other_and_beside_other_plugins(make_stage, visit):
    stage = make_stage(1)
    other = 'mutation M($i: Map!) { configurePlugin(plugin_id: "Lanterns", input: $i) }'
    first, second = (visit(stage, f"{HOME}/settings") for _ in range(2))
    first.get_by_label("Max retries").fill("7")
    second.get_by_label("Max tags").fill("60")
    second.get_by_label("Only organized").check(force=True)
    stage.graphql(other, i={"colour": "amber"})
    for page in (first, second):
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved. It counts from now on.").wait_for()
    stored = stage.stash.plugins.settings
    assert stored["Lanterns"] == {"colour": "amber"}
    assert stored["Stash2Plex"] == {
        "plex_url": stage.plex.url, "plex_token": stage.plex.token,
        "max_retries": 7, "max_tags": 60, "only_organized": True,
    }  # fmt: skip
    # The second tab shows what the first one saved; the first one shows it when it is loaded.
    retries = second.get_by_label("Max retries")
    until(lambda: retries.input_value() == "7" or second.wait_for_timeout(50))
    first.reload()
    first.get_by_label("Max tags").wait_for()
    assert first.get_by_label("Max tags").input_value() == "60"


def test_the_report_can_be_taken_under_stashs_policy(make_stage, visit):
    stage = make_stage(2)
    page = visit(stage, f"{HOME}/trouble")
    page.get_by_role("button", name="Make the report").click()
    box = page.get_by_role("textbox", name="Report a problem")
    box.wait_for()
    text = box.input_value()
    assert "== Health Check ==" in text
    assert "Harbour" not in text
    with page.expect_download() as found:
        page.get_by_role("link", name="Download").click()
    with open(found.value.path(), encoding="utf-8") as file:
        assert file.read() == text
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
