"""The breaker of one server: what it forgets with the settings, and what kind an outage is."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve

from stash2plex.errors import Refused, Unavailable
from stash2plex.store.breaker import Breaker, BreakerState
from stash2plex.store.outages import read_outages
from tests.support import Edge, ManualClock

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


class TestBreaker:
    """Closed, open, half open."""

    @pytest.fixture
    def clock(self):
        return ManualClock()

    @pytest.fixture
    def breaker(self, database, clock):
        return Breaker(database, "plex", clock, Random(1))

    def test_three_in_a_row_open_it_and_a_success_between_does_not_count(self, breaker):
        down = Unavailable("Plex", "refused")
        for _ in range(2):
            assert breaker.failed(down, 5).state == "closed"
        breaker.succeeded()
        assert [breaker.failed(down, 5).state for _ in range(3)] == ["closed", "closed", "open"]

    def test_a_refusal_opens_it_at_once(self, breaker):
        state = breaker.failed(Refused("Plex", "wrong token"), 1)
        assert (state.state, state.refused, state.reason) == ("open", True, "wrong token")

    def test_the_server_may_name_the_time(self, breaker, clock):
        state = breaker.failed(Unavailable("Plex", "busy", retry_after=500.0), 1)
        assert state.next_probe_at == clock.now + 500

    def test_probes_come_at_most_once_a_minute_in_the_long_run(self, breaker, clock):
        waits = []
        for _ in range(15):
            state = breaker.failed(Unavailable("Plex", "refused"), 1)
            waits.append(state.next_probe_at - clock.now if state.state == "open" else 0)
        opened = waits[2:]
        assert opened[0] <= 2.0
        assert all(0 < wait <= 60 for wait in opened)
        assert opened[-5:] == [60.0] * 5

    def test_an_outage_is_one_row_from_the_first_failure_to_the_real_success(
        self, breaker, clock, database
    ):
        start = clock.now
        for _ in range(4):
            breaker.failed(Unavailable("Plex", "refused"), 8)
            clock.step(10)
        breaker.probed()
        assert breaker.read().state == "half_open"
        breaker.failed(Unavailable("Plex", "refused"), 8)
        assert breaker.read().state == "open"
        breaker.probed()
        clock.step(5)
        assert breaker.succeeded()
        assert breaker.read() == BreakerState()
        rows = list(database.execute("SELECT started_at, ended_at, waiting FROM outage"))
        assert rows == [(start + 20, start + 45, 8)]

    def test_probes_grow_apart_from_two_seconds_on(self, database, clock):
        breaker = Breaker(database, "plex", clock, Edge(high=True))
        waits = []
        for _ in range(9):
            state = breaker.failed(Unavailable("Plex", "refused"), 1)
            waits.append(state.next_probe_at - clock.now if state.state == "open" else None)
        assert waits == [None, None, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
        hurried = Breaker(database, "stash", clock, Edge(high=False))
        state = hurried.failed(Refused("Stash", "who?"), 1)
        assert state.next_probe_at - clock.now == pytest.approx(1.6)

    def test_it_is_open_since_the_failure_that_opened_it(self, breaker, clock):
        for _ in range(2):
            breaker.failed(Unavailable("Plex", "refused"), 1)
            clock.step(5)
        opened = clock.now
        for _ in range(3):
            state = breaker.failed(Unavailable("Plex", "refused"), 1)
            clock.step(5)
        breaker.probed()
        assert (state.since, breaker.read().since) == (opened, opened)
        assert breaker.failed(Unavailable("Plex", "refused"), 1).since == opened

    def test_only_the_end_of_an_outage_is_one(self, breaker, clock, database):
        assert not breaker.succeeded()
        breaker.failed(Unavailable("Plex", "refused"), 1)
        assert not breaker.succeeded()
        assert breaker.read() == BreakerState()
        for _ in range(2):
            breaker.failed(Refused("Plex", "who?"), 1)
            clock.step(5)
            assert breaker.succeeded()
        rows = list(database.execute("SELECT started_at, ended_at FROM outage ORDER BY seq"))
        assert rows == [(clock.now - 10, clock.now - 5), (clock.now - 5, clock.now)]

    def test_a_probe_says_nothing_of_a_server_that_is_not_known_to_be_down(self, breaker):
        breaker.probed()
        breaker.failed(Unavailable("Plex", "refused"), 1)
        breaker.probed()
        assert breaker.read().state == "closed"

    def test_a_probe_is_due_at_once_where_a_person_waits(self, breaker, clock):
        breaker.failed(Refused("Plex", "who?"), 1)
        assert breaker.read().next_probe_at > clock.now
        breaker.hasten()
        assert breaker.read() == evolve(breaker.read(), state="open", next_probe_at=0.0)

    def test_each_server_has_its_own(self, breaker, database, clock):
        stash = Breaker(database, "Stash", clock, Random(1))
        breaker.failed(Refused("Plex", "who?"), 1)
        stash.failed(Refused("Stash", "who?"), 1)
        due = breaker.read().next_probe_at
        stash.hasten()
        stash.probed()
        assert breaker.read().next_probe_at == due
        stash.succeeded()
        assert (breaker.read().state, stash.read().state) == ("open", "closed")
        rows = list(database.execute("SELECT server, ended_at IS NULL FROM outage ORDER BY seq"))
        assert rows == [("plex", 1), ("stash", 0)]
