"""What the client of Plex does not send, whoever asks for it."""

from __future__ import annotations

import pytest
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, ReadTimeoutError

from stash2plex.errors import SLOW, Rejected, Transient, Unavailable
from stash2plex.model import Change, Field, Image
from stash2plex.servers import plexlists
from stash2plex.servers.plex import Plex, plex_headers
from stash2plex.servers.transport import Transport
from stash2plex_testing.plex import FakePlex


@pytest.fixture
def plex():
    with FakePlex() as server:
        yield server


@pytest.fixture
def transport(plex):
    headers = plex_headers(plex.token, "a-client")
    made = Transport("Plex", plex.url, headers=headers, connect_timeout=30, read_timeout=30)
    yield made
    made.close()


@pytest.fixture
def client(transport):
    return Plex(transport)


def test_an_edit_of_no_item_is_never_one_of_a_whole_library(plex, client):
    with pytest.raises(AssertionError, match="of no item"):
        client.edit("1", [], Change({Field.TITLE: "Quay"}, {}))
    assert plex.requests == []


def test_a_picture_without_bytes_is_not_sent(plex, client):
    with pytest.raises(Rejected) as raised:
        client.upload("7", Field.POSTER, Image(None, "image/png", "e"))
    assert (raised.value.server, raised.value.what) == ("Plex", "There is no picture to send.")
    assert plex.requests == []


@pytest.mark.parametrize("key", ["", "7/../8", "7?X=1", "7 8", "x" * 200])
def test_what_cannot_be_an_id_comes_into_no_address(plex, client, key):
    with pytest.raises(Transient, match="cannot be one"):
        client.edit("1", [key], Change({Field.TITLE: "Quay"}, {}))
    assert plex.requests == []


def test_what_changed_is_read_page_by_page(plex, client, monkeypatch):
    monkeypatch.setattr(plexlists, "LIST_PAGE", 3)
    films = plex.add_section("Harbour Films", locations=["/media"])
    keys = [plex.add_item(films, f"/media/{number}.mp4").rating_key for number in range(7)]
    pages = list(client.changed_since(str(films.id), "updatedAt", 0))
    assert [key for page in pages for key in page] == [str(key) for key in keys]
    assert len(pages) == 3


def test_an_error_that_the_http_library_wraps_is_the_one_inside(transport):
    pool = HTTPConnectionPool("127.0.0.1")
    wrapped = MaxRetryError(pool, "/", ReadTimeoutError(pool, "/", ""))
    mapped = transport.map_error(wrapped, "the identity check")
    assert (type(mapped), mapped.cause) == (Unavailable, SLOW)
