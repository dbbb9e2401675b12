"""Reads and deletes Plex's collections. Items are put in and taken out by their own edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from attrs import frozen
from cattrs import Converter

from stash2plex.errors import Transient
from stash2plex.servers.plexwire import WireContainer, opaque
from stash2plex.servers.wire import give_shape

PAGE = 500
"""Rows of one page."""

MAX_PAGES = 100
"""How many pages are read at most: a server may ignore where a page begins."""


@frozen
class WireCollection:
    """A collection. `childCount` is None where Plex does not give it."""

    ratingKey: str  # noqa: N815 - Plex's names, here and below
    title: str = ""
    type: str = "collection"
    smart: bool = False
    childCount: int | None = None  # noqa: N815


@frozen
class PlexCollection:
    """A collection of a library. It is empty only if Plex counts no item in it."""

    rating_key: str
    title: str
    is_smart: bool
    is_empty: bool


def list_collections(
    get: Callable[[str], WireContainer], converter: Converter, section_id: str
) -> Iterator[PlexCollection]:
    """Page through the collections of a library; a row that cannot be read is left out."""
    start = 0
    for _ in range(MAX_PAGES):
        query = urlencode({"X-Plex-Container-Start": start, "X-Plex-Container-Size": PAGE})
        container = get(f"/library/sections/{opaque(section_id)}/collections?{query}")
        rows = container.Metadata
        for row in rows:
            try:
                shape = give_shape(converter, row, WireCollection)
                opaque(shape.ratingKey)
            except (ValueError, TypeError, Transient):
                continue
            if shape.type == "collection":
                yield PlexCollection(
                    shape.ratingKey, shape.title, shape.smart, shape.childCount == 0
                )
        start += len(rows)
        if not rows or start >= (container.totalSize or 0):
            return
