"""One odd row of Plex costs only itself, and a byte that is no UTF-8 costs nothing at all."""

from __future__ import annotations

import json
import os

import pytest

from stash2plex.errors import ServerError, Transient
from stash2plex.model import Field
from stash2plex.servers.plex import Plex, plex_headers
from stash2plex.servers.plexwire import _name, _rating_key
from stash2plex.servers.stash import Stash
from stash2plex.servers.transport import Transport, decode
from stash2plex_testing.plex import FakePlex, Fault, Limits

ROWS = [
    {
        "ratingKey": str(key),
        "librarySectionID": 1,
        "title": f"Pier {key}",
        "addedAt": 1000 + key,
        "updatedAt": 2000 + key,
        "Media": [{"Part": [{"file": f"/media/{key}.mp4", "size": key}]}],
    }
    for key in range(1, 6)
]
OTHERS = ["1", "2", "4", "5"]


@pytest.fixture
def plex():
    with FakePlex() as server:
        server.add_section("Harbour Films", locations=["/media"])
        yield server


@pytest.fixture
def client(plex):
    headers = plex_headers(plex.token, "a-client")
    client = Plex(Transport("Plex", plex.url, headers=headers, connect_timeout=30, read_timeout=30))
    yield client
    client.close()


def answer(plex, body, headers=None):
    """Have the next request answered."""
    data = body if isinstance(body, bytes) else json.dumps({"MediaContainer": body}).encode()
    plex.faults.add(Fault("status", status=200, headers=headers or {}, body=data))


# -- rows --------------------------------------------------------------------------------------


def spoilt(**values):
    row = {**ROWS[2], **values}
    return {name: value for name, value in row.items() if value != "absent"}


ODD = {
    "a key that is none": spoilt(ratingKey="../3"),
    "a huge key": spoilt(ratingKey="3" * 1000),
    "a key of another kind": spoilt(ratingKey={"id": 3}),
    "no key at all": spoilt(ratingKey="absent"),
    "a key that is null": spoilt(ratingKey=None),
    "a title of another kind": spoilt(title=["Pier"]),
    "files of another kind": spoilt(Media={"Part": "x"}),
    "a file that is a number of parts": spoilt(Media=[{"Part": 7}]),
    "a time that is none": spoilt(addedAt="yesterday"),
    "a time out of bounds": spoilt(addedAt=10**30),
    "a size out of bounds": spoilt(Media=[{"Part": [{"file": "/media/3.mp4", "size": 10**30}]}]),
    "a rating that is no number": spoilt(userRating="five"),
    "a rating without end": spoilt(userRating=float("inf")),
    "nothing": None,
    "a text": "Pier 3",
    "a list": [],
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_an_odd_row_costs_only_itself(plex, client, odd, place):
    good = [row for row in ROWS if row["ratingKey"] != "3"]
    rows = [*good[:place], odd, *good[place:]]
    answer(plex, {"totalSize": 5, "Metadata": rows})
    (page,) = client.list_files("1")
    assert [file.rating_key for file in page.files] == OTHERS
    assert (page.rows, page.total, len(page.odd)) == (5, 5, 1)
    plex.clear_log()
    answer(plex, {"Metadata": rows})
    if not (isinstance(odd, dict) and odd.get("ratingKey") == "3"):
        # Which of them it is shows when each is asked for.
        for key in ("12345", "3", "1245", "1", "2", "45", "4", "5"):
            here = [row for row in good if str(row["ratingKey"]) in key]
            plex.faults.add(
                Fault(
                    "status", status=200, times=None, path=f"/{','.join(key)}$",
                    body=json.dumps(
                        {"MediaContainer": {"Metadata": [*here, *[odd] * ("3" in key)]}}
                    ).encode(),
                )
            )  # fmt: skip
    found = client.items(["1", "2", "3", "4", "5"])
    assert sorted(found) == OTHERS
    assert list(found.unreadable) == ["3"]
    assert isinstance(found.unreadable["3"], Transient)
    assert "item 3" in str(found.unreadable["3"]).lower()


def test_an_odd_row_is_named_by_what_can_be_read_of_it(plex, client):
    odd = spoilt(addedAt="yesterday")
    answer(plex, {"totalSize": 2, "Metadata": [odd, {"Media": [{"Part": [{"file": "/media/x"}]}]}]})
    (page,) = client.list_files("1")
    assert [row.words() for row in page.odd] == ["item 3 “Pier 3”", "an item “/media/x”"]


def test_a_null_is_a_value_that_is_not_there(plex, client):
    row = spoilt(title=None, Media=None, Genre=None, userRating=None, deletedAt=None, Role=[{
        "tag": None}])  # fmt: skip
    answer(plex, {"size": None, "librarySectionID": None, "Metadata": [row]})
    item = client.items(["3"])["3"]
    assert (item.texts[Field.TITLE], item.paths, item.rating, item.trashed) == ("", (), None, False)


def test_a_row_without_key_is_known_by_its_address(plex, client):
    answer(plex, {"Metadata": [spoilt(ratingKey="absent", key="/library/metadata/3")]})
    assert list(client.items(["3"])) == ["3"]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"ratingKey": "7"}, "7"),
        ({"ratingKey": 7}, "7"),
        ({"ratingKey": True}, ""),
        ({"ratingKey": "7/../8"}, ""),
        ({"ratingKey": 1.5}, ""),
        ({"key": "/library/metadata/9/children"}, "9"),
        ({"key": "/elsewhere/9"}, ""),
        ({"key": 9}, ""),
        ({}, ""),
        ("no row", ""),
    ],
)
def test_the_key_of_a_row(row, key):
    assert _rating_key(row) == key


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"title": "Pier"}, "Pier"),
        ({"title": "", "Media": [{"Part": [{"file": "/media/a.mp4"}]}]}, "/media/a.mp4"),
        ({"title": 7, "Media": []}, ""),
        ({"Media": [{"Part": [{}]}]}, ""),
        ("no row", ""),
    ],
)
def test_the_name_of_a_row_that_cannot_be_read(row, name):
    assert _name(row) == name


