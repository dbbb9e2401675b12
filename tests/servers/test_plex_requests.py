"""Every request that the client of Plex sends, whole, and what it makes of each answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import pytest
from attrs import frozen

from stash2plex.errors import NotFound, Refused, Rejected, ServerError, Transient, Unavailable
from stash2plex.model import Change, Field, Image, Picture, PlexFile, Section
from stash2plex.servers.plex import STRANGER, STRANGER_FIX, Plex, ServerIdentity
from stash2plex.servers.plexlists import ListPage
from stash2plex.servers.plexlooks import ItemLook
from stash2plex.servers.transport import Reply, Transport
from tests.support import make_item

TRIM = (
    "skipRefresh=1&excludeElements=Chapter,Marker,Extras,Similar,Review,Rating,Country,Writer,"
    "Producer"
)
POSTER_QUERY = "width=120&height=180&minSize=1&upscale=0&url=%2Fa%2Fthumb%2F1"


@frozen
class Sent:
    """A request as it would go over the wire, and how it is named and bounded."""

    method: str
    path: str
    what: str
    most_seconds: float = inf
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    limit: int | None = None


class Wire(Transport):
    """Keeps each request, and answers it from a list."""

    def __init__(self, *answers: object) -> None:
        super().__init__("Plex", "http://plex:1", headers={}, connect_timeout=1.0, read_timeout=1.0)
        self.answers = list(answers)
        self.sent: list[Sent] = []

    def request(self, method: str, path: str, **given: Any) -> Reply:
        self.sent.append(Sent(str(method), path, **given))
        answer = self.answers.pop(0) if self.answers else b""
        if callable(answer):
            self.answers.insert(0, answer)
            answer = answer(self.sent[-1])
        if isinstance(answer, ServerError):
            raise answer
        if isinstance(answer, Reply):
            return answer
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Reply(200, {"content-type": "text/html; charset=utf-8"}, body)


def container(**values: object) -> dict[str, object]:
    return {"MediaContainer": values}


def asked(call: Callable[[Plex], object], *answers: object) -> tuple[Any, list[Sent]]:
    """Call a client; returns its answer and what it sent."""
    wire = Wire(*answers)
    return call(Plex(wire)), wire.sent


def failed(call: Callable[[Plex], object], *answers: object) -> ServerError:
    """Call a client that cannot do it; returns the error."""
    with pytest.raises(ServerError) as raised:
        call(Plex(Wire(*answers)))
    return raised.value


WHO = container(machineIdentifier="m 1", version="1.43", friendlyName="Harbour")
IDENTITY = ServerIdentity("m 1", "1.43", "Harbour")


def test_who_answers_is_asked_without_and_with_the_token():
    assert asked(lambda plex: plex.identity(), WHO) == (
        IDENTITY,
        [Sent("GET", "/identity", "the identity check")],
    )
    assert asked(lambda plex: plex.identity(3.0), WHO)[1] == [
        Sent("GET", "/identity", "the identity check", 3.0)
    ]
    assert asked(lambda plex: plex.check_token(), WHO) == (
        IDENTITY,
        [Sent("GET", "/", "the token check")],
    )
    assert asked(lambda plex: plex.check_token(3.0), WHO)[1] == [
        Sent("GET", "/", "the token check", 3.0)
    ]
    nameless, _ = asked(lambda plex: plex.identity(), container(machineIdentifier="m"))
    assert nameless == ServerIdentity("m", "", "")


def test_a_server_that_does_not_name_itself_is_not_plex():
    error = failed(lambda plex: plex.identity(), container(version="1.43"))
    assert isinstance(error, Transient)
    assert error.what == "http://plex:1 answers, but not as a Plex server."


LOCKED_OUT = Refused("Plex", "Plex answered with 401.", wants_login=True)
REDIRECT = Refused("Plex", "Plex answered with 302.", "Another address.")


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (container(claimed=False, machineIdentifier="m"), STRANGER),
        (container(claimed=True, machineIdentifier="m"), "Plex does not accept the token."),
        (container(machineIdentifier="m"), "Plex does not accept the token."),
        (container(claimed=False), "Plex does not accept the token."),
        (Unavailable("Plex", "It is gone."), "Plex does not accept the token."),
    ],
)
def test_a_plex_without_owner_is_known_by_its_identity(second, what):
    wire = Wire(LOCKED_OUT, second)
    with pytest.raises(Refused) as raised:
        Plex(wire).check_token(4.0)
    assert raised.value.what == what
    assert raised.value.wants_login
    assert raised.value.fix == (
        STRANGER_FIX
        if what == STRANGER
        else "Put a fresh X-Plex-Token of the server's owner into Settings > Plugins > "
        "Stash2Plex > Plex token."
    )
    assert wire.sent == [
        Sent("GET", "/", "the token check", 4.0),
        Sent("GET", "/identity", "the identity check", 4.0),
    ]


@pytest.mark.parametrize(
    "call",
    [lambda plex: plex.check_token(), lambda plex: plex.delete_collection("7")],
    ids=["a read", "a write"],
)
def test_a_redirect_keeps_its_own_words(call):
    error = failed(call, REDIRECT)
    assert (error.what, error.fix) == ("Plex answered with 302.", "Another address.")


@pytest.mark.parametrize(
    "call",
    [
        lambda plex: plex.sections(),
        lambda plex: plex.delete_collection("7"),
        lambda plex: plex.pictures("7", Field.POSTER),
    ],
    ids=["a read", "a write", "pictures"],
)
def test_a_refused_token_is_named_with_what_to_do(call):
    error = failed(call, LOCKED_OUT)
    assert error.what == "Plex does not accept the token."
    assert "X-Plex-Token" in str(error.fix)


def test_the_libraries_as_plex_lists_them():
    rows = [
        {"key": "1", "uuid": "u", "title": "Films", "type": "movie", "contentChangedAt": 3,
         "scannedAt": 4, "updatedAt": 5, "Location": [{"path": "/media"}, {"path": "/attic"}],
         "refreshing": True},
        {"key": "no id/", "title": "Odd", "type": "movie"},
        {"key": "2", "title": "Clips", "type": "movie"},
    ]  # fmt: skip
    assert asked(lambda plex: plex.sections(), container(Directory=rows)) == (
        [
            Section("1", "u", "Films", "movie", "3/4/5", ("/media", "/attic"), refreshing=True),
            Section("2", "", "Clips", "movie", "//", (), refreshing=False),
        ],
        [Sent("GET", "/library/sections", "its libraries")],
    )


CHANGE = Change({Field.TITLE: "Pier & quay"}, {})
WRITES = [
    (
        lambda plex: plex.scan("3", "/media/a b"),
        Sent("POST", "/library/sections/3/refresh?path=%2Fmedia%2Fa%20b", "the scan of a folder"),
    ),
    (
        lambda plex: plex.scan("3", ""),
        Sent("POST", "/library/sections/3/refresh", "the scan of a folder"),
    ),
    (
        lambda plex: plex.edit("3", ["7", "8"], CHANGE),
        Sent(
            "PUT",
            "/library/sections/3/all?type=1&id=7,8&title.value=Pier%20%26%20quay&title.locked=1",
            "the edit",
        ),
    ),
    (
        lambda plex: plex.confirm_lock(make_item(rating_key="7", section_id="3")),
        Sent(
            "PUT",
            "/library/sections/3/all?type=1&id=7&title.locked=0",
            "an edit that changes nothing",
        ),
    ),
    (
        lambda plex: plex.confirm_lock(make_item(locked=frozenset({Field.TITLE})), 5.0),
        Sent(
            "PUT",
            "/library/sections/1/all?type=1&id=7&title.locked=1",
            "an edit that changes nothing",
            5.0,
        ),
    ),
    (
        lambda plex: plex.clear_rating("7"),
        Sent(
            "PUT",
            "/:/rate?identifier=com.plexapp.plugins.library&key=7&rating=-1",
            "clearing the rating",
        ),
    ),
    (
        lambda plex: plex.rate("7", 7.5),
        Sent(
            "PUT",
            "/:/rate?identifier=com.plexapp.plugins.library&key=7&rating=7.5",
            "the rating",
        ),
    ),
    (
        lambda plex: plex.upload("7", Field.POSTER, Image(b"png", "image/png", "")),
        Sent(
            "POST",
            "/library/metadata/7/posters",
            "the upload of a poster",
            headers={"Content-Type": "image/png"},
            body=b"png",
        ),
    ),
    (
        lambda plex: plex.upload("7", Field.BACKGROUND, Image(b"jpg", "image/jpeg", "")),
        Sent(
            "POST",
            "/library/metadata/7/arts",
            "the upload of a background",
            headers={"Content-Type": "image/jpeg"},
            body=b"jpg",
        ),
    ),
    (
        lambda plex: plex.choose_picture("7", Field.POSTER, "upload://posters/a b"),
        Sent(
            "PUT",
            "/library/metadata/7/poster?url=upload%3A%2F%2Fposters%2Fa+b",
            "the choice of a poster",
        ),
    ),
    (
        lambda plex: plex.choose_picture("7", Field.BACKGROUND, "x"),
        Sent("PUT", "/library/metadata/7/art?url=x", "the choice of a background"),
    ),
    (
        lambda plex: plex.choose_none("7", Field.POSTER),
        Sent("DELETE", "/library/metadata/7/thumb", "the removal of the choice of a poster"),
    ),
    (
        lambda plex: plex.choose_none("7", Field.BACKGROUND),
        Sent("DELETE", "/library/metadata/7/art", "the removal of the choice of a background"),
    ),
    (
        lambda plex: plex.delete_collection("9"),
        Sent("DELETE", "/library/collections/9", "the removal of a collection"),
    ),
]


@pytest.mark.parametrize(("call", "sent"), WRITES, ids=[sent.path for _, sent in WRITES])
def test_each_write_is_one_request(call, sent):
    answer, requests = asked(call)
    assert answer is None
    ((method, path, what, most_seconds, headers, body),) = [
        (one.method, one.path, one.what, one.most_seconds, one.headers, one.body)
        for one in requests
    ]
    assert Sent(method, path, what, most_seconds, headers, body) == sent


def test_a_change_that_is_too_long_for_one_address_goes_out_in_several():
    change = Change({Field.TITLE: "a" * 12_000, Field.SUMMARY: "b" * 12_000}, {})
    _, sent = asked(lambda plex: plex.edit("3", ["7"], change))
    start = "/library/sections/3/all?type=1&id=7"
    assert [one.path[: len(start)] for one in sent] == [start] * 2
    assert [one.path.count("a" * 12_000) for one in sent] == [1, 0]
    assert all(len(one.path) <= 20_000 for one in sent)


def test_an_address_has_at_most_twenty_thousand_bytes():
    def edit(length):
        change = Change({Field.TITLE: "a" * 5_000, Field.TAGLINE: "b" * length}, {})
        return [one.path for one in asked(lambda plex: plex.edit("3", ["7"], change))[1]]

    (path,) = edit(1)
    room = 20_000 - len(path) + 1
    assert [len(one) for one in edit(room)] == [20_000]
    several = edit(room + 1)
    assert len(several) == 2
    assert max(len(one) for one in several) < 20_000


@pytest.mark.parametrize(
    ("body", "is_page"),
    [
        (b"", False),
        (b"{}", False),
        (b"<!DOCTYPE html><p>", True),
        (b" \n <HTML>", True),
        (b"<?xml?>", False),
        (b" " * 250 + b"<html>", True),
        (b" " * 256 + b"<html>", False),
    ],
)
def test_a_web_page_is_no_answer_to_a_write(body, is_page):
    if not is_page:
        assert asked(lambda plex: plex.rate("7", 5.0), body)[0] is None
        return
    error = failed(lambda plex: plex.rate("7", 5.0), body)
    assert isinstance(error, Unavailable)
    assert error.what == (
        "Plex answered the rating with something that is not its own JSON "
        f"(text/html, {len(body)} bytes). Is http://plex:1 really Plex?"
    )


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ({"MediaContainer": [1]}, "Plex answered its libraries with something that is not its own"),
        ({}, "Plex answered its libraries with something that is not its own"),
        (container(Metadata={"a": 1}),
         "Plex answered its libraries in a shape that Stash2Plex does not know."),
        (container(Directory="x"),
         "Plex answered its libraries in a shape that Stash2Plex does not know."),
        (container(totalSize={"a": 1}),
         "Plex answered its libraries in a shape that Stash2Plex does not know."),
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_named(answer, what):
    assert failed(lambda plex: plex.sections(), answer).what.startswith(what)


# -- lists --------------------------------------------------------------------------------


def listed(key: str, path: str, **values: object) -> dict[str, object]:
    return {"ratingKey": key, "Media": [{"Part": [{"file": path, "size": 9}]}], **values}


def test_a_page_of_a_list():
    rows = [listed("7", "/media/a.mp4", addedAt=50), listed("8", "/media/b.mp4", addedAt=40)]
    page, (sent,) = asked(
        lambda plex: plex.list_page("3", 5, size=2, most_seconds=4.0),
        container(Metadata=rows, totalSize=9),
    )
    files = (PlexFile("3", "7", "/media/a.mp4", 9), PlexFile("3", "8", "/media/b.mp4", 9))
    assert page == ListPage(files, 50, 2, 9)
    assert sent.path.startswith("/library/sections/3/all?type=1&sort=id&excludeElements=")
    assert "addedAt" not in sent.path
    assert (sent.what, sent.most_seconds) == ("a list page", 4.0)
    assert sent.headers == {"X-Plex-Container-Start": "5", "X-Plex-Container-Size": "2"}
    _, (plain,) = asked(lambda plex: plex.list_page("3", 0, 77), container(Metadata=rows))
    assert plain.path.endswith("&addedAt%3E%3E=77")
    assert plain.most_seconds == inf
    assert plain.headers == {"X-Plex-Container-Start": "0", "X-Plex-Container-Size": "500"}


@pytest.mark.parametrize(
    ("header", "own", "total"),
    [("12", None, 12), ("12", 5, 5), ("", None, 6), ("x", None, 6), ("²", None, 6),
     ("1" * 20, None, int("1" * 18))],
)  # fmt: skip
def test_the_total_of_a_list_is_in_the_answer_or_beside_it(header, own, total):
    answer = container(Metadata=[listed("7", "/a.mp4")], totalSize=own)
    reply = Reply(200, {"x-plex-container-total-size": header}, json.dumps(answer).encode())
    page, _ = asked(lambda plex: plex.list_page("3", 5), reply)
    assert page.total == total


def test_the_files_and_changes_of_a_library():
    rows = container(Metadata=[listed("7", "/media/a.mp4", addedAt=50)], totalSize=1)
    pages, (sent,) = asked(lambda plex: list(plex.list_files("3", 60)), rows)
    assert [page.files for page in pages] == [(PlexFile("3", "7", "/media/a.mp4", 9),)]
    assert sent.path.endswith("&addedAt%3E%3E=60")
    _, (sent,) = asked(lambda plex: list(plex.list_files("3")), rows)
    assert "addedAt" not in sent.path
    keys, (sent,) = asked(lambda plex: list(plex.changed_since("3", "lastRatedAt", 60)), rows)
    assert keys == [["7"]]
    assert "?type=1&sort=id&lastRatedAt%3E%3E=60&" in sent.path
    assert sent.what == "what changed"
    rows = container(Metadata=[{"ratingKey": "7", "updatedAt": 66}])
    newest, (sent,) = asked(lambda plex: plex.newest_update("3"), rows)
    assert newest == 66
    assert "?type=1&sort=updatedAt%3Adesc&" in sent.path
    assert asked(lambda plex: plex.newest_update("3"), container())[0] == 0


# -- items --------------------------------------------------------------------------------


def test_items_are_read_two_hundred_at_a_time_in_the_order_of_their_keys():
    keys = [f"{number:03}" for number in range(201)]
    items, sent = asked(
        lambda plex: plex.items([*keys[:199], keys[0], keys[199], keys[200]]),
        container(Metadata=[{"ratingKey": keys[0]}, {"ratingKey": keys[5]}]),
        container(Metadata=[{"ratingKey": keys[199]}, {"ratingKey": "777"}]),
    )
    assert sorted(items) == [keys[0], keys[5], keys[199]]
    assert items.unreadable == {}
    assert sent == [
        Sent("GET", f"/library/metadata/{','.join(keys[:199])}?{TRIM}", "item details"),
        Sent("GET", f"/library/metadata/{','.join(keys[199:])}?{TRIM}", "item details"),
    ]


def test_one_item_that_is_gone_is_absent():
    items, sent = asked(lambda plex: plex.items(["7"]), NotFound("Plex", "Gone."))
    assert (dict(items), items.unreadable, len(sent)) == ({}, {}, 1)
    assert asked(lambda plex: plex.items([])) == ({}, [])


def test_an_item_that_fails_alone_is_blamed_only_beside_one_that_can_be_read():
    spoilt = Transient("Plex", "Plex answered with an error.")
    wire = Wire(spoilt)
    with pytest.raises(Transient):
        Plex(wire).items(["7"])
    assert len(wire.sent) == 1
    items, sent = asked(
        lambda plex: plex.items(["7"], "9"), spoilt, container(Metadata=[{"ratingKey": "9"}])
    )
    assert ({*items.unreadable}, dict(items)) == ({"7"}, {})
    assert [one.path.partition("?")[0] for one in sent[:2]] == [
        "/library/metadata/7",
        "/library/metadata/9",
    ]


@pytest.mark.parametrize(
    ("detail", "files", "odd"),
    [
        ({}, [PlexFile("3", "7", "/media/a.mp4", 9), PlexFile("3", "7", "/media/b.mp4", None)], []),
        ({"deletedAt": 5}, [], ["item 7 “Pier”"]),
        (None, [], ["item 7 “Pier”"]),
    ],
    ids=["there", "in the bin", "gone"],
)
def test_a_row_that_no_list_shows_has_the_files_of_its_item(detail, files, odd):
    media = [{"Part": [{"file": "/media/a.mp4", "size": 9}, {"file": "/media/b.mp4"}]}]

    def reply(sent: Sent) -> object:
        if "/metadata/" in sent.path:
            if detail is None:
                return NotFound("Plex", "Gone.")
            return container(Metadata=[{"ratingKey": "7", "Media": media, **detail}])
        if "Media%2C" in sent.path:
            return container(Metadata=[{"ratingKey": "7", "title": "Pier"}], totalSize=2)
        headers = sent.headers or {}
        start, size = (int(headers[f"X-Plex-Container-{name}"]) for name in ("Start", "Size"))
        if start <= 1 < start + size:
            return Transient("Plex", "Plex answered with an error.")
        return container(Metadata=[listed("6", "/media/z.mp4")] if start == 0 else [], totalSize=2)

    pages, _ = asked(lambda plex: list(plex.list_files("3")), reply)
    found = [file for page in pages for file in page.files]
    assert found == [PlexFile("3", "6", "/media/z.mp4", 9), *files]
    assert [row.words() for page in pages for row in page.odd] == odd


def test_the_library_of_an_item_may_stand_beside_all_rows():
    rows = [{"ratingKey": "7"}, {"ratingKey": "8", "librarySectionID": "4"}]
    items, _ = asked(
        lambda plex: plex.items(["7", "8"]), container(Metadata=rows, librarySectionID="3")
    )
    assert {key: item.section_id for key, item in items.items()} == {"7": "3", "8": "4"}


def test_an_item_in_an_odd_shape_is_named_and_the_others_are_read():
    rows = [{"ratingKey": "7", "Genre": 3}, {"ratingKey": "8"}, {"ratingKey": "9", "Genre": 3}]
    items, _ = asked(lambda plex: plex.items(["7", "8"]), container(Metadata=rows))
    assert list(items) == ["8"]
    assert {key: error.what for key, error in items.unreadable.items()} == {
        "7": "Plex shows item 7 in a shape that Stash2Plex does not know."
    }


def test_a_row_without_a_key_spoils_only_what_was_not_read():
    rows = [{"title": "no key"}, {"ratingKey": "7"}, {"ratingKey": "8"}]
    items, sent = asked(lambda plex: plex.items(["7", "8"]), container(Metadata=rows))
    assert (sorted(items), items.unreadable, len(sent)) == (["7", "8"], {}, 1)
    items, sent = asked(
        lambda plex: plex.items(["7", "8"]),
        container(Metadata=rows[:2]),
        container(Metadata=rows[:1]),
        container(Metadata=rows[1:2]),
    )
    assert [one.path.partition("?")[0] for one in sent] == [
        "/library/metadata/7,8",
        "/library/metadata/8",
        "/library/metadata/7",
    ]
    assert sorted(items) == ["7"]
    assert {key: error.what for key, error in items.unreadable.items()} == {
        "8": "Plex shows item 8 in a shape that Stash2Plex does not know."
    }


def test_what_the_user_knows_items_by_and_a_small_poster():
    keys = [str(number) for number in range(1, 202)]
    looks, sent = asked(
        lambda plex: plex.looks(keys),
        container(Metadata=[{"ratingKey": "7", "title": "Pier", "year": 2024, "duration": 500}]),
    )
    assert looks == {"7": ItemLook("7", "Pier", 2024, 0.5, "")}
    assert sent == [Sent("GET", f"/library/metadata/{','.join(keys[:200])}?{TRIM}", "item details")]
    poster, sent = asked(lambda plex: plex.poster("/a/thumb/1"), b"\x89PNG\r\n\x1a\n")
    assert poster == "data:image/png;base64,iVBORw0KGgo="
    assert sent == [
        Sent("GET", f"/photo/:/transcode?{POSTER_QUERY}", "a small poster", limit=200_000)
    ]


def test_the_pictures_of_an_item_by_either_name_of_the_element():
    answer = container(
        Metadata=[{"ratingKey": "a", "selected": True}, {"ratingKey": "b"}],
        Photo=[{"ratingKey": "c", "selected": False}],
    )
    assert asked(lambda plex: plex.pictures("7", Field.BACKGROUND), answer) == (
        (Picture("a", selected=True), Picture("b", selected=False), Picture("c", selected=False)),
        [Sent("GET", "/library/metadata/7/arts", "the list of backgrounds")],
    )
    error = failed(lambda plex: plex.pictures("7", Field.POSTER), {"MediaContainer": 3})
    assert (error.server, error.what) == (
        "Plex",
        "Plex answered the list of posters in a shape that Stash2Plex does not know.",
    )


def test_each_page_of_collections_is_waited_for_as_long_as_the_caller_allows():
    rows = [{"ratingKey": "1", "title": "Tides"}]
    answers = [container(Metadata=rows, totalSize=2)] * 2
    collections, sent = asked(lambda plex: plex.collections("4", 6.0), *answers)
    assert [one.title for one in collections] == ["Tides", "Tides"]
    start = "/library/sections/4/collections?X-Plex-Container-Start="
    assert sent == [
        Sent("GET", f"{start}{at}&X-Plex-Container-Size=500", "its collections", 6.0)
        for at in (0, 1)
    ]
    _, (sent_plainly,) = asked(lambda plex: plex.collections("4"), container())
    assert sent_plainly.most_seconds == inf


def test_a_picture_without_bytes_and_an_edit_of_no_item_send_nothing():
    wire = Wire()
    with pytest.raises(Rejected) as raised:
        Plex(wire).upload("7", Field.POSTER, Image(None, "", ""))
    assert raised.value.what == "There is no picture to send."
    with pytest.raises(AssertionError, match="^an edit of no item would be one of all$"):
        Plex(wire).edit("3", [], CHANGE)
    assert wire.sent == []
