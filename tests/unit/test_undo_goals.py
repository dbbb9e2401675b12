"""What an item is to become when its writes are undone: all of them, or those of one run."""

from __future__ import annotations

import pytest
from attrs import Factory, evolve, frozen

from stash2plex.model import Field, Record
from stash2plex.rules.first_state import Before, FirstState
from stash2plex.rules.undo_goals import goals_of
from stash2plex.rules.way_back import EARLY, NEWER, Goal

STATE = FirstState(
    1, "7", "m", "1", "/media/a.mp4", 9.0, {Field.TITLE: Before("First", locked=False)}
)
RECORD = Record(
    1, "7", "1", "/media/a.mp4", "the whole path", "f",
    {"title": "Ours", "summary": "Ours too", "tags": [], "studio": ""},
)  # fmt: skip
NO_FIELDS: frozenset[Field] = frozenset()


@frozen
class Write:
    """A write as the history has it."""

    run_id: int
    fields: dict[str, tuple[object, object]]
    shown: dict[str, object] = Factory(dict)
    cause: str = "task"


def every(state=STATE, record=RECORD, fields=NO_FIELDS):
    return goals_of(state, record, asked_run=0, fields=fields, writes=())


def of_run(run, *writes, state=STATE, fields=NO_FIELDS):
    return goals_of(state, RECORD, asked_run=run, fields=fields, writes=writes)


def test_all_writes_go_back_to_what_was_kept_first():
    back = every()
    assert back is not None
    assert back.goals == {Field.TITLE: Goal("First", False)}
    assert (back.cannot, back.version) == ({}, None)
    assert every(fields=frozenset({Field.SUMMARY})) is None


@pytest.mark.parametrize("name", ["poster", "background"])
def test_what_was_written_before_anything_was_kept_cannot_come_back(name):
    early = evolve(STATE, before_history=True)
    record = RECORD
    if name == "poster":
        record = evolve(record, poster_hash="h")
    else:
        record = evolve(record, background_hash="h")
    back = every(early, record)
    assert back is not None
    # What we had emptied needs no way back.
    assert back.cannot == {Field.SUMMARY: EARLY, Field(name): EARLY}
    assert back.hashes[Field(name)] == {"h"}
    back = every(early, record, frozenset({Field.SUMMARY}))
    assert back is not None
    assert back.cannot == {Field.SUMMARY: EARLY}


def test_without_a_record_what_was_kept_of_ours_counts():
    ours = {"written": {"summary": "Ours"}, "poster_hash": "h"}
    back = every(evolve(STATE, before_history=True, ours=ours), None)
    assert back is not None
    assert back.cannot == {Field.SUMMARY: EARLY, Field.POSTER: EARLY}


def test_a_run_goes_back_to_what_was_there_before_it():
    first = Write(1, {"title": ("First", "Ours")})
    second = Write(2, {"title": ("Ours", "Ours again"), "summary": ("", "Text")})
    assert of_run(3, first, second) is None
    back = of_run(2, first, second)
    assert back is not None
    assert back.goals == {
        Field.TITLE: Goal("Ours", None),
        Field.SUMMARY: Goal("", None),
    }
    assert back.earlier == {Field.TITLE}
    assert back.is_ours_before(Field.TITLE)
    assert not back.is_first(Field.TITLE)
    back = of_run(1, first)
    assert back is not None
    assert back.goals == {Field.TITLE: Goal("First", False)}
    assert back.is_first(Field.TITLE)
    assert of_run(2, second, fields=frozenset({Field.SUMMARY})).goals.keys() == {Field.SUMMARY}


def test_what_a_later_write_changed_cannot_come_back_unless_that_was_undone():
    first = Write(1, {"title": ("First", "Ours")}, {"title": "Ours, in Plex"})
    later = Write(2, {"title": ("Ours", "Later")})
    undone = Write(3, {"title": ("Later", "Ours, in Plex")}, cause="undo")
    other = Write(3, {"title": ("Later", "Another")}, cause="undo")
    assert of_run(1, first, later).cannot == {Field.TITLE: NEWER}
    assert of_run(1, first, later, other).cannot == {Field.TITLE: NEWER}
    back = of_run(1, first, later, undone)
    assert (back.cannot, back.goals) == ({}, {Field.TITLE: Goal("First", False)})
    assert back.version.shown == {"title": "Ours, in Plex"}


def test_names_that_a_run_took_from_a_list_are_known():
    write = Write(1, {"tags": (["Fog", "Ebb"], ["Ebb", "Tide"])})
    (goal,) = of_run(1, write).goals.values()
    assert goal == Goal(["Fog", "Ebb"], None, frozenset({"fog"}))


def test_a_picture_that_was_put_back_is_known_by_its_hash():
    first = Write(1, {"poster": ("", "abc")})
    later = Write(2, {"poster": ("abc", "xyz")})
    undone = Write(3, {"poster": ("xyz", "upload://posters/abc")}, cause="undo")
    assert of_run(1, first, later).cannot == {Field.POSTER: NEWER}
    back = of_run(1, first, later, undone)
    assert (back.cannot, back.hashes) == ({}, {Field.POSTER: frozenset({"abc"})})
