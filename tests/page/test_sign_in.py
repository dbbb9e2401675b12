"""Signing in to Plex: the PIN, the servers, their addresses, and the token that stays hidden."""

from __future__ import annotations

import json
import os
import socket

import pytest

from stash2plex.servers.plextv import Pin, Server
from stash2plex_testing.plextv import FakePlexTv
from tests.page.conftest import Page
from tests.support import ManualClock

RECORDINGS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "recordings", "plex-api.rs")


@pytest.fixture
def plex_tv():
    with FakePlexTv() as fake:
        yield fake


@pytest.fixture
def desk(make_desk, plex_tv):
    desk = make_desk(plex_url="", plex_token="")
    desk.app.plex_tv_url = plex_tv.url
    return desk


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def add_server(desk, plex_tv, *more, **values):
    plex_tv.add_server(
        "Harbour", desk.plex.machine_identifier, [desk.plex.url, *more],
        token=desk.plex.token, **values,
    )  # fmt: skip


def test_sign_in_lists_the_servers_and_saves_the_chosen_one(desk, plex_tv):
    page = Page(desk.app)
    closed = f"http://127.0.0.1:{free_port()}"
    add_server(desk, plex_tv, closed)
    plex_tv.add_server("Player", "p", [desk.plex.url], token="t", provides="client,player")
    begun = page.call("sign_in", forward="http://127.0.0.1:9999/plugins/stash2plex")
    assert begun["code"] in begun["address"]
    assert "forwardUrl=http%3A%2F%2F127.0.0.1" in begun["address"]
    assert page.call("sign_in_poll", id=begun["id"])["state"] == "waiting"
    # Choosing comes after agreeing.
    early = page.call("choose_server", id=begun["id"], machine_id="m", url=desk.plex.url)
    assert "have not agreed" in early["problem"]["what"]
    plex_tv.agree()
    agreed = page.call("sign_in_poll", id=begun["id"])
    assert agreed["state"] == "agreed"
    (server,) = agreed["servers"]
    assert (server["name"], server["owned"], server["best"]) == ("Harbour", True, desk.plex.url)
    assert [one["state"] for one in server["addresses"]] == ["answered", "refused"]
    chosen = page.call(
        "choose_server", id=begun["id"], machine_id=server["machine_id"], url=desk.plex.url
    )
    assert chosen["saved"] == ["plex_url", "plex_token"]
    stored = desk.app.stash.stored("Stash2Plex").settings
    assert (stored["plex_url"], stored["plex_token"]) == (desk.plex.url, desk.plex.token)
    # What has just answered is not shown as “not asked yet”.
    plex = page.call("page")["plex"]
    assert plex["asked_at"]
    assert plex["ms"] is not None
    shown = json.dumps([begun, agreed, chosen])
    held = "".join(str(row) for row in desk.app.store.connection.iterdump())
    for secret in (desk.plex.token, plex_tv.token):
        assert secret not in shown
        assert secret not in held


@pytest.mark.parametrize(
    ("mode", "state"), [("refuses", "refused"), ("limits", "limited"), ("fails", "unreachable")]
)
def test_plex_tv_may_refuse_limit_or_fail(desk, plex_tv, mode, state):
    page = Page(desk.app)
    begun = page.call("sign_in")
    plex_tv.mode = mode
    answer = page.call("sign_in_poll", id=begun["id"])
    assert (answer["state"], answer["servers"]) == (state, [])
    assert "plex.tv" in answer["words"]
    assert "problem" in page.call("sign_in")


def test_a_pin_that_is_gone_or_another_ones_has_expired(desk, plex_tv):
    page = Page(desk.app)
    begun = page.call("sign_in")
    plex_tv.forget()
    assert page.call("sign_in_poll", id=begun["id"])["state"] == "expired"
    assert page.call("sign_in_poll", id=begun["id"] + 1)["state"] == "expired"
    # Its own time counts too, whatever plex.tv goes on answering.
    begun = page.call("sign_in")
    desk.app.clock = ManualClock(5e9)
    assert page.call("sign_in_poll", id=begun["id"])["state"] == "expired"


