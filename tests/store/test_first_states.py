"""What each item showed before the first write, and whose it is by now."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.db import set_meta
from stash2plex.model import Field, Record
from stash2plex.rules.first_state import Before, FirstState
from stash2plex.store.first_states import FirstStates
from stash2plex.store.followers import Followers
from stash2plex.store.meta import MACHINE_ID
from stash2plex.store.records import Records
from tests.support import make_scene, plex_file, present

TITLE = {Field.TITLE: Before("First", locked=False)}
TAGS = {Field.TAGS: Before(["Fog", "Ebb"], locked=True, taken=frozenset({"fog"}))}
NOW = 1_000_000.0
"""What the clock shows."""


@pytest.fixture
def states(database, clock):
    set_meta(database, MACHINE_ID, "m")
    return FirstStates(database, clock)


def first(scene=1, key="7", server="m", at=9.0, **values):
    return FirstState(scene, key, server, "2", f"/media/{scene}.mp4", at, **values)


def test_a_first_state_comes_back_as_it_was_kept(states):
    state = first(before_history=True, uploads=2)
    states.keep(state, {**TITLE, **TAGS})
    assert states.server == "m"
    assert states.get("7") == evolve(state, fields={**TITLE, **TAGS})
    assert states.get("8") is None
    # Of one more write, only what is new is added; the item may have moved meanwhile.
    moved = evolve(present(states.get("7")), scene_id=3, section_id="4", path="/b.mp4")
    states.keep(moved, {Field.STUDIO: Before("", locked=False)})
    again = present(states.get("7"))
    assert again == evolve(moved, fields={**TITLE, **TAGS, Field.STUDIO: Before("", locked=False)})


def test_before_any_plex_there_is_no_server(database, clock):
    states = FirstStates(database, clock)
    assert states.server == ""
    states.keep(first(server=""), TITLE)
    assert present(states.get("7")).fields == TITLE


def test_states_of_another_server_are_listed_but_not_of_the_present_one(states):
    states.keep(first(server="old", at=5.0), TAGS)
    states.keep(first(at=9.0), TITLE)
    states.keep(first(2, "8"), {})
    assert [one.server for one in states.of_scene(1)] == ["old", "m"]
    assert [one.rating_key for one in states.of_scene(2)] == ["8"]
    assert states.of_scene(3) == []
    assert present(states.get("7")).fields == TITLE
    states.count_uploads("7", 3)
    states.count_uploads("7", 0)
    states.count_uploads("7", 1)
    assert [one.uploads for one in states.of_scene(1)] == [0, 4]


def test_an_item_that_was_put_back_begins_a_new_state_with_the_next_write(states, clock):
    state = first(before_history=True)
    states.keep(state, {**TITLE, **TAGS})
    assert (states.scene_of_item("7"), states.number()) == (1, 1)
    states.put_back(present(states.get("7")), TAGS, is_done=False)
    part = present(states.get("7"))
    assert (part.fields, part.undone_at) == (TAGS, None)
    clock.step(5)
    states.put_back(part, {}, is_done=True)
    done = present(states.get("7"))
    assert (done.fields, done.undone_at, done.at) == (TAGS, NOW + 5, 9.0)
    assert (states.scene_of_item("7"), states.number()) == (None, 0)
    clock.step(5)
    states.keep(done, TITLE)
    begun = present(states.get("7"))
    assert begun == evolve(done, fields=TITLE, at=NOW + 10, before_history=False, undone_at=None)
    assert states.scene_of_item("8") is None


def test_scenes_whose_items_hold_what_was_written_are_listed_page_by_page(states):
    for scene, key in ((3, "1"), (3, "2"), (1, "3"), (2, "4"), (5, "5")):
        states.keep(first(scene, key), TITLE)
    states.put_back(present(states.get("4")), {}, is_done=True)
    assert states.written_scenes() == [1, 3, 5]
    assert states.written_scenes(1) == [3, 5]
    assert states.written_scenes(1, 1) == [3]
    assert states.written_scenes(0, 2) == [1, 3]
    assert states.number() == 4


def test_scenes_that_are_left_out_by_now_are_counted_while_plex_lists_them(database, states):
    standings = ("excluded", "in_sync", "not_organized", "excluded", "library")
    for scene, standing in enumerate(standings, start=1):
        states.keep(first(scene, str(scene)), TITLE)
        database.execute(
            "INSERT OR REPLACE INTO scene (id, standing) VALUES (?, ?)", (scene, standing)
        )
    states.keep(first(1, "91"), TITLE)
    states.put_back(present(states.get("4")), {}, is_done=True)
    records = Records(database)
    for scene in (6, 7):
        records.put(Record(scene, str(scene), "1", "/a.mp4", "path", "f", {}), make_scene(scene))
        records.forget(scene, 1.0)
    states.keep(first(6, "6"), TITLE)
    assert states.left_out_scenes() == [1, 3, 6]
    assert states.number_left_out() == 0
    for key in ("1", "91", "2", "6", "4"):
        file = plex_file(f"/media/{key}.mp4", key)
        database.execute(
            "INSERT INTO plex_file (rating_key, path, section_id, name, folder, listing)"
            " VALUES (?, ?, '1', 'x', '', 1)",
            (key, file.path),
        )
    assert states.number_left_out() == 2


def test_what_a_record_knew_stays_with_the_item_that_it_leaves(database, states):
    records, followers = Records(database), Followers(database)
    for scene in (1, 2):
        record = Record(
            scene, f"{scene}", "1", "/a.mp4", "path", "f", {"title": f"Ours {scene}"},
            poster_hash="p", background_hash="b", shown={"title": "OURS"},
            removed={"tags": ["Fog"]},
        )  # fmt: skip
        records.put(record, make_scene(scene))
        followers.put(scene, [evolve(record, rating_key=f"{scene}{scene}", poster_hash="q")])
        for key in (f"{scene}", f"{scene}{scene}"):
            states.keep(first(scene, key), TITLE)
    records.drop(1)
    assert present(states.get("1")).ours == {
        "written": {"title": "Ours 1"}, "shown": {"title": "OURS"}, "removed": {"tags": ["Fog"]},
        "poster_hash": "p", "background_hash": "b",
    }  # fmt: skip
    follower = present(states.get("11")).ours
    assert (follower["written"], follower["poster_hash"]) == ({"title": "Ours 1"}, "q")
    assert [present(states.get(key)).ours for key in ("2", "22")] == [{}, {}]
    records.detach_all()
    assert present(states.get("2")).ours["written"] == {"title": "Ours 2"}
    assert present(states.get("22")).ours["written"] == {"title": "Ours 2"}
    # While it is still written to, it stays; it goes with the next first write.
    states.keep(present(states.get("1")), TAGS)
    assert present(states.get("1")).ours["poster_hash"] == "p"
    states.put_back(present(states.get("1")), {}, is_done=True)
    states.keep(present(states.get("1")), TAGS)
    assert present(states.get("1")).ours == {}


def test_damaged_texts_of_a_first_state_count_as_nothing(database, states):
    states.keep(first(), TITLE)
    database.execute("UPDATE first_state SET fields = 'no JSON', ours = '[1]'")
    assert states.get("7") == first()
