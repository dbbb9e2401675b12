"""Lists: filter, order and page, done when a field of the answer asks for it (stash.md §5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Generic, TypeVar

from stash2plex_testing.stash.criteria import StashError, number_of
from stash2plex_testing.stash.filters import Predicate
from stash2plex_testing.stash.library import Library, Table
from stash2plex_testing.stash.records import Entity, Marker, Record, Scene
from stash2plex_testing.stash.sorts import sort_key, tie_break

Row = TypeVar("Row", bound=Record)

PER_PAGE = 25
"""Rows per page by default (stash.md §5.1)."""


def search_text(row: Record) -> str:
    """Return the text that `q` looks through."""
    if isinstance(row, Scene):
        return " ".join([row.title or "", row.details or "", *(file.path for file in row.files)])
    if isinstance(row, Entity):
        aliases = getattr(row, "alias_list", None) or getattr(row, "aliases", None) or ()
        return " ".join([row.name, aliases] if isinstance(aliases, str) else [row.name, *aliases])
    return row.title if isinstance(row, Marker) else ""


class Found(Generic[Row]):
    """The answer of a `find…s` query. Counting and paging cost nothing until asked for."""

    def __init__(
        self,
        table: Table[Row],
        kind: str,
        library: Library,
        *,
        test: Predicate | None,
        bounds: tuple[float, float],
        paging: Mapping[str, Any],
    ) -> None:
        self._table = table
        self._test = test
        self._bounds = bounds
        self._q = str(paging.get("q") or "").casefold().split()
        page = paging.get("page")
        per_page = paging.get("per_page")
        self._per_page = PER_PAGE if per_page is None else int(per_page)
        self._skip = (max(int(page or 1), 1) - 1) * max(self._per_page, 0)
        self._descending = paging.get("direction") == "DESC"
        self._sort = paging.get("sort")
        # A scene without a sort has no direction either.
        self._unsorted = kind == "scene" and not self._sort
        # A search reads other tables, and finds scenes by their ids.
        self._key = sort_key(kind, "id" if self._unsorted and self._q else self._sort, library)

    def _matches(self) -> Iterable[Row]:
        rows: Iterable[Row] = self._table.between(*self._bounds)
        if self._test is not None:
            rows = filter(self._test, rows)
        if self._q:
            words = self._q
            rows = (
                row for row in rows if all(word in search_text(row).casefold() for word in words)
            )
        return rows

    @cached_property
    def all_rows(self) -> list[Row]:
        """Every row that fits, by id."""
        return list(self._matches())

    @property
    def count(self) -> int:
        """How many rows fit, on all pages."""
        return len(self.all_rows)

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The rows of the page that was asked for."""
        if self._per_page == 0:
            return []
        stop = None if self._per_page < 0 else self._skip + self._per_page
        if self._sort == "id" and not self._descending:
            # By id they are in order already: a sweep's page costs only its length.
            return list(islice(self._matches(), self._skip, stop))
        keyed = [(_nulls_first(self._key(row)), row) for row in self.all_rows]
        keyed.sort(key=itemgetter(0), reverse=self._descending and not self._unsorted)
        start, end = self._skip, len(keyed) if stop is None else min(stop, len(keyed))
        if self._unsorted or start >= end:
            return [row for _, row in keyed[start:end]]
        return self._page(keyed, start, end)

    def _page(self, keyed: list[tuple[Any, Row]], start: int, end: int) -> list[Row]:
        """Order the rows of equal value on a page, which may begin before it and end after it."""
        low, high = start, end
        while low and keyed[low - 1][0] == keyed[start][0]:
            low -= 1
        while high < len(keyed) and keyed[high][0] == keyed[end - 1][0]:
            high += 1
        rows: list[Row] = []
        for _, equal in groupby(keyed[low:high], key=itemgetter(0)):
            rows += sorted((row for _, row in equal), key=tie_break)
        return rows[start - low : end - low]


class Chosen(Generic[Row]):
    """The answer of a `find…s` query with `ids`: their order, no paging (stash.md §5.1)."""

    def __init__(self, table: Table[Row], ids: Iterable[object], kind: str) -> None:
        texts = list(ids)
        repeated = [text for text in texts if isinstance(text, str) and texts.count(text) > 1]
        if repeated:
            raise StashError(f"validating ids: duplicate id found: {repeated[0]}")
        try:
            numbers = [number_of(text) for text in texts]
        except StashError as error:
            raise StashError(f"converting ids: {error}") from None
        for index, number in enumerate(numbers):
            # A repeated number has one row only, so that its second place stays empty.
            if number not in table or number in numbers[:index]:
                raise StashError(f"{kind} with id {number} not found")
        self.rows: list[Row] = [table[number] for number in numbers]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def all_rows(self) -> list[Row]:
        """The same rows: there is one page."""
        return self.rows


def _nulls_first(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def id_bounds(values: Mapping[str, Any] | None) -> tuple[float, float]:
    """Read the range of ids that a scene filter can let through at all.

    A sweep asks for ids above the last one; looking at every scene for each page would make it
    quadratic. The filter itself still has the last word.
    """
    values = values or {}
    criterion = values.get("id")
    if not criterion or values.get("OR") is not None:
        return (0, float("inf"))
    value = criterion["value"]
    ranges: dict[str, tuple[float, float]] = {
        "EQUALS": (value, value),
        "GREATER_THAN": (value + 1, float("inf")),
        "LESS_THAN": (0, value - 1),
        "BETWEEN": (value, criterion.get("value2") or 0),
    }
    return ranges.get(criterion["modifier"], (0, float("inf")))
