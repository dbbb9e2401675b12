"""Whole answers of both servers, as they are read, and whole sentences about those that fail."""

from __future__ import annotations

import json
from math import inf
from typing import Any

import pytest

from stash2plex.errors import (
    BUSY,
    LIMITED,
    SERVER,
    ConfigError,
    NotFound,
    Refused,
    Rejected,
    ServerError,
    TooLarge,
    Transient,
    Unavailable,
)
from stash2plex.model import (
    Change,
    Entity,
    Field,
    ListChange,
    Match,
    PlexFile,
    PlexItem,
    Scene,
    StashFile,
    StashJob,
    Tag,
    TaskJob,
)
from stash2plex.servers.new_scenes import NewScenes, new_scenes_variables, read_new_scenes
from stash2plex.servers.plexedit import by_field, edit_parameters, edit_query, parted
from stash2plex.servers.plexlists import ListPage, PlexLists
from stash2plex.servers.plextv import Address, Pin, PlexTv, Server
from stash2plex.servers.plexwire import (
    OddRow,
    WireContainer,
    WireRow,
    files_of,
    is_blind,
    opaque,
    read_item,
    read_rows,
    read_sections,
    section_of,
)
from stash2plex.servers.stash_address import StashAddress, read_server_connection
from stash2plex.servers.stash_link import StashLink
from stash2plex.servers.stash_lists import TagRow, count_scenes, search_scenes, search_tags
from stash2plex.servers.stashwire import WireScene, dig, read_scene, rows_of
from stash2plex.servers.tags import read_tag_mark, read_tags
from stash2plex.servers.transport import Transport
from stash2plex.servers.wire import make_converter, structure
from stash2plex_testing.plex import FakePlex, Fault
from tests.support import make_scene

CONVERTER = make_converter(drops_null=True)
TITLE, TAGS = Field.TITLE, Field.TAGS
ODD = "in a shape that Stash2Plex does not know."


# -- edits --------------------------------------------------------------------------------

CHANGE = Change(
    {TITLE: "A & B", Field.DATE: "2020-05-01"},
    {TAGS: ListChange(("Fog", "Ebb"), ("a,b", "c d")), Field.DIRECTOR: ListChange((), ())},
    7.0,
    locks=frozenset({Field.STUDIO, Field.POSTER}),
    unlocks=frozenset({TITLE, Field.BACKGROUND}),
)


def test_the_parameters_of_a_whole_edit():
    assert edit_parameters(CHANGE) == [
        ("title.value", "A & B"),
        ("originallyAvailableAt.value", "2020-05-01"),
        ("genre[0].tag.tag", "Fog"),
        ("genre[1].tag.tag", "Ebb"),
        ("genre[].tag.tag-", "a%2Cb,c%20d"),
        ("userRating.value", "7"),
        ("originallyAvailableAt.locked", "1"),
        ("director.locked", "1"),
        ("thumb.locked", "1"),
        ("studio.locked", "1"),
        ("genre.locked", "1"),
        ("art.locked", "0"),
        ("title.locked", "0"),
    ]
    texts = (Field.SUMMARY, Field.STUDIO, Field.TAGLINE)
    assert edit_query(Change(dict.fromkeys(texts, "/"), {})) == (
        "&summary.value=%2F&studio.value=%2F&tagline.value=%2F"
        "&studio.locked=1&summary.locked=1&tagline.locked=1"
    )
    lists = {Field.PERFORMERS: ListChange(("P",), ()), Field.COLLECTION: ListChange(("Q",), ())}
    assert edit_parameters(Change({}, lists, 7.5)) == [
        ("actor[0].tag.tag", "P"), ("collection[0].tag.tag", "Q"), ("userRating.value", "7.5"),
        ("collection.locked", "1"), ("actor.locked", "1"),
    ]  # fmt: skip


def test_a_change_is_taken_apart_by_its_fields():
    title, date = Change({TITLE: "A & B"}, {}), Change({Field.DATE: "2020-05-01"}, {})
    tags = Change({}, {TAGS: CHANGE.lists[TAGS]})
    director = Change({}, {Field.DIRECTOR: ListChange((), ())})
    assert parted(CHANGE) == [
        (TITLE, title), (Field.DATE, date), (TAGS, tags), (Field.DIRECTOR, director),
        (Field.RATING, Change({}, {}, 7.0)), (None, Change({}, {}, locks=CHANGE.locks)),
    ]  # fmt: skip
    assert parted(Change({}, {}, clear_rating=True)) == []
    unlocks = CHANGE.unlocks
    assert by_field(CHANGE) == [
        Change(title.texts, {}, 7.0, locks=CHANGE.locks, unlocks=unlocks),
        Change(date.texts, {}, unlocks=unlocks),
        Change({}, tags.lists, unlocks=unlocks),
        Change({}, director.lists, unlocks=unlocks),
    ]
    only_locks = Change({}, {}, 7.0, locks=frozenset({TITLE}))
    assert by_field(only_locks) == [only_locks]


