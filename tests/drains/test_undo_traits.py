"""The way back on servers that keep what they are sent in their own way (plex-2.md §1)."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from stash2plex.operations.undo import Chosen, queue_undo, undo_report
from stash2plex.rules.spelling import folds
from stash2plex.rules.way_back import ALTERED, NOT_KEPT
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex_testing.plex import SWITCHES, combined
from tests.support import present

EVERYTHING = Chosen(everything=True)
NFD = unicodedata.normalize("NFD", "Café am Kai")
ALTERS = {"date_shift": "date", "rounds_to_whole_stars": "rating", "rounds_to_half_stars": "rating"}
"""What a server changes that no writing can put right."""

LOSES = {"ignores_studio": "studio", "ignores_genre": "tags", "ignores_any_rating": "rating"}
"""What a server does not keep: the value of ours stays there."""


def fill(item):
    """Give an item what it shows before the first sync."""
    item.title = "old  title of the pier"
    item.texts.update(summary=f"Before  all,  {NFD}", studio="the old studio")
    item.originally_available_at = "2001-02-03"
    item.floats["userRating"] = 4.3
    item.tags.update(
        genre=["fog", "night", "Old harbour", NFD],
        collection=["Favourites", "quay works"],
        actor=["Performer 17", "somebody else"],
        director=["Ann Weir"],
    )
    item.locked |= {"summary", "genre"}


def curate(desk):
    """Return what two saves of a scene hold; some of it differs from the item by case only."""
    stash = desk.stash
    tags = [stash.add_tag(name) for name in ("Fog", "low tide, cold", NFD, "Night", "dusk")]
    one = {
        "title": "the Tide comes in",
        "details": "Two  blanks,  and a café.",
        "date": "2024-06-24",
        "rating100": 45,
        "director": "ann Weir",
        "studio": stash.add_studio("The Sound of Tides"),
        "tags": tags[:4],
        "performers": [stash.add_performer("performer 17"), stash.add_performer("Performer 18")],
    }
    other = {
        "title": "the Tide goes out",
        "details": "Three   blanks.",
        "date": "2024-07-01",
        "rating100": 78,
        "director": "Bo Quay",
        "studio": stash.add_studio("quay Works"),
        "tags": [tags[0], tags[1], tags[4]],
        "performers": [one["performers"][0]],
    }
    return one, other


def save(desk, scene, values):
    for name, value in values.items():
        setattr(scene, name, value)
    desk.clock.step(2)
    desk.stash.library.touch(scene)
    desk.drain(scene)


def state(item):
    """Return what an item shows, by our fields, apart from spelling, and its locks."""
    texts = {
        "title": item.title,
        "summary": item.texts.get("summary", ""),
        "studio": item.texts.get("studio", ""),
    }
    lists = {"tags": "genre", "performers": "actor", "director": "director"}
    lists["collection"] = "collection"
    shown: dict[str, Any] = {name: " ".join(sorted(folds([text]))) for name, text in texts.items()}
    shown.update((name, sorted(folds(item.tags.get(kind, ())))) for name, kind in lists.items())
    # No value is there twice.
    assert all(len(names) == len(set(names)) for names in item.tags.values())
    return {
        **shown,
        "date": item.originally_available_at,
        "rating": item.floats.get("userRating"),
        "locks": set(item.locked),
    }


def put_back(desk, chosen=EVERYTHING):
    begun = desk.app.store.runs.begin("undo", None, 20.0)
    scenes = queue_undo(desk.app, chosen, run_id=begun.id)
    desk.plex.clear_log()
    desk.app.drain(Foreground("test", run_id=begun.id), Silent(), lambda: False)
    desk.app.store.runs.end(begun.id)
    return undo_report(desk.app, scenes).as_json()


@pytest.mark.parametrize("learnt", [pytest.param(True, marks=pytest.mark.nightly), False])
def test_the_report_is_what_reading_back_shows(make_desk, learnt):
    """`learnt`: the server had its traits when the scene was written, too."""
    desk = make_desk()
    one, other = curate(desk)
    for number, name in enumerate(SWITCHES):
        desk.plex.version = f"1.43.{number}"
        desk.plex.traits = combined(*((name,) if learnt else ()))
        desk.restart()
        path = f"{number}/pier.mp4"
        scene, item = desk.scene(path, **one), desk.item(path)
        fill(item)
        before = state(item)
        desk.drain(scene)
        save(desk, scene, other)
        desk.plex.traits = combined(name)
        kept = present(desk.app.store.first_states.get(str(item.rating_key))).fields
        report = put_back(desk)
        after = state(item)
        left = {one["field"]: one["why"] for one in report["left"]}
        expected = {ALTERS[name]: ALTERED} if name in ALTERS else {}
        if name in LOSES and not learnt:
            expected = {LOSES[name]: NOT_KEPT}
        assert left == expected, name
        assert {field for field in before if before[field] != after[field]} == set(left), name
        # Everything that was written is counted once.
        assert report["put_back"] + report["theirs"] + report["cannot"] == len(kept), name
        assert report["cannot"] == len(left)
        # Undo twice is undo once; only what Plex may keep another time is tried once more.
        again = put_back(desk, Chosen(scene_ids=[scene.id]))
        assert again["scenes"] == (NOT_KEPT in left.values()), name
        assert state(item) == after, name
        desk.plex.remove_item(item)
        desk.stash.library.destroy_scene(scene)
        desk.drain(scene)


def test_the_history_shows_what_plex_made_of_an_undo(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4", date="2024-06-24"), desk.item("a/pier.mp4")
    item.originally_available_at = "2001-02-03"
    desk.plex.traits = combined("date_shift")
    desk.drain(scene)
    put_back(desk)
    write = desk.app.store.history.page(scene_id=scene.id, run_id=None, limit=1, offset=0)[0]
    assert write.fields["date"] == ("2024-06-23", "2001-02-03")
    assert write.shown["date"] == "2001-02-02"


def test_what_the_user_types_while_a_scene_goes_back_is_theirs(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.drain(scene)

    def type_title(_request):
        item.title = "Typed meanwhile"

    desk.plex.after_write = type_title
    report = put_back(desk)
    assert item.title == "Typed meanwhile"
    assert [(one["field"], one["why"]) for one in report["left"]] == [("title", "theirs")]
    assert desk.app.store.undo_marks.held(scene.id).whole
    # Nothing of ours is left there.
    assert put_back(desk)["scenes"] == 0
