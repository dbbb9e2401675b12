"""Which log-in Stash is asked with: the session first, the API key when that is refused."""

from __future__ import annotations

import pytest

from stash2plex.app import make_stash
from stash2plex.errors import Refused
from stash2plex.servers.stash_address import StashAddress
from stash2plex_testing.stash import FakeStash

ID = "Stash2Plex"


@pytest.fixture
def stash(tmp_path):
    with FakeStash(root=str(tmp_path), username="keeper", password="lantern") as running:
        yield running


def client(stash, **given):
    return make_stash(StashAddress(stash.url, **given))


def with_cookie(stash):
    return client(stash, cookie=("session", stash.cookie()))


def test_the_key_is_learnt_with_each_look_and_used_when_the_session_ends(stash):
    ours = with_cookie(stash)
    assert ours.stored(ID).settings == {}
    stash.api_key = "first"
    ours.stored(ID)
    assert {entry.headers.get("ApiKey") for entry in stash.requests} == {None}
    stash.expire_cookies()
    ours.ping()
    assert stash.requests[-1].headers["ApiKey"] == "first"
    assert "Cookie" not in stash.requests[-1].headers
    ours.close()


def test_a_glance_learns_the_key_too(stash):
    ours = with_cookie(stash)
    ours.basics(ID)
    before = ours.glance(ID, 0).configured
    stash.api_key = "second"
    assert ours.glance(ID, 0).configured == before
    stash.expire_cookies()
    ours.ping()
    ours.close()


def test_a_key_that_is_stale_costs_nothing_while_the_session_lives(stash):
    stash.api_key = "first"
    ours = with_cookie(stash)
    ours.stored(ID)
    stash.api_key = "second"
    ours.ping()
    ours.stored(ID)
    stash.expire_cookies()
    ours.ping()
    stash.api_key = "third"
    with pytest.raises(Refused, match="no longer the one that Stash had") as caught:
        ours.ping()
    assert "Make an API key" not in str(caught.value)
    ours.close()


def test_the_advice_to_make_a_key_is_given_where_there_is_none(stash):
    ours = with_cookie(stash)
    ours.stored(ID)
    stash.expire_cookies()
    with pytest.raises(Refused, match="Make an API key"):
        ours.ping()
    ours.close()
    bare = client(stash)
    with pytest.raises(Refused, match="Make an API key"):
        bare.ping()
    bare.close()


def test_a_password_that_is_set_is_no_reason_to_ask_for_a_key(stash):
    stash.set_password("", "")
    ours = with_cookie(stash)
    ours.stored(ID)
    stash.set_password("keeper", "lantern")
    with pytest.raises(Refused, match="starts a new one"):
        ours.ping()
    stash.set_password("", "")
    ours.ping()
    ours.close()


def test_a_stale_key_of_a_command_line_is_no_matter_where_stash_has_no_password(stash):
    stash.set_password("", "")
    ours = client(stash, api_key="stale")
    ours.ping()
    ours.close()
    stash.set_password("keeper", "lantern")
    ours = client(stash, api_key="stale")
    with pytest.raises(Refused, match="no longer the one"):
        ours.ping()
    ours.close()
