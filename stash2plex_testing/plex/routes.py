"""What each address answers."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from stash2plex_testing.plex.access import sight_of
from stash2plex_testing.plex.edits import BadEdit
from stash2plex_testing.plex.exchange import Answer, Request, error
from stash2plex_testing.plex.library import MAX_IMAGE_BYTES, PlexLibrary
from stash2plex_testing.plex.records import Item, Section
from stash2plex_testing.plex.render import item_row, section_row

TIMES = {"addedAt": "added_at", "updatedAt": "updated_at", "lastRatedAt": "last_rated_at"}
"""What lists can be sorted by and cut off at (plex.md §2.2)."""


class Routes:
    """Addresses to answers over one library."""

    def __init__(self, library: PlexLibrary, server: Any) -> None:
        self._library = library
        self._server = server
        self._table: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", r"/identity", self.identity),
            ("GET", r"/", self.root),
            ("GET", r"/library", self.library_root),
            ("GET", r"/library/sections(?:/all)?", self.sections),
            ("GET", r"/library/sections/(\d+)", self.section),
            ("GET", r"/library/sections/(\d+)/all", self.list_items),
            ("PUT", r"/library/sections/(\d+)/all", self.edit_items),
            ("POST|GET", r"/library/sections/(\d+)/refresh", self.scan),
            ("GET", r"/library/metadata/([\d,]+)", self.details),
            ("GET", r"/library/metadata/(\d+)/(posters|arts)", self.images),
            ("POST", r"/library/metadata/(\d+)/(posters|arts)", self.upload),
            ("PUT", r"/library/metadata/(\d+)/(poster|art)", self.select),
            ("GET", r"/library/metadata/(\d+)/(thumb|art)(?:/\d+)?", self.picture),
            ("DELETE", r"/library/metadata/(\d+)/(thumb|art)", self.choose_none),
            ("GET", r"/library/sections/(\d+)/collections", self.collections),
            ("DELETE", r"/library/collections/(\d+)", self.delete_collection),
            ("PUT|GET", r"/:/rate", self.rate),
            ("GET", r"/activities", self.nothing),
            ("GET", r"/web", self.page),
        ]

    def answer(self, request: Request) -> Answer:
        """Find the address. Unknown ones are 404."""
        limits = self._server.limits
        if limits.ids is not None and len(request.items) > limits.ids:
            return error(limits.ids_status, "Bad Request")
        self._library.settle()
        for methods, pattern, route in self._table:
            match = re.fullmatch(pattern, request.path)
            if match and request.method in methods.split("|"):
                with self._library.lock:
                    return route(request, *match.groups())
        return error(404, "Not Found")

    # -- server ---------------------------------------------------------------------------

    def identity(self, _: Request) -> Answer:
        """GET /identity."""
        return Answer(
            {
                "size": 0,
                "claimed": self._server.access.claim == "claimed",
                "machineIdentifier": self._server.machine_identifier,
                "version": self._server.version,
            }
        )

    def root(self, _: Request) -> Answer:
        """GET /."""
        return Answer(
            {
                "size": 0,
                "friendlyName": "Harbour Plex",
                "machineIdentifier": self._server.machine_identifier,
                "version": self._server.version,
                "platform": "Linux",
                "myPlexSubscription": False,
            }
        )

    def library_root(self, _: Request) -> Answer:
        """GET /library."""
        return Answer({"size": 0, "identifier": "com.plexapp.plugins.library", "title1": "Plex"})

    def nothing(self, _: Request) -> Answer:
        """Answer an empty container."""
        return Answer({"size": 0})

    def sections(self, _: Request) -> Answer:
        """GET /library/sections."""
        rows = [section_row(section) for section in self._library.sections.values()]
        return Answer({"size": len(rows), "allowSync": False, "Directory": rows})

    def section(self, _: Request, id_: str) -> Answer:
        """GET /library/sections/{id}."""
        section = self._library.sections.get(int(id_))
        if section is None:
            return error(404, "Not Found")
        return Answer({"size": 1, "librarySectionID": section.id, "title1": section.title})

    def scan(self, request: Request, id_: str) -> Answer:
        """POST /library/sections/{id}/refresh."""
        section = self._library.sections.get(int(id_))
        if section is None:
            return error(404, "Not Found")
        self._library.scan(section, request.one("path") or None)
        return Answer(cost="write")

    # -- lists and items ------------------------------------------------------------------

    def list_items(self, request: Request, id_: str) -> Answer:
        """GET /library/sections/{id}/all, by pages."""
        section = self._library.sections.get(int(id_))
        if section is None:
            return error(404, "Not Found")
        found = self._filtered(section, request)
        start = int(request.one("X-Plex-Container-Start", "0"))
        size = int(request.one("X-Plex-Container-Size", str(len(found))))
        limits = self._server.limits
        if limits.rows is not None:
            size = min(size, limits.rows)
        rows = self._rows(request, found[start : start + size], detail=False)
        container = {
            "size": len(rows),
            "offset": start,
            **({"totalSize": len(found)} if limits.total_size else {}),
            "librarySectionID": section.id,
            "librarySectionTitle": section.title,
            "Metadata": rows,
        }
        return Answer(container, rows=len(rows))

    def _rows(self, request: Request, items: list[Item], *, detail: bool) -> list[dict[str, Any]]:
        without = _without(request)
        sight = sight_of(self._server.access, request)
        most = self._server.limits.roles
        return [
            item_row(item, detail=detail, without=without, sight=sight, most_roles=most)
            for item in items
        ]

    def _filtered(self, section: Section, request: Request) -> list[Item]:
        items: list[Item] = list(section.items.values())
        for name, attribute in TIMES.items():
            if f"{name}>>" in request.query:
                after = int(request.query[f"{name}>>"][-1])
                items = [item for item in items if getattr(item, attribute) > after]
        if "title" in request.query:
            part = request.query["title"][-1].casefold()
            items = [item for item in items if part in item.title.casefold()]
        if "id" in request.query:
            ids = {int(one) for one in request.query["id"][-1].split(",")}
            items = [item for item in items if item.rating_key in ids]
        name, _, direction = request.one("sort").partition(":")
        if name in TIMES:
            items.sort(key=lambda item: getattr(item, TIMES[name]), reverse=direction == "desc")
        trash = request.one("trash") == "1"
        return [item for item in items if not trash or item.deleted_at is not None]

    def details(self, request: Request, ids: str) -> Answer:
        """GET /library/metadata/{ids}: unknown ids are left out, 404 if none is known."""
        found = [
            self._library.items[int(one)]
            for one in dict.fromkeys(ids.split(","))
            if one and int(one) in self._library.items
        ]
        if not found:
            return error(404, "Not Found")
        rows = self._rows(request, found, detail=True)
        return Answer({"size": len(rows), "Metadata": rows})

    def collections(self, request: Request, id_: str) -> Answer:
        """GET /library/sections/{id}/collections, by pages."""
        section = self._library.sections.get(int(id_))
        if section is None:
            return error(404, "Not Found")
        found = self._library.collections_of(section)
        start = int(request.one("X-Plex-Container-Start", "0"))
        size = int(request.one("X-Plex-Container-Size", str(len(found))))
        rows: list[dict[str, Any]] = [
            {
                "ratingKey": str(one.rating_key),
                "key": f"/library/collections/{one.rating_key}/children",
                "type": "collection",
                "title": one.title,
                "smart": one.smart,
                "childCount": self._library.children_of(section, one),
            }
            for one in found[start : start + size]
        ]
        container = {"size": len(rows), "offset": start, "totalSize": len(found), "Metadata": rows}
        return Answer(container, rows=len(rows))

    def delete_collection(self, _: Request, key: str) -> Answer:
        """DELETE /library/collections/{id}: the items stay."""
        if not self._library.remove_collection(int(key)):
            return error(404, "Not Found")
        return Answer(cost="write")

    def edit_items(self, request: Request, id_: str) -> Answer:
        """PUT /library/sections/{id}/all; without an id it edits the whole library."""
        section = self._library.sections.get(int(id_))
        if section is None:
            return error(404, "Not Found")
        parameters = {
            name: values
            for name, values in request.query.items()
            if name not in ("id", "type") and not name.startswith(("X-Plex", "include"))
        }
        whole = "id" not in request.query
        items = list(section.items.values())
        if not whole:
            ids = {int(one) for one in request.query["id"][-1].split(",") if one}
            items = [section.items[one] for one in ids if one in section.items]
            if not items:
                return error(404, "Not Found")
        try:
            self._library.edit(items, parameters, whole=whole)
        except BadEdit:
            status = self._server.limits.bad_value_status
            return error(status, "Bad Request" if status == 400 else "Internal Server Error")
        return Answer(cost="write")

    def rate(self, request: Request) -> Answer:
        """PUT /:/rate."""
        item = self._library.items.get(int(request.one("key", "0")))
        if item is None:
            return error(404, "Not Found")
        self._library.rate(item, float(request.one("rating", "-1")))
        return Answer(cost="write")

    # -- pictures -------------------------------------------------------------------------

    def upload(self, request: Request, key: str, kind: str) -> Answer:
        """POST /library/metadata/{id}/posters or arts."""
        item = self._library.items.get(int(key))
        if item is None:
            return error(404, "Not Found")
        if len(request.body) > MAX_IMAGE_BYTES or not request.body:
            return error(500, "Internal Server Error")
        self._library.upload(item, kind, request.body)
        return Answer(cost="upload")

    def images(self, _: Request, key: str, kind: str) -> Answer:
        """GET /library/metadata/{id}/posters or arts."""
        item = self._library.items.get(int(key))
        if item is None:
            return error(404, "Not Found")
        rows = [
            {
                "key": f"/library/metadata/{key}/file?url=upload%3A%2F%2F{kind}%2F{name}",
                "ratingKey": f"upload://{kind}/{name}",
                "thumb": f"/library/metadata/{key}/file?url=upload%3A%2F%2F{kind}%2F{name}",
                "selected": item.selected.get(kind) == name,
            }
            for name in item.images.get(kind, [])
        ] + [
            {"key": offer, "ratingKey": offer, "selected": item.selected.get(kind) == offer}
            for offer in item.offers.get(kind, [])
        ]
        return Answer({"size": len(rows), "Photo": rows})

    def select(self, request: Request, key: str, kind: str) -> Answer:
        """PUT /library/metadata/{id}/poster or art."""
        item = self._library.items.get(int(key))
        name = request.one("url")
        if item is None:
            return error(404, "Not Found")
        if name not in item.offers.get(kind + "s", []):
            name = name.rpartition("/")[2]
            if name not in item.images.get(kind + "s", []):
                return error(404, "Not Found")
        if ("thumb" if kind == "poster" else "art") in self._library.traits.ignores_field:
            return Answer(cost="write")
        item.selected[kind + "s"] = name
        # A choice locks, as an upload does (plex.md §4.3).
        item.locked.add("thumb" if kind == "poster" else "art")
        return Answer(cost="write")

    def choose_none(self, _: Request, key: str, kind: str) -> Answer:
        """DELETE /library/metadata/{id}/thumb or art: since PMS 1.43; it locks (plex.md §4.1)."""
        item = self._library.items.get(int(key))
        if item is None or not self._server.limits.chooses_none:
            return error(404, "Not Found")
        where = "posters" if kind == "thumb" else "arts"
        item.selected.pop(where, None)
        if item.offers.get(where):
            # Plex shows its own again.
            item.selected[where] = item.offers[where][0]
        item.locked.add(kind)
        return Answer(cost="write")

    def picture(self, _: Request, key: str, kind: str) -> Answer:
        """GET /library/metadata/{id}/thumb or art."""
        item = self._library.items.get(int(key))
        chosen = item.selected.get("posters" if kind == "thumb" else "arts") if item else None
        if chosen is None:
            return error(404, "Not Found")
        data = self._library.blobs[chosen]
        png = data.startswith(b"\x89PNG")
        return Answer(body=data, content_type="image/png" if png else "image/jpeg")

    # -- for people -----------------------------------------------------------------------

    def page(self, _: Request) -> Answer:
        """GET /web: what this Plex shows, as a page for a browser."""
        cards = "".join(_card(item) for item in list(self._library.items.values())[:500])
        text = (
            "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            "<title>What Plex shows</title><style>body{font:16px system-ui;margin:1rem;"
            "background:#1f2326;color:#eee}main{display:grid;gap:1rem;"
            "grid-template-columns:repeat(auto-fill,minmax(14rem,1fr))}article{background:#2c3136;"
            "border-radius:8px;padding:.8rem}img{width:100%;border-radius:4px}p{margin:.3rem 0;"
            f"color:#b9c0c7}}</style><h1>What Plex shows</h1><main>{cards}</main>"
        )
        return Answer(body=text.encode(), content_type="text/html; charset=utf-8")


def _card(item: Item) -> str:
    def line(text: str) -> str:
        return f"<p>{html.escape(text)}</p>" if text else ""

    picture = f"<img alt='' src='/library/metadata/{item.rating_key}/thumb'>"
    return (
        "<article>"
        + (picture if item.selected.get("posters") else "")
        + f"<strong>{html.escape(item.title)}</strong>"
        + line(
            " · ".join(filter(None, (item.texts.get("studio", ""), item.originally_available_at)))
        )
        + line(", ".join(item.tags.get("actor", [])))
        + line(" ".join(f"#{tag}" for tag in item.tags.get("genre", [])))
        + line(f"{item.floats['userRating']:g}/10" if "userRating" in item.floats else "")
        + "</article>"
    )


def _without(request: Request) -> frozenset[str]:
    names = request.one("excludeElements").split(",") + request.one("excludeFields").split(",")
    return frozenset(name for name in names if name)
