"""Lists of Plex and small questions to Stash: rows that are lost, gone, or too long to send."""

from __future__ import annotations

from math import inf
from typing import Any, cast

import pytest

from stash2plex.errors import NotFound, Transient, Unavailable
from stash2plex.model import Change, Field, ListChange, PlexFile
from stash2plex.servers.plexedit import edit_query, fitting_edits
from stash2plex.servers.plexlists import PlexLists
from stash2plex.servers.plexwire import WireContainer
from stash2plex.servers.stash_link import StashLink
from stash2plex.servers.stash_lists import SceneLook, look_at_scene
from stash2plex.servers.wire import make_converter

BROKEN = Unavailable("Plex", "Plex answered with 500.")
HOLDS = "X-Plex-Container-"


class Library:
    """A library whose list fails as a test wants; it keeps which rows it was asked for."""

    def __init__(self, rows, fails):
        self.rows, self.fails = rows, fails
        self.asked: list[tuple[str, int, int]] = []

    def get(self, path, doing, headers=None, *, most_seconds=inf):
        start, size = (int(headers[HOLDS + name]) for name in ("Start", "Size"))
        self.asked.append((doing, start, size))
        if self.fails(doing, start, size):
            raise BROKEN
        rows = self.rows[start : start + size]
        return WireContainer(Metadata=rows, totalSize=len(self.rows))

    def lists(self, paths=()):
        def paths_of(key):
            if not paths:
                raise NotFound("Plex", "Gone.")
            return paths

        return PlexLists(self.get, make_converter(), paths_of)


def row(key, **more):
    return {"ratingKey": key, "Media": [{"Part": [{"file": f"/m/{key}.mp4", "size": 5}]}], **more}


ROWS = [row(str(key)) for key in range(3)]


def shows(start, size, bad):
    return start <= bad < start + size


def test_what_changed_is_not_read_around_a_row_that_fails():
    library = Library(ROWS, lambda _, start, size: shows(start, size, 1))
    with pytest.raises(Unavailable):
        list(library.lists().changed_since("1", "updatedAt", 5))
    odd = Library([*ROWS, row("9", Media=5)], lambda *_: False)
    with pytest.raises(Transient, match="not readable"):
        list(odd.lists().changed_since("1", "updatedAt", 5))


def files(library, paths=()):
    return list(library.lists(paths).files("1", None))


@pytest.mark.parametrize("key_fails", [True, False])
def test_a_row_that_the_list_cannot_show_is_read_by_its_key(key_fails):
    def fails(doing, start, size):
        listed = doing == "a list page" or key_fails
        return listed and shows(start, size, 1)

    pages = files(Library(ROWS, fails), [("/m/1.mp4", 5)])
    found = [file for page in pages for file in page.files]
    assert found == [
        PlexFile("1", str(key), f"/m/{key}.mp4", 5)
        for key in range(3)
        if not (key_fails and key == 1)
    ]
    odd = [one for page in pages for one in page.odd]
    assert len(odd) == key_fails
    # It is named by its place, and by the file before it.
    assert [(one.after, one.place) for one in odd] == [("/m/0.mp4", 2)] * key_fails


def test_a_row_that_has_no_key_either_stays_odd():
    rows: list[Any] = [ROWS[0], {"title": "The Pier"}, ROWS[2]]
    library = Library(
        rows, lambda doing, start, size: doing == "a list page" and shows(start, size, 1)
    )
    (odd,) = [one for page in files(library) for one in page.odd]
    assert (odd.name, odd.place) == ("The Pier", 2)


def test_a_row_without_details_is_odd_with_its_key():
    library = Library(
        ROWS, lambda doing, start, size: doing == "a list page" and shows(start, size, 1)
    )
    pages = files(library)
    assert [file.rating_key for page in pages for file in page.files] == ["0", "2"]


# -- Stash --------------------------------------------------------------------------------------


class Answers:
    """A link to Stash that answers one question."""

    def __init__(self, answer):
        self.answer = answer
        self.asked: list[Any] = []

    def query(self, text, variables=None):
        self.asked.append(variables)
        return self.answer


@pytest.mark.parametrize(
    ("answer", "look"),
    [
        ({}, None),
        ({"findScene": None}, None),
        ({"findScene": {"date": None, "files": []}}, SceneLook(None, None, None)),
        (
            {
                "findScene": {
                    "date": "2020-01-02",
                    "files": [{"size": 7, "duration": 1.5}, {"size": 8, "duration": 2.5}],
                }
            },
            SceneLook("2020-01-02", 7, 1.5),
        ),
    ],
)
def test_a_scene_is_told_apart_by_date_size_and_length(answer, look):
    link = Answers(answer)
    assert look_at_scene(cast("StashLink", link), 5) == look
    assert link.asked == [{"id": "5"}]


# -- edits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        Change({}, {Field.TAGS: ListChange((), ("x" * 300,))}),
        Change({}, {Field.TAGS: ListChange(("x" * 300,), ())}),
        Change({Field.TITLE: "x" * 300}, {}),
    ],
)
def test_a_single_value_that_is_too_long_is_sent_as_it_is(change):
    assert fitting_edits(change, 100) == [edit_query(change)]


def test_removals_precede_the_wanted_list_and_are_halved():
    stale = tuple(f"{at}{'x' * 40}" for at in range(3))
    change = Change({}, {Field.TAGS: ListChange(("Fog",), stale)})
    room = len(edit_query(Change({}, {Field.TAGS: ListChange((), stale[:2])})))
    assert fitting_edits(change, room) == [
        edit_query(Change({}, {Field.TAGS: part}))
        for part in (
            ListChange((), stale[:1]), ListChange((), stale[1:]), ListChange(("Fog",), ()),
        )
    ]  # fmt: skip
