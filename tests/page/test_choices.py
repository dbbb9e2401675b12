"""Several items fit a scene: the user sees them side by side and chooses; the choice is kept."""

from __future__ import annotations

import pytest

from stash2plex.model import PlexFile, StashFile
from stash2plex.rules.matching import Level, explain, follow_choice
from tests.page.conftest import Page
from tests.support import make_scene, present


@pytest.fixture
def desk(make_desk):
    """A desk whose scene fits two items equally well."""
    desk = make_desk(max_retries=1)
    for folder in ("c", "d"):
        desk.item(f"{folder}/1.mp4")
    desk.drain(desk.scene("a/1.mp4", title="Lantern", date="2017-03-04"))
    assert desk.dead() == {1: "ambiguous"}
    return desk


def test_candidates_stand_side_by_side(desk):
    shown = Page(desk.app).call("candidates", scene_id=1)
    assert (shown["title"], shown["year"], shown["choice"]) == ("Lantern", 2017, None)
    assert [one["path"] for one in shown["candidates"]] == ["/media/c/1.mp4", "/media/d/1.mp4"]
    assert {one["library"] for one in shown["candidates"]} == {"Harbour Films"}
    assert not any(one["chosen"] for one in shown["candidates"])
    assert all(one["title"] for one in shown["candidates"])
    desk.plex.stop()
    shown = Page(desk.app).call("candidates", scene_id=1)
    assert len(shown["candidates"]) == 2
    assert "What Plex shows" in shown["unknown"][0]
    desk.plex.start()


def test_a_choice_is_kept_by_both_files_used_before_all_else_and_taken_back(desk):
    page = Page(desk.app)
    second = page.call("candidates", scene_id=1)["candidates"][1]
    kept = page.call("choose_item", scene_id=1, rating_key=second["rating_key"])
    assert kept["path"] == "/media/d/1.mp4"
    desk.drain()
    assert desk.rows("SELECT rating_key, matched_by FROM scene_record") == [
        (second["rating_key"], "your choice")
    ]
    scene = page.call("scene", scene_id=1)
    assert scene["choice"]["path"] == "/media/d/1.mp4"
    assert scene["match"]["confidence"] == "certain"
    assert scene["web"].endswith(second["rating_key"])
    assert scene["library"] == "Harbour Films"
    assert scene["since"]
    # It outlives the index, and holds for the same file.
    desk.app.store.plex_files.clear()
    desk.restart()
    page = Page(desk.app)
    desk.drain(desk.stash.library.scenes[1])
    assert page.call("candidates", scene_id=1)["candidates"][1]["chosen"]
    assert page.call("forget_choice", scene_id=1) == {"forgotten": 1, "queued": True}
    assert page.call("forget_choice", scene_id=1) == {"forgotten": 0, "queued": False}
    assert page.call("scene", scene_id=1)["choice"] is None


def test_what_cannot_be_chosen_is_a_problem(desk):
    page = Page(desk.app)
    assert (
        "lists no item" in page.call("choose_item", scene_id=1, rating_key="999")["problem"]["what"]
    )
    assert "no scene 9" in page.call("choose_item", scene_id=9, rating_key="1")["problem"]["what"]
    assert "no scene 9" in page.call("candidates", scene_id=9)["problem"]["what"]
    assert page.call("forget_choice", scene_id=9)["forgotten"] == 0


def test_a_choice_that_plex_does_not_list_changes_nothing():
    file = StashFile("/data/a/1.mp4", 100)
    scene = make_scene(files=(file,))
    found = [PlexFile("1", "7", "/media/a/1.mp4", 100), PlexFile("1", "8", "/media/b/1.mp4", 100)]
    plain = explain(scene, found, [])
    assert follow_choice(plain, file, []) == plain
    chosen = follow_choice(plain, file, [PlexFile("1", "9", "/media/x.mp4", 5)])
    assert (present(chosen.match).file.rating_key, present(chosen.match).matched_by) == (
        "9",
        Level.CHOSEN,
    )
    assert chosen.reason == chosen.refusal == ""