# -- items --------------------------------------------------------------------------------


def test_a_whole_item():
    row = {
        "ratingKey": 7, "librarySectionID": 2, "title": "Pier", "summary": "Fog", "studio": "Quay",
        "tagline": "H-17", "thumb": "/t/1", "art": "/a/1",
        "originallyAvailableAt": "2020-05-01 00:00:00", "userRating": 7.5, "addedAt": 5,
        "updatedAt": 6, "deletedAt": 9,
        "Role": [{"tag": "P"}, {"tag": ""}, {"tag": "Q"}], "Genre": [{"tag": "Fog"}],
        "Director": [{"tag": "D"}], "Collection": [{"tag": "C"}],
        "Field": [
            {"name": "title", "locked": True}, {"name": "genre", "locked": False},
            {"name": "thumb", "locked": 1}, {"name": "actor", "locked": "1"},
        ],
        "Media": [
            {"Part": [{"file": "/media/a.mp4", "size": 9}, {"file": "/media/b.mp4"}]},
            {"Part": [{"file": "/media/c.mp4", "size": 3}], "proxyType": 42},
        ],
    }  # fmt: skip
    (wire,), odd = read_rows(CONVERTER, [row])
    assert odd == []
    assert read_item(wire, "2") == PlexItem(
        "7", "2",
        {
            TITLE: "Pier", Field.SUMMARY: "Fog", Field.STUDIO: "Quay", Field.TAGLINE: "H-17",
            Field.DATE: "2020-05-01",
        },
        7.5,
        {
            Field.PERFORMERS: ("P", "Q"), TAGS: ("Fog",), Field.DIRECTOR: ("D",),
            Field.COLLECTION: ("C",),
        },
        frozenset({TITLE, Field.POSTER, Field.PERFORMERS}),
        ("/media/a.mp4", "/media/b.mp4"), trashed=True, sizes=(9, None),
        pictures={Field.POSTER: "/t/1", Field.BACKGROUND: "/a/1"},
    )  # fmt: skip
    (bare,), _ = read_rows(CONVERTER, [{"ratingKey": "8"}])
    empty = read_item(bare, "")
    assert empty.texts == dict.fromkeys(
        (TITLE, Field.SUMMARY, Field.STUDIO, Field.TAGLINE, Field.DATE), ""
    )
    assert (empty.rating, empty.locked, empty.paths, empty.sizes, empty.trashed) == (
        None, frozenset(), (), (), False,
    )  # fmt: skip
    assert empty.lists == dict.fromkeys(
        (Field.PERFORMERS, TAGS, Field.DIRECTOR, Field.COLLECTION), ()
    )


def media(*files, proxy=None):
    parts = [{"file": file} if file else {} for file in files]
    return {"Part": parts, **({"proxyType": proxy} if proxy is not None else {})}


@pytest.mark.parametrize(
    ("versions", "paths", "blind"),
    [
        ([media("/a.mp4"), media("/b.mp4", proxy="42")], ["/a.mp4"], False),
        ([media("/a.mp4", proxy=41)], ["/a.mp4"], False),
        ([media("/m/Plex Versions/x/b.mp4"), media("/a.mp4")], ["/a.mp4"], False),
        ([media("C:\\m\\plex versions\\b.mp4"), media("/a.mp4")], ["/a.mp4"], False),
        # The name of a file is no folder; and where all are such versions, they are all there is.
        ([media("/m/plex versions"), media("/a.mp4")], ["/m/plex versions", "/a.mp4"], False),
        ([media("/m/Plex Versions/b.mp4")], ["/m/Plex Versions/b.mp4"], False),
        ([media("", "/a.mp4")], ["/a.mp4"], False),
        ([media("", "")], [], True),
        ([media()], [], False),
        ([], [], False),
    ],
)
def test_which_files_an_item_has_and_when_their_names_are_hidden(versions, paths, blind):
    (row,), _ = read_rows(CONVERTER, [{"ratingKey": "7", "Media": versions}])
    assert [path for path, _ in files_of(row)] == paths
    assert is_blind(row) is blind


