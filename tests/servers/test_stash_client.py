"""The client of Stash over the stand-in: how it stays logged in."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stash2plex.app import StashAddress, make_stash
from stash2plex.errors import Refused
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
    with pytest.raises(Refused, match="Make an API key"):
        client.ping()


def test_a_stale_api_key_is_dropped_for_the_cookie_and_not_tried_again(desk):
    client = desk.client(key="an old key")
    client.ping()
    client.ping()
    assert [one.status for one in desk.stash.requests] == [401, 200, 200]
    assert desk.keys() == ["an old key", None, None]


def test_two_requests_under_way_with_a_stale_api_key_both_fall_back(desk):
    client = desk.client(key="an old key")
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


def test_a_stale_api_key_without_a_cookie_is_refused_once(desk):
    client = desk.client(key="an old key", cookie=False)
    with pytest.raises(Refused, match="does not accept our credentials.*Make an API key"):
        client.ping()
    assert desk.keys() == ["an old key", None]


def test_a_session_that_ends_is_outlived_by_the_key_that_stash_names(desk):
    client = desk.client()
    basics = client.basics("Stash2Plex")
    assert (basics.wants_login, basics.by_key) == (True, True)
    desk.stash.expire_cookies()
    client.ping()
    assert desk.keys() == [None, "the key"]
