"""Pages through a list; a page that cannot be read is halved, down to the bad row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from attrs import define, field

from stash2plex.errors import SLOW, ServerError
from stash2plex.servers.apart import MAX_SLOW, may_be_part

MAX_LOST = 50
"""How many rows of a list may fail alone before the whole list counts as failed."""


class Page(Protocol):
    """Part of a list, for a start and a size."""

    @property
    def received(self) -> int:
        """How many rows the page holds."""

    @property
    def total(self) -> int | None:
        """How many rows the whole list holds; None if the server does not report it."""

    @property
    def first(self) -> str:
        """What identifies the first row; empty if there is none."""


P = TypeVar("P", bound=Page)
Read = Callable[[int, int], P]
"""Reads a number of rows from a start on: (start, size)."""


def read_pages(read: Read[P], lost: Callable[[int, ServerError], P], size: int) -> Iterator[P]:
    """Page through a list by rows received: a page may be shorter than asked for (plex.md §2.2).

    Ends at the total, or at an empty page if there is no total. `lost` makes the page for a row
    that fails alone. Raises the error of a list that fails as a whole.
    """
    walk = _Walk(read, lost)
    start, before = 0, ""
    while True:
        for page in walk.rows(start, size):
            if page.first and page.first == before:
                # The server does not support pages: this is the first one again.
                return
            yield page
            start += page.received
            if not page.received or page.received > size or _is_last(page, start):
                return
            before = page.first


def _is_last(page: Page, read: int) -> bool:
    return page.total is not None and read >= page.total


@define
class _Walk(Generic[P]):
    """One pass through a list that counts the lost rows."""

    read: Read[P]
    lost: Callable[[int, ServerError], P]
    _lost: int = field(init=False, default=0)
    _slow: int = field(init=False, default=0)

    def rows(self, start: int, size: int) -> Iterator[P]:
        """Read `size` rows as one page, or as the pages that can be read."""
        try:
            yield self.read(start, size)
        except ServerError as error:
            if not may_be_part(error) or not self._answers(start, size, error):
                raise
            middle = (size + 1) // 2
            yield from self._span(start, start + middle)
            yield from self._span(start + middle, start + size)

    def _answers(self, start: int, size: int, error: ServerError) -> bool:
        """Return whether the list can be read at all: the first, last or middle row of a page."""
        places = (size - 1, 0) if error.cause == SLOW else (size - 1, 0, size // 2)
        for place in dict.fromkeys(places):
            try:
                self.read(start + place, 1)
            except ServerError as failure:
                if not may_be_part(failure):
                    raise
            else:
                return True
        return False

    def _span(self, start: int, end: int) -> Iterator[P]:
        """Read the rows from `start` up to `end`; after a failure, read both halves."""
        while start < end:
            try:
                page = self.read(start, end - start)
            except ServerError as error:
                if not may_be_part(error):
                    raise
                if end - start == 1:
                    yield self._lose(start, error)
                    return
                middle = (start + end + 1) // 2
                yield from self._span(start, middle)
                start = middle
            else:
                yield page
                start += page.received

    def _lose(self, place: int, error: ServerError) -> P:
        self._lost += 1
        self._slow += error.cause == SLOW
        if self._lost > MAX_LOST or self._slow > MAX_SLOW:
            raise error
        return self.lost(place, error)
