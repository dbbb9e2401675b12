"""The gate of a drain at its edges: pauses, times between two tries, and what it keeps and logs."""

from __future__ import annotations

import pytest

from stash2plex.errors import ConfigError, OnHold, Refused, Unavailable
from stash2plex.rules.pacing import Pacer
from stash2plex.servers.transport import MAX_RETRY_AFTER
from stash2plex.store.holds import hold
from stash2plex.store.marks import ask_for_look
from stash2plex.store.outages import read_outages
from stash2plex.sync.gate import CONFIG_SECONDS, HOLD_SECONDS, Closed, Gate, Open, SwitchedOff
from stash2plex.sync.goals import Background, Foreground
from stash2plex.sync.observer import Silent
from stash2plex.sync.settings_watch import CLOSED_SECONDS, FRESH_SECONDS, SettingsWatch
from stash2plex_testing.plex import Fault
from stash2plex_testing.stash import picture
from tests.harness.in_process import fill, listen


class Shown:
    """Keeps what an observer sees."""

    def __init__(self):
        self.seen = []

    def progress(self, progress):
        self.seen.append(progress)


@pytest.fixture
def make_gate(make_desk):
    """Return a desk and its gate; Stash's file of settings cannot be seen."""

    def make(*, heeds_off=False, **settings):
        desk = make_desk(**settings)
        clock, monotonic = desk.clock, desk.clock.monotonic
        pacer = Pacer()
        gate = Gate(
            desk.app.store,
            desk.app.open_session,
            SettingsWatch(lambda: "", clock=clock, monotonic=monotonic),
            pacer,
            heeds_off=heeds_off,
            most_seconds=10.0,
            clock=clock,
            monotonic=monotonic,
        )
        return desk, gate, pacer

    return make


def look(gate, *, busy=False, due=True):
    return gate.look(busy=busy, due=due)


def trip(desk, server, error=None, failures=3):
    for _ in range(failures):
        desk.app.store.breakers[server].failed(
            error or Unavailable(server.capitalize(), "Away."), 1
        )


def test_the_settings_are_known_after_the_first_look(make_gate):
    _, gate, _ = make_gate()
    assert not gate.has_settings
    gate.close()
    assert look(gate).is_connected
    assert gate.has_settings
    gate.close()


@pytest.mark.parametrize(("value", "heeds", "is_off"), [
    ("off", True, True), ("off", False, False), ("auto", True, False),
])  # fmt: skip
def test_only_a_worker_is_switched_off(make_gate, value, heeds, is_off):
    desk, gate, _ = make_gate(heeds_off=heeds, background_worker=value)
    answer = look(gate)
    assert isinstance(answer, SwitchedOff if is_off else Open)
    assert (desk.plex.count() == 0) is is_off


def test_before_the_settings_were_ever_read_the_gate_is_shut(make_gate):
    desk, gate, _ = make_gate(plex_url="harbour:32400")
    first = look(gate)
    assert (first.server, first.until - desk.clock()) == (None, CONFIG_SECONDS)
    desk.clock.step(1.0)
    shut = look(gate)
    assert str(shut.error) == str(first.error)
    assert shut.until - desk.clock() == CONFIG_SECONDS


def test_a_setting_that_does_not_fit_plex_counts_for_fifteen_seconds(make_gate):
    desk, gate, _ = make_gate()
    look(gate)
    gate.doubt(ConfigError("No library of that name."))
    asked = desk.plex.count
    desk.plex.clear_log()
    for seconds in (0.0, CONFIG_SECONDS - 0.5):
        desk.clock.step(seconds)
        shut = look(gate)
        assert (str(shut.error), shut.server) == ("No library of that name.", None)
    assert asked() == 0
    desk.clock.step(0.5)
    # The settings were read a moment ago; they are read before Plex is asked again.
    assert isinstance(look(gate), Closed)
    desk.clock.step(CLOSED_SECONDS)
    answer = look(gate)
    assert answer.is_connected
    assert asked() > 0


def test_a_pause_shuts_the_gate_for_a_second_at_a_time(make_gate):
    desk, gate, _ = make_gate()
    look(gate)
    hold(desk.app.store.connection, "pause", desk.clock())
    desk.plex.clear_log()
    desk.stash.clear_log()
    shut = look(gate)
    assert isinstance(shut.error, OnHold)
    assert (shut.server, shut.until - desk.clock()) == (None, HOLD_SECONDS)
    assert (desk.plex.count(), desk.stash.requests) == (0, [])


