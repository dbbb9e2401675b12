"""How far a fault of the stand-in Plex reaches: what is beside it answers as ever."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any

import pytest
from plexapi.exceptions import BadRequest, NotFound

from stash2plex_testing.plex import Fault, scopes
from tests.support import until

ODD = b"Caf\xe9 am Kai".decode(errors="surrogateescape")
BROKEN = [
    ("status", 500), ("status", 404), ("malformed", 200), ("close", 0), ("reset", 0), ("empty", 200)
]  # fmt: skip


@pytest.fixture
def items(plex, films):
    return [plex.add_item(films, f"/media/{number}.mp4") for number in range(5)]


@pytest.fixture
def answer(wire):
    """Return the status of an answer, 0 where none comes, and whether it is JSON of Plex."""

    def ask(method, path, body=None):
        try:
            status, _, data = wire.ask(method, path, body)
        except (http.client.HTTPException, ConnectionError):
            return 0, False
        try:
            return status, "MediaContainer" in json.loads(data)
        except ValueError:
            return status, False

    return ask


class Hanging:
    """A request that meets a fault and hangs: asked in a thread, let go by the server."""

    def __init__(self, fault, answer, *request):
        self.got: list[Any] = []
        self._thread = threading.Thread(target=lambda: self.got.append(answer(*request)))
        self._thread.start()
        until(lambda: fault.hits)

    def end(self, plex):
        assert self.got == []
        plex.faults.clear()
        self._thread.join()
        return self.got


# -- bytes -----------------------------------------------------------------------------------


def test_a_byte_that_is_no_utf_8_goes_out_as_it_is(plex, films, items, wire):
    odd = plex.add_item(films, f"/media/{ODD}.mp4", title=ODD)
    for path in ("/library/sections/1/all", f"/library/metadata/1,{odd.rating_key}"):
        body = wire.ask("GET", path)[2]
        assert body.count(b"Caf\xe9 am Kai") == 2
        with pytest.raises(UnicodeDecodeError):
            json.loads(body)
        rows = json.loads(body.decode("utf-8", "replace"))["MediaContainer"]["Metadata"]
        assert rows[-1]["title"] == "Caf\ufffd am Kai"
    assert b"Caf\xe9 am Kai" in wire.ask("GET", "/library/sections/1/all", accept="text/xml")[2]
    assert wire.edit(odd, ("title.value", "A harbour")) == 200
    assert odd.title == "A harbour"


def test_other_letters_go_out_as_utf_8_and_half_ones_as_escapes(plex, films, wire):
    plex.add_item(films, "/media/a.mp4", title="Café")
    assert "Café".encode() in wire.ask("GET", "/library/sections/1/all")[2]
    plex.add_item(films, "/media/b.mp4", title="\ud800")
    assert b'"\\ud800"' in wire.ask("GET", "/library/sections/1/all")[2]
    assert wire.ask("GET", "/library/sections/1/all", accept="text/xml")[0] == 200


# -- an item ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "status"), BROKEN)
def test_an_item_spoils_the_pages_and_batches_that_show_it(plex, items, answer, kind, status):
    bad = plex.faults.add(Fault(kind, times=None, status=status, **scopes.item(items[2], "read")))
    for spoilt in (
        "/library/sections/1/all",
        "/library/sections/1/all?X-Plex-Container-Start=2&X-Plex-Container-Size=1",
        "/library/metadata/1,2,3",
        "/library/metadata/3",
    ):
        assert answer("GET", spoilt) == (status, False)
    for good in (
        "/library/sections/1/all?X-Plex-Container-Start=0&X-Plex-Container-Size=2",
        "/library/sections/1/all?X-Plex-Container-Start=3&X-Plex-Container-Size=2",
        "/library/metadata/1,2,4",
        "/library/sections",
    ):
        assert answer("GET", good) == (200, True)
    assert answer("PUT", "/library/sections/1/all?type=1&id=3&title.value=A")[0] == 200
    assert bad.hits == 4


def test_an_item_hangs_the_pages_that_show_it(plex, items, answer):
    hit = plex.faults.add(Fault("hang", times=None, **scopes.item(items[2], "read")))
    hanging = Hanging(hit, answer, "GET", "/library/sections/1/all")
    assert answer("GET", "/library/metadata/1,2,4,5") == (200, True)
    assert hanging.end(plex) == [(0, False)]


def test_an_item_whose_edit_fails_always(plex, items, reader, answer):
    plex.faults.add(Fault("status", times=None, **scopes.item(items[2], "edit")))
    for _ in range(3):
        with pytest.raises(BadRequest, match="500"):
            reader.fetchItem(3).editTitle("A harbour")
    assert answer("PUT", "/library/sections/1/all?type=1&id=2,3&title.value=A")[0] == 500
    reader.fetchItem(2).editTitle("A harbour")
    assert [item.title for item in items[1:4]] == ["A harbour", "2", "3"]
    assert answer("POST", "/library/metadata/3/posters", b"\xff\xd8\xff")[0] == 200


# -- a field ---------------------------------------------------------------------------------


def test_a_field_that_makes_every_edit_fail(plex, items, answer):
    plex.faults.add(Fault("status", times=None, **scopes.field("studio")))
    plex.faults.add(Fault("status", times=None, **scopes.field("genre")))
    edit = "/library/sections/1/all?type=1&id=1&title.value=A"
    assert answer("PUT", f"{edit}&studio.value=Quay")[0] == 500
    assert answer("PUT", f"{edit}&genre%5B0%5D.tag.tag=Fog")[0] == 500
    assert items[0].title == "0"
    assert answer("PUT", f"{edit}&studio.locked=1")[0] == 200
    assert items[0].title == "A"


def test_a_value_that_is_not_understood_is_400_or_500(plex, items, reader):
    for status in (400, 500):
        plex.limits.bad_value_status = status
        with pytest.raises(BadRequest, match=str(status)):
            reader.fetchItem(1).edit(**{"originallyAvailableAt.value": "2017-03"})


# -- an endpoint -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "posters", "arts"), [("posters", 500, 200), ("arts", 200, 500), ("both", 500, 500)]
)
def test_uploads_of_one_kind_fail_or_all(plex, items, reader, answer, kind, posters, arts):
    plex.faults.add(Fault("status", times=None, **scopes.uploads(kind)))
    for name, status in (("posters", posters), ("arts", arts)):
        assert answer("POST", f"/library/metadata/1/{name}", b"\xff\xd8\xff")[0] == status
        assert answer("GET", f"/library/metadata/1/{name}") == (200, True)
    reader.fetchItem(1).editTitle("A harbour")
    assert items[0].title == "A harbour"


def test_uploads_hang_while_edits_go_on(plex, items, reader, answer):
    hit = plex.faults.add(Fault("hang", times=None, **scopes.uploads()))
    hanging = Hanging(hit, answer, "POST", "/library/metadata/1/arts", b"\xff\xd8\xff")
    reader.fetchItem(1).editTitle("A harbour")
    assert hanging.end(plex) == [(0, False)]
    assert items[0].number_of_uploads == 0


def test_all_about_pictures_fails(plex, items, answer):
    plex.faults.add(Fault("status", times=None, **scopes.pictures("posters")))
    assert answer("GET", "/library/metadata/1/posters")[0] == 500
    assert answer("PUT", "/library/metadata/1/poster?url=x")[0] == 500
    assert answer("GET", "/library/metadata/1/arts") == (200, True)
    assert answer("GET", "/library/metadata/1") == (200, True)


# -- a library -------------------------------------------------------------------------------


@pytest.fixture
def old(plex, films, items):
    old = plex.add_section("Old Harbour", locations=["/old"])
    plex.add_item(old, "/old/pier.mp4")
    return old


@pytest.mark.parametrize(("kind", "status"), BROKEN)
def test_a_library_fails_and_the_others_do_not(plex, old, reader, answer, kind, status):
    plex.faults.add(Fault(kind, times=None, status=status, **scopes.library(old)))
    for path in (
        "/library/sections/2/all",
        "/library/sections/2/all?type=1&X-Plex-Container-Size=1",
    ):
        assert answer("GET", path) == (status, False)
    assert answer("PUT", "/library/sections/2/all?type=1&id=6&title.value=A")[0] == status
    assert [one.title for one in reader.library.sections()] == ["Harbour Films", "Old Harbour"]
    assert len(reader.library.section("Harbour Films").all()) == 5
    if (kind, status) == ("status", 404):
        with pytest.raises(NotFound):
            reader.library.section("Old Harbour").all()
    assert answer("PUT", "/library/sections/1/all?type=1&id=1&title.value=A")[0] == 200


def test_a_library_hangs_and_the_others_do_not(plex, old, answer):
    hit = plex.faults.add(Fault("hang", times=None, **scopes.library(old)))
    hanging = Hanging(hit, answer, "GET", "/library/sections/2/all")
    assert answer("GET", "/library/sections/1/all") == (200, True)
    assert hanging.end(plex) == [(0, False)]


# -- how a fault is ordered --------------------------------------------------------------------


def test_a_fault_may_come_later_and_can_be_taken_back(plex, items, answer):
    late = plex.faults.add(Fault("status", after=2, times=1))
    assert [answer("GET", "/library/sections")[0] for _ in range(4)] == [200, 200, 500, 200]
    assert late.hits == 1
    always = plex.faults.add(Fault("status", times=None))
    assert answer("GET", "/library/sections")[0] == 500
    plex.faults.remove(always)
    plex.faults.remove(always)
    assert answer("GET", "/library/sections")[0] == 200
