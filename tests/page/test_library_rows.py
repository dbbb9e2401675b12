"""The whole rows of the library page: each kind of library, what is in it, and what fails."""

from __future__ import annotations

import json

import pytest

from stash2plex.lock import drain_lock
from stash2plex.operations.clear_queue import clear_queue
from stash2plex.operations.libraries import libraries_json
from stash2plex.operations.library import library_json, unknown_json
from stash2plex.operations.rebuild_index import rebuild_index
from stash2plex.tasks.registry import find_task
from stash2plex.text import utc
from stash2plex_testing.plex import Fault, scopes
from tests.harness.in_process import fill
from tests.page.conftest import Page


def listed(title, **values):
    return {
        "id": values.pop("id"), "title": title, "type": "movie", "items": 0, "usable": True,
        "chosen": True, "why": None, "locations": [f"/{title}"], **values,
    }  # fmt: skip


def test_each_kind_of_library_and_why_it_cannot_be_used(make_desk):
    desk = make_desk(plex_library="Quay")
    for title, kind in (
        ("Quay", "movie"), ("Shows", "show"), ("Music", "artist"), ("Photos", "photo"),
        ("Fog", "fog"),
    ):  # fmt: skip
        desk.plex.add_section(title, type=kind, locations=[f"/{title}"])
    desk.item("a.mp4")
    desk.item("b.mp4")
    other = {"items": None, "usable": False, "chosen": False}
    assert Page(desk.app).call("libraries")["libraries"] == [
        listed("Harbour Films", id="1", items=2, chosen=False, locations=["/media"]),
        listed("Quay", id="2"),
        listed("Shows", id="3", type="show", **other, why="TV shows cannot hold single scenes."),
        listed("Music", id="4", type="artist", **other, why="Music cannot hold scenes."),
        listed("Photos", id="5", type="photo", **other, why="Photos cannot hold scenes."),
        listed(
            "Fog", id="6", type="fog", **other,
            why="A library of the type fog cannot hold scenes.",
        ),
    ]  # fmt: skip


def test_the_items_of_twenty_libraries_are_counted(make_desk):
    desk = make_desk()
    for number in range(21):
        desk.plex.add_section(f"Quay {number}", locations=[f"/{number}"])
    desk.plex.faults.add(Fault("status", times=None, **scopes.library(desk.films)))
    items = [one["items"] for one in Page(desk.app).call("libraries")["libraries"]]
    assert items == [None, *[0] * 19, None, None]


def test_libraries_that_do_not_answer_or_do_not_exist(make_desk):
    desk = make_desk(plex_library="Nowhere")
    answer = libraries_json(desk.app)
    (films,) = answer["libraries"]
    assert (films["title"], films["chosen"], films["items"]) == ("Harbour Films", False, 0)
    desk.plex.faults.add(Fault("status", path="/library/sections/1/all", times=None))
    (films,) = libraries_json(desk.app)["libraries"]
    assert films["items"] is None


def seen(desk):
    rows = desk.rows("SELECT value FROM meta WHERE name = 'plex_seen'")
    return json.loads(rows[0][0]) if rows else None


def test_the_first_answer_of_plex_is_kept_and_the_next_ones_are_not(make_desk):
    desk = make_desk()
    assert seen(desk) is None
    moments = iter([1.0, 1.0125])
    desk.app.monotonic = lambda: next(moments)
    libraries_json(desk.app)
    plex = Page(desk.app).call("page")["plex"]
    assert (plex["name"], plex["ms"], plex["asked_at"]) == (
        "Harbour Plex", 12.5, utc(desk.clock()),
    )  # fmt: skip
    before = seen(desk)
    desk.clock.step(60)
    libraries_json(desk.app)
    assert seen(desk) == before


def test_a_whole_library_page(make_desk):
    desk = make_desk()
    quay = desk.plex.add_section("Quay", locations=["/quay"])
    assert library_json(desk.app)["share"] is None
    fill(desk, 4)
    desk.item("stranger.mp4", size=77)
    desk.plex.add_item(quay, "/quay/other.mp4", size=78)
    desk.drain(*desk.stash.library.scenes.values())
    lost = desk.scene("lost.mp4", size=99)
    desk.drain(lost)
    at = utc(desk.clock())
    shown = library_json(desk.app)
    assert shown["share"] == 0.8
    assert shown["libraries"] == [
        {
            "id": "1", "title": "Harbour Films", "items": 5, "files": 5, "with_scene": 4,
            "without_scene": 1, "listed_at": at, "compared_at": None, "problem": None,
        },
        {
            "id": "2", "title": "Quay", "items": 1, "files": 1, "with_scene": 0,
            "without_scene": 1, "listed_at": at, "compared_at": None, "problem": None,
        },
    ]  # fmt: skip
    assert unknown_json(desk.app, "", "", 9, 0) == {
        "total": 2,
        "items": [
            {
                "rating_key": "5", "path": "/media/stranger.mp4", "library": "Harbour Films",
                "section_id": "1", "size": 77,
            },
            {
                "rating_key": "6", "path": "/quay/other.mp4", "library": "Quay",
                "section_id": "2", "size": 78,
            },
        ],
    }  # fmt: skip
    assert [one["path"] for one in unknown_json(desk.app, "", "", 9, 1)["items"]] == [
        "/quay/other.mp4"
    ]
    desk.app.store.connection.execute(
        "UPDATE plex_section SET listed_at = 0 WHERE section_id = '2'"
    )
    assert library_json(desk.app)["libraries"][1]["listed_at"] is None


def test_the_last_comparison_is_shown_in_words(make_desk):
    desk = make_desk()
    desk.drain(*fill(desk, 2))
    page = Page(desk.app)
    desk.clock.step(3600)
    find_task("reconcile_all").run(page.make_call({}))
    looks = {one["kind"]: one for one in library_json(desk.app)["looks"]}
    assert looks["compare"]["at"] == utc(desk.clock())
    assert looks["compare"]["words"].startswith("Last reconcile (all) at ")
    assert looks["compare"]["words"].endswith(": 2 scenes, nothing differs, 0 queued.")
    assert (looks["sweep"]["words"], looks["index"]["words"]) == (None, None)


def test_a_rebuilt_index_has_what_plex_lists_now(make_desk):
    desk = make_desk()
    quay = desk.plex.add_section("Quay", locations=["/quay"])
    desk.drain(*fill(desk, 3))
    desk.plex.remove_item(desk.plex.all_items()[0])
    desk.plex.add_item(quay, "/quay/other.mp4", size=78)
    rebuilt = rebuild_index(desk.app)
    assert (rebuilt.items, rebuilt.unlisted) == (3, ())
    desk.plex.faults.add(Fault("status", times=None, **scopes.library(desk.films)))
    rebuilt = rebuild_index(desk.app)
    assert rebuilt.items == 1
    assert [trouble.title for trouble in rebuilt.unlisted] == ["Harbour Films"]


@pytest.mark.parametrize("held", [False, True])
def test_clearing_the_queue_leaves_what_a_live_process_has_in_hand(make_desk, held):
    desk = make_desk()
    queue = desk.app.store.queue
    queue.add_many([("scene", number) for number in (1, 2, 3)])
    queue.claim(1, 60.0)
    other = drain_lock(desk.app.folder)
    if held:
        assert other.acquire()
    cleared = clear_queue(desk.app)
    assert (cleared.number, cleared.in_progress) == ((2, 1) if held else (3, 0))
    other.release()
    assert other.acquire()
    other.release()