def test_no_server_and_a_server_that_cannot_be_reached(desk, plex_tv):
    page = Page(desk.app)
    begun = page.call("sign_in")
    plex_tv.agree()
    assert page.call("sign_in_poll", id=begun["id"])["servers"] == []
    url = f"http://127.0.0.1:{free_port()}"
    plex_tv.add_server("Harbour", "m", [url], token="t", owner="Ada")
    (server,) = page.call("sign_in_poll", id=begun["id"])["servers"]
    assert (server["best"], server["owner"], server["owned"]) == (None, "Ada", False)
    assert "container" in server["advice"]
    answer = page.call("choose_server", id=begun["id"], machine_id="m", url=url)
    assert "refuses the connection" in answer["problem"]["what"]
    answer = page.call("choose_server", id=begun["id"], machine_id="other", url=url)
    assert "not among yours" in answer["problem"]["what"]


def test_another_server_at_the_address_is_not_taken(desk, plex_tv):
    page = Page(desk.app)
    plex_tv.add_server("Harbour", "m", [desk.plex.url], token=desk.plex.token)
    begun = page.call("sign_in")
    plex_tv.agree()
    (server,) = page.call("sign_in_poll", id=begun["id"])["servers"]
    assert [one["state"] for one in server["addresses"]] == ["other_server"]


def test_an_address_typed_by_hand_is_tried_as_typed(desk):
    page = Page(desk.app)
    good = page.call("connect", url=f"{desk.plex.url}/", token=desk.plex.token)
    assert good["address"]["state"] == "answered"
    assert good["machine_id"] == desk.plex.machine_identifier
    bad = page.call("connect", url=desk.plex.url, token="wrong")
    assert bad["address"]["state"] == "token_refused"
    stash = page.call("connect", url=desk.stash.url, token="wrong")
    assert stash["address"]["state"] == "not_plex"
    secure = page.call("connect", url=desk.plex.url.replace("http", "https"), token="wrong")
    assert secure["address"]["state"] in ("not_plex", "unreachable")
    for arguments in ({"url": "harbour", "token": "x"}, {"url": desk.plex.url, "token": "a b"}):
        answer = page.call("connect", **arguments)
        assert "cannot be used" in answer["problem"]["what"]
        assert "a b" not in str(answer)
    # The stored token goes to its own address only.
    assert "Enter a token" in page.call("connect", url=desk.plex.url)["problem"]["what"]
    desk.restart(plex_url=desk.plex.url, plex_token=desk.plex.token)
    page = Page(desk.app)
    assert page.call("connect", url=desk.plex.url)["address"]["state"] == "answered"
    assert "problem" in page.call("connect", url="http://127.0.0.1:9")


def test_no_text_of_a_pin_or_a_server_shows_its_token():
    pin = Pin(1, "code", token="secret")
    server = Server("m", "Harbour", "1", True, "", "secret", ())
    assert "secret" not in f"{pin} {server}"


def recording(name):
    with open(os.path.join(RECORDINGS, name), encoding="utf-8") as file:
        return json.load(file)


def test_the_stand_in_answers_in_the_shape_of_the_recordings(plex_tv):
    plex_tv.add_server("Harbour", "m", ["http://127.0.0.1:1"], token="t")
    headers = {"X-Plex-Client-Identifier": "c", "X-Plex-Token": plex_tv.token}
    _, pin = plex_tv.answer("POST", "/api/v2/pins", headers)
    assert pin.keys() == recording("myplex_api_v2_pins_new.json").keys()
    assert pin.keys() == recording("myplex_api_v2_pins_linked.json").keys()
    _, servers = plex_tv.answer("GET", "/api/v2/resources", headers)
    (recorded,) = recording("myplex_api_v2_resources.json")
    assert servers[0].keys() == recorded.keys()
    assert servers[0]["connections"][0].keys() == recorded["connections"][0].keys()


def test_the_recorded_answers_are_read(desk, plex_tv):
    plex_tv.servers = recording("myplex_api_v2_resources.json")
    client = desk.app.make_plex_tv(plex_tv.token)
    try:
        (server,) = client.servers()
    finally:
        client.close()
    assert (server.name, server.machine_id, server.owned) == ("Box", "client_id2", True)
    assert [address.url for address in server.addresses][-1] == "http://172.18.0.3:32400"
    assert [address.relay for address in server.addresses] == [False, False, False, True, False]
