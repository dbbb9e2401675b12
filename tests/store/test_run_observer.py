"""What a run shows of itself while another process works: when it is read, and its summary."""

from __future__ import annotations

import pytest

from stash2plex.operations.run_observer import RunObserver
from stash2plex.store.progress import Progress, Wait
from stash2plex.sync.worker import Summary
from tests.store.runbench import Bench


class Shown:
    """Keeps every progress."""

    def __init__(self) -> None:
        self.seen: list[Progress] = []

    def progress(self, progress: Progress) -> None:
        self.seen.append(progress)

    def done(self) -> list[int]:
        return [progress.done for progress in self.seen]


@pytest.fixture
def bench(tmp_path):
    bench = Bench(str(tmp_path / "stash2plex.db"))
    yield bench
    bench.database.close()


def watch(bench, run_id):
    shown = Shown()
    return RunObserver(bench.runs, run_id, shown, lambda: bench.clock.now - 1_000_000.0), shown


def test_a_run_is_read_at_once_then_five_times_a_second_and_at_the_end(bench):
    begun = bench.begin()
    bench.ask_for(begun, 1, 2, 3, 4)
    bench.work(1)
    observer, shown = watch(bench, begun.id)
    observer.progress(Progress(done=900, left=3))
    bench.work(1)
    for seconds in (0.0, 0.125, 0.0625, 0.03125):
        bench.clock.step(seconds)
        observer.progress(Progress(done=900, left=2))
    assert shown.done() == [1, 1, 1, 1, 2]
    bench.work(1)
    bench.clock.step(0.1875)
    observer.progress(Progress(done=900, left=1))
    observer.progress(Progress(done=900, left=1, ended=True))
    assert shown.done()[-2:] == [2, 3]
    # What was read last counts for the next fifth of a second.
    bench.clock.step(0.1875)
    bench.work(1)
    observer.progress(Progress(done=900))
    assert shown.seen[-1].done == 3


def test_without_a_run_the_drains_own_figures_are_shown(bench):
    observer, shown = watch(bench, 0)
    bench.queue.add("scene", 1)
    bench.work()
    bench.clock.step(5)
    progress = Progress(done=900, failed=3, later=2, rate=900.0, left=3)
    observer.progress(progress)
    assert shown.seen == [progress]
    summary = Summary(progress, 1.5, (("library", 2, 5.0),), gave_up="No.", names={"dead": "x"})
    assert observer.summary(summary, 60.0) == Summary(
        Progress(done=900, failed=3, later=2, rate=900.0, left=3, ended=True), 60.0,
        (("library", 2, 5.0),), gave_up="No.", names={"dead": "x"}, wanted=0, removed=0,
    )  # fmt: skip


def test_the_summary_of_a_run_has_its_own_figures(bench):
    begun = bench.begin()
    bench.ask_for(begun, 1, 2, 3, 4, 5, 6)
    observer, _ = watch(bench, begun.id)
    bench.clock.step(10.0)
    bench.work(1)
    (claim,) = bench.queue.claim(1, 60.0)
    bench.queue.bury(claim, title="Pier", reason="rejected", error="No.")
    (claim,) = bench.queue.claim(1, 60.0)
    bench.queue.snooze(claim, delay=30.0, reason="not_in_plex", error="No.")
    bench.queue.claim(1, 60.0)
    assert bench.queue.clear_waiting() == 3
    summary = observer.summary(Summary(Progress(done=900, left=7), 1.5, ()), 60.0)
    assert summary == Summary(
        Progress(done=1, failed=1, later=1, left=7, rate=0.3, ended=True), 60.0, (),
        wanted=6, removed=3,
    )  # fmt: skip


def test_a_run_that_is_not_on_record_any_more_keeps_what_was_shown(bench):
    begun = bench.begin()
    bench.ask_for(begun, 1, 2)
    bench.work(1)
    observer, shown = watch(bench, begun.id)
    observer.progress(Progress())
    bench.database.execute("DELETE FROM run WHERE id = ?", (begun.id,))
    bench.clock.step(1.0)
    observer.progress(Progress(left=4))
    assert [(one.done, one.left) for one in shown.seen] == [(1, 0), (1, 4)]
    summary = observer.summary(Summary(Progress(), 1.5, ()), 60.0)
    assert (summary.wanted, summary.removed, summary.progress.done) == (0, 0, 1)


def test_the_rate_leaves_out_an_outage(bench):
    begun = bench.begin()
    bench.ask_for(begun, *range(1, 40))
    observer, shown = watch(bench, begun.id)
    bench.clock.step(100.0)
    observer.progress(Progress(wait=Wait("Plex rests.")))
    for _ in range(4):
        bench.clock.step(1.0)
        bench.work(2)
        observer.progress(Progress())
    assert [one.rate for one in shown.seen] == [0.0, 2.0, 2.0, 2.0, 2.0]
