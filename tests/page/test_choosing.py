"""The whole answers about candidates and choices: which file is meant, and what Plex shows."""

from __future__ import annotations

import pytest

from stash2plex.model import PlexFile
from stash2plex.text import utc
from stash2plex_testing.plex import Fault, render, routes
from tests.page.conftest import Page


def place(desk, path="/media/c/1.mp4", **values):
    return {"path": path, "at": utc(desk.clock()), **values}


def candidate(key, path, **values):
    return {
        "rating_key": key, "library": "Harbour Films", "path": path, "size": 100, "title": "1",
        "year": None, "duration_s": None, "poster": None, "why": "it fits equally well",
        "chosen": False, **values,
    }  # fmt: skip


def lasting(monkeypatch):
    """Let each item of Plex last a minute and a half second more."""
    row = render.item_row
    monkeypatch.setattr(
        routes, "item_row", lambda *given, **options: {**row(*given, **options), "duration": 61_500}
    )


@pytest.fixture
def desk(make_desk):
    """A scene that fits two items equally well."""
    desk = make_desk(max_retries=1)
    for folder in ("c", "d"):
        desk.item(f"{folder}/1.mp4")
    desk.drain(desk.scene("a/1.mp4", title="Lantern", date="2017-03-04"))
    return desk


def test_the_whole_list_of_candidates_before_and_after_the_choice(desk, monkeypatch):
    page = Page(desk.app)
    desk.plex.all_items()[0].originally_available_at = "1999-05-06"
    lasting(monkeypatch)
    shown = page.call("candidates", scene_id=1)
    whole = {
        "scene_id": 1, "title": "Lantern", "path": "/data/a/1.mp4", "size": 100,
        "duration_s": shown["duration_s"], "year": 2017, "choice": None, "unknown": [],
        "candidates": [
            candidate("1", "/media/c/1.mp4", year=1999, duration_s=61.5),
            candidate("2", "/media/d/1.mp4", duration_s=61.5),
        ],
    }  # fmt: skip
    assert shown == whole
    assert page.call("choose_item", scene_id=1, rating_key="2") == {
        "scene_id": 1, "rating_key": "2", "path": "/media/d/1.mp4", "queued": True,
    }  # fmt: skip
    assert desk.rows("SELECT id, priority FROM queue") == [(1, 0)]
    shown = page.call("candidates", scene_id=1)
    assert shown["choice"] == place(desk, "/media/d/1.mp4", rating_key="2")
    assert [one["chosen"] for one in shown["candidates"]] == [False, True]
    desk.app.store.plex_files.clear()
    shown = page.call("candidates", scene_id=1)
    assert (shown["choice"], shown["candidates"], shown["unknown"]) == (
        place(desk, "/media/d/1.mp4", rating_key=""), [], [],
    )  # fmt: skip


def test_what_plex_does_not_show_now_is_unknown_and_named(desk):
    page = Page(desk.app)
    desk.plex.faults.add(Fault("status", path="/library/metadata/", times=None))
    shown = page.call("candidates", scene_id=1)
    nothing = {"title": None, "year": None, "duration_s": None, "poster": None}
    assert shown["candidates"] == [
        candidate(key, f"/media/{folder}/1.mp4", **nothing)
        for key, folder in (("1", "c"), ("2", "d"))
    ]
    (unknown,) = shown["unknown"]
    assert unknown.startswith("What Plex shows: Plex ")
    desk.restart(plex_token="")
    shown = Page(desk.app).call("candidates", scene_id=1)
    (unknown,) = shown["unknown"]
    assert unknown.startswith("What Plex shows: ")
    assert [one["title"] for one in shown["candidates"]] == [None, None]


def test_twelve_candidates_stand_side_by_side(make_desk):
    desk = make_desk(max_retries=1)
    for number in range(14):
        desk.item(f"{number:02}/1.mp4")
    desk.drain(desk.scene("a/1.mp4"))
    assert len(Page(desk.app).call("candidates", scene_id=1)["candidates"]) == 12


@pytest.mark.parametrize(
    ("date", "year"), [("2017-03-04", 2017), ("2017", 2017), ("", None), ("17", None)]
)
def test_the_year_of_a_scene_is_that_of_its_date(make_desk, date, year):
    desk = make_desk()
    scene = desk.scene("a/1.mp4")
    scene.date = date
    shown = Page(desk.app).call("candidates", scene_id=scene.id)
    assert (shown["year"], shown["candidates"]) == (year, [])


@pytest.mark.parametrize(
    ("files", "path"),
    [
        # The name counts most, then the size, then the order.
        ([("x.mp4", 7), ("Y/PIER.mp4", 8), ("z/pier.mp4", 100)], "z/pier.mp4"),
        ([("x.mp4", 100), ("Y/PIER.mp4", 8), ("z/pier.mp4", 9)], "Y/PIER.mp4"),
        ([("x.mp4", 7), ("y.mp4", 100), ("z.mp4", 9)], "y.mp4"),
        ([("x.mp4", 7), ("y.mp4", 8), ("z.mp4", 9)], "x.mp4"),
    ],
)
def test_of_an_item_with_several_files_the_best_is_kept(make_desk, files, path):
    desk = make_desk()
    desk.scene("a/pier.mp4")
    desk.item("other.mp4")
    desk.drain(desk.stash.library.scenes[1])
    desk.app.store.plex_files.add(
        [PlexFile("1", "7", f"/media/{name}", size) for name, size in files], 1
    )
    kept = Page(desk.app).call("choose_item", scene_id=1, rating_key="7")
    assert kept["path"] == f"/media/{path}"


def test_a_candidate_in_a_library_that_is_not_listed_any_more_has_none(desk):
    desk.app.store.plex_files.add([PlexFile("9", "7", "/quay/1.mp4", 100)], 1)
    shown = Page(desk.app).call("candidates", scene_id=1)["candidates"]
    assert sorted((one["path"], one["library"]) for one in shown) == [
        ("/media/c/1.mp4", "Harbour Films"), ("/media/d/1.mp4", "Harbour Films"),
        ("/quay/1.mp4", ""),
    ]  # fmt: skip


def test_what_cannot_be_chosen_is_named_and_nothing_is_queued(desk):
    page = Page(desk.app)
    desk.app.store.queue.clear_waiting()
    key = "9" * 50
    again = "Open the list of candidates again."
    assert page.call("choose_item", scene_id=1, rating_key=key) == {
        "problem": {
            "what": f"Plex lists no item '{'9' * 40}' that “Lantern” could have.", "do": again,
        }
    }  # fmt: skip
    assert page.call("choose_item", scene_id=9, rating_key="1") == {
        "problem": {"what": "Stash has no scene 9.", "do": ""}
    }
    assert desk.rows("SELECT id FROM queue") == []
