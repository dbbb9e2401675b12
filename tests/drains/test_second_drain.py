"""A task beside a process that drains already: it asks that one to look, and shows its progress."""

from __future__ import annotations

import pytest

from stash2plex.errors import Refused
from stash2plex.lock import drain_lock
from stash2plex.operations.foreground import drain_here
from stash2plex.operations.server_probe import ASK_SECONDS, ServerProbe
from stash2plex.store.marks import asked_look, end_asked_look
from stash2plex.store.progress import Progress, Wait
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from tests.support import present


class Seen(Silent):
    """Keeps what is shown."""

    def __init__(self):
        self.shown = []

    def progress(self, progress):
        self.shown.append(progress)


@pytest.fixture
def busy(make_desk):
    """A desk whose folder another process drains."""
    desk = make_desk()
    other = drain_lock(desk.app.folder)
    assert other.acquire()
    yield desk, other
    other.release()


def watch(desk, observer=None, stopped=lambda: False, **goal):
    return drain_here(desk.app, Foreground("a test", **goal), observer or Silent(), stopped)


def test_an_empty_queue_counts_as_empty_once_the_other_has_looked(busy):
    desk, _ = busy
    began, seen = desk.clock(), Seen()
    asked = []

    def look():
        asked.append(present(asked_look(desk.app.store.connection)))
        end_asked_look(desk.app.store.connection)

    desk.clock.at[began + 2.0] = look
    summary = watch(desk, seen, run_id=7)
    assert [text.partition(" ")[0] for text in asked] == ["7"]
    assert (desk.clock() - began, summary.progress.left, summary.gave_up) == (2.0, 0, None)
    assert [one.ended for one in seen.shown] == [False] * 4 + [True]


def test_it_is_asked_once_and_an_other_that_never_looks_is_not_waited_for(busy):
    desk, _ = busy
    began, asked = desk.clock(), set()
    for second in range(1, 9):
        desk.clock.at[began + second] = lambda: asked.add(asked_look(desk.app.store.connection))
    watch(desk)
    assert (desk.clock() - began, len(asked)) == (10.0, 1)


def test_the_row_of_an_earlier_drain_is_not_the_progress_of_this_one(busy):
    desk, _ = busy
    desk.app.book.write(Progress(done=5, origin="an earlier drain", ended=True))
    desk.clock.at[desk.clock() + 1.0] = lambda: desk.app.book.write(Progress(done=1))
    seen = Seen()
    watch(desk, seen)
    assert [one.done for one in seen.shown[:3]] == [0, 0, 1]


def test_when_the_other_ends_with_work_left_this_one_does_it(busy):
    desk, other = busy
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.add(scene)
    desk.clock.at[desk.clock() + 3.0] = other.release
    seen = Seen()
    summary = watch(desk, seen)
    assert seen.shown[0].left == 1
    assert (summary.progress.done, item.title) == (1, scene.title)
    # The lock is free for the next one.
    again = drain_lock(desk.app.folder)
    assert again.acquire()
    again.release()


def test_one_that_is_stopped_leaves_the_work_to_the_other(busy):
    desk, _ = busy
    scene, item = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    desk.add(scene)
    end = desk.clock() + 1.0
    summary = watch(desk, stopped=lambda: desk.clock() >= end)
    assert (summary.progress.left, item.title) == (1, "pier")
    assert (desk.clock(), summary.gave_up) == (end, None)


def test_it_gives_up_when_plex_stays_away(busy):
    desk, _ = busy
    desk.add(desk.scene("a/pier.mp4"))
    desk.plex.down()
    began = desk.clock()
    summary = watch(desk, patience=60.0)
    assert present(summary.gave_up).endswith("Waited 1 min 00 s; run the task again later.")
    assert 60.0 <= desk.clock() - began < 62.0
    assert summary.progress.left == 1


def test_an_other_that_waits_ends_a_task_only_while_work_is_left(busy):
    desk, _ = busy
    probe = ServerProbe(desk.app, Foreground("a test", patience=60.0))
    waits = Wait("Plex rests.")

    def after(seconds, wait, left):
        desk.clock.step(seconds)
        return probe.verdict(wait, left)[1]

    assert [after(50.0, waits, 0), after(50.0, waits, 0), after(0.0, waits, 1)] == [None] * 3
    # It works again: what it waited before does not count.
    assert [after(50.0, waits, 1), after(5.0, None, 1), after(5.0, waits, 1)] == [None] * 3
    assert after(59.0, waits, 1) is None
    assert after(1.0, waits, 1) == "Plex rests. Waited 1 min 00 s; run the task again later."


def test_a_task_that_watches_asks_the_servers_again_after_a_while(make_desk):
    desk = make_desk()
    probe = ServerProbe(desk.app, Foreground("test", patience=600.0))
    wait = Wait("Plex is away.", "plex")
    assert probe.verdict(wait, 3) == (None, None)
    desk.settings["plex_token"] = "old"
    desk.restart()
    probe = ServerProbe(desk.app, Foreground("test", patience=600.0))
    desk.plex.clear_log()
    assert probe.verdict(wait, 3) == (None, None)
    assert desk.plex.count("GET") == 0
    desk.clock.step(ASK_SECONDS)
    error, words = probe.verdict(wait, 3)
    assert isinstance(error, Refused)
    assert words == str(error)


def test_what_the_other_gave_up_meanwhile_is_named(busy):
    desk, _ = busy
    desk.add(desk.scene("a/pier.mp4"))

    def bury():
        (claim,) = desk.app.store.queue.claim(1, 60.0)
        desk.app.store.queue.bury(claim, title="A pier", reason="rejected", error="No.", path="")

    desk.clock.at[desk.clock() + 2.0] = bury
    assert watch(desk).names["dead"] == " (scene 1 “A pier”)"
