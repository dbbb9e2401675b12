"""What cannot be read together is read apart: every good part arrives, each bad one is named."""

from __future__ import annotations

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.errors import (
    SERVER,
    SLOW,
    NotFound,
    Refused,
    Rejected,
    TooLarge,
    Transient,
    Unavailable,
)
from stash2plex.servers.apart import MAX_SLOW, BatchReader, ReadItems, may_be_part
from stash2plex.servers.paging import MAX_LOST, read_pages
from tests.support import make_item

BROKEN = Unavailable("Plex", "Plex answered with 500.")
HUNG = Unavailable("Plex", "Plex did not answer in time.", cause=SLOW)


class Server:
    """Reads items, unless a bad one is among them; counts its requests."""

    def __init__(self, there, bad=(), error=BROKEN):
        self.there, self.bad, self.error = list(there), set(bad), error
        self.asked = []

    def read(self, keys):
        self.asked.append(tuple(keys))
        if self.bad.intersection(keys):
            raise self.error
        if len(keys) > 1 and not set(keys).intersection(self.there):
            raise NotFound("Plex", "404")
        return ReadItems({key: make_item(rating_key=key) for key in keys if key in self.there})


def keys(number):
    return [str(one) for one in range(number)]


@given(st.sets(st.integers(0, 99), max_size=12), st.integers(1, 100))
def test_whatever_is_bad_in_a_batch_the_others_are_read(bad, number):
    wanted = keys(number)
    server = Server([*wanted, "witness"], {str(one) for one in bad})
    found = BatchReader(server.read).rows(wanted, "witness")
    assert found.keys() == set(wanted) - server.bad
    assert found.unreadable.keys() == set(wanted) & server.bad
    lost = len(found.unreadable)
    assert len(server.asked) <= 5 + 16 * lost
    assert all(isinstance(error, Transient) for error in found.unreadable.values())


@pytest.mark.parametrize("place", [0, 1, 99, 100, 198, 199])
@pytest.mark.parametrize(
    "error",
    [BROKEN, HUNG, TooLarge("Plex", "64 MiB"), NotFound("Plex", "404"), Rejected("Plex", "400")],
    ids=str,
)
def test_a_bad_item_at_any_place(place, error):
    server = Server(keys(200), [str(place)], error)
    reader = BatchReader(server.read)
    found = reader.rows(keys(200), "")
    assert len(found) == 199
    assert [(key, "Item " + key in why.what) for key, why in found.unreadable.items()] == [
        (str(place), True)
    ]
    assert len(server.asked) <= 22
    server.asked.clear()
    assert len(reader.rows(keys(200), "")) == 199
    assert len(server.asked) <= 3, "what was bad is asked for alone the next time"


def test_a_server_that_fails_everywhere_is_asked_a_few_times_only():
    for error, most in ((BROKEN, 5), (HUNG, 4)):
        server = Server(keys(300), keys(300), error)
        with pytest.raises(Unavailable) as caught:
            BatchReader(server.read).rows(keys(200), "250")
        assert caught.value is error
        assert len(server.asked) <= most


@pytest.mark.parametrize(
    "error",
    [
        Refused("Plex", "401"),
        Unavailable("Plex", "no connection", scope=SERVER),
        Unavailable("Plex", "429", retry_after=30.0),
    ],
)
def test_what_is_surely_the_server_is_not_asked_again(error):
    server = Server(keys(200), ["7"], error)
    with pytest.raises(type(error)):
        BatchReader(server.read).rows(keys(200), "")
    assert len(server.asked) == 1
    assert not may_be_part(error)


def test_a_single_item_is_bad_only_where_another_one_is_shown():
    server = Server(["1", "2"], ["1"])
    found = BatchReader(server.read).rows(["1"], "2")
    assert (dict(found), list(found.unreadable)) == ({}, ["1"])
    with pytest.raises(Unavailable):
        BatchReader(server.read).rows(["1"], "")
    with pytest.raises(Unavailable, match="500"):
        BatchReader(server.read).rows(["1"], "gone")
    reader = BatchReader(server.read)
    reader.rows(["2"], "")
    assert list(reader.rows(["1"], "").unreadable) == ["1"], "what was read well is a witness"


def test_items_that_are_gone_are_absent_and_cost_little():
    server = Server(["1"])
    found = BatchReader(server.read).rows(keys(200)[2:], "")
    assert (dict(found), found.unreadable) == ({}, {})
    assert len(server.asked) == 4


def test_many_items_that_hang_end_the_reading():
    server = Server(keys(200), keys(200)[10 : 11 + MAX_SLOW], HUNG)
    with pytest.raises(Unavailable):
        BatchReader(server.read).rows(keys(200), "")


# -- pages -------------------------------------------------------------------------------------


@frozen
class Part:
    rows: tuple[object, ...]
    received: int
    total: int | None
    first: str


class List:
    """A list of rows, some of which spoil each page that shows them."""

    def __init__(self, size, bad=(), *, total=True, most=None, error=BROKEN):
        self.size, self.bad, self.error = size, set(bad), error
        self.total, self.most = total, most
        self.asked = []

    def read(self, start, size):
        self.asked.append((start, size))
        rows = range(self.size)[start : start + min(size, self.most or size)]
        if self.bad.intersection(rows):
            raise self.error
        total = self.size if self.total else None
        return Part(tuple(rows), len(rows), total, str(rows[0]) if rows else "")

    def lost(self, start, _error):
        return Part((("lost", start),), 1, self.size if self.total else None, "")

    def all(self, size):
        return [row for page in read_pages(self.read, self.lost, size) for row in page.rows]


@given(
    st.integers(0, 90), st.sets(st.integers(0, 89), max_size=9), st.booleans(),
    st.none() | st.integers(1, 30), st.integers(1, 40),
)  # fmt: skip
def test_every_row_of_a_list_is_read_or_lost_once_in_its_order(size, bad, total, most, page):
    here = {row for row in bad if row < size}
    listed = List(size, here, total=total, most=most)
    # A page whose first, last and middle row are bad counts as one of nothing but bad rows.
    failing = any({start, start + page // 2, start + page - 1} <= here for start in range(size))
    try:
        rows = listed.all(page)
    except Unavailable:
        assert failing
        return
    assert rows == [("lost", row) if row in here else row for row in range(size)]


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("bad", [[0], [499], [500], [777], [1199], [3, 4], [10, 700], []])
def test_a_list_of_three_pages_with_bad_rows(bad, total):
    listed = List(1200, bad, total=total)
    rows = listed.all(500)
    assert [row for row in rows if isinstance(row, int)] == sorted(set(range(1200)) - set(bad))
    assert len(listed.asked) <= 4 + 22 * len(bad)


def test_a_list_without_total_ends_with_an_empty_page_or_with_the_first_one_again():
    listed = List(1000, total=False)
    assert len(listed.all(500)) == 1000
    assert listed.asked == [(0, 500), (500, 500), (1000, 500)]
    whole = List(30, total=False)
    read = whole.read
    setattr(whole, "read", lambda _start, _size: read(0, 30))  # noqa: B010 - a list that ignores its pages
    assert whole.all(500) == list(range(30))
    assert whole.all(10) == list(range(30))


def test_a_list_that_fails_everywhere_or_for_too_many_rows_ends():
    for error in (BROKEN, HUNG):
        listed = List(900, range(900), error=error)
        with pytest.raises(Unavailable):
            listed.all(500)
        assert len(listed.asked) <= 4
    half = List(900, range(0, 900, 2))
    with pytest.raises(Unavailable):
        half.all(500)
    assert len(half.asked) <= 6 * MAX_LOST
