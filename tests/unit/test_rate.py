"""Rate and time left of a steady drain, on a clock that the test turns."""

from __future__ import annotations

from contextlib import closing
from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.db import connect
from stash2plex.store.progress import MAX_RATE_SECONDS, Progress, ProgressBook, Tally, Wait
from stash2plex.ui.progress import progress_sentence
from stash2plex.ui.terminal import bar_words
from tests.support import ManualClock


def drained(number, seconds_each, random, jitter):
    """Drain keys one by one; yields, after each of them, the progress and the true time left."""
    clock = ManualClock()
    tally = Tally("test", clock)
    gaps = [seconds_each * random.uniform(1 - jitter, 1 + jitter) for _ in range(number)]
    ends = sum(gaps) + clock.now
    for done, gap in enumerate(gaps, start=1):
        clock.step(gap)
        tally.done()
        yield tally.now(number - done), ends - clock.now


@given(
    st.integers(80, 400),
    st.floats(0.005, 10.0),
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.2]),
)
def test_the_time_left_is_right_in_the_second_half(number, seconds_each, seed, jitter):
    for progress, true in drained(number, seconds_each, Random(seed), jitter):
        if progress.done < number / 2 or progress.left < 20:
            continue
        assert progress.seconds_left == pytest.approx(true, rel=0.20, abs=1.0)


def test_it_follows_a_plex_that_becomes_slow():
    clock = ManualClock()
    tally = Tally("test", clock)
    for _ in range(2000):
        clock.step(0.05)
        tally.done()
    assert tally.now(10).rate == pytest.approx(20.0, rel=0.05)
    for _ in range(60):
        clock.step(5.0)
        tally.done()
        tally.now(10)
    assert tally.now(10).rate == pytest.approx(0.2, rel=0.1)
    assert MAX_RATE_SECONDS == 300.0


def test_while_it_waits_there_is_no_guess_but_what_it_waits_for():
    *_, (progress, _) = drained(100, 0.1, Random(1), 0.0)
    wait = Wait("Plex refuses the connection.", "Plex", next_try=8.0)
    waiting = evolve(progress, left=40, wait=wait)
    assert waiting.seconds_left is None
    assert progress_sentence(waiting) == (
        "40 scenes left. Plex refuses the connection. Waiting for Plex, next try in 8 s."
    )
    assert "Waiting for Plex" in bar_words(waiting)
    assert "/s" not in bar_words(waiting)


def test_the_words_beside_the_bar_say_how_many_how_fast_and_how_long():
    moving = Progress(done=1200, failed=3, later=7, left=180, rate=2.0)
    assert bar_words(moving) == "1,210/1,390 [red]3 failed[/] 2.0/s 1 min 30 s"
    assert bar_words(evolve(moving, failed=0, left=0)) == "1,207/1,207 2.0/s"
    assert bar_words(Progress(left=5)) == "0/5"
    waiting = evolve(moving, failed=0, wait=Wait("Plex [down].", gives_up=90.0))
    assert bar_words(waiting) == "1,207/1,387 [yellow]Giving up in 1 min 30 s.[/]"
    unset = evolve(moving, failed=0, wait=Wait("Plex [url] is not set."))
    assert bar_words(unset) == "1,207/1,387 [yellow]Plex \\[url] is not set.[/]"


@pytest.mark.parametrize(
    ("wait", "outlook"),
    [
        (Wait("Plex URL is not set."), None),
        (Wait("Plex is busy.", "Plex", 8.0), "Waiting for Plex, next try in 8 s."),
        (Wait("Plex is busy.", "Plex", 8.0, 90.0),
         "Waiting for Plex, next try in 8 s. Giving up in 1 min 30 s."),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_what_a_drain_waits_for_is_read_back_by_other_processes(tmp_path, wait, outlook):
    assert wait.outlook == outlook
    with closing(connect(str(tmp_path / "stash2plex.db"))) as database:
        book = ProgressBook(database, ManualClock())
        book.write(Progress(left=4, wait=wait))
        assert book.read(4).wait == wait
        book.write(Progress())
        assert book.read(0).wait is None


def test_the_sentence_that_an_earlier_version_kept_is_the_reason(tmp_path):
    with closing(connect(str(tmp_path / "stash2plex.db"))) as database:
        book = ProgressBook(database, ManualClock())
        book.write(Progress())
        for kept in ("Plex is busy.\nNext try in 8 s.", '{"of": "another shape"}', "[8]"):
            database.execute("UPDATE drain SET note = ?", (kept,))
            assert book.read(0).wait == Wait(kept)


def test_an_outage_does_not_count_in_the_rate():
    clock = ManualClock()
    tally = Tally("test", clock)
    for _ in range(100):
        clock.step(0.1)
        tally.done()
        tally.now(1)
    clock.step(3600)
    tally.restart_rate()
    for _ in range(100):
        clock.step(0.1)
        tally.done()
        tally.now(1)
    assert tally.now(10).rate == pytest.approx(10.0, rel=0.01)


def test_the_marks_are_bounded():
    clock = ManualClock()
    tally = Tally("test", clock)
    for _ in range(5000):
        clock.step(1.0)
        tally.now(1)
    assert len(tally._window._marks) <= MAX_RATE_SECONDS + 2
