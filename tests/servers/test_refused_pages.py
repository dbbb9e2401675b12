"""Lists that cannot be read at once: what is asked once the server as a whole fails in between."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import frozen

from stash2plex.errors import SLOW, Refused, Transient, Unavailable
from stash2plex.servers.apart import MAX_SLOW, ReadScenes
from stash2plex.servers.paging import MAX_LOST, read_pages
from stash2plex.servers.scenepages import MAX_FILTER_ID, ScenePages, _Walk
from tests.support import make_scene

BROKEN = Unavailable("Stash", "Stash answered with 500.")
HUNG = Unavailable("Stash", "Stash did not answer in time.", cause=SLOW)
REFUSED = Refused("Stash", "Stash wants a log-in.")


@frozen
class Part:
    rows: tuple[object, ...]
    received: int
    total: int | None
    first: str


class Script:
    """Answers questions in the order that a test sets, and keeps what it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked: list[Any] = []

    def __call__(self, *question):
        self.asked.append(question)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def part(*rows, total=None):
    return Part(rows, len(rows), total, str(rows[0]) if rows else "")


def read_all(script, size=4):
    def lost(start, error):
        return Part((("lost", start, str(error)),), 1, None, "")

    return [row for page in read_pages(script, lost, size) for row in page.rows]


def test_a_refusal_while_a_page_is_taken_apart_is_raised_as_it_is():
    # While the rows are tried that show whether the list can be read at all.
    script = Script(BROKEN, BROKEN, REFUSED)
    with pytest.raises(Refused):
        read_all(script)
    assert script.asked == [(0, 4), (3, 1), (0, 1)]
    # While the halves are read.
    script = Script(BROKEN, part("d"), BROKEN, REFUSED)
    with pytest.raises(Refused):
        read_all(script)
    assert script.asked == [(0, 4), (3, 1), (0, 2), (0, 1)]


def test_the_rows_of_a_page_that_fails_are_read_in_halves():
    script = Script(BROKEN, BROKEN, part("a"), part("a", "b"), BROKEN, BROKEN, part("d"), part())
    assert read_all(script) == ["a", "b", ("lost", 2, "Stash answered with 500."), "d"]
    assert script.asked == [
        (0, 4), (3, 1), (0, 1), (0, 2), (2, 2), (2, 1), (3, 1), (4, 4),
    ]  # fmt: skip


def test_a_page_that_takes_too_long_is_tried_at_its_ends_alone():
    script = Script(HUNG, HUNG, HUNG)
    with pytest.raises(Unavailable):
        read_all(script)
    assert script.asked == [(0, 4), (3, 1), (0, 1)]
    script = Script(BROKEN, BROKEN, BROKEN, BROKEN)
    with pytest.raises(Unavailable):
        read_all(script)
    assert script.asked == [(0, 4), (3, 1), (0, 1), (2, 1)]


def test_a_half_that_ends_early_is_the_end_of_the_list():
    script = Script(BROKEN, part("d"), part("a"), part())
    assert read_all(script) == ["a"]
    assert script.asked == [(0, 4), (3, 1), (0, 2), (1, 1)]


@pytest.mark.parametrize(("error", "most"), [(BROKEN, MAX_LOST), (HUNG, MAX_SLOW)])
def test_so_many_rows_may_be_lost_and_no_more(error, most):
    def lose(number):
        """Read pages of one row each: every one fails, and the row itself is the only witness."""
        rows = Script(*[error, part("x"), error, part("y")] * number, part())
        return read_all(rows, size=2)

    assert len(lose(most)) == 2 * most
    with pytest.raises(Unavailable):
        lose(most + 1)


# -- scenes -----------------------------------------------------------------------------------


class Stashed:
    """Scenes of Stash by pages, by lists of ids, and by ids, each as a test sets them."""

    def __init__(self, pages=(), lists=(), bad=()):
        self.page, self.list, self.bad = Script(*pages), Script(*lists), set(bad)
        self.read: list[list[int]] = []

    def scenes(self, ids):
        self.read.append(list(ids))
        good = {id_: make_scene(id_) for id_ in ids if id_ not in self.bad}
        return ReadScenes(good, {id_: BROKEN for id_ in ids if id_ in self.bad})

    def pages(self):
        return ScenePages(self.list, self.page, self.scenes)


