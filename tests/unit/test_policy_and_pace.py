"""What becomes of a key after a failure, and how many writes may fly."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.config import Settings
from stash2plex.errors import (
    Ambiguous,
    ConfigError,
    NotFound,
    NotInPlexYet,
    Refused,
    Rejected,
    Transient,
    Unavailable,
)
from stash2plex.rules.pacing import MAX_PARALLEL, Pacer
from stash2plex.rules.policy import (
    SNOOZES,
    Decision,
    Done,
    Verdict,
    decide,
    retry_delay,
    snooze_delay,
)
from stash2plex.sync.goals import HORIZON
from stash2plex.workqueue import Claim
from tests.support import Edge

DOWN = Unavailable("Plex", "refused")


def outcome(error, *, attempts=0, snoozes=0, works=False, **settings):
    claim = Claim("scene", 1, "lease", attempts, snoozes, 0, 0)
    return decide(error, claim, Settings(**settings), Random(1), server_works=works)


def verdict(error, **values):
    return outcome(error, **values).verdict


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DOWN, Verdict.HOLD),
        (Refused("Plex", "token"), Verdict.HOLD),
        (ConfigError("a library that is gone"), Verdict.HOLD),
        (NotInPlexYet("missing"), Verdict.SNOOZE),
        (Ambiguous("two"), Verdict.BURY),
        (Rejected("Plex", "400"), Verdict.BURY),
        (Transient("Plex", "half"), Verdict.RETRY),
        (NotFound("Plex", "404"), Verdict.RETRY),
        (ValueError("a fault of ours"), Verdict.RETRY),
    ],
)
def test_each_kind_of_error(error, expected):
    assert verdict(error) is expected


def test_an_outage_never_kills_a_key_and_a_poisoned_one_does_not_live_for_ever():
    assert verdict(DOWN, attempts=99) is Verdict.HOLD
    assert verdict(DOWN, attempts=0, works=True) is Verdict.RETRY
    assert verdict(DOWN, attempts=4, works=True) is Verdict.BURY


def test_budgets():
    assert verdict(Transient("Plex", "x"), attempts=3) is Verdict.RETRY
    assert verdict(Transient("Plex", "x"), attempts=4) is Verdict.BURY
    assert verdict(Transient("Plex", "x"), attempts=4, max_retries=20) is Verdict.RETRY
    assert verdict(NotInPlexYet("x"), snoozes=SNOOZES - 2) is Verdict.SNOOZE
    assert verdict(NotInPlexYet("x"), snoozes=SNOOZES - 1) is Verdict.BURY
    assert outcome(NotInPlexYet("x"), skip_not_found=True) == Done("x", "not_in_plex")


@given(st.integers(0, 10_000), st.integers())
def test_delays_stay_in_their_bounds(times, seed):
    assert 0 <= retry_delay(times, Random(seed)) <= 600
    assert 30 <= snooze_delay(times, Random(seed)) <= 600


def test_backoff_and_snoozes_double_up_to_ten_minutes():
    low, high = Edge(high=False), Edge(high=True)
    longest = [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 600.0]
    assert [retry_delay(times, high) for times in range(9)] == longest
    assert [retry_delay(times, low) for times in range(9)] == [0.0] * 9
    longest = [30.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0]
    assert [snooze_delay(times, high) for times in range(7)] == longest
    shortest = [30.0, 30.0, 60.0, 120.0, 240.0, 300.0, 300.0]
    assert [snooze_delay(times, low) for times in range(7)] == shortest


def decision(error, *, attempts=0, snoozes=0, works=False, alone=False):
    claim = Claim("scene", 1, "lease", attempts, snoozes, 0, 0)
    return decide(error, claim, Settings(), Edge(high=True), server_works=works, alone=alone)


def test_each_key_waits_for_as_long_as_its_own_failures_say():
    assert decision(Transient("Plex", "x"), attempts=3, snoozes=9).delay == 40.0
    assert decision(NotInPlexYet("x"), attempts=9, snoozes=3).delay == 240.0
    assert decision(Rejected("Plex", "400")).delay == 0.0


def test_only_the_key_that_was_let_through_alone_goes_aside():
    assert decision(DOWN, alone=True).aside
    assert not decision(DOWN).aside
    assert not decision(Transient("Plex", "x"), alone=True).aside


def test_what_is_kept_of_a_failure():
    ours = decision(ValueError("a fault of ours"))
    assert (ours.reason, ours.message) == ("fault", "ValueError: “a fault of ours”")
    theirs = decision(Rejected("Plex", "It said no."))
    assert (theirs.reason, theirs.message) == ("rejected", "It said no.")


@given(st.integers())
def test_a_task_does_not_sit_out_a_snooze(seed):
    assert snooze_delay(0, Random(seed)) > HORIZON + 5


def test_the_server_may_ask_for_more_time():
    claim = Claim("scene", 1, "lease", 0, 0, 0, 0)
    busy = Unavailable("Plex", "429", retry_after=90.0)
    decision = decide(busy, claim, Settings(), Random(1), server_works=True)
    assert isinstance(decision, Decision)
    assert decision.delay == 90.0
    claim = Claim("scene", 1, "lease", 3, 0, 0, 0)
    busy = Unavailable("Plex", "429", retry_after=1.0)
    decision = decide(busy, claim, Settings(), Edge(high=True), server_works=True)
    assert isinstance(decision, Decision)
    assert decision.delay == 40.0


def test_more_fly_while_latency_is_flat_and_fewer_when_it_climbs():
    pacer = Pacer()
    for _ in range(50):
        pacer.succeeded(0.02)
    assert pacer.limit == MAX_PARALLEL
    pacer.succeeded(0.5)
    assert pacer.limit == MAX_PARALLEL // 2
    pacer.failed()
    assert pacer.limit == 1
    pacer.restart()
    assert pacer.limit == 1
    for _ in range(3):
        pacer.succeeded(0.02)
    assert pacer.limit > 1


def limits_after(pacer, *answers):
    """Name the limit after each answer, in seconds."""
    found = []
    for seconds in answers:
        pacer.succeeded(seconds)
        found.append(pacer.limit)
    return found


def test_it_grows_one_at_a_time_and_holds_where_it_is_neither_flat_nor_steep():
    pacer = Pacer()
    assert pacer.limit == 2
    assert limits_after(pacer, *[0.02] * 7) == [2, 2, 3, 3, 3, 4, 4]
    # Five times the best seen, which fades by a hundredth each time.
    assert limits_after(pacer, *[0.1] * 5) == [4] * 5
    assert limits_after(pacer, 0.0) == [4]
    assert limits_after(pacer, 0.5) == [2]


def test_one_lucky_answer_is_not_the_measure_for_ever():
    pacer = Pacer()
    pacer.succeeded(0.001)
    first = limits_after(pacer, *[0.005] * 20)
    assert first == [2] * 20
    assert limits_after(pacer, *[0.005] * 80)[-1] > 2


def test_after_an_outage_another_latency_is_the_measure():
    pacer = Pacer()
    pacer.succeeded(0.001)
    pacer.restart()
    assert limits_after(pacer, 0.5, 0.5, 0.5, 0.5)[-1] > 1


@given(st.lists(st.floats(0, 100) | st.just("fail") | st.just("restart")))
def test_at_least_one_and_at_most_six(answers):
    pacer = Pacer()
    for answer in answers:
        if answer == "fail":
            pacer.failed()
        elif answer == "restart":
            pacer.restart()
        else:
            pacer.succeeded(answer)
        assert 1 <= pacer.limit <= MAX_PARALLEL
