"""Lists: filter, order and page, done when a field of the answer asks for it (stash.md §5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, Generic, TypeVar

from stash2plex_testing.stash.criteria import StashError, number_of
from stash2plex_testing.stash.filters import Predicate
from stash2plex_testing.stash.library import Table
from stash2plex_testing.stash.records import Entity, Marker, Record, Scene

Row = TypeVar("Row", bound=Record)
Key = Callable[[Any], Any]

PER_PAGE = 25
"""Rows of a page where the request does not say (stash.md §5.1)."""


def _path(scene: Scene) -> str | None:
    return scene.files[0].path if scene.files else None


SCENE_SORTS: Mapping[str, Key] = {
    "id": lambda scene: scene.id,
    "title": lambda scene: (scene.title or _path(scene) or "").casefold(),
    "date": lambda scene: scene.date,
    "rating": lambda scene: scene.rating100,
    "code": lambda scene: scene.code,
    "path": _path,
    "filesize": lambda scene: scene.files[0].size if scene.files else None,
    "duration": lambda scene: scene.files[0].duration if scene.files else None,
    "file_count": lambda scene: len(scene.files),
    "file_mod_time": lambda scene: scene.files[0].mod_time if scene.files else None,
    "created_at": lambda scene: scene.created_at,
    "updated_at": lambda scene: scene.updated_at,
    "last_played_at": lambda scene: max(scene.plays, default=None),
    "play_count": lambda scene: len(scene.plays),
    "o_counter": lambda scene: len(scene.orgasms),
    "last_o_at": lambda scene: max(scene.orgasms, default=None),
    "tag_count": lambda scene: len(scene.tags),
    "performer_count": lambda scene: len(scene.performers),
    "organized": lambda scene: scene.organized,
    "random": lambda scene: hash((scene.id, "random")),
}

OTHER_SORTS: Mapping[str, Key] = {
    "id": lambda row: row.id,
    "name": lambda row: row.name.casefold(),
    "sort_name": lambda row: (getattr(row, "sort_name", None) or row.name).casefold(),
    "date": lambda row: getattr(row, "date", None),
    "rating": lambda row: getattr(row, "rating100", None),
    "created_at": lambda row: row.created_at,
    "updated_at": lambda row: row.updated_at,
    "random": lambda row: hash((row.id, "random")),
}

FILE_SORTS: Mapping[str, Key] = {
    "id": lambda row: row.id,
    "path": lambda row: row.path,
    "created_at": lambda row: row.created_at,
    "updated_at": lambda row: row.updated_at,
}

MARKER_SORTS: Mapping[str, Key] = {
    "id": lambda row: row.id,
    "title": lambda row: row.title.casefold(),
    "seconds": lambda row: row.seconds,
    "created_at": lambda row: row.created_at,
    "updated_at": lambda row: row.updated_at,
}


def search_text(row: Record) -> str:
    """Give the text that `q` looks through."""
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
        sorts: Mapping[str, Key],
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
        self._sort = str(paging.get("sort") or "")
        name = "random" if self._sort.startswith("random_") else self._sort
        if name and name not in sorts:
            raise StashError(f"invalid sort: {name}")
        self._key = sorts[name] if name else None

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
        if self._key is None or (self._sort == "id" and not self._descending):
            # By id they come by themselves: a sweep's page costs its own length only.
            return list(islice(self._matches(), self._skip, stop))
        key = self._key
        rows = sorted(self.all_rows, key=_tie_break)
        rows.sort(key=lambda row: _nulls_first(key(row)), reverse=self._descending)
        return rows[self._skip : stop]


class Chosen(Generic[Row]):
    """The answer of a `find…s` query with `ids`: their order, no paging (stash.md §5.1)."""

    def __init__(self, table: Table[Row], ids: Iterable[object], kind: str) -> None:
        self.rows: list[Row] = []
        seen = set()
        for text in ids:
            number = number_of(text)
            row = table.get(number)
            # A repeated id has one row only, so that its second place stays empty.
            if row is None or number in seen:
                raise StashError(f"{kind} with id {number} not found")
            seen.add(number)
            self.rows.append(row)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def all_rows(self) -> list[Row]:
        """The same rows: there is one page."""
        return self.rows


def _tie_break(row: Record) -> str:
    """Order rows of equal value by title, or by id as text where there is none (§5.1)."""
    return str(getattr(row, "title", None) or getattr(row, "name", None) or row.id).casefold()


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