@pytest.mark.parametrize(
    ("row", "container", "section"),
    [
        ({"librarySectionID": 7}, {}, "7"),
        ({"librarySectionID": "absent"}, {"librarySectionID": 8}, "8"),
        ({"librarySectionID": "absent", "librarySectionKey": "/library/sections/9"}, {}, "9"),
        ({"librarySectionID": "absent"}, {}, ""),
        ({"librarySectionID": "a/b"}, {}, ""),
    ],
)
def test_the_library_of_an_item_is_read_where_it_stands(plex, client, row, container, section):
    rows = [ROWS[0], spoilt(**row)]
    answer(plex, {**container, "Metadata": rows})
    found = client.items(["1", "3"])
    assert (found["1"].section_id, found["3"].section_id) == ("1", section)


PIER = "/media/a/Pier (2019).mkv"
VERSIONS = "/media/a/Plex Versions"


@pytest.mark.parametrize(
    ("media", "own"),
    [
        ([(PIER, None), (f"{VERSIONS}/Optimized for TV/Pier (2019).mp4", 42)], [PIER]),
        ([(f"{VERSIONS}/Pier (2019).mp4", "42"), (PIER, None)], [PIER]),
        # A server that does not mark it, or marks it oddly.
        ([(PIER, None), (f"{VERSIONS}/Mobile/Pier (2019).mp4", None)], [PIER]),
        ([(PIER, []), (f"{VERSIONS}/Mobile/Pier (2019).mp4", "yes")], [PIER]),
        (
            [("S:\\a\\Pier.mkv", None), ("S:\\a\\plex versions\\TV\\Pier.mp4", None)],
            ["S:\\a\\Pier.mkv"],
        ),
        # In a folder of the library's own, with another name.
        ([(PIER, None), ("/media/Plex Versions/Original Quality/Pier.mkv", 42)], [PIER]),
        # The user's own folder, and a file of that name.
        ([(f"{VERSIONS}/Pier (2019).mkv", None)], [f"{VERSIONS}/Pier (2019).mkv"]),
        ([(PIER, 0), ("/media/a/Plex Versions", None)], [PIER, "/media/a/Plex Versions"]),
        ([(f"{VERSIONS}/Pier (2019).mp4", 42)], []),
    ],
)
def test_versions_that_plex_made_are_no_files_of_the_user(plex, client, media, own):
    rows = [{"Part": [{"file": path, "size": 1}], "proxyType": kind} for path, kind in media]
    answer(plex, {"size": 1, "totalSize": 1, "Metadata": [{**ROWS[0], "Media": rows}]})
    (page,) = client.list_files("1")
    assert ([file.path for file in page.files], page.odd, page.blind) == (own, (), 0)


def test_a_huge_title_is_only_long(plex, client):
    answer(plex, {"Metadata": [spoilt(title="x" * 5_000_000)]})
    assert len(client.items(["3"])["3"].texts[Field.TITLE]) == 5_000_000


