"""What is to be put back of scenes, what is held of them, and what became of it."""

from __future__ import annotations

import pytest

from stash2plex.model import Field
from stash2plex.store.undo_marks import Asked, Held, UndoMarks, joined

TITLE, STUDIO = frozenset({Field.TITLE}), frozenset({Field.STUDIO})


@pytest.fixture
def marks(database, clock):
    return UndoMarks(database, clock)


@pytest.mark.parametrize(
    ("waiting", "new", "is_then"),
    [
        ([], Asked(3), [Asked(3)]),
        ([Asked(3), Asked(4, TITLE)], Asked(job=9), [Asked(job=9)]),
        ([Asked(job=8)], Asked(3, job=9), [Asked(job=8)]),
        ([Asked(job=8)], Asked(job=9), [Asked(job=9)]),
        # Fields of a run come together; a whole run has them all.
        ([Asked(3, TITLE)], Asked(3, STUDIO), [Asked(3, TITLE | STUDIO)]),
        ([Asked(3, TITLE)], Asked(3), [Asked(3)]),
        ([Asked(3)], Asked(3, TITLE), [Asked(3)]),
        (
            [Asked(2), Asked(3, TITLE), Asked(4)],
            Asked(3, STUDIO),
            [Asked(2), Asked(3, TITLE | STUDIO), Asked(4)],
        ),
        ([Asked(2), Asked(3)], Asked(4), [Asked(2), Asked(3), Asked(4)]),
        ([Asked(fields=TITLE)], Asked(fields=STUDIO), [Asked(fields=TITLE | STUDIO)]),
    ],
)
def test_what_is_asked_once_more_joins_what_waits(waiting, new, is_then):
    assert joined(waiting, new) == is_then


def test_two_ask_for_the_same_whoever_asked():
    assert Asked(3, TITLE, 1).is_same(Asked(3, TITLE, 2, has_begun=True))
    assert not Asked(3, TITLE).is_same(Asked(3, STUDIO))
    assert not Asked(3, TITLE).is_same(Asked(4, TITLE))
    assert [Asked().is_whole, Asked(3).is_whole, Asked(fields=TITLE).is_whole] == [
        True, False, False,
    ]  # fmt: skip


def test_scenes_are_marked_begun_and_ended(marks):
    assert (marks.any_asked(), marks.number_asked(), marks.asked_of([1, 2])) == (False, 0, {})
    assert marks.ask([1, 2, 3], Asked(3, TITLE, job=7)) == 3
    assert marks.ask([], Asked(3)) == 0
    assert (marks.any_asked(), marks.number_asked()) == (True, 3)
    marks.begin(2)
    assert marks.asked_of([4, 1, 2, 5]) == {
        1: Asked(3, TITLE, 7), 2: Asked(3, TITLE, 7, has_begun=True),
    }  # fmt: skip
    assert marks.end(1, Asked(3, TITLE), Held(fields=TITLE), {"back": 1}) is False
    assert marks.end(2, Asked(3, TITLE), Held(), {"back": 0}) is False
    assert marks.number_asked() == 1
    # A begin does not touch what has ended.
    marks.begin(1)
    assert marks.outcomes([0, 1, 2, 3, 4]) == [(1, {"back": 1}), (2, {"back": 0}), (3, None)]
    assert marks.outcomes([2, 9]) == [(2, {"back": 0})]
    assert [marks.held(number) for number in (1, 2, 3, 4)] == [
        Held(fields=TITLE), Held(), Held(), Held(),
    ]  # fmt: skip
    # Asked again: the outcome of the last time is no more, what is held stays held.
    marks.ask([1], Asked(job=8))
    assert marks.asked_of([1]) == {1: Asked(job=8)}
    assert marks.held(1) == Held(fields=TITLE)
    assert marks.outcomes([1]) == [(1, None)]


