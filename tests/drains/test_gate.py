"""The gate of a drain: which settings count, when each server is asked, and what it answers."""

from __future__ import annotations

from functools import partial

import pytest

from stash2plex.errors import ConfigError, Refused, Unavailable
from stash2plex.rules.pacing import Pacer
from stash2plex.store.marks import ask_for_look
from stash2plex.sync.gate import CONFIG_SECONDS, Gate, Open
from stash2plex.sync.settings_watch import CLOSED_SECONDS, FRESH_SECONDS, SettingsWatch
from tests.harness.in_process import listen


@pytest.fixture
def make_gate(make_desk):
    """Return a desk and its gate; Stash's file of settings cannot be seen."""

    def make(**settings):
        desk = make_desk(**settings)
        clock, monotonic = desk.clock, desk.clock.monotonic
        gate = Gate(
            desk.app.store,
            desk.app.open_session,
            SettingsWatch(lambda: "", clock=clock, monotonic=monotonic),
            Pacer(),
            heeds_off=False,
            most_seconds=10.0,
            clock=clock,
            monotonic=monotonic,
        )
        return desk, gate

    return make


def configure(desk, **settings):
    desk.app.overrides.update(settings)


def look(gate, *, busy=False, due=True):
    return gate.look(busy=busy, due=due)


def test_changed_settings_wait_until_no_key_is_claimed(make_gate):
    desk, gate = make_gate(max_retries=3)
    first = look(gate)
    assert (first.session.settings.max_retries, first.is_changing) == (3, False)
    configure(desk, max_retries=4)
    desk.clock.step(FRESH_SECONDS + 0.1)
    during = look(gate, busy=True)
    assert during == Open(first.session, is_changing=True, is_connected=True)
    after = look(gate, due=False)
    assert (after.session.settings.max_retries, after.is_changing) == (4, False)
    assert after.is_connected


def test_with_nothing_to_do_no_server_is_asked(make_gate):
    desk, gate = make_gate()
    first = look(gate)
    desk.clock.step(3600)
    desk.stash.clear_log()
    desk.plex.clear_log()
    assert look(gate, due=False) == first
    assert (desk.stash.requests, desk.plex.count()) == ([], 0)
    ask_for_look(desk.app.store.connection)
    look(gate, due=False)
    assert len(desk.stash.requests) > 0
    desk.stash.clear_log()
    # One request for a look is one look.
    look(gate, due=False)
    assert desk.stash.requests == []


def test_a_setting_that_does_not_fit_plex_is_tried_again_after_its_time(make_gate):
    desk, gate = make_gate(plex_library="Lighthouse")
    shut = look(gate)
    assert isinstance(shut.error, ConfigError)
    assert (shut.server, shut.until - desk.clock()) == (None, CONFIG_SECONDS)
    asked = partial(desk.plex.count, path="/library/sections")
    number = asked()
    desk.plex.add_section("Lighthouse", locations=["/media/2"])
    desk.clock.step(CLOSED_SECONDS + 0.1)
    assert isinstance(look(gate).error, ConfigError)
    assert asked() == number
    desk.clock.step(CONFIG_SECONDS)
    assert look(gate).is_connected
    assert asked() > number


def test_a_setting_that_is_wrong_as_such_is_read_again_each_time(make_gate):
    desk, gate = make_gate(plex_url="harbour:32400")
    assert "plex_url" in str(look(gate).error)
    configure(desk, plex_url=desk.plex.url)
    # Not before its time: nothing may be claimed, so nothing can be sent with old settings.
    assert "plex_url" in str(look(gate).error)
    desk.clock.step(CLOSED_SECONDS + 0.1)
    assert look(gate).is_connected


def outage(desk, server, error=None, failures=3):
    for _ in range(failures):
        desk.app.store.breakers[server].failed(
            error or Unavailable(server.capitalize(), "Away."), 1
        )


