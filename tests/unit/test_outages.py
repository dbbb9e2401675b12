"""What outages come to: availability, MTTR and MTBF, whatever the clock did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.operations.outages import percent
from stash2plex.store.outages import DAY, Outage, measure

NOW = 40 * int(DAY)
HOUR = 3600


def outage(start, end, server="plex"):
    return Outage(server, start, end, "Plex did not answer.", 3)


MOMENTS = st.integers(NOW - 30 * HOUR, NOW + 5 * HOUR)
OUTAGES = st.lists(
    st.builds(outage, MOMENTS, st.none() | MOMENTS, st.sampled_from(["plex", "plex", "stash"])),
    max_size=8,
)


@given(OUTAGES, st.integers(NOW - 28 * HOUR, NOW))
def test_down_time_is_what_counting_hour_by_hour_finds(outages, since):
    window = measure(outages, "plex", 1, NOW, since)
    start = max(NOW - int(DAY), since)
    minutes = {
        minute
        for one in outages
        if one.server == "plex"
        for minute in range(
            max(start, min(NOW, one.started_at)),
            min(NOW, NOW if one.ended_at is None else one.ended_at),
        )
    }
    assert window.down == len(minutes)
    assert window.watched == NOW - start
    assert 0.0 <= window.availability <= 1.0
    if window.watched:
        assert window.availability == pytest.approx(1 - len(minutes) / window.watched)
    assert (window.repair is None) == (window.outages == 0)
    assert window.between is None or window.between >= 0.0


@given(OUTAGES, st.randoms())
def test_order_and_repeats_do_not_matter(outages, random):
    shuffled = [*outages, *outages]
    random.shuffle(shuffled)
    assert measure(shuffled, "plex", 7, NOW, 0) == measure(outages, "plex", 7, NOW, 0)


@given(OUTAGES, st.builds(outage, MOMENTS, MOMENTS))
def test_one_more_outage_never_makes_it_better(outages, more):
    before = measure(outages, "plex", 7, NOW, 0).availability
    assert measure([*outages, more], "plex", 7, NOW, 0).availability <= before


def test_two_outages_of_a_week():
    outages = [outage(NOW - 50 * HOUR, NOW - 49 * HOUR), outage(NOW - 5 * HOUR, NOW - 2 * HOUR)]
    window = measure(outages, "plex", 7, NOW, 0)
    assert (window.outages, window.down, window.repair) == (2, 4 * HOUR, 2 * HOUR)
    assert window.between == (7 * 24 - 4) / 2 * HOUR
    assert window.availability == pytest.approx(1 - 4 / 168)


def test_one_that_goes_on_counts_so_far_and_one_from_before_counts_in_part():
    outages = [outage(NOW - HOUR, None), outage(NOW - 8 * 24 * HOUR, NOW - 167 * HOUR)]
    window = measure(outages, "plex", 7, NOW, 0)
    assert (window.outages, window.down) == (2, 2 * HOUR)
    assert window.between == (7 * 24 - 2) * HOUR


def test_one_that_begins_where_another_ends_is_the_same():
    outages = [outage(NOW - 3 * HOUR, NOW - 2 * HOUR), outage(NOW - 2 * HOUR, NOW - HOUR)]
    assert measure(outages, "plex", 7, NOW, 0).outages == 1
    apart = [outages[0], outage(NOW - 2 * HOUR + 1, NOW - HOUR)]
    assert measure(apart, "plex", 7, NOW, 0).outages == 2


def test_a_clock_that_was_set_back_makes_nothing_negative():
    outages = [outage(NOW + HOUR, None), outage(NOW - HOUR, NOW - 2 * HOUR)]
    window = measure(outages, "plex", 7, NOW, NOW + 2 * HOUR)
    assert (window.down, window.watched) == (0, 0)
    assert outages[0].seconds(NOW) == outages[1].seconds(NOW) == 0.0


def test_a_share_is_never_rounded_up_to_all():
    assert percent(1.0) == "100.00 %"
    assert percent(0.999999) == "99.99 %"
    assert percent(0.5) == "50.00 %"
