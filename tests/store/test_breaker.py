"""The breaker of one server: what it forgets with the settings, and what kind an outage is."""

from __future__ import annotations

from stash2plex.errors import Refused, Unavailable
from stash2plex.store.breaker import BreakerState
from stash2plex.store.outages import read_outages

AWAY = Unavailable("Plex", "Plex is busy.", retry_after=60.0)
NO_TOKEN = Refused("Plex", "Plex does not accept the token.", wants_login=True)
NO_TRUST = Refused("Plex", "Its certificate is not accepted.")


def outages(connection):
    return [
        (one.kind, one.ended_at is not None, bool(one.cured)) for one in read_outages(connection)
    ]


def test_a_changed_setting_leaves_nothing_of_a_failure(store):
    connection, clock, breaker = store
    breaker.failed(NO_TOKEN, 3)
    assert breaker.read().refused
    clock.step(5)
    breaker.reset()
    assert breaker.read() == BreakerState()
    assert outages(connection) == [("login", True, True)]
    breaker.failed(AWAY, 3)
    breaker.succeeded()
    assert outages(connection)[0] == ("unavailable", True, False)


def test_failures_below_the_threshold_are_forgotten_too(store):
    _, _, breaker = store
    for _ in range(2):
        breaker.failed(Unavailable("Plex", "Plex is away."), 0)
    breaker.reset()
    assert breaker.failed(Unavailable("Plex", "Plex is away."), 0).state == "closed"


def test_a_server_that_comes_back_and_refuses_is_another_outage(store):
    connection, clock, breaker = store
    breaker.failed(AWAY, 3)
    clock.step(100)
    state = breaker.failed(NO_TOKEN, 3)
    assert (state.since, state.refused) == (clock.now, True)
    assert outages(connection) == [("login", False, False), ("unavailable", True, False)]
    clock.step(10)
    assert breaker.failed(NO_TOKEN, 3).since == clock.now - 10
    assert len(outages(connection)) == 2
    breaker.succeeded()
    breaker.failed(NO_TRUST, 0)
    assert outages(connection)[0] == ("refused", False, False)