def test_a_server_that_is_away_is_asked_at_its_probe_and_then_one_request_decides(make_gate):
    desk, gate = make_gate()
    look(gate)
    outage(desk, "plex")
    state = desk.app.store.breakers["plex"].read()
    desk.plex.clear_log()
    shut = look(gate)
    assert (shut.server, str(shut.error)) == ("plex", "Away.")
    assert shut.until == state.next_probe_at
    assert desk.plex.count() == 0
    desk.clock.step(state.next_probe_at - desk.clock())
    assert look(gate).is_connected
    assert desk.app.store.breakers["plex"].read().state == "half_open"
    # The token counts again only if Plex accepts it again.
    assert desk.plex.count(path="/library/sections") > 0


def test_a_probe_that_fails_leaves_the_gate_shut_until_the_next(make_gate):
    desk, gate = make_gate()
    look(gate)
    outage(desk, "plex")
    desk.plex.down()
    desk.clock.step(3600)
    shut = look(gate)
    state = desk.app.store.breakers["plex"].read()
    assert (shut.server, shut.until, state.state) == ("plex", state.next_probe_at, "open")
    assert "refuses the connection" in str(shut.error)
    desk.plex.up()
    desk.clock.step(state.next_probe_at - desk.clock())
    assert isinstance(look(gate), Open)


def test_a_probe_is_due_whatever_the_wall_clock_does_meanwhile(make_gate):
    desk, gate = make_gate()
    look(gate)
    outage(desk, "plex")
    shut = look(gate)
    left = shut.until - desk.clock.monotonic()
    desk.clock.offset = -86_400.0
    assert look(gate).until - desk.clock.monotonic() == left
    desk.clock.step(left)
    assert look(gate).is_connected


def test_a_stash_that_is_away_is_not_asked_for_settings_before_its_probe(make_gate):
    desk, gate = make_gate()
    outage(desk, "stash")
    shut = look(gate)
    assert (shut.server, desk.stash.requests) == ("stash", [])
    desk.clock.step(shut.until - desk.clock())
    # It reads its settings from a file: the work will show whether the rest of it is back.
    assert look(gate).is_connected
    assert desk.app.store.breakers["stash"].read().state == "half_open"


def test_with_nothing_to_do_a_stash_that_answers_with_its_settings_is_back(make_gate):
    desk, gate = make_gate()
    outage(desk, "stash")
    desk.clock.step(look(gate).until - desk.clock())
    assert look(gate, busy=False, due=False).is_connected
    assert desk.app.store.breakers["stash"].read().state == "closed"


def test_a_refusal_stays_one_until_plex_accepts_the_token(make_gate):
    desk, gate = make_gate()
    look(gate)
    outage(desk, "plex", Refused("Plex", "Plex does not accept the token."), failures=1)
    desk.plex.token = "another"
    desk.clock.step(3600)
    assert isinstance(look(gate).error, Refused)
    # Another token is another connection: the old failure does not count for it.
    configure(desk, plex_token="another")
    desk.clock.step(CLOSED_SECONDS + 0.1)
    assert look(gate).is_connected
    assert desk.app.store.breakers["plex"].read().state == "closed"


def test_another_setting_than_the_address_makes_the_next_probe_due(make_gate):
    desk, gate = make_gate()
    look(gate)
    outage(desk, "plex", failures=9)
    before = desk.app.store.breakers["plex"].read()
    configure(desk, max_retries=7)
    desk.clock.step(CLOSED_SECONDS + 0.1)
    assert desk.clock() < before.next_probe_at
    assert look(gate).is_connected
    assert desk.app.store.breakers["plex"].read().state == "half_open"


def test_a_plex_that_is_away_at_the_start_is_reported_once(make_gate):
    desk, gate = make_gate()
    desk.plex.down()
    heard = listen(desk)
    for _ in range(6):
        look(gate)
        desk.clock.step(60)
    (line,) = [line for line in heard if line.endswith("Nothing is lost.")]
    assert "refuses the connection" in line
