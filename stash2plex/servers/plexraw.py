"""Plex's edits without our safeguards, for the probe, which asks what a server does with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from stash2plex.errors import NotFound, UsageError
from stash2plex.model import OPAQUE_ID
from stash2plex.servers.plexlists import MOVIE
from stash2plex.servers.transport import Transport

Parameters = Sequence[tuple[str, str]]

LISTS = {
    "genre": "Genre",
    "actor": "Role",
    "director": "Director",
    "collection": "Collection",
    "label": "Label",
}
"""A list's name in an edit and its name in an item (plex.md §3.6)."""

TEXTS = ("title", "studio", "summary", "tagline", "originallyAvailableAt")

Row = Mapping[str, Any]
"""An item as Plex shows it."""


class PlexRaw:
    """Reads and edits items without interpreting them. Every edit names its items."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def server(self) -> Mapping[str, Any]:
        """Return the server's description of itself. Raises Refused if it refuses the token."""
        return self._container("/", "the token check")

    def section(self, section_id: str) -> Mapping[str, Any]:
        """Return Plex's description of a library. Raises NotFound if there is none."""
        libraries = self._container("/library/sections", "its libraries").get("Directory", [])
        for row in libraries:
            if str(row.get("key")) == section_id:
                return dict(row)
        raise NotFound("Plex", "The library of the item is not listed.")

    def row(self, key: str) -> Row:
        """Read an item with all details. Raises NotFound if there is none."""
        path = f"/library/metadata/{_opaque(key)}?skipRefresh=1"
        rows = self._container(path, "item details").get("Metadata", [])
        for row in rows:
            if str(row.get("ratingKey")) == key:
                return dict(row)
        raise NotFound("Plex", f"Plex has no item {key}.")

    def edit(self, section_id: str, keys: Sequence[str], parameters: Parameters) -> None:
        """Send one edit, its parameters in this order. Raises any answer other than 200."""
        if not keys:
            raise AssertionError("an edit of no item would be one of all")
        ids = ",".join(_opaque(key) for key in keys)
        query = "".join(
            f"&{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters
        )
        path = f"/library/sections/{_opaque(section_id)}/all?type={MOVIE}&id={ids}{query}"
        self._transport.request("PUT", path, what="the edit")

    def rate(self, key: str, rating: float) -> None:
        """Set a rating by the request that clients use; -1 removes it (plex.md §3.5)."""
        query = {"identifier": "com.plexapp.plugins.library", "key": _opaque(key), "rating": rating}
        self._transport.request("PUT", f"/:/rate?{urlencode(query)}", what="the rating")

    def upload(self, key: str, picture: bytes) -> None:
        """Upload a poster. It cannot be deleted (plex.md §4.2)."""
        self._transport.request(
            "POST",
            f"/library/metadata/{_opaque(key)}/posters",
            headers={"Content-Type": "image/png"},
            body=picture,
            what="the upload of a poster",
        )

    def posters(self, key: str) -> list[tuple[str, bool]]:
        """List the posters of an item: each one's key and whether it is shown."""
        answer = self._container(f"/library/metadata/{_opaque(key)}/posters", "the posters")
        rows = [*answer.get("Metadata", []), *answer.get("Photo", [])]
        return [(str(row.get("ratingKey")), bool(row.get("selected"))) for row in rows]

    def choose_poster(self, key: str, poster: str) -> None:
        """Show one of an item's posters."""
        query = urlencode({"url": poster})
        self._transport.request(
            "PUT", f"/library/metadata/{_opaque(key)}/poster?{query}", what="the choice of a poster"
        )

    def _container(self, path: str, doing: str) -> dict[str, Any]:
        reply = self._transport.request("GET", path, what=doing)
        container = self._transport.json(reply, doing).get("MediaContainer")
        if not isinstance(container, dict):
            raise self._transport.stranger(reply, doing)
        return container


def names(row: Row, kind: str) -> list[str]:
    """Return the names in one of an item's lists."""
    return [str(tag.get("tag", "")) for tag in row.get(LISTS[kind], []) if tag.get("tag")]


def locks(row: Row) -> set[str]:
    """Return the locked fields of an item."""
    return {str(field.get("name")) for field in row.get("Field", []) if field.get("locked")}


def _opaque(value: str) -> str:
    """Allow only what looks like an id into a URL."""
    if not OPAQUE_ID.fullmatch(value):
        raise UsageError(f"“{value[:40]}” is not the id of a Plex item.")
    return value