def test_an_odd_library_costs_only_itself(plex, client):
    good = {"key": "1", "type": "movie", "title": "Harbour Films"}
    odd = [{"key": "../2"}, {"title": "No key"}, None, "x", {**good, "key": "3", "Location": 5}]
    answer(plex, {"Directory": [*odd[:3], good, *odd[3:], {**good, "key": 4, "title": None}]})
    assert [(one.id, one.title) for one in client.sections()] == [("1", "Harbour Films"), ("4", "")]


@pytest.mark.parametrize("rows", [{"a": 1}, "text", 5])
def test_rows_that_are_no_list_are_another_shape(plex, client, rows):
    answer(plex, {"Metadata": rows})
    with pytest.raises(ServerError):
        client.list_page("1", 0)


# -- pages -------------------------------------------------------------------------------------


def test_a_list_without_its_total_is_read_to_its_end(plex, client):
    films = plex._library.sections[1]
    for number in range(7):
        plex.add_item(films, f"/media/{number}.mp4")
    plex.limits = Limits(total_size=False, rows=3)
    assert sum(len(page.files) for page in client.list_files("1")) == 7
    assert [len(page) for page in client.changed_since("1", "updatedAt", 0)] == [3, 3, 1, 0]


def test_the_total_may_stand_in_a_header(plex, client):
    header = {"X-Plex-Container-Total-Size": "5"}
    answer(plex, {"Metadata": ROWS}, header)
    assert [page.total for page in client.list_files("1")] == [5]
    assert len(plex.requests) == 1


# -- bytes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Caf\xe9 am Kai", "Caf\ufffd am Kai"),
        (b"\xe9", "\ufffd"),
        (b"\xe2\x82 a", "\ufffd\ufffd a"),
        (b"\xf0\x9f\x92", "\ufffd\ufffd\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xff\xfe\x00", "\ufffd\ufffd\x00"),
        ("Café 灯".encode(), "Café 灯"),
        (b"\xef\xbb\xbf{}", "{}"),
    ],
)
def test_each_byte_that_is_no_utf_8_becomes_one_letter_as_in_go(data, text):
    assert decode(data) == text


@pytest.mark.parametrize("name", [b"Caf\xe9 am Kai", b"\xe9", b"\xe2\x82", b"a\x01b\tc\x1f"])
def test_bytes_in_the_title_and_in_the_path_of_one_item(plex, client, name):
    films = plex._library.sections[1]
    plex.add_item(films, "/media/good.mp4")
    answer(
        plex,
        b'{"MediaContainer":{"totalSize":2,"Metadata":[{"ratingKey":"1","title":"' + name + b'",'
        b'"Media":[{"Part":[{"file":"/media/' + name + b'.mp4"}]}]},{"ratingKey":"2","Media":'
        b'[{"Part":[{"file":"/media/good.mp4"}]}]}]}}',
    )
    (page,) = client.list_files("1")
    assert [file.path for file in page.files] == [
        f"/media/{decode(name)}.mp4", "/media/good.mp4"
    ]  # fmt: skip
    odd = plex.add_item(films, os.fsdecode(b"/media/\xe9/" + name), title=os.fsdecode(name))
    assert client.items([str(odd.rating_key), "1"])["2"].texts[Field.TITLE] == (
        decode(name).replace("\x01", "\x01")
    )


def test_stash_is_read_in_the_same_way(plex):
    answer(
        plex,
        b'{"data": {"s1": {"id": 1, "updated_at": "x", "organized": false, "title": "Caf\xe9",'
        b' "files": [{"path": "/data/\xe9.mp4", "size": 1}]}}}',
    )
    transport = Transport("Stash", plex.url, headers={}, connect_timeout=30, read_timeout=30)
    stash = Stash(transport)
    scene = stash.scenes([1])[1]
    assert (scene.title, scene.files[0].path) == ("Caf\ufffd", "/data/\ufffd.mp4")
    stash.close()


def test_the_first_row_is_named_by_its_place_where_nothing_else_is_known(plex, client):
    films = plex._library.sections[1]
    items = [plex.add_item(films, f"/media/{number}.mp4") for number in range(3)]
    plex.faults.add(Fault("status", times=None, item=items[0].rating_key))
    pages = list(client.list_files("1"))
    assert [row.words() for page in pages for row in page.odd] == ["item number 1 of the list"]
    assert [file.path for page in pages for file in page.files] == ["/media/1.mp4", "/media/2.mp4"]