@pytest.mark.parametrize(
    ("row", "container", "section"),
    [
        ({"librarySectionID": "2", "librarySectionKey": "/library/sections/3"}, "4", "2"),
        ({"librarySectionKey": "/library/sections/3"}, "4", "3"),
        ({"librarySectionKey": "/library/sections/3/all"}, "4", "4"),
        ({}, "4", "4"),
        ({"librarySectionID": "../2"}, "4", ""),
        ({}, "", ""),
    ],
)
def test_the_library_of_a_row(row, container, section):
    assert section_of(WireRow("7", **row), WireContainer(librarySectionID=container)) == section


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (OddRow("7", "Pier"), "item 7 “Pier”"),
        (OddRow("", "Pier", "/a.mp4", 3), "an item “Pier”"),
        (OddRow("7", ""), "item 7"),
        (OddRow("7", "", "/a.mp4", 3), "item 7, the one listed after “/a.mp4”"),
        (OddRow("", "", "/a.mp4", 3), "item number 3 of the list, the one listed after “/a.mp4”"),
        (OddRow("", "", "", 1), "item number 1 of the list"),
        (OddRow("", "", "/a.mp4"), "an item, the one listed after “/a.mp4”"),
        (OddRow("", ""), "an item"),
    ],
)
def test_what_is_known_about_a_row_that_cannot_be_read(row, words):
    assert row.words() == words


def test_libraries_are_read_but_for_odd_ones():
    rows = [
        {"key": "../1", "type": "movie"}, None, {"type": "movie"}, {"key": 2, "type": ["movie"]},
        {"key": 3, "type": "movie", "title": "Films", "uuid": "u", "contentChangedAt": 5,
         "scannedAt": 6, "updatedAt": 7, "refreshing": "1", "Location": [{"path": "/m"}, {}]},
        {"key": "4"},
    ]  # fmt: skip
    first, second = read_sections(CONVERTER, rows)
    assert (first.key, first.type, first.title, first.uuid, first.refreshing) == (
        "3", "movie", "Films", "u", True,
    )  # fmt: skip
    assert (first.contentChangedAt, first.scannedAt, first.updatedAt) == ("5", "6", "7")
    assert [location.path for location in first.Location] == ["/m", ""]
    assert (second.key, second.type, second.refreshing, second.Location) == ("4", "", False, [])


def test_an_id_that_cannot_be_one_is_shown_in_part():
    assert [opaque(value) for value in ("7", "a_B-9", "x" * 64)] == ["7", "a_B-9", "x" * 64]
    for value in ("", "../7", "x" * 65):
        with pytest.raises(Transient) as caught:
            opaque(value)
        assert caught.value.what == f"Plex sent an id that cannot be one: {value[:40]!r}."


# -- lists --------------------------------------------------------------------------------


class Answers:
    """A Plex that answers GETs in turn, and keeps what it was asked."""

    def __init__(self, *answers, paths=()):
        self.answers = list(answers)
        self.paths = paths
        self.asked = []
        self.lists = PlexLists(self.get, CONVERTER, self.paths_of)

    def get(self, path, doing, headers=None, *, most_seconds=inf):
        self.asked.append((path, doing, dict(headers or {}), most_seconds))
        answer = self.answers.pop(0) if self.answers[1:] else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return structure(CONVERTER, answer, WireContainer, "Plex", doing)

    def paths_of(self, key):
        self.asked.append(key)
        if isinstance(self.paths, Exception):
            raise self.paths
        return self.paths


def row(key, **values):
    parts = [{"file": f"/media/{key}.mp4", "size": key}]
    return {"ratingKey": str(key), "addedAt": 100 + key, "Media": [{"Part": parts}], **values}


def test_one_page_of_files_with_everything_in_it():
    blind = {"Media": [{"Part": [{"size": 1}]}]}
    rows = [
        row(1, addedAt=900, deletedAt=5), row(2), {"ratingKey": "3", "Media": 7}, row(4, **blind),
        row(5),
    ]  # fmt: skip
    plex = Answers({"totalSize": 70, "Metadata": rows}, {"Metadata": rows[:2]})
    page = plex.lists.page("9", 20, 50, size=7, most_seconds=2.5)
    files = (PlexFile("9", "2", "/media/2.mp4", 2), PlexFile("9", "5", "/media/5.mp4", 5))
    assert page == ListPage(files, 105, 5, 70, (OddRow("3", ""),), 1)
    ((path, doing, headers, seconds),) = plex.asked
    start, _, query = path.partition("?type=1&sort=id&excludeElements=")
    assert start == "/library/sections/9/all"
    assert query.endswith("&includeGuids=0&addedAt%3E%3E=50")
    assert (doing, seconds) == ("a list page", 2.5)
    assert headers == {"X-Plex-Container-Start": "20", "X-Plex-Container-Size": "7"}
    # Without a total there are as many as were read.
    assert plex.lists.page("9", 20, None) == ListPage(files[:1], 102, 2, 22)
    path, _, headers, seconds = plex.asked[1]
    assert "addedAt" not in path
    assert (headers["X-Plex-Container-Size"], seconds) == ("500", inf)


