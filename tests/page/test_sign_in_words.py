"""A sign-in's whole answers, word by word; which address is best; how each failure is called."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from stash2plex.errors import (
    CLOSED,
    LIMITED,
    NO_TLS,
    SLOW,
    UNTRUSTED,
    NotFound,
    Refused,
    Transient,
    Unavailable,
)
from stash2plex.operations.sign_in import Tried, state_of
from stash2plex.text import moment
from stash2plex_testing.plextv import FakePlexTv
from tests.page.conftest import Page
from tests.support import ManualClock

CLOSED_URL = "http://127.0.0.1:1"
UNREACHED = (
    "No address of this server answers from where Stash runs. If Stash runs in a container, use an "
    "address of the Plex machine in your network, such as http://192.168.1.20:32400, and not "
    "localhost."
)
EXPIRED = "The code has expired. Sign in again."


@pytest.fixture
def plex_tv():
    with FakePlexTv() as fake:
        yield fake


@pytest.fixture
def desk(make_desk, plex_tv):
    desk = make_desk(plex_url="", plex_token="")
    desk.app.plex_tv_url = plex_tv.url
    return desk


def polled(state, words, **values):
    return {
        "state": state, "words": words, "retry_s": 2.0, "expires_at": None, "servers": [], **values,
    }  # fmt: skip


def tried(url, state, words, ms=None, *, local=True, relay=False):
    return {
        "url": url, "local": local, "relay": relay, "state": state, "ms": ms, "words": words,
    }  # fmt: skip


def closed(url):
    return f"Plex at {url} refuses the connection. Is it running, is the port right?"


def test_a_sign_in_from_its_code_to_the_saved_server(desk, plex_tv):
    page = Page(desk.app)
    begun = page.call("sign_in", forward="http://127.0.0.1:9999/a b")
    pin, code = begun["id"], begun["code"]
    client = desk.rows("SELECT value FROM meta WHERE name = 'plex_client_id'")[0][0]
    assert begun == {
        "id": pin, "code": code, "expires_at": "2099-01-01T00:15:00Z", "poll_s": 2.0,
        "address": begun["address"],
    }  # fmt: skip
    for part in (code, client, quote("http://127.0.0.1:9999/a b", safe="")):
        assert part in begun["address"]
    waiting = polled("waiting", None, expires_at="2099-01-01T00:15:00Z")
    assert page.call("sign_in_poll", id=pin) == waiting
    choice = {"id": pin, "machine_id": "m", "url": desk.plex.url}
    assert page.call("choose_server", **choice) == {
        "problem": {"what": "You have not agreed at plex.tv yet.", "do": "Sign in again."}
    }
    plex_tv.agree()
    assert page.call("sign_in_poll", id=pin) == polled("agreed", None)
    mine = desk.plex.machine_identifier
    plex_tv.add_server("Harbour", mine, [CLOSED_URL, desk.plex.url], token=desk.plex.token)
    plex_tv.add_server("Quay", "other", [desk.plex.url], token=desk.plex.token, owner="Ada")
    plex_tv.add_server("Pier", mine, [desk.plex.url, CLOSED_URL], token="wrong")
    good = tried(desk.plex.url, "answered", "It answers in 0 ms.", 0.0)
    other = tried(desk.plex.url, "other_server", "A different Plex server answers there.", 0.0)
    refused = tried(desk.plex.url, "token_refused", "Plex does not accept the token.")
    none = tried(CLOSED_URL, "refused", closed(CLOSED_URL))
    rest = {"version": "1.43.0.10467-test", "owner": None, "owned": True, "advice": UNREACHED}
    assert page.call("sign_in_poll", id=pin) == polled(
        "agreed",
        None,
        servers=[
            {
                **rest, "machine_id": mine, "name": "Harbour", "addresses": [none, good],
                "best": desk.plex.url, "advice": None,
            },
            {
                **rest, "machine_id": "other", "name": "Quay", "owner": "Ada", "owned": False,
                "addresses": [other], "best": None,
            },
            {
                **rest, "machine_id": mine, "name": "Pier", "addresses": [refused, none],
                "best": None,
            },
        ],
    )  # fmt: skip
    for changes, what, do in (
        ({}, "This server is not among yours at plex.tv.", "Choose another one."),
        ({"machine_id": mine, "url": "fog"}, "Plex URL cannot be used.",
         "Allowed: http(s)://host:port."),
        ({"machine_id": mine, "url": CLOSED_URL}, closed(CLOSED_URL), "Choose another address."),
        ({"machine_id": "other"}, "A different Plex server answers there.",
         "Choose another address."),
    ):  # fmt: skip
        answer = page.call("choose_server", **{**choice, **changes})
        assert answer == {"problem": {"what": what, "do": do}}
    assert desk.app.stash.stored("Stash2Plex").settings == {}
    assert page.call("choose_server", **{**choice, "machine_id": mine}) == {
        "saved": ["plex_url", "plex_token"], "name": "Harbour", "url": desk.plex.url,
    }  # fmt: skip
    plex = page.call("page")["plex"]
    assert (plex["name"], plex["ms"]) == ("Harbour Plex", 0.0)


@pytest.mark.parametrize(
    ("mode", "state", "words", "seconds"),
    [
        ("refuses", "refused", "plex.tv does not accept the sign-in. ", 2.0),
        ("limits", "limited", "plex.tv asks to wait a little.", 10.0),
        ("fails", "unreachable", "plex.tv cannot be asked from where Stash runs. ", 10.0),
    ],
)
def test_plex_tv_that_does_not_answer_as_it_should(desk, plex_tv, mode, state, words, seconds):
    page = Page(desk.app)
    pin = page.call("sign_in")["id"]
    plex_tv.mode = mode
    answer = page.call("sign_in_poll", id=pin)
    assert answer["words"].startswith(words)
    assert answer == polled(state, answer["words"], retry_s=seconds)


def test_a_code_expires_at_its_time_and_when_plex_tv_forgets_it(desk, plex_tv):
    page = Page(desk.app)
    pin = page.call("sign_in")["id"]
    end = moment("2099-01-01T00:15:00Z")
    for now, state in ((end - 1.0, "waiting"), (end, "expired"), (end + 1.0, "expired")):
        desk.app.clock = ManualClock(now)
        assert page.call("sign_in_poll", id=pin)["state"] == state
    assert page.call("sign_in_poll", id=pin) == polled("expired", EXPIRED)
    plex_tv.forget()
    assert page.call("sign_in_poll", id=pin) == polled("expired", EXPIRED)


def test_which_of_the_addresses_that_answer_is_best():
    order = [
        Tried("https://a", local=True, relay=False, state="answered", ms=9.0, words=""),
        Tried("http://b", local=True, relay=False, state="answered", ms=0.5, words=""),
        Tried("http://c", local=True, relay=False, state="answered", ms=1.0, words=""),
        Tried("https://d", local=False, relay=False, state="answered", ms=0.1, words=""),
        Tried("http://e", local=False, relay=False, state="answered", ms=None, words=""),
        Tried("https://f", local=True, relay=True, state="answered", ms=0.1, words=""),
        Tried("https://g", local=False, relay=True, state="answered", ms=0.1, words=""),
    ]
    mixed = order[3:] + order[:3]
    assert sorted(mixed, key=lambda one: one.rank) == order


def failure(kind, cause="", **values):
    error = kind("Plex", "It rests.", **values)
    error.cause = cause
    return error


def test_how_each_failure_of_an_address_is_called():
    for cause, state in (
        (UNTRUSTED, "certificate"), (NO_TLS, "not_plex"), (CLOSED, "refused"), (SLOW, "timeout"),
    ):  # fmt: skip
        assert state_of(failure(Unavailable, cause)) == state
    assert state_of(failure(Transient)) == "not_plex"
    assert state_of(failure(NotFound, LIMITED)) == "not_plex"
    refusal = failure(Refused)
    assert state_of(refusal) == ("token_refused" if refusal.wants_login else "not_plex")
