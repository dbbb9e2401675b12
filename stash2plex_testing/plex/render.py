"""One plain shape, as JSON or as XML: lists are child elements, the rest are attributes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from stash2plex_testing.plex.access import Sight
from stash2plex_testing.plex.records import TAGS, Item, Part, Section

ELEMENTS = {"Metadata": "Video"}
OPTIMIZED = 42
"""The `proxyType` of a version that Plex made (plex-2.md §1, 12)."""

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def to_json(container: Mapping[str, Any]) -> bytes:
    """Write the container as JSON; bytes that are not UTF-8 go out as they are (plex-2.md §1, 13).

    Python keeps such a byte as a half letter from U+DC80 on; any other half letter is escaped.
    """
    answer = {"MediaContainer": container}
    try:
        return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return json.dumps(answer).encode()


def to_xml(container: Mapping[str, Any]) -> bytes:
    """Write the container as XML, with the same bytes."""
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + _element("MediaContainer", container)
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _element(name: str, value: Mapping[str, Any]) -> str:
    attributes = ""
    children = ""
    for key, one in value.items():
        if isinstance(one, list):
            children += "".join(_element(ELEMENTS.get(key, key), child) for child in one)
        elif one is not None:
            text = str(int(one)) if isinstance(one, bool) else str(one)
            attributes += f" {key}={quoteattr(UNPRINTABLE.sub('', text))}"
    return f"<{name}{attributes}>{children}</{name}>" if children else f"<{name}{attributes}/>"


def item_row(
    item: Item,
    *,
    detail: bool,
    without: frozenset[str],
    sight: Sight = "paths",
    most_roles: int | None = None,
) -> dict[str, Any]:
    """Show an item; a list row has few tags and no locks (plex.md §2.2, §2.3).

    No answer shows more than `most_roles` performers.
    """
    key = f"/library/metadata/{item.rating_key}"
    row: dict[str, Any] = {
        "ratingKey": str(item.rating_key),
        "key": key,
        "guid": item.guid,
        "type": "movie",
        "title": item.title,
        **{name: text for name, text in item.texts.items() if text},
        **item.floats,
        "addedAt": item.added_at,
        "updatedAt": item.updated_at,
        "thumb": f"{key}/thumb/{item.updated_at}",
        "art": f"{key}/art/{item.updated_at}",
    }
    if item.originally_available_at:
        row["originallyAvailableAt"] = item.originally_available_at
        row["year"] = int(item.originally_available_at[:4])
    if item.last_rated_at:
        row["lastRatedAt"] = item.last_rated_at
    if item.deleted_at is not None:
        row["deletedAt"] = item.deleted_at
    if detail:
        row["librarySectionID"] = item.section.id
        row["librarySectionTitle"] = item.section.title
    row["Media"] = [
        _media(part, item.rating_key * 10 + number, sight) for number, part in enumerate(item.parts)
    ]
    for kind, name in TAGS.items():
        tags = item.tags.get(kind, [])
        if not detail:
            if name not in ("Genre", "Role", "Director", "Writer", "Country"):
                continue
            tags = tags[: 3 if name == "Role" else 2]
        if name == "Role":
            tags = tags[:most_roles]
        if tags:
            row[name] = [
                {"id": abs(hash((kind, tag))) % 10**6, "filter": f"{kind}={tag}", "tag": tag}
                if detail
                else {"tag": tag}
                for tag in tags
            ]
    if detail and item.locked:
        row["Field"] = [{"locked": True, "name": name} for name in sorted(item.locked)]
    return {name: value for name, value in row.items() if name not in without}


def _media(part: Part, id_: int, sight: Sight) -> dict[str, Any]:
    """Show a version of an item, with as much of its path as the user may see."""
    file: dict[str, Any] = {"id": id_, "key": f"/library/parts/{id_}/file"}
    if sight == "paths":
        file["file"] = part.path
    elif sight == "names":
        file["file"] = re.split(r"[\\/]", part.path)[-1]
    if part.size is not None:
        file["size"] = part.size
    media: dict[str, Any] = {"id": id_, "Part": [file]}
    if part.optimized:
        media["proxyType"] = OPTIMIZED
        media["target"] = "Optimized for TV"
    return media


def section_row(section: Section) -> dict[str, Any]:
    """Show a library (plex.md §2.1)."""
    return {
        "allowSync": True,
        "art": "/:/resources/movie-fanart.jpg",
        "composite": f"/library/sections/{section.id}/composite/{section.updated_at}",
        "filters": True,
        "refreshing": section.refreshing,
        "thumb": "/:/resources/movie.png",
        "key": str(section.id),
        "type": section.type,
        "title": section.title,
        "agent": "tv.plex.agents.none",
        "scanner": "Plex Video Files",
        "language": "xn",
        "uuid": section.uuid,
        "updatedAt": section.updated_at,
        "createdAt": section.created_at,
        "scannedAt": section.scanned_at,
        "content": True,
        "directory": True,
        "contentChangedAt": section.content_changed_at,
        "hidden": 0,
        "Location": [
            {"id": number + 1, "path": path} for number, path in enumerate(section.locations)
        ],
    }