class Spoilt(Answers):
    """A Plex with three items, the second of which spoils each list that shows its files."""

    def get(self, path, doing, headers=None, *, most_seconds=inf):
        headers = dict(headers or {})
        start, size = (int(headers[f"X-Plex-Container-{name}"]) for name in ("Start", "Size"))
        rows = [row(1), row(2, title="Pier"), row(3)][start : start + size]
        self.asked.append((start, size, doing))
        if "Media%2C" in path:
            rows = [{"ratingKey": one["ratingKey"], "title": one.get("title")} for one in rows]
        elif any(one["ratingKey"] == "2" for one in rows):
            raise Unavailable("Plex", "Plex answered a list page with 500.")
        answer = {"totalSize": 3, "Metadata": rows}
        return structure(CONVERTER, answer, WireContainer, "Plex", doing)


@pytest.mark.parametrize(
    ("paths", "files", "odd"),
    [
        ([("/b.mp4", 8), ("/c.mp4", None)], [("/b.mp4", 8), ("/c.mp4", None)], []),
        ([], [], [OddRow("2", "Pier", "/media/1.mp4", 2)]),
        (NotFound("Plex", "404"), [], [OddRow("", "", "/media/1.mp4", 2)]),
    ],
)
def test_a_row_that_no_list_shows_is_read_by_its_key(paths, files, odd):
    plex = Spoilt(paths=paths)
    pages = list(plex.lists.files("9", None))
    assert [file for page in pages for file in page.files] == [
        PlexFile("9", "1", "/media/1.mp4", 1),
        *(PlexFile("9", "2", path, size) for path, size in files),
        PlexFile("9", "3", "/media/3.mp4", 3),
    ]
    assert [row for page in pages for row in page.odd] == odd
    assert sum(page.rows for page in pages) == 3
    assert (1, 1, "the key of an item") in plex.asked
    assert plex.asked.count("2") == 1


def test_when_an_item_was_last_edited_and_what_changed_since():
    plex = Answers(
        {"Metadata": [row(1, updatedAt=70)]}, {"Metadata": []},
        {"Metadata": [row(1), row(2)], "totalSize": 2},
        {"Metadata": [row(1), {"ratingKey": "2", "title": "Pier", "Media": 3}]},
    )  # fmt: skip
    assert plex.lists.newest_update("9") == 70
    assert plex.lists.newest_update("9") == 0
    path, doing, headers, _ = plex.asked[0]
    query = "type=1&sort=updatedAt%3Adesc&excludeElements=Media%2C"
    assert path.startswith(f"/library/sections/9/all?{query}")
    assert (doing, headers) == (
        "its newest change", {"X-Plex-Container-Start": "0", "X-Plex-Container-Size": "1"},
    )  # fmt: skip
    assert list(plex.lists.changed_since("9", "lastViewedAt", 50)) == [["1", "2"]]
    path, doing, _, _ = plex.asked[2]
    assert "type=1&sort=id&lastViewedAt%3E%3E=50&excludeElements=Media%2C" in path
    assert doing == "what changed"
    with pytest.raises(Transient) as caught:
        list(plex.lists.changed_since("9", "updatedAt", 50))
    assert caught.value.what == "Plex's list has item 2 “Pier”, not readable."


# -- over the network ---------------------------------------------------------------------


@pytest.fixture
def plex():
    with FakePlex() as server:
        yield server


@pytest.fixture
def transport(plex):
    transport = Transport(
        "Plex", plex.url, headers={}, connect_timeout=30, read_timeout=30, login_page="/login"
    )
    yield transport
    transport.close()


