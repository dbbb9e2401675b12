"""How far a fault reaches: which requests belong to a part of the server (issue 21, point 1).

Each function returns what a `Fault` fits: `Fault("status", times=None, **scopes.library(films))`.
Without any a fault is the whole server's.
"""

from __future__ import annotations

from typing import Any, Literal

from stash2plex_testing.plex.records import Item, Section

Deed = Literal["anything", "read", "edit", "upload"]


def library(section: Section) -> dict[str, Any]:
    """Reach the list of a library and all below it. That the library is there is still shown."""
    return {"path": rf"^/library/sections/{section.id}/all"}


def uploads(kind: Literal["posters", "arts", "both"] = "both") -> dict[str, Any]:
    """Reach the uploads of pictures of one kind or of both."""
    kinds = "posters|arts" if kind == "both" else kind
    return {"method": "POST", "path": rf"^/library/metadata/\d+/({kinds})$"}


def pictures(kind: Literal["posters", "arts", "both"] = "both") -> dict[str, Any]:
    """Reach all that has to do with pictures: uploads, their lists, the choice of one."""
    names = {"posters": "posters?", "arts": "arts?", "both": "(poster|art)s?"}
    return {"path": rf"^/library/metadata/\d+/{names[kind]}$"}


def edits() -> dict[str, Any]:
    """Reach the edits of all libraries."""
    return {"method": "PUT", "path": r"^/library/sections/\d+/all$"}


def item(held: Item, deed: Deed = "anything") -> dict[str, Any]:
    """Reach the requests that name an item, and the pages and batches that show it."""
    if deed == "anything":
        return {"item": held.rating_key}
    if deed == "read":
        return {"item": held.rating_key, "method": "GET"}
    return {**(edits() if deed == "edit" else uploads()), "item": held.rating_key}


def field(name: str) -> dict[str, Any]:
    """Reach the edits of one field, by the name that edits use. Locks alone are not reached."""
    return {**edits(), "parameter": rf"^{name}(\.value|\[)"}
