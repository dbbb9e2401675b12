"""Picture addresses (stash.md §5.6)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from stash2plex_testing.stash.gotext import atoi
from stash2plex_testing.stash.library import Library
from stash2plex_testing.stash.pictures import DEFAULT_SVG, portrait
from stash2plex_testing.stash.records import Cover, Group, Scene, cover_bytes

ADDRESS = re.compile(
    r"/(?:scene/[^/]+/screenshot|(?:performer|studio|tag)/[^/]+/image"
    r"|group/[^/]+/(?:frontimage|backimage))"
)


@dataclass
class Reply:
    """An answer, not sent yet."""

    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def sniff(data: bytes) -> str:
    """Name a picture's type by its first bytes, as Go does with Stash's addition for SVG.

    AVIF and JPEG XL are unknown to it (stash.md §5.6).
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if data.lstrip()[:1] == b"<" else "application/octet-stream"


KINDS = ("/scene/", "/performer/", "/studio/", "/tag/", "/group/", "/image/", "/gallery/")


def serve(library: Library, path: str, query: dict[str, str], if_none_match: str) -> Reply:
    """Answer an address below one of `KINDS`."""
    _, kind, text, *_ = f"{path}/".split("/")
    table: Any = library.scenes if kind == "scene" else {}
    if kind in ("performer", "studio", "tag", "group"):
        table = library.table_of(kind)
    try:
        row = table.get(atoi(text))
    except ValueError:
        # Scenes differ from all others here.
        return Reply(400, b"Bad Request\n") if kind == "scene" else not_found()
    if row is None:
        return not_found()
    match = ADDRESS.fullmatch(path)
    if match is None:
        return missing()
    if isinstance(row, Scene):
        return picture_reply(row.cover, DEFAULT_SVG, query, if_none_match)
    cover: Cover = row.image
    if path.endswith("/backimage") and isinstance(row, Group):
        cover = row.back_image
    if query.get("default") == "true":
        cover = None
    default = portrait() if kind == "performer" else DEFAULT_SVG
    return picture_reply(cover, default, query, if_none_match)


def picture_reply(cover: Cover, default: bytes, query: dict[str, str], if_none_match: str) -> Reply:
    """Send a picture, or 304 if the client has it."""
    data = cover_bytes(cover) or default
    etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
    # The value of t does not matter, that it is there does (§5.6).
    caching = "private, max-age=31536000, immutable" if "t" in query else "no-cache"
    headers = {"Cache-Control": caching, "ETag": etag}
    known = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    if etag in known or "*" in known:
        return Reply(304, b"", "", headers)
    return Reply(200, data, sniff(data), headers)


def missing() -> Reply:
    """Answer 404 as Go's router does, which knows no such address."""
    return Reply(404, b"404 page not found\n")


def not_found() -> Reply:
    """Answer 404 as Stash does, which has no such thing."""
    return Reply(404, b"Not Found\n")