def answer(plex, status=200, body=b"{}", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    plex.faults.add(Fault("status", status=status, headers=headers, body=body))


CREDENTIALS = "it does not accept our credentials."
TOO_LONG = "it or a proxy in front of it accepts no request of this size."


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "what", "values"),
    [
        (401, b"", {}, Refused, f"Plex answered a look with 401: {CREDENTIALS}",
         {"wants_login": True}),
        (403, b"", {}, Refused, f"Plex answered a look with 403: {CREDENTIALS}",
         {"wants_login": True}),
        (302, b"", {"location": "/login?x"}, Refused, "Plex answered a look with 302, a redirect.",
         {"wants_login": True, "fix": "Use the address that it really listens on."}),
        (399, b"", {"location": "/other"}, Refused, "Plex answered a look with 399, a redirect.",
         {"wants_login": False}),
        (404, b"", {}, NotFound, "Plex answered a look with 404: it no longer has that.", {}),
        (503, b'<R status="Starting"/>', {"retry_after": "20"}, Unavailable,
         "Plex is busy: Starting", {"cause": BUSY, "retry_after": 20.0, "scope": SERVER}),
        (503, b'<R status="Starting"/>', {}, Unavailable, "Plex is busy: Starting",
         {"cause": BUSY, "retry_after": None, "scope": SERVER}),
        (503, b"", {}, Unavailable, "Plex answered a look with 503.",
         {"cause": None, "retry_after": None, "scope": SERVER}),
        (429, b"", {"retry_after": "301"}, Unavailable, "Plex answered a look with 429.",
         {"cause": LIMITED, "retry_after": 300.0, "scope": SERVER}),
        (429, b"", {"retry_after": "soon"}, Unavailable, "Plex answered a look with 429.",
         {"cause": LIMITED, "retry_after": None, "scope": SERVER}),
        (500, b'<R status="Starting"/>', {}, Unavailable, "Plex answered a look with 500.",
         {"cause": None, "retry_after": None, "scope": None}),
        (599, b"", {"retry_after": "7"}, Unavailable, "Plex answered a look with 599.",
         {"cause": None, "retry_after": 7.0, "scope": SERVER}),
        (408, b"", {}, Transient, "Plex answered a look with 408.", {}),
        (409, b"", {}, Transient, "Plex answered a look with 409.", {}),
        (425, b"", {}, Transient, "Plex answered a look with 425.", {}),
        (413, b"", {}, Rejected,
         f"Plex answered a look with 413: {TOO_LONG}", {}),
        (414, b"", {}, Rejected,
         f"Plex answered a look with 414: {TOO_LONG}", {}),
        (431, b"", {}, Rejected,
         f"Plex answered a look with 431: {TOO_LONG}", {}),
        (400, b"", {}, Rejected,
         "Plex answered a look with 400: it does not accept what was sent.", {}),
        (428, b"", {}, Rejected,
         "Plex answered a look with 428: it does not accept what was sent.", {}),
    ],
)  # fmt: skip
def test_each_status_in_words(plex, transport, status, body, headers, kind, what, values):
    answer(plex, status, body, **headers)
    with pytest.raises(ServerError) as caught:
        transport.request("GET", "/x?y=1", what="a look")
    assert (type(caught.value), caught.value.what, caught.value.server) == (kind, what, "Plex")
    assert {name: getattr(caught.value, name) for name in values} == values
    assert transport.requests == 1


def test_a_reply_with_its_time_and_its_limit(plex, transport):
    answer(plex, 200, b"x" * 2048, Date="Thu, 01 Jan 1970 00:01:40 GMT", Content_Type="a/b; c")
    reply = transport.request("GET", "/x", limit=2048)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (
        200, b"x" * 2048, "a/b; c",
    )  # fmt: skip
    answer(plex, 299)
    assert transport.request("GET", "/x").status == 299
    answer(plex, 200, b"x" * 2049)
    with pytest.raises(TooLarge) as caught:
        transport.request("GET", "/x?token=1", limit=2048)
    assert caught.value.what == "Plex sent more than 2 KiB for GET /x; the answer was dropped."
    assert transport.requests == 3


@pytest.mark.parametrize("body", [b"[]", b"nothing", b"", b"3", b'"x"'])
def test_an_answer_that_is_no_object_is_another_programs(plex, transport, body):
    answer(plex, 200, body, Content_Type="text/html; charset=utf-8")
    reply = transport.request("GET", "/x")
    with pytest.raises(Unavailable) as caught:
        transport.json(reply, "a look")
    assert caught.value.what == (
        f"Plex answered a look with something that is not its own JSON (text/html, {len(body)} "
        f"bytes). Is {plex.url} really Plex?"
    )


