"""Paths, the libraries, files without a scene, and the small preview."""

from __future__ import annotations

import pytest

from stash2plex.text import moment
from tests.page.conftest import Page

DAY = 86_400.0


@pytest.fixture
def desk(make_desk):
    desk = make_desk()
    for number in range(1, 5):
        desk.scene(f"pier/{number}.mp4", size=number, title=f"Lantern {number}")
        desk.item(f"pier/{number}.mp4", size=number)
    desk.scene("cellar/9.mp4", size=9)
    desk.item("attic/8.mp4", size=8)
    return desk


def test_paths_are_shown_with_the_users_own_files(desk):
    page = Page(desk.app)
    shown = page.call("paths")
    assert (shown["source"], shown["matched"], shown["total"]) == ("worked_out", 4, 5)
    assert shown["rules"] == [{"stash": "/data", "plex": "/media", "files": 4}]
    assert shown["words"] == "“/data” in Stash is “/media” in Plex"
    assert len(shown["examples"]) == 3
    assert {one["stash_root"] for one in shown["examples"]} == {"/data"}
    assert shown["missing"] == [{"folder": "/data/cellar", "scenes": 1}]
    # A trial is not saved.
    trial = page.call("paths", path_map="/data=>/media")
    assert (trial["source"], trial["matched"]) == ("trial", 4)
    assert "cannot be read" in page.call("paths", path_map="harbour")["problem"]["what"]
    assert desk.app.settings().path_map == ()


def test_a_small_preview_shows_before_and_after_and_writes_nothing(desk):
    page = Page(desk.app)
    shown = page.call("preview_some", limit=2)
    assert (shown["seen"], shown["changing"], len(shown["scenes"])) == (5, 4, 2)
    assert shown["scenes"][0]["cover"].startswith("/scene/")
    one = page.call("preview_some", scene_ids=[1])
    assert [scene["title"] for scene in one["scenes"]] == ["Lantern 1"]
    assert "About" not in "".join(desk.titles())
    assert "problem" in page.call("preview_some", scene_ids=[99])


def test_the_library_counts_items_with_and_without_a_scene(desk):
    desk.drain(*desk.stash.library.scenes.values())
    page = Page(desk.app)
    shown = page.call("library")
    assert shown["share"] == pytest.approx(4 / 5)
    (films,) = shown["libraries"]
    assert (films["items"], films["with_scene"], films["without_scene"]) == (5, 4, 1)
    assert films["listed_at"]
    assert [look["kind"] for look in shown["looks"]] == ["sweep", "compare", "index"]
    unknown = page.call("unknown_files")
    assert (unknown["total"], unknown["items"][0]["path"]) == (1, "/media/attic/8.mp4")
    assert page.call("unknown_files", search="ATTIC", section_id=films["id"])["total"] == 1
    assert page.call("unknown_files", search="pier")["total"] == 0
    assert page.call("unknown_files", section_id="99")["total"] == 0


def test_of_many_scenes_some_are_looked_up_and_it_shows_of_how_many(desk, monkeypatch):
    monkeypatch.setattr("stash2plex.operations.paths.SAMPLE", 2)
    shown = Page(desk.app).call("paths")
    assert (shown["total"], shown["scenes"]) == (2, 5)
    assert shown["matched"] + shown["missing_total"] == 2


def looks(desk):
    shown = Page(desk.app).call("library")["looks"]
    return {one["kind"]: (one["at"], one["next_at"]) for one in shown}


def test_the_next_looks_are_those_of_the_worker(desk):
    assert looks(desk) == dict.fromkeys(("sweep", "compare", "index"), (None, None))
    desk.work(30)
    began = looks(desk)
    at, following = began["sweep"]
    assert moment(following) - moment(at) == pytest.approx(DAY, abs=1)
    # The comparison with Plex is counted from the first start.
    assert began["compare"][0] is None
    assert moment(began["compare"][1]) == pytest.approx(moment(at) + DAY, abs=60)
    listed, again = began["index"]
    assert moment(again) - moment(listed) == pytest.approx(DAY, abs=1)
    desk.restart(reconcile_interval="never")
    desk.app.settings_reader.take_up()
    later = looks(desk)
    assert (later["sweep"][1], later["compare"][1]) == (None, None)
    assert later["index"][1] == again
    desk.restart(reconcile_interval="hourly", background_worker="off")
    desk.app.settings_reader.take_up()
    assert {following for _, following in looks(desk).values()} == {None}
