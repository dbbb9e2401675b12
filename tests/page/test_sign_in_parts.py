"""A sign-in where plex.tv or a server leaves something out, and an address that is typed."""

from __future__ import annotations

import pytest

from stash2plex.errors import SERVER, Refused, Unavailable
from stash2plex.operations.sign_in import state_of
from stash2plex.text import utc
from stash2plex_testing.plextv import FakePlexTv
from tests.page.conftest import Page

VERSION = "1.43.0.10467-test"


class Terse(FakePlexTv):
    """A plex.tv whose PINs end at `expires_at`, as it writes that."""

    expires_at: object = ""

    def answer(self, method, path, headers):
        status, value = super().answer(method, path, headers)
        if "/pins" in path and status < 300:
            value = {**value, "expiresAt": self.expires_at}
        return status, value


@pytest.fixture
def plex_tv():
    with Terse() as fake:
        yield fake


@pytest.fixture
def desk(make_desk, plex_tv):
    desk = make_desk(plex_url="", plex_token="")
    desk.app.plex_tv_url = plex_tv.url
    return desk


@pytest.mark.parametrize("expires_at", ["", None, "soon", "99999-01-01T00:00:00Z"])
def test_a_code_without_a_time_is_shown_for_a_quarter_of_an_hour(desk, plex_tv, expires_at):
    plex_tv.expires_at = expires_at
    page = Page(desk.app)
    begun = page.call("sign_in")
    assert begun["expires_at"] == utc(desk.clock() + 900.0)
    assert page.call("sign_in_poll", id=begun["id"]) == {
        "state": "waiting", "words": None, "retry_s": 2.0, "expires_at": None, "servers": [],
    }  # fmt: skip


def test_a_server_that_says_little_of_itself_and_one_without_an_address(desk, plex_tv):
    plex_tv.add_server("Quay", "quay", [], token="t")
    plex_tv.add_server("Pier", "pier", [], token="t", owner="")
    plex_tv.servers[1]["productVersion"] = ""
    page = Page(desk.app)
    pin = page.call("sign_in")["id"]
    plex_tv.agree()
    first, second = page.call("sign_in_poll", id=pin)["servers"]
    assert (first["addresses"], first["best"], first["version"]) == ([], None, VERSION)
    assert first["advice"].startswith("No address of this server answers")
    assert second == {
        **first, "machine_id": "pier", "name": "Pier", "owned": False, "owner": None,
        "version": None,
    }  # fmt: skip


def test_of_very_many_addresses_the_first_are_tried(desk, plex_tv):
    mine = desk.plex.machine_identifier
    urls = [f"{desk.plex.url}/?{number}" for number in range(25)]
    plex_tv.add_server("Harbour", mine, urls, token=desk.plex.token)
    page = Page(desk.app)
    pin = page.call("sign_in")["id"]
    plex_tv.agree()
    (server,) = page.call("sign_in_poll", id=pin)["servers"]
    assert [one["url"] for one in server["addresses"]] == urls[:24]


def test_plex_tv_gives_a_server_only_to_the_user_of_the_code(desk, plex_tv):
    page = Page(desk.app)
    pin = page.call("sign_in")["id"]
    plex_tv.agree()
    plex_tv.token = "another user's"
    answer = page.call("sign_in_poll", id=pin)
    assert (answer["state"], answer["servers"]) == ("refused", [])
    assert answer["words"].startswith("plex.tv does not accept the sign-in. ")
    problem = page.call("choose_server", id=pin, machine_id="m", url=desk.plex.url)["problem"]
    assert "plex.tv" in problem["what"]


def test_the_whole_answer_to_an_address_that_is_typed(desk):
    page = Page(desk.app)
    url, closed = desk.plex.url, "http://127.0.0.1:1"
    address = {"local": True, "relay": False}
    assert page.call("connect", url=url, token=desk.plex.token) == {
        "address": {
            **address, "url": url, "state": "answered", "ms": 0.0,
            "words": "It answers in 0 ms.",
        },
        "name": "Harbour Plex",
        "version": VERSION,
        "machine_id": desk.plex.machine_identifier,
    }  # fmt: skip
    assert page.call("connect", url=closed, token="t") == {
        "address": {
            **address, "url": closed, "state": "refused", "ms": None,
            "words": f"Plex at {closed} refuses the connection. Is it running, is the port right?",
        },
        "name": None,
        "version": None,
        "machine_id": None,
    }  # fmt: skip
    enter = {"what": "Enter a token for this address.", "do": "Or sign in with Plex."}
    assert page.call("connect", url=url) == {"problem": enter}
    wrong = {"what": "Plex token cannot be used.", "do": page.call(
        "connect", url=url, token="a b")["problem"]["do"]}  # fmt: skip
    assert page.call("connect", url=url, token="a b") == {"problem": wrong}
    assert wrong["do"].startswith("Allowed: ")
    desk.restart(plex_url=url, plex_token="")
    assert Page(desk.app).call("connect", url=url) == {"problem": enter}
    desk.restart(plex_url=url, plex_token=desk.plex.token)
    page = Page(desk.app)
    assert page.call("connect", url=url)["name"] == "Harbour Plex"
    assert page.call("connect", url=closed) == {"problem": enter}


def test_how_long_an_address_took_is_shown_to_a_tenth_of_a_millisecond(desk):
    moments = iter([10.0, 10.01234])
    desk.app.monotonic = lambda: next(moments)
    shown = Page(desk.app).call("connect", url=desk.plex.url, token=desk.plex.token)["address"]
    assert (shown["ms"], shown["words"]) == (12.3, "It answers in 12.3 ms.")


def test_what_was_measured_when_a_server_was_chosen_is_kept(desk, plex_tv):
    mine = desk.plex.machine_identifier
    plex_tv.add_server("Harbour", mine, [desk.plex.url], token=desk.plex.token)
    page = Page(desk.app)
    pin = page.call("sign_in")["id"]
    plex_tv.agree()
    moments = iter([10.0, 10.01])
    monotonic, desk.app.monotonic = desk.app.monotonic, lambda: next(moments)
    assert page.call("choose_server", id=pin, machine_id=mine, url=desk.plex.url) == {
        "saved": ["plex_url", "plex_token"], "name": "Harbour", "url": desk.plex.url,
    }  # fmt: skip
    desk.app.monotonic = monotonic
    plex = page.call("page")["plex"]
    assert (plex["name"], plex["ms"], plex["asked_at"], plex["version"]) == (
        "Harbour Plex", 10.0, utc(desk.clock()), VERSION,
    )  # fmt: skip


def test_an_address_that_fails_as_a_whole_is_out_of_reach_and_else_no_plex():
    assert state_of(Unavailable("Plex", "It rests.", scope=SERVER)) == "unreachable"
    assert state_of(Unavailable("Plex", "It rests.")) == "not_plex"
    assert state_of(Refused("Plex", "No.", wants_login=True)) == "token_refused"
    assert state_of(Refused("Plex", "No.")) == "not_plex"