def test_pins_and_servers_of_a_user(plex, transport):
    tv = PlexTv(transport)
    new = {"id": 5, "code": "abc", "expiresAt": "2026-01-01T00:00:00Z", "authToken": None}
    answer(plex, 201, json.dumps(new).encode())
    assert tv.make_pin() == Pin(5, "abc", "2026-01-01T00:00:00Z")
    answer(plex, 200, b'{"id": 5, "code": "abc", "authToken": "secret-1"}')
    assert tv.pin(5) == Pin(5, "abc", "", "secret-1")
    rows = [
        {"name": "A player", "provides": "client,player", "clientIdentifier": "p"},
        {
            "name": "Harbour", "provides": "client,server", "clientIdentifier": "m",
            "productVersion": "1.43.0", "sourceTitle": "Somebody", "accessToken": "t",
            "owned": True,
            "connections": [
                {"uri": ""},
                {"uri": "https://a.plex.direct:32400/", "local": True, "address": "10.0.0.2",
                 "port": 32400},
                {"uri": "https://relay:8443", "relay": True, "address": "10.0.0.3", "port": 1},
                {"uri": "https://b", "local": True, "address": "fe80::1", "port": 2, "IPv6": True},
                {"uri": "https://c", "local": True, "address": "", "port": 3},
                {"uri": "https://d", "local": True, "address": "10.0.0.4"},
            ],
        },
        {"name": "Nameless", "provides": "server", "clientIdentifier": ""},
        {"name": "Quay", "provides": "server", "clientIdentifier": "n",
         "sourceTitle": "Performer 3", "httpsRequired": True,
         "connections": [{"uri": "https://e", "local": True, "address": "10.0.0.5", "port": 1}]},
    ]  # fmt: skip
    answer(plex, 200, json.dumps(rows).encode())
    assert tv.servers() == [
        Server("m", "Harbour", "1.43.0", True, "", "t", (
            Address("https://a.plex.direct:32400", True, False),
            Address("https://relay:8443", False, True),
            Address("https://b", True, False),
            Address("https://c", True, False),
            Address("https://d", True, False),
            Address("http://10.0.0.2:32400", True, False),
        )),
        Server("n", "Quay", "", False, "Performer 3", "", (Address("https://e", True, False),)),
    ]  # fmt: skip
    assert [(one.method, one.path) for one in plex.requests] == [
        ("POST", "/api/v2/pins"), ("GET", "/api/v2/pins/5"), ("GET", "/api/v2/resources"),
    ]  # fmt: skip
    answer(plex, 200, b"no JSON")
    with pytest.raises(
        Unavailable, match="answered the list of servers with something that is not"
    ):
        tv.servers()
    answer(plex, 200, b'{"id": "x"}')
    with pytest.raises(Transient) as caught:
        tv.pin(5)
    assert caught.value.what == f"plex.tv answered the sign-in {ODD}"


# -- Stash --------------------------------------------------------------------------------


class Link(StashLink):
    """A link to a Stash that answers with `data`."""

    def __init__(self, **data: Any) -> None:
        self.data = data
        self.asked: list[tuple[str, Any]] = []

    def query(self, text: str, variables: Any = None, **_: Any) -> dict[str, Any]:
        self.asked.append((text, variables))
        return self.data


def test_tags_and_scenes_are_found_by_a_text():
    rows = [
        {"id": "7", "name": "Fog", "scene_count": 3, "aliases": ["Mist"]},
        {"id": 8, "name": "Ebb"},
    ]
    link = Link(findTags={"count": 9, "tags": rows})
    assert search_tags(link, "o", 20) == (
        9, [TagRow(7, "Fog", 3, ["Mist"]), TagRow(8, "Ebb", 0, [])],
    )  # fmt: skip
    ((text, variables),) = link.asked
    assert text == (
        "query SearchTags($filter: FindFilterType) { findTags(filter: $filter) {"
        " count tags { id name aliases scene_count } } }"
    )
    assert variables == {"filter": {"q": "o", "per_page": 20, "sort": "name", "direction": "ASC"}}
    link = Link(findScenes={"count": 2, "scenes": [{"id": "5"}, {"id": 3}]})
    assert search_scenes(link, "pier") == [5, 3]
    ((text, variables),) = link.asked
    assert "findScenes(filter: $filter) { count scenes { id } }" in text
    assert variables == {
        "filter": {"q": "pier", "per_page": 1000, "sort": "id", "direction": "ASC"}
    }
    link = Link(findScenes={"count": 2})
    assert count_scenes(link, {"organized": True}) == 2
    ((text, variables),) = link.asked
    assert "findScenes(scene_filter: $criteria, filter: {per_page: 0}) { count }" in text
    assert variables == {"criteria": {"organized": True}}
    odd = {
        "its tags": lambda: search_tags(Link(), "o", 1),
        "a number of scenes": lambda: count_scenes(Link(), {}),
        "a list of scenes": lambda: search_scenes(Link(findScenes={"scenes": []}), "o"),
    }
    for doing, ask in odd.items():
        with pytest.raises(Transient) as caught:
            ask()
        assert caught.value.what == f"Stash answered {doing} {ODD}"


