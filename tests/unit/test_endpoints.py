"""When an endpoint of pictures counts as failing, and how long it is left alone."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.rules.endpoints import (
    ALL,
    BACKGROUNDS,
    COVERS,
    FAILURES,
    HANGING,
    POSTERS,
    TRY_BASE,
    TRY_CAP,
    EndpointState,
    after_failure,
    are_stuck,
    is_blocked,
)


def fail(number, times=None, seed=1):
    state, random = EndpointState(POSTERS), Random(seed)
    for one in range(number):
        at = 100.0 + one if times is None else times[one]
        state = after_failure(state, at, f"failure {one}", random)
    return state


def test_it_is_tried_at_once_until_it_failed_in_a_row():
    for number in range(1, FAILURES):
        state = fail(number)
        assert not state.is_shut
        assert (state.failures, state.probes, state.next_try_at) == (number, 0, 99.0 + number)
    shut = fail(FAILURES)
    assert shut.is_shut
    assert (shut.failures, shut.probes, shut.since) == (FAILURES, 1, 100.0)
    assert shut.reason == f"failure {FAILURES - 1}"
    assert not EndpointState(COVERS).is_shut


@given(st.integers(FAILURES, 60), st.integers(0, 99))
def test_the_wait_doubles_up_to_a_minute_and_never_ends(number, seed):
    state = fail(number, seed=seed)
    wait = state.next_try_at - (99.0 + number)
    longest = min(TRY_CAP, TRY_BASE * 2.0 ** (number - FAILURES))
    assert 0.8 * longest <= wait <= longest
    assert (state.since, state.name) == (100.0, POSTERS)
    assert state.probes == number - FAILURES + 1


def test_a_state_that_was_stored_long_ago_does_not_overflow():
    old = evolve(fail(FAILURES), probes=10**6)
    assert after_failure(old, 0.0, "", Random(1)).next_try_at <= TRY_CAP


@pytest.mark.parametrize(
    ("shut", "blocked"),
    [
        ((), False), ((COVERS,), True), ((POSTERS,), False), ((BACKGROUNDS,), False),
        ((POSTERS, BACKGROUNDS), True), ((COVERS, POSTERS), True), (ALL, True),
    ],
)  # fmt: skip
def test_no_picture_can_be_sent_without_covers_or_without_both_others(shut, blocked):
    assert is_blocked(shut) is blocked
    assert is_blocked(dict.fromkeys(shut)) is blocked


@pytest.mark.parametrize(
    ("began", "last_end", "now", "stuck"),
    [
        ([], 0.0, 900.0, False),
        ([10.0], float("-inf"), 10.0 + HANGING, True),
        ([10.0], float("-inf"), 9.9 + HANGING, False),
        ([10.0, 10.0], 50.0, 50.5, False),
        ([10.0, 50.0], 50.0, 50.0 + HANGING, True),
        ([10.0], 2.0, 12.0, True),
        ([10.0], 2.0, 10.5, False),
    ],
)
def test_pictures_hang_only_where_none_ends(began, last_end, now, stuck):
    assert are_stuck(began, last_end, now) is stuck