def test_what_was_asked_meanwhile_is_done_in_turn_and_summed_up(marks):
    marks.ask([1], Asked(3, TITLE, job=7))
    marks.begin(1)
    marks.ask([1], Asked(4, job=8))
    # A second wish leaves a mark that the first try has begun.
    assert marks.asked_of([1]) == {1: Asked(3, TITLE, 8, has_begun=True)}
    first = {"back": ["title"], "theirs": 1, "cannot": 0, "items": 2, "left": "odd"}
    assert marks.end(1, Asked(3, TITLE), Held(fields=TITLE), first) is True
    assert marks.held(1) == Held(fields=TITLE)
    assert marks.asked_of([1]) == {1: Asked(4, job=8)}
    assert marks.outcomes([1]) == [(1, None)]
    marks.ask([1], Asked(5, STUDIO, job=9))
    second = {"back": ["studio"], "theirs": 2, "cannot": 1, "items": 2, "left": 3}
    assert marks.end(1, Asked(4), Held(whole=True), second) is True
    assert marks.asked_of([1]) == {1: Asked(5, STUDIO, job=9)}
    third = {"back": [], "theirs": 0, "cannot": 1, "items": 1, "left": 4}
    assert marks.end(1, Asked(5, STUDIO), Held(whole=True), third) is False
    # What became of fields is added up; the items are the same ones.
    whole = {"back": ["title", "studio"], "theirs": 3, "cannot": 2, "items": 1, "left": 7}
    assert marks.outcomes([1]) == [(1, whole)]
    assert marks.held(1) == Held(whole=True)


def test_scenes_are_taken_in_again(database, marks):
    marks.ask([1, 2, 3], Asked())
    marks.end(2, Asked(), Held(whole=True), {})
    assert marks.withdraw([2, 3, 9]) == 2
    assert marks.withdraw([]) == 0
    assert marks.asked_of([1, 2, 3]) == {1: Asked()}
    assert marks.held(2) == Held()


def test_what_left_the_queue_is_not_put_back_any_more(database, marks, queue):
    marks.ask([1, 2, 3, 4], Asked())
    queue.enqueue([("scene", 2), ("tag", 1)])
    database.execute(
        "INSERT INTO dead_letter (kind, id, reason, error, attempts, first_failed_at,"
        " last_failed_at) VALUES ('scene', 3, 'x', 'x', 1, 1, 1), ('tag', 4, 'x', 'x', 1, 1, 1)"
    )
    marks.withdraw_unqueued()
    assert marks.asked_of([1, 2, 3, 4]) == {2: Asked(), 3: Asked()}


def test_what_is_held_ends_with_a_scene_that_has_left_stash(marks):
    marks.ask([1, 2], Asked())
    marks.end(1, Asked(), Held(whole=True), {})
    marks.end(2, Asked(), Held(whole=True), {})
    marks.ask([2], Asked(3))
    marks.forget(1)
    marks.forget(2)
    # While it is still to be put back, it stays held.
    assert [marks.held(1), marks.held(2)] == [Held(), Held(whole=True)]


def test_held_scenes_are_found_among_their_neighbours(marks):
    marks.ask(range(1, 7), Asked())
    held = {
        1: Held(whole=True), 2: Held(fields=TITLE | STUDIO), 3: Held(), 4: Held(whole=True),
        6: Held(fields=TITLE),
    }  # fmt: skip
    for number, one in held.items():
        marks.end(number, Asked(), one, {})
    assert marks.held_scenes() == [1, 4]
    assert marks.held_of([]) == {}
    assert marks.held_of([4, 3, 2, 9]) == {4: held[4], 2: held[2]}
    assert marks.held_of([2, 6]) == {2: held[2], 6: held[6]}
    assert [bool(one) for one in held.values()] == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("asked", "is_read"),
    [
        ("no JSON", Asked(job=7)),
        ('{"run": "3", "fields": "title"}', Asked(job=7)),
        ('{"run": 3, "fields": ["fog", "title"]}', Asked(3, TITLE, 7)),
        ('{"run": 3, "fields": [], "then": 4, "had": 5}', Asked(3, job=7)),
        ('{"run": 3, "fields": [], "then": ["odd"], "had": {}}', Asked(3, job=7)),
    ],
)
def test_a_damaged_mark_asks_for_what_can_be_read(database, marks, asked, is_read):
    marks.ask([1], Asked(3, job=7))
    database.execute("UPDATE undo SET asked = ?", (asked,))
    assert marks.asked_of([1]) == {1: is_read}
    assert marks.end(1, is_read, Held(), {"back": 2}) is False
    assert marks.outcomes([1]) == [(1, {"back": 2})]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("", Held()), ("all", Held(whole=True)), ('["title", "fog"]', Held(fields=TITLE)),
        ("no JSON", Held()), ('{"title": 1}', Held()),
    ],
)  # fmt: skip
def test_a_damaged_hold_holds_what_can_be_read(database, marks, text, held):
    marks.ask([1], Asked(3))
    database.execute("UPDATE undo SET held = ?", (text,))
    assert marks.held(1) == held