@pytest.mark.parametrize(("seconds", "asks"), [(FRESH_SECONDS - 0.1, False), (FRESH_SECONDS, True)])
def test_settings_are_read_again_once_they_are_not_fresh(make_gate, seconds, asks):
    desk, gate, _ = make_gate()
    look(gate)
    desk.stash.clear_log()
    desk.clock.step(seconds)
    look(gate)
    assert (len(desk.stash.requests) > 0) is asks


def test_a_probe_is_never_further_away_than_the_longest_wait(make_gate):
    desk, gate, _ = make_gate()
    look(gate)
    trip(desk, "plex", Unavailable("Plex", "Busy.", retry_after=MAX_RETRY_AFTER * 3), failures=1)
    assert look(gate).until - desk.clock.monotonic() == MAX_RETRY_AFTER


def test_the_time_of_a_probe_is_kept_apart_for_each_server(make_gate):
    desk, gate, _ = make_gate()
    look(gate)
    trip(desk, "plex")
    first = look(gate)
    assert first.server == "plex"
    desk.clock.step(0.5)
    trip(desk, "stash", failures=5)
    second = look(gate)
    assert (second.server, str(second.error), second.error.server) == ("stash", "Away.", "Stash")
    assert second.until > first.until
    desk.app.store.breakers["stash"].succeeded()
    third = look(gate)
    assert (third.server, third.until, str(third.error)) == ("plex", first.until, "Away.")


def test_a_server_that_refused_is_asked_whether_it_lets_us_in(make_gate):
    desk, gate, pacer = make_gate()
    look(gate)
    for _ in range(9):
        pacer.succeeded(0.1)
    refused = Refused("Plex", "No token.")
    trip(desk, "plex", refused, failures=1)
    shut = look(gate)
    assert (type(shut.error), str(shut.error), shut.error.server) == (Refused, "No token.", "Plex")
    assert pacer.limit == 4
    desk.clock.step(3600)
    desk.plex.clear_log()
    assert look(gate).is_connected
    assert (desk.plex.count(path="/identity"), desk.plex.count(path="^/$")) == (0, 2)
    assert pacer.limit == 1
    trip(desk, "plex")
    desk.clock.step(3600)
    desk.plex.clear_log()
    assert look(gate).is_connected
    assert desk.plex.count(path="/identity") == 1


def test_a_stash_that_is_back_leaves_plex_connected(make_gate):
    desk, gate, _ = make_gate()
    look(gate)
    trip(desk, "stash")
    desk.plex.clear_log()
    desk.clock.step(3600)
    assert look(gate, due=False).is_connected
    assert desk.plex.count() == 0


def test_what_plex_said_at_the_first_look_is_kept(make_gate):
    desk, gate, _ = make_gate()
    look(gate)
    kept = dict(desk.rows("SELECT name, value FROM meta"))
    seen = next(value for name, value in kept.items() if desk.plex.machine_identifier in value)
    assert seen
    assert desk.app.store.first_states.server == desk.plex.machine_identifier


def test_a_plex_that_fails_at_the_first_look_counts_what_waits_for_it(make_gate):
    desk, gate, _ = make_gate()
    fill(desk, 2)
    desk.add(*desk.stash.scenes)
    desk.plex.faults.add(Fault("status", path="^/$", status=503, times=None))
    for _ in range(3):
        shut = look(gate)
        desk.clock.step(60)
    assert shut.server == "plex"
    assert desk.rows("SELECT server, waiting, kind FROM outage") == [("plex", 2, "unavailable")]


def test_a_token_that_is_refused_at_the_first_look_is_no_news_of_the_gate(make_gate):
    desk, gate, _ = make_gate()
    desk.plex.token = "another"
    heard = listen(desk)
    shut = look(gate)
    assert isinstance(shut.error, Refused)
    # The drain logs it, with what to do.
    assert [line for line in heard if "Nothing is lost" in line] == []