def test_all_tags_and_the_mark_of_the_newest():
    rows = [
        {"id": "7", "name": "Fog", "aliases": ["Mist", "Haar"], "created_at": "2024"},
        {"id": 8, "name": "Ebb"},
    ]
    assert read_tags(CONVERTER, {"findTags": {"tags": rows}}) == [
        Tag(7, "Fog", ("Mist", "Haar"), "2024"), Tag(8, "Ebb", (), ""),
    ]  # fmt: skip
    newest = {"count": 2, "tags": [{"updated_at": "2025"}, {"updated_at": "2024"}]}
    assert read_tag_mark(CONVERTER, {"findTags": newest}) == "2 2025"
    assert read_tag_mark(CONVERTER, {"findTags": {"count": 0, "tags": []}}) == "0 "
    for read, doing in ((read_tags, "its tags"), (read_tag_mark, "its newest tag")):
        with pytest.raises(Transient) as caught:
            read(CONVERTER, {})
        assert caught.value.what == f"Stash answered {doing} {ODD}"


def test_new_scenes_are_those_above_the_last_one():
    assert new_scenes_variables(None) == {
        "filter": {"per_page": 1, "sort": "id", "direction": "DESC"}
    }
    assert new_scenes_variables(0) == {
        "criteria": {"id": {"value": 0, "modifier": "GREATER_THAN"}},
        "filter": {"per_page": 1000, "sort": "id", "direction": "ASC"},
    }

    def read(ids, after, *jobs):
        queue = [{"id": 1, "status": "RUNNING", "description": text} for text in jobs]
        found = {"scenes": [{"id": str(id_)} for id_ in ids]}
        return read_new_scenes(CONVERTER, {"findScenes": found, "jobQueue": queue or None}, after)

    assert read([9], None) == NewScenes(False, 9)
    assert read([], None) == NewScenes(False, 0)
    assert read([4, 7], 3, "Cleaning...", "Scanning...") == NewScenes(True, 7, (4, 7))
    assert read([], 3, "Not Scanning...") == NewScenes(False, 3)
    for ids in ([3, 4], [7, 4]):
        with pytest.raises(Transient) as caught:
            read(ids, 3)
        assert caught.value.what == "Stash answered scenes that were not asked for."


def test_a_whole_scene_of_stash():
    group = {"group": {"id": 4, "name": "Piers"}}
    data = {
        "id": "7", "updated_at": "2026", "organized": True, "title": "A", "details": "B",
        "director": "C", "code": "D", "date": "2020", "rating100": 73,
        "paths": {"screenshot": "http://x?t=1"},
        "files": [{"path": "/a", "size": 3}, {"path": "/b"}],
        "studio": {"id": 1, "name": "Quay"},
        "performers": [{"id": 2, "name": "P", "disambiguation": "old"}, {"id": 3, "name": "Q"}],
        "tags": [{"id": 5, "name": "Fog", "aliases": ["Mist"]}], "groups": [group],
    }  # fmt: skip
    scene = read_scene(structure(CONVERTER, data, WireScene, "Stash", "x"))
    assert scene == Scene(
        7, "A", "B", "C", "D", "2020", 73, True, "2026", "http://x?t=1",
        (StashFile("/a", 3), StashFile("/b", None)), Entity(1, "Quay"),
        (Entity(2, "P", "old"), Entity(3, "Q")), (Entity(5, "Fog", "", ("Mist",)),),
        (Entity(4, "Piers"),),
    )  # fmt: skip
    bare = read_scene(WireScene(7, "2026", False))
    assert bare == Scene(7, "", "", "", "", "", None, False, "2026", "", (), None, (), (), ())


def test_a_missing_part_of_an_answer_is_named():
    data = {"findScenes": {"count": 0, "scenes": [3]}}
    assert dig(data, "findScenes", "count") == 0
    assert rows_of(data) == [3]
    assert rows_of({"a": {"b": []}}, "a", "b") == []
    for odd, words in (
        ({}, "Stash's answer has no 'findScenes'."),
        ({"findScenes": {"scenes": None}}, "Stash's answer has no 'scenes'."),
        ({"findScenes": 3}, "Stash's answer has no 'scenes'."),
        ({"findScenes": {"scenes": {}}}, "Stash's answer has no list of scenes."),
    ):
        with pytest.raises(Transient) as caught:
            rows_of(odd)
        assert caught.value.what == words


