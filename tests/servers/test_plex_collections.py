"""The collections of a library are read a page at a time, and an endless list ends."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from stash2plex.servers.plexcollections import PAGE, PlexCollection, list_collections
from stash2plex.servers.plexwire import WireContainer
from stash2plex.servers.wire import make_converter


def test_collections_are_read_a_page_at_a_time_and_odd_rows_are_left_out():
    rows = [
        {"ratingKey": "1", "title": "Tides", "type": "collection", "childCount": 2},
        {"ratingKey": "2", "title": "Ebb", "type": "collection", "smart": True, "childCount": 0},
        {"ratingKey": "3", "title": "Pier", "type": "movie"},
        {"title": "without a key", "type": "collection"},
        {"ratingKey": "1/../../2", "title": "no id", "type": "collection"},
        "no row",
    ]
    asked = []

    def get(path):
        start = int(parse_qs(urlsplit(path).query)["X-Plex-Container-Start"][0])
        asked.append(path)
        return WireContainer(totalSize=len(rows), Metadata=rows[start : start + 2])

    assert list(list_collections(get, make_converter(), "4")) == [
        PlexCollection("1", "Tides", is_smart=False, is_empty=False),
        PlexCollection("2", "Ebb", is_smart=True, is_empty=True),
    ]
    assert asked == [
        f"/library/sections/4/collections?X-Plex-Container-Start={start}"
        f"&X-Plex-Container-Size={PAGE}"
        for start in (0, 2, 4)
    ]


def test_an_endless_list_of_collections_ends():
    row = {"ratingKey": "1", "title": "Tides", "type": "collection", "childCount": 1}
    asked = []

    def get(path):
        asked.append(path)
        return WireContainer(totalSize=10**9, Metadata=[row])

    assert len(list(list_collections(get, make_converter(), "4"))) == 100
    assert len(asked) == 100