def test_a_library_that_went_away_is_reported_once(make_gate):
    desk, gate, _ = make_gate(plex_library="Harbour Films, Lanterns")
    other = desk.plex.add_section("Lanterns", locations=["/other"])
    look(gate)
    heard = listen(desk)
    del desk.plex._library.sections[other.id]
    lines = []
    for _ in range(3):
        gate.doubt(ConfigError("It may be another."))
        for _ in range(2):
            desk.clock.step(CONFIG_SECONDS + CLOSED_SECONDS)
            look(gate)
        lines.append([line for line in heard if "Lanterns" in line])
    assert lines[0] == lines[1] == lines[2]
    assert len(lines[0]) == 1


def test_a_wish_for_a_look_ends_a_wrong_setting_at_once(make_gate):
    desk, gate, _ = make_gate()
    look(gate)
    gate.doubt(ConfigError("No library of that name."))
    assert isinstance(look(gate), Closed)
    ask_for_look(desk.app.store.connection)
    assert look(gate).is_connected


def test_a_worker_reports_a_wrong_setting_once_and_again_after_it_fit(make_desk):
    desk = make_desk()
    fill(desk, 1)
    desk.drain(*desk.stash.scenes)
    desk.restart(plex_library="Lighthouse")
    heard = listen(desk)
    desk.add(*desk.stash.scenes)
    desk.work(120.0)
    told = [line for line in heard if "Lighthouse" in line]
    assert len(told) == 1
    # The next task reads it, too.
    assert told[0] in [value for (value,) in desk.rows("SELECT value FROM meta")]


def test_what_a_drain_shows_while_it_waits(make_desk):
    desk = make_desk()
    fill(desk, 1)
    desk.drain()
    desk.add(*desk.stash.scenes)
    desk.plex.down()
    shown = Shown()
    began = desk.clock.now
    end = began + 30.0
    summary = desk.app.drain(Background(), shown, lambda: desk.clock() >= end)
    assert summary.gave_up == "it was asked to stop."
    waits = [progress.wait for progress in shown.seen if progress.wait]
    assert {(wait.server, wait.gives_up) for wait in waits} == {("Plex", None)}
    assert all("refuses the connection" in wait.why for wait in waits)
    assert waits[0].next_try == pytest.approx(2.0, abs=2.0)


@pytest.mark.parametrize("patience", [60.0, 120.0])
def test_a_stash_that_answers_all_but_scenes_is_not_waited_for_without_end(make_desk, patience):
    desk = make_desk()
    desk.drain()
    fill(desk, 2)
    desk.add(*desk.stash.scenes)
    desk.stash.faults.add("status", operation="findScene\\(", status=500, times=None)
    began = desk.clock.now
    summary = desk.app.drain(
        Foreground("test", patience=patience), Silent(), lambda: desk.clock.now > began + 900.0
    )
    assert " Waited " in str(summary.gave_up)
    assert patience <= desk.clock.now - began <= patience + 60.0


def test_nothing_is_read_back_before_a_plex_that_was_away_has_taken_something(make_desk):
    desk = make_desk(skip_fields="")
    scene = desk.scene("a.mp4", cover=picture(1))
    desk.item("a.mp4")
    desk.drain(scene)
    desk.clock.step(5.0)
    trip(desk, "plex")
    desk.app.store.breakers["plex"].probed()
    desk.plex.clear_log()
    desk.drain()
    assert desk.plex.count(path="/metadata/") == 0
    assert desk.rows("SELECT count(*) FROM picture_check") == [(2,)]
    desk.app.store.breakers["plex"].succeeded()
    desk.drain()
    assert desk.rows("SELECT count(*) FROM picture_check") == [(0,)]


def test_an_outage_that_ended_is_left_out_of_the_next(make_desk):
    desk = make_desk()
    desk.drain()
    fill(desk, 2)
    first, second = desk.stash.scenes
    goal = Foreground("test", patience=60.0)
    desk.add(first)
    desk.plex.down()

    def again():
        desk.add(second)
        desk.plex.down()

    desk.clock.at[desk.clock.now + 40.0] = desk.plex.up
    desk.clock.at[desk.clock.now + 300.0] = again
    assert desk.app.drain(goal, Silent(), lambda: False).gave_up is None
    assert desk.titles() == [first.title, "1"]


def test_scenes_wait_for_plex_and_none_is_said_to_wait_for_stash(make_desk):
    desk = make_desk()
    desk.add(*fill(desk, 2))
    desk.stash.down()
    desk.work(120)
    (outage,) = read_outages(desk.app.store.connection)
    assert (outage.server, outage.waiting) == ("stash", 0)
