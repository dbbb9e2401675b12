"""A parsed request, and an answer to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ITEMS = re.compile(r"/library/metadata/([\d,]+)")
NUMBERS = re.compile(r"(?<=/)\d[\d,]*(?=/|$)")


@dataclass
class Request:
    """A parsed request. Header names are lower case.

    `url_bytes` is the length of its address, `reused` whether its connection served another before.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    url_bytes: int = 0
    reused: bool = False

    def one(self, name: str, default: str = "") -> str:
        """Return a parameter, which may come as a header too (plex.md §1.1)."""
        if name in self.query:
            return self.query[name][-1]
        return self.headers.get(name.lower(), default)

    @property
    def token(self) -> str:
        """Return the token; empty if there is none."""
        return self.one("X-Plex-Token")

    @property
    def items(self) -> tuple[int, ...]:
        """Return the rating keys of the items that the request names."""
        if match := ITEMS.match(self.path):
            listed = match[1]
        elif self.path == "/:/rate":
            listed = self.one("key")
        else:
            listed = ",".join(self.query.get("id", [])[-1:])
        return tuple(int(one) for one in listed.split(",") if one.isdigit())

    @property
    def endpoint(self) -> str:
        """Return the method and the path without its numbers: `PUT /library/sections/N/all`."""
        return f"{self.method} {NUMBERS.sub('N', self.path)}"


@dataclass
class Answer:
    """A container to be rendered, or a body as it is."""

    container: dict[str, Any] | None = None
    status: int = 200
    body: bytes = b""
    content_type: str = "text/html"
    cost: str = "read"
    rows: int = 0

    @property
    def items(self) -> frozenset[int]:
        """Return the rating keys of the items that it shows."""
        rows = (self.container or {}).get("Metadata", ())
        return frozenset(int(row["ratingKey"]) for row in rows)


def error(status: int, title: str) -> Answer:
    """Answer an error in HTML: there is no machine code (plex.md §1.6)."""
    text = f"<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return Answer(status=status, body=text.encode())


def spoil(answer: Answer, item: int | None) -> None:
    """Show a name that is no UTF-8 in the row of an item, or in every row (plex-2.md §1, 13)."""
    for row in (answer.container or {}).get("Metadata", ()):
        if item is None or row["ratingKey"] == str(item):
            row["originalTitle"] = "Caf\udce9 am Kai"
