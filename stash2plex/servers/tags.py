"""Asks Stash about its tags: all of them, and a mark that changes with any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen
from cattrs import Converter

from stash2plex.model import Tag
from stash2plex.servers.wire import structure

TAGS_QUERY = (
    "query Tags { findTags(filter: {per_page: -1}) { tags { id name aliases created_at } } }"
)
TAG_MARK_QUERY = (
    'query TagMark { findTags(filter: {per_page: 1, sort: "updated_at", direction: DESC})'
    " { count tags { updated_at } } }"
)


@frozen
class _WireTag:
    id: int
    name: str
    aliases: list[str] = Factory(list)
    created_at: str = ""


@frozen
class _WireTags:
    tags: list[_WireTag]


@frozen
class _WireNewest:
    updated_at: str


@frozen
class _WireMark:
    count: int
    tags: list[_WireNewest]


def read_tags(converter: Converter, data: Mapping[str, Any]) -> list[Tag]:
    """Read the answer to `TAGS_QUERY`. Raises Transient if it has another shape."""
    answer = structure(converter, data.get("findTags"), _WireTags, "Stash", "its tags")
    return [Tag(tag.id, tag.name, tuple(tag.aliases), tag.created_at) for tag in answer.tags]


def read_tag_mark(converter: Converter, data: Mapping[str, Any]) -> str:
    """Read from the answer to `TAG_MARK_QUERY` what stays the same while no tag changes.

    Raises Transient if it has another shape.
    """
    answer = structure(converter, data.get("findTags"), _WireMark, "Stash", "its newest tag")
    return f"{answer.count} {answer.tags[0].updated_at if answer.tags else ''}"
