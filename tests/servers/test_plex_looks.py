"""What the user sees of an item of Plex: its row, and its poster."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

from stash2plex.errors import Transient
from stash2plex.servers.plexlooks import ItemLook, read_looks, read_poster
from stash2plex.servers.wire import make_converter

PNG = b"\x89PNG\r\n\x1a\n and so on"


def test_an_item_is_known_by_what_the_user_sees_and_an_odd_row_is_left_out():
    rows = [
        {"ratingKey": 7, "title": "Pier", "year": 2024, "duration": 61_500, "thumb": "/a/thumb/1"},
        {"ratingKey": "8"},
        {"title": "Quay"},
        "no row",
        {"ratingKey": "9", "title": "Ferry"},
    ]
    assert read_looks(make_converter(), rows) == {
        "7": ItemLook("7", "Pier", 2024, 61.5, "/a/thumb/1"),
        "8": ItemLook("8", "", None, None, ""),
        "9": ItemLook("9", "Ferry", None, None, ""),
    }


def test_a_poster_is_small_and_needs_no_token():
    asked = []

    def fetch(path, body=PNG):
        asked.append(path)
        return SimpleNamespace(body=body)

    address = read_poster(fetch, "/library/metadata/7/thumb/1")
    assert address == "data:image/png;base64,iVBORw0KGgogYW5kIHNvIG9u"
    (path,) = asked
    assert urlsplit(path).path == "/photo/:/transcode"
    assert parse_qs(urlsplit(path).query) == {
        "width": ["120"], "height": ["180"], "minSize": ["1"], "upscale": ["0"],
        "url": ["/library/metadata/7/thumb/1"],
    }  # fmt: skip
    for thumb in ("", "http://elsewhere/1.jpg"):
        assert read_poster(fetch, thumb) is None
    assert len(asked) == 1
    assert read_poster(lambda path: fetch(path, b"<html>"), "/a") is None

    def fail(_):
        raise Transient("Plex", "Plex answered with 500.")

    assert read_poster(fail, "/a") is None