@pytest.mark.parametrize(
    ("info", "url", "certificate"),
    [
        ({"Port": 9999}, "http://127.0.0.1:9999", ""),
        ({"Host": "0.0.0.0", "Port": 1, "Scheme": "http", "Dir": "/d"}, "http://127.0.0.1:1", ""),
        ({"Host": "::", "Port": 65535}, "http://127.0.0.1:65535", ""),
        ({"Host": "[::]", "Port": 80, "Scheme": "https"}, "https://127.0.0.1:80", ""),
        ({"Host": "fe80::1%eth0", "Port": 80}, "http://[fe80::1%eth0]:80", ""),
        ({"Host": "[fe80::1]", "Port": 80}, "http://[fe80::1]:80", ""),
        ({"Host": "quay.local", "Port": 80, "Scheme": "https", "Dir": "/d"},
         "https://quay.local:80", "/d/stash.crt"),
    ],
)  # fmt: skip
def test_stashs_own_address(info, url, certificate):
    assert read_server_connection(info) == StashAddress(url, certificate=certificate)
    cookies = {"Name": "session", "Value": "abc"}
    assert read_server_connection({**info, "SessionCookie": cookies}).cookie == ("session", "abc")
    for odd in ("x", {"Name": "session"}, {"Value": "abc"}, {"Name": "", "Value": "abc"}):
        assert read_server_connection({**info, "SessionCookie": odd}).cookie is None


@pytest.mark.parametrize(
    ("info", "what"),
    [
        ({"Host": "a b", "Port": 1}, "Stash's connection has no usable host: 'a b'."),
        ({"Host": "x" * 256, "Port": 1}, f"Stash's connection has no usable host: '{'x' * 80}'."),
        ({"Port": 0}, "Stash's connection has no usable port."),
        ({"Port": 65536}, "Stash's connection has no usable port."),
        ({"Port": "80"}, "Stash's connection has no usable port."),
        ({"Port": True}, "Stash's connection has no usable port."),
        ({}, "Stash's connection has no usable port."),
    ],
)
def test_a_connection_that_cannot_be_used(info, what):
    with pytest.raises(ConfigError) as caught:
        read_server_connection(info)
    assert caught.value.what == what


# -- what both share ----------------------------------------------------------------------


def test_a_scene_is_recognised_by_its_title_or_its_file():
    assert make_scene(title="t" * 201).label == "t" * 200
    files = (StashFile("C:\\films\\pier.mp4"), StashFile("/quay.mp4"))
    assert make_scene(title="", files=files).label == "pier.mp4"
    assert make_scene(9, title="", files=()).label == "scene 9"
    covers = {
        "http://x/scene/1?t=17&k=1": "t=17", "http://x/1?apikey=s&t=a.b:-": "t=a.b:-",
        "http://x/1?at=17": "u" * 64, "http://x/1?t=": "u" * 64, "": "u" * 64,
        f"http://x/1?t={'1' * 65}": "u" * 64, f"http://x/1?t={'1' * 64}": f"t={'1' * 64}",
    }  # fmt: skip
    for address, tag in covers.items():
        assert make_scene(screenshot=address, updated_at="u" * 65).cover_tag == tag, address


def test_one_of_the_items_of_a_match_leads():
    first, second, third = (PlexFile(key, key, "/a.mp4", 1) for key in "123")
    match = Match(first, "path", (second, third))
    assert match.led_by("2") == Match(second, "path", (first, third))
    assert match.led_by("1") == match
    assert match.led_by("9") == match


def test_jobs_and_changes_report_what_they_are():
    states = ("READY", "RUNNING", "STOPPING", "FINISHED", "CANCELLED", "FAILED")
    jobs = [TaskJob(1, status, "x", "2026") for status in states]
    assert [job.runs for job in jobs] == [True, True, False, False, False, False]
    assert [job.stopped for job in jobs] == [False, False, True, False, True, False]
    assert [StashJob(1, status, "x").ended for status in states] == [
        False, False, False, True, True, True,
    ]  # fmt: skip
    assert jobs[0].is_same(jobs[3])
    for other in (TaskJob(2, "READY", "x", "2026"), TaskJob(1, "READY", "y", "2026"),
                  TaskJob(1, "READY", "x", "2027")):  # fmt: skip
        assert not jobs[0].is_same(other)
    assert CHANGE.fields == (TITLE, Field.DATE, TAGS, Field.DIRECTOR, Field.RATING)
    cleared = Change({}, {}, clear_rating=True, kept=frozenset({TITLE}))
    assert (cleared.fields, cleared.edits) == ((Field.RATING,), False)
    edits = [
        Change({TITLE: ""}, {}), Change({}, {TAGS: ListChange((), ())}), Change({}, {}, 0.0),
        Change({}, {}, locks=frozenset({TITLE})), Change({}, {}, unlocks=frozenset({TITLE})),
    ]  # fmt: skip
    assert all(change.edits for change in edits)
    assert Change({}, {}).fields == ()
