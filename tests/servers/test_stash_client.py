"""The client of Stash over the stand-in: how it stays logged in."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stash2plex.app import make_stash
from stash2plex.errors import Refused
from stash2plex.servers.stash_address import StashAddress
from stash2plex_testing.stash import FakeStash
from tests.support import ManualClock

AGE = 3600.0
PATIENCE = 30.0


class Desk:
    """A Stash with a password, and clients of it."""

    def __init__(self, folder):
        self.clock = ManualClock()
        self.stash = FakeStash(
            root=str(folder),
            clock=self.clock,
            username="keeper",
            password="lantern",
            api_key="the key",
            max_session_age=AGE,
        )
        self.clients = []

    def client(self, *, key="", cookie=True):
        pair = ("session", self.stash.cookie()) if cookie else None
        client = make_stash(StashAddress(self.stash.url, api_key=key, cookie=pair))
        self.clients.append(client)
        return client

    def keys(self):
        """Name the API key of each request so far."""
        return [
            {name.lower(): value for name, value in one.headers.items()}.get("apikey")
            for one in self.stash.requests
        ]


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    with desk.stash:
        yield desk
        for client in desk.clients:
            client.close()


def test_a_session_lives_as_long_as_there_is_work(desk):
    client = desk.client()
    for _ in range(4):
        desk.clock.step(AGE - 1)
        client.ping()
    desk.clock.step(AGE + 1)
    with pytest.raises(Refused, match="The next save or task starts a new one"):
        client.ping()


def test_a_session_goes_first_and_a_key_takes_over_for_good(desk):
    client = desk.client(key="the key")
    client.ping()
    desk.stash.expire_cookies()
    client.ping()
    client.ping()
    assert [one.status for one in desk.stash.requests] == [200, 401, 200, 200]
    assert desk.keys() == [None, None, "the key", "the key"]


def test_two_requests_under_way_with_an_ended_session_both_go_on_with_the_key(desk):
    client = desk.client(key="the key")
    desk.stash.expire_cookies()
    take, arrived = desk.stash.faults.take, [threading.Event() for _ in range(3)]
    number = itertools.count()

    def wait_for_the_next(path, operation):
        # The first is answered when the second is there, the second when the first is sent again.
        mine = next(number)
        if mine < len(arrived):
            arrived[mine].set()
        if mine < len(arrived) - 1:
            arrived[mine + 1].wait(PATIENCE)
        return take(path, operation)

    desk.stash.faults.take = wait_for_the_next
    with ThreadPoolExecutor(2) as pool:
        for sent in [pool.submit(client.ping) for _ in range(2)]:
            sent.result()
    assert sorted(one.status for one in desk.stash.requests) == [200, 200, 401, 401]


@pytest.mark.parametrize("cookie", [True, False], ids=["after the session", "alone"])
def test_a_stale_api_key_is_refused_with_what_becomes_of_it(desk, cookie):
    client = desk.client(key="an old key", cookie=cookie)
    desk.stash.expire_cookies()
    with pytest.raises(Refused, match="does not accept our credentials.*no longer the one"):
        client.ping()
    assert sorted(desk.keys(), key=str) == [None, "an old key"]


def test_a_session_that_ends_is_outlived_by_the_key_that_stash_names(desk):
    client = desk.client()
    basics = client.basics("Stash2Plex")
    assert (basics.wants_login, basics.by_key) == (True, True)
    desk.stash.expire_cookies()
    client.ping()
    assert desk.keys() == [None, None, "the key"]
