"""What is shown of a drain while it goes on or waits, and what is on record of it."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex.operations.enqueue import enqueue_all
from stash2plex.operations.status import stored_status
from stash2plex.store.metrics import read_metrics
from stash2plex.store.progress import Progress
from stash2plex.sync.goals import Background
from stash2plex.sync.observer import Silent
from stash2plex_testing.plex.faults import Fault
from tests.harness.in_process import fill
from tests.support import present


class Watching:
    """An observer for whom each look takes some seconds of the clock, and who may act at one."""

    def __init__(self, clock, seconds, deeds):
        self.seen = []
        self.clock = clock
        self.seconds = seconds
        self.deeds = deeds

    def progress(self, progress):
        self.seen.append(progress)
        self.clock.step(self.seconds)
        if deed := self.deeds.pop(len(self.seen), None):
            deed()


@pytest.mark.parametrize(("seconds", "looks"), [(1, 2), (3, 1)])
def test_done_and_left_add_up_and_take_in_what_is_added(make_desk, seconds, looks):
    desk = make_desk()
    scenes = [desk.scene(f"a/{number}.mp4", size=number) for number in range(1, 16)]
    for number in range(1, 16):
        desk.item(f"a/{number}.mp4", size=number)
    desk.add(*scenes[:10])
    watching = Watching(desk.clock, seconds, {4: lambda: desk.add(*scenes[10:])})
    desk.process(watching)
    totals = [progress.handled + progress.left for progress in watching.seen]
    assert totals == sorted(totals)
    assert set(totals) == {10, 15}
    # The keys are counted every other second.
    assert totals.index(15) < 4 + looks
    handled = [progress.done for progress in watching.seen]
    assert handled == sorted(handled)
    assert (watching.seen[-1].done, watching.seen[-1].left, watching.seen[-1].ended) == (
        15,
        0,
        True,
    )
    assert len(set(handled)) > 5


@pytest.mark.parametrize(("refuses", "counts"), [(False, (1, 0)), (True, (0, 1))])
def test_a_key_that_is_added_while_it_is_in_hand_counts_once(make_desk, refuses, counts):
    desk = make_desk(max_retries=1)
    scene = desk.scene("a/1.mp4")
    desk.item("a/1.mp4")
    if refuses:
        desk.plex.faults.add(Fault("status", method="PUT", status=400, times=None))
    queue = desk.app.store.queue
    added: list[Any] = []

    def add_once():
        if queue.counts().in_progress and not added:
            added.append(queue.offer([("scene", scene.id)]))

    desk.add(scene)
    watching = Watching(desk.clock, 0, dict.fromkeys(range(1, 50), add_once))
    desk.process(watching)
    assert added == [0]
    assert (watching.seen[-1].done, watching.seen[-1].failed) == counts


def test_a_scene_in_sync_that_is_queued_all_the_same_is_due_already(make_desk):
    desk = make_desk()
    scenes = [desk.scene(f"a/{number}.mp4", size=number) for number in (1, 2, 3)]
    for number in (1, 2, 3):
        desk.item(f"a/{number}.mp4", size=number)
    desk.drain(*scenes)
    desk.add(scenes[1])
    every = enqueue_all(desk.app)
    assert every.sentence() == "0 scenes queued; 1 was due already; 2 in sync already."
    assert desk.process(Silent()).progress.done == every.queued + every.due


def test_why_an_earlier_version_waited_is_shown_as_it_wrote_it(make_desk):
    desk = make_desk()
    desk.app.book.write(Progress(left=1, origin="worker"))
    desk.app.store.connection.execute("UPDATE drain SET note = 'Plex rests.'")
    held = desk.app.book.read(1).wait
    assert (held.why, held.outlook) == ("Plex rests.", None)
    assert stored_status(desk.app)["worker"]["note"] in (None, "Plex rests.")


def test_what_a_drain_did_is_on_record_when_it_has_ended(make_desk):
    desk = make_desk()
    desk.drain(*fill(desk, 3))
    last = desk.app.book.read(0)
    assert (last.done, last.ended) == (3, True)
    assert read_metrics(desk.app.store.connection).scenes["written"] == 3


class Seen:
    """An observer that keeps what it is shown."""

    def __init__(self):
        self.shown = []

    def progress(self, progress):
        self.shown.append(progress)


def test_a_drain_that_stands_still_shows_and_stores_for_whom_it_waits(make_desk):
    desk = make_desk()
    desk.add(*fill(desk, 2))
    desk.plex.down()
    seen = Seen()
    stored = []
    end = desk.clock() + 120

    def stopped():
        stored.append(desk.app.book.read(0).wait)
        return desk.clock() >= end

    desk.app.drain(Background(), seen, stopped)
    assert {present(wait).server for wait in stored if wait} == {"Plex"}
    assert {wait.server for one in seen.shown if (wait := one.wait)} == {"Plex"}
