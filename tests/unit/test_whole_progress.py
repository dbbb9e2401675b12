"""The progress of a drain: what is stored and read back, its sentence, and its rate's window."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from stash2plex.db import connect
from stash2plex.store.progress import Progress, ProgressBook, Pulse, RateWindow, Tally, Wait
from stash2plex.ui.progress import progress_sentence
from tests.support import ManualClock


def test_every_part_of_a_progress_is_read_back_by_other_processes(tmp_path):
    clock = ManualClock(500.0)
    with closing(connect(str(tmp_path / "stash2plex.db"))) as database:
        book = ProgressBook(database, clock)
        assert (book.read(4), book.read(4).started_at) == (Progress(left=4), 0.0)
        assert book.pulse() == Pulse("drain", 0, 500.0)
        wait = Wait("Plex is busy.", "Plex", 8.0, 90.0)
        given = Progress(1, 2, 3, 4, 5.5, 6.0, "worker", 7, wait, ended=False)
        book.write(given)
        here = os.getpid()
        assert book.read(9) == Progress(1, 2, 3, 9, 5.5, 6.0, "worker", here, wait, ended=False)
        assert book.pulse() == Pulse("worker", here, 500.0)
        clock.step(30.0)
        book.write(Progress(ended=True, origin="test"))
        assert book.read(0) == Progress(origin="test", pid=here, ended=True)
        assert book.pulse() == Pulse("test", here, 530.0)
        rows = database.execute("SELECT updated_at, ended_at, note FROM drain").fetchall()
        assert [tuple(row) for row in rows] == [(530.0, 530.0, "")]
        book.write(Progress(origin="test"))
        assert not book.read(0).ended


@pytest.mark.parametrize(
    ("progress", "handled", "fraction", "seconds"),
    [
        (Progress(), 0, 1.0, None),
        (Progress(left=5), 0, 0.0, None),
        (Progress(1, 2, 3, 4, 0.5), 6, 0.6, 8.0),
        (Progress(1, 2, 3, 0, 0.5), 6, 1.0, 0.0),
        (Progress(1, 2, 3, 4, 0.5, wait=Wait("Plex is busy.")), 6, 0.6, None),
        (Progress(left=4, rate=0.0), 0, 0.0, None),
    ],
)
def test_what_a_progress_shows(progress, handled, fraction, seconds):
    assert (progress.handled, progress.fraction, progress.seconds_left) == (
        handled,
        fraction,
        seconds,
    )


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(), "0 done, 0 left, 0 failed."),
        (
            Progress(done=1_000, left=3, failed=2, later=4, rate=1.5),
            "1,000 done, 3 left, 2 failed, 4 put off, 1.5 per second, about 2 s left.",
        ),
        (Progress(left=1, wait=Wait("Plex rests.")), "1 scene left. Plex rests."),
    ],
)
def test_a_progress_in_a_sentence(progress, words):
    assert progress_sentence(progress) == words


@pytest.mark.parametrize(
    ("wait", "outlook"),
    [
        (Wait("It waits."), None),
        (Wait("It waits.", "Plex"), None),
        (Wait("It waits.", None, 8.0), None),
        (Wait("It waits.", "Stash", 8.0), "Waiting for Stash, next try in 8 s."),
        (Wait("It waits.", gives_up=5.0), "Giving up in 5 s."),
    ],
)
def test_when_a_drain_that_waits_goes_on(wait, outlook):
    assert wait.outlook == outlook


def test_what_a_tally_counts():
    clock = ManualClock(100.0)
    tally = Tally("test", clock)
    assert tally.now(9) == Progress(left=9, origin="test", started_at=100.0)
    clock.step(10.0)
    for each in (tally.done, tally.done, tally.done, tally.failed, tally.failed, tally.later):
        each()
    assert tally.handled == 6
    wait = Wait("It waits.")
    assert tally.now(9, wait, ended=True) == Progress(
        3, 2, 1, 9, 0.6, 100.0, "test", 0, wait, ended=True
    )
    clock.step(5.0)
    tally.restart()
    assert (tally.handled, tally.now(2)) == (0, Progress(left=2, origin="test", started_at=115.0))
    clock.step(2.0)
    tally.done()
    assert tally.now(1).rate == 0.5


def test_a_rate_after_an_outage_counts_from_its_end():
    clock = ManualClock(0.0)
    tally = Tally("test", clock)
    for _ in range(8):
        tally.done()
    clock.step(100.0)
    tally.restart_rate()
    assert tally.now(0).rate == 0.0
    clock.step(2.0)
    tally.done()
    assert (tally.now(0).rate, tally.now(0).started_at) == (0.5, 0.0)


def test_the_rate_of_the_first_seconds():
    window = RateWindow(100.0, 4)
    assert window.rate(100.0, 4) == 0.0
    assert window.rate(100.5, 5) == 2.0
    assert window.rate(102.0, 8) == 2.0
    window.restart(200.0, 8)
    assert window.rate(204.0, 10) == 0.5


def test_counts_of_the_same_second_are_one_mark_of_the_window():
    window = RateWindow(0.0)
    for now, handled in ((1.0, 100), (1.5, 200)):
        window.rate(now, handled)
    # The window begins a second after the start, not half a second later.
    assert window.rate(21.5, 240) == pytest.approx(140 / 20.5)
    window = RateWindow(0.0)
    window.rate(1.0, 100)
    assert window.rate(21.0, 140) == 2.0


def steady(window, seconds, each, *, start=0.0, handled=0):
    """Count `each` a second for whole seconds; returns what was handled in the end."""
    for second in range(1, seconds + 1):
        handled += each
        window.rate(start + second, handled)
    return handled


def test_the_window_is_twenty_seconds_if_these_hold_forty():
    window = RateWindow(0.0)
    # Ten each second, then two: the window of 20 s is all of the slow time after 20 s of it.
    handled = steady(window, 30, 10)
    assert window.rate(30.0, handled) == 10.0
    handled = steady(window, 19, 2, start=30.0, handled=handled)
    assert window.rate(49.0, handled) == pytest.approx((10 + 19 * 2) / 20)
    handled = steady(window, 1, 2, start=49.0, handled=handled)
    assert window.rate(50.0, handled) == 2.0


def test_the_window_is_longer_if_twenty_seconds_hold_fewer_than_forty():
    window = RateWindow(0.0)
    handled = steady(window, 100, 1)
    # Forty seconds hold forty; what was before them does not count.
    handled = steady(window, 40, 2, start=100.0, handled=handled)
    assert window.rate(140.0, handled) == 2.0
    handled = steady(RateWindow(0.0), 100, 1)
    slow = RateWindow(0.0, 0)
    handled = steady(slow, 60, 3)
    handled = steady(slow, 39, 1, start=60.0, handled=handled)
    assert slow.rate(99.0, handled) == pytest.approx((3 + 39) / 40)
    handled = steady(slow, 1, 1, start=99.0, handled=handled)
    assert slow.rate(100.0, handled) == 1.0


def test_the_window_is_never_longer_than_five_minutes():
    window = RateWindow(0.0)
    handled = steady(window, 10, 100)
    assert window.rate(309.0, handled) == pytest.approx(100 / 300)
    assert window.rate(310.0, handled) == 0.0


def test_a_clock_that_was_set_back_gives_no_rate_below_zero():
    window = RateWindow(100.0)
    window.rate(110.0, 10)
    assert window.rate(90.0, 10) == 0.0
    assert window.rate(100.0, 20) == 0.0
    assert window.rate(101.0, 22) == 22.0