def test_a_page_of_scenes_that_can_be_read_is_one_request():
    stash = Stashed(pages=[[make_scene(4), make_scene(9)], [], [make_scene(3)]])
    page = stash.pages().page(3, {}, 2)
    assert (page.last, page.ended, page.ids) == (9, False, {4, 9})
    page = stash.pages().page(9, {}, 2)
    assert (page.last, page.ended, page.scenes) == (9, True, ())
    assert stash.pages().page(2, {}, 2).ended
    assert stash.page.asked == [(3, {}, 2), (9, {}, 2), (2, {}, 2)]


def test_a_page_whose_scenes_cannot_be_read_together_is_read_by_ids():
    stash = Stashed(pages=[BROKEN], lists=[[4, 5, 9]], bad=[5])
    page = stash.pages().page(3, {"a": 1}, 3)
    assert [scene.id for scene in page.scenes] == [4, 9]
    assert (page.last, page.ended, list(page.unreadable)) == (9, False, [5])
    assert stash.list.asked == [(3, {"a": 1}, 3, 1)]
    assert page.ids == {4, 5, 9}


def test_a_scene_that_spoils_every_list_is_passed_over_and_named():
    # The list of 2 fails, an empty one works; the first half fails, its next scene is 8.
    stash = Stashed(pages=[BROKEN], lists=[BROKEN, [], BROKEN, [8], [8]], bad=[6])
    page = stash.pages().page(4, {}, 2)
    assert [scene.id for scene in page.scenes] == [5, 7, 8]
    assert (list(page.unreadable), page.last, page.ended) == ([6], 8, False)
    assert stash.list.asked == [
        (4, {}, 2, 1), (MAX_FILTER_ID, {}, 1, 1), (4, {}, 1, 1), (4, {}, 1, 2), (7, {}, 1, 1),
    ]  # fmt: skip


def test_a_stash_that_gives_not_even_an_empty_list_fails_as_a_whole():
    stash = Stashed(pages=[BROKEN], lists=[HUNG, BROKEN])
    with pytest.raises(Unavailable) as met:
        stash.pages().page(4, {}, 2)
    assert met.value is HUNG


@pytest.mark.parametrize(
    "lists",
    [
        [REFUSED],
        [BROKEN, [], REFUSED],
        # While the scene behind the bad one is looked for.
        [BROKEN, [], BROKEN, REFUSED],
    ],
)
def test_a_refusal_in_between_is_raised_as_it_is(lists):
    stash = Stashed(pages=[BROKEN], lists=lists, bad=[5])
    with pytest.raises(Refused):
        stash.pages().page(4, {}, 2)
    assert stash.list.answers == []


@pytest.mark.parametrize(("error", "most"), [(BROKEN, MAX_LOST), (HUNG, MAX_SLOW)])
def test_so_many_scenes_may_be_passed_over_and_no_more(error, most):
    def list_ids(after, _criteria, _size, page):
        """Fail with every list, but for the empty one, and for the one behind a bad scene."""
        if after == MAX_FILTER_ID:
            return []
        if page == 1:
            raise error
        return [after + 2]

    def walk(number):
        stash = Stashed(pages=[error], bad=range(5, 5 + number))
        return ScenePages(list_ids, stash.page, stash.scenes).page(4, {}, number)

    assert list(walk(most).unreadable) == list(range(5, 5 + most))
    with pytest.raises(Unavailable) as met:
        walk(most + 1)
    assert met.value is error


def test_a_gap_in_which_every_scene_can_be_read_explains_nothing():
    stash = Stashed(pages=[BROKEN], lists=[BROKEN, [], BROKEN, [8]])
    with pytest.raises(Unavailable) as met:
        stash.pages().page(4, {}, 2)
    assert met.value is BROKEN
    assert stash.read == [[5, 6, 7]]


def test_the_next_scene_behind_one_that_spoils_the_list():
    spoilt = Transient("Stash", "Stash answered with an error.")

    def following(*answers: Any) -> int | None:
        left = list(answers)

        def list_ids(*_: object) -> list[int]:
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return list(answer)

        pages = ScenePages(list_ids, fail, fail)
        return _Walk(pages, {}, 3)._following(spoilt)

    def fail(*_: object) -> Any:
        raise AssertionError("no scene is to be read")

    assert following([7]) == 7
    assert following(spoilt, [9]) == 9
    assert following([]) is None
    with pytest.raises(Transient):
        following(spoilt, spoilt, spoilt)
    # A Stash that lets nobody in is not a scene that spoils a list.
    with pytest.raises(Refused):
        following(Refused("Stash", "Stash wants a log-in."), [9])
