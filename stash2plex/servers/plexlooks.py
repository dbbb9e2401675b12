"""Reads what the user tells Plex items apart by: title, year, length, size and a small poster."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from attrs import frozen
from cattrs import Converter

from stash2plex.errors import ServerError
from stash2plex.servers.stash import picture_type
from stash2plex.servers.transport import Reply
from stash2plex.servers.wire import give_shape

POSTER_LIMIT = 200_000
"""Bytes of a small poster that the page takes."""

POSTER_SIZE = {"width": 120, "height": 180, "minSize": 1, "upscale": 0}

Fetch = Callable[[str], Reply]
"""Sends a GET to Plex, given a path, and returns a small answer."""


@frozen
class ItemLook:
    """An item as the user knows it. `seconds` is its length, `thumb` the path of its poster."""

    rating_key: str
    title: str
    year: int | None
    seconds: float | None
    thumb: str


@frozen
class _WireLook:
    ratingKey: str  # noqa: N815 - Plex's names
    title: str = ""
    year: int | None = None
    duration: int | None = None
    thumb: str = ""


def read_looks(converter: Converter, rows: Sequence[object]) -> dict[str, ItemLook]:
    """Read items by their keys; one that cannot be read is left out."""
    looks = {}
    for row in rows:
        try:
            wire = give_shape(converter, row, _WireLook)
        except ValueError:
            continue
        seconds = None if wire.duration is None else wire.duration / 1000
        looks[wire.ratingKey] = ItemLook(wire.ratingKey, wire.title, wire.year, seconds, wire.thumb)
    return looks


def read_poster(fetch: Fetch, thumb: str) -> str | None:
    """Return a small poster as a data: address, which needs no token; None if there is none."""
    if not thumb.startswith("/"):
        return None
    try:
        reply = fetch(f"/photo/:/transcode?{urlencode({**POSTER_SIZE, 'url': thumb})}")
    except ServerError:
        return None
    kind = picture_type(reply.body)
    return f"data:{kind};base64,{base64.b64encode(reply.body).decode()}" if kind else None
