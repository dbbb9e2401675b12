"""Reads the lists of Plex's libraries: their files, and what changed in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Protocol
from urllib.parse import quote, urlencode

from attrs import define, evolve, frozen
from cattrs import Converter

from stash2plex.errors import ServerError, Transient
from stash2plex.model import PlexFile
from stash2plex.servers.paging import read_pages
from stash2plex.servers.plexwire import (
    OddRow,
    WireContainer,
    WireRow,
    files_of,
    is_blind,
    opaque,
    read_rows,
)

MOVIE = "1"
"""Plex's type number of movies and other videos (plex.md §2.1)."""

LIST_PAGE = 500
"""Rows per list page; larger pages gain nothing, the cost is per row (plex.md §2.2)."""

LIST_TRIM = urlencode(
    {
        "excludeElements": "Genre,Country,Director,Writer,Producer,Role,Collection,Guid,Rating,"
        "Image,UltraBlurColors,Label,Field,Similar",
        "excludeFields": "summary,tagline,art,thumb,titleSort,contentRating,ratingImage,"
        "audienceRatingImage,audienceRating,studio,chapterSource",
        "includeGuids": "0",
    }
)
"""Asks for rows with little more than the files; a server may ignore it (plex.md §2.2)."""

KEY_TRIM = LIST_TRIM.replace("excludeElements=", "excludeElements=Media%2C")
"""Asks for rows with only the key and the times."""


@frozen
class ListPage:
    """One page of a library's list: its files, the newest `addedAt`, and the total of items.

    `odd` are the known rows that cannot be read. `blind` counts the items with
    files whose names Plex does not show to this user.
    """

    files: tuple[PlexFile, ...]
    newest_added_at: int
    rows: int
    total: int
    odd: tuple[OddRow, ...] = ()
    blind: int = 0


class Get(Protocol):
    """Sends a GET to Plex."""

    def __call__(
        self,
        path: str,
        doing: str,
        headers: Mapping[str, str] | None = None,
        *,
        most_seconds: float = inf,
    ) -> WireContainer:
        """Read a path; `doing` is its name in messages."""


@frozen
class Rows:
    """A page of rows for `paging`, good and odd ones."""

    good: tuple[WireRow, ...]
    odd: tuple[OddRow, ...]
    received: int
    total: int | None
    first: str
    files: tuple[PlexFile, ...] = ()


@define
class PlexLists:
    """Reads lists with `get`; `paths_of` reads the files of an item whose row is unreadable."""

    get: Get
    converter: Converter
    paths_of: Callable[[str], Sequence[tuple[str, int | None]]]

    def page(
        self,
        section_id: str,
        start: int,
        added_after: int | None,
        *,
        size: int = LIST_PAGE,
        most_seconds: float = inf,
    ) -> ListPage:
        """Read one page of files."""
        rows = self._rows(
            section_id,
            _files_query(added_after),
            start,
            size,
            "a list page",
            most_seconds=most_seconds,
        )
        return _list_page(section_id, rows, start)

    def files(self, section_id: str, added_after: int | None) -> Iterator[ListPage]:
        """Page through the files of a library."""
        query = _files_query(added_after)
        keys_only = query.replace(LIST_TRIM, KEY_TRIM)

        def read(start: int, size: int) -> Rows:
            return self._rows(section_id, query, start, size, "a list page")

        def lost(start: int, _: ServerError) -> Rows:
            return self._without_list(section_id, keys_only, start)

        start, last = 0, ""
        for rows in read_pages(read, lost, LIST_PAGE):
            page = _list_page(section_id, rows, start)
            place = start + 1 if rows.received == 1 else 0
            odd = tuple(evolve(row, after=last, place=place) for row in page.odd)
            yield evolve(page, odd=odd)
            start += rows.received
            last = page.files[-1].path if page.files else last

    def newest_update(self, section_id: str) -> int:
        """Return when an item was last edited, by Plex's clock; 0 if that cannot be read."""
        rows = self._rows(
            section_id, f"sort=updatedAt%3Adesc&{KEY_TRIM}", 0, 1, "its newest change"
        )
        return max((row.updatedAt for row in rows.good), default=0)

    def changed_since(self, section_id: str, time_name: str, after: int) -> Iterator[list[str]]:
        """Page through the keys of items that changed after a moment."""
        query = f"sort=id&{quote(time_name, safe='')}%3E%3E={int(after)}&{KEY_TRIM}"

        def read(start: int, size: int) -> Rows:
            rows = self._rows(section_id, query, start, size, "what changed")
            if rows.odd:
                raise Transient("Plex", f"Plex's list has {rows.odd[0].words()}, not readable.")
            return rows

        def lost(_: int, error: ServerError) -> Rows:
            raise error

        for rows in read_pages(read, lost, LIST_PAGE):
            yield [row.ratingKey for row in rows.good]

    def _without_list(self, section_id: str, keys_only: str, start: int) -> Rows:
        """Read a row that the list cannot show: first its key, then its files from its details."""
        nameless = Rows((), (OddRow("", ""),), 1, None, "")
        try:
            rows = self._rows(section_id, keys_only, start, 1, "the key of an item")
            if not rows.good:
                # Still odd, or past the end of the list.
                return rows
            key = rows.good[0].ratingKey
            files = [PlexFile(section_id, key, path, size) for path, size in self.paths_of(key)]
        except ServerError:
            return nameless
        odd = () if files else (OddRow(key, rows.good[0].title),)
        return Rows((), odd, 1, rows.total, key, tuple(files))

    def _rows(
        self,
        section_id: str,
        query: str,
        start: int,
        size: int,
        doing: str,
        *,
        most_seconds: float = inf,
    ) -> Rows:
        container = self.get(
            f"/library/sections/{opaque(section_id)}/all?type={MOVIE}&{query}",
            doing,
            {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)},
            most_seconds=most_seconds,
        )
        good, odd = read_rows(self.converter, container.Metadata)
        first = good[0].ratingKey if good else odd[0].rating_key if odd else ""
        received = len(container.Metadata)
        return Rows(tuple(good), tuple(odd), received, container.totalSize, first)


def _files_query(added_after: int | None) -> str:
    query = f"sort=id&{LIST_TRIM}"
    return query if added_after is None else f"{query}&addedAt%3E%3E={int(added_after)}"


def _list_page(section_id: str, rows: Rows, start: int) -> ListPage:
    here = [row for row in rows.good if row.deletedAt is None]
    files = [
        PlexFile(section_id, row.ratingKey, path, size)
        for row in here
        for path, size in files_of(row)
    ]
    return ListPage(
        (*files, *rows.files),
        max((row.addedAt for row in here), default=0),
        rows.received,
        rows.total if rows.total is not None else start + rows.received,
        rows.odd,
        sum(is_blind(row) for row in here),
    )
