"""The new scenes of a scan: a worker finds them, and promises the hooks' script to do so."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from stash2plex.hook import COVER_DELAY
from stash2plex.sync.new_scenes import LOOK_SECONDS, PROMISE_SECONDS, NewSceneWatch, Promise
from stash2plex.workqueue import URGENT
from tests.support import until


class Lookout:
    """A watch of the test's own, a scan that runs until it is told to end, and the promise."""

    def __init__(self, desk):
        self.desk = desk
        self.folder = desk.app.folder
        self.queue = desk.app.store.queue
        self.job: Any = None
        self.watch = self.make()

    def make(self):
        promise = Promise(self.folder, self.desk.clock)
        return NewSceneWatch(self.queue, self.desk.app.stash, promise, self.desk.clock.monotonic)

    def scan(self):
        self.job = self.desk.stash.queue_job("Scanning...", lambda job: job.cancelled.wait(60))

    def end_scan(self):
        self.job.cancel()
        self.job.wait()

    def promises(self):
        """The promise, as (seconds until its end, the id above which it holds)."""
        found = [re.fullmatch(r"new-scenes-(\d+)-(\d+)", name) for name in os.listdir(self.folder)]
        return [(int(one[1]) / 1000 - self.desk.clock(), int(one[2])) for one in found if one]

    def look(self):
        """Let a second go by, look once, and take in what was found."""
        self.desk.clock.step(LOOK_SECONDS)
        self.desk.stash.clear_log()
        self.watch.step()
        until(lambda: not self.watch.is_looking)
        self.watch.step()

    def queued(self):
        sql = "SELECT id, priority, due_at - added_at FROM queue WHERE kind = 'scene' ORDER BY id"
        return list(self.desk.app.store.connection.execute(sql))


@pytest.fixture
def lookout(make_desk):
    found = Lookout(make_desk())
    yield found
    if found.job is not None:
        found.end_scan()
    found.watch.close()


def expect_new_scene(lookout):
    """Record a new scene as its hook does: due once Stash has made its cover."""
    scene = lookout.desk.scene("first.mp4")
    lookout.queue.add("scene", scene.id, delay=COVER_DELAY)
    return scene


def test_the_new_scenes_of_a_scan_are_found_and_promised(lookout):
    lookout.scan()
    first = expect_new_scene(lookout)
    lookout.look()
    assert lookout.promises() == [(pytest.approx(PROMISE_SECONDS, abs=0.01), first.id)]
    scenes = [lookout.desk.scene(f"{number}.mp4") for number in range(3)]
    lookout.look()
    wanted = [first, *scenes]
    assert lookout.queued() == [(scene.id, URGENT, COVER_DELAY) for scene in wanted]
    # Renewed: it holds for every scene since the first look, however late its hook runs.
    assert lookout.promises() == [(pytest.approx(PROMISE_SECONDS, abs=0.01), first.id)]


def test_it_ends_with_the_scan_after_one_more_look(lookout):
    lookout.scan()
    expect_new_scene(lookout)
    lookout.look()
    lookout.end_scan()
    lookout.look()
    assert lookout.promises() == []
    # Its hook ran before the promise was withdrawn, and its scene came after the look.
    late = lookout.desk.scene("late.mp4")
    lookout.look()
    assert (late.id, URGENT, COVER_DELAY) in lookout.queued()
    lookout.look()
    lookout.desk.clock.step(COVER_DELAY)
    lookout.look()
    assert lookout.desk.stash.count(operation="query NewScenes") == 0


def test_without_a_scan_nothing_is_promised_and_soon_nothing_is_asked(lookout):
    expect_new_scene(lookout)
    lookout.look()
    assert lookout.promises() == []
    lookout.desk.clock.step(COVER_DELAY)
    lookout.look()
    assert lookout.desk.stash.count(operation="query NewScenes") == 0


def test_a_scan_without_new_scenes_is_not_watched(lookout):
    lookout.scan()
    lookout.look()
    assert lookout.desk.stash.count(operation="query NewScenes") == 0
    assert lookout.promises() == []


def test_a_look_that_fails_ends_the_promise_and_the_next_one_finds_all(lookout):
    lookout.scan()
    first = expect_new_scene(lookout)
    lookout.look()
    scene = lookout.desk.scene("second.mp4")
    lookout.desk.stash.down()
    lookout.look()
    assert lookout.promises() == []
    lookout.desk.stash.up()
    lookout.look()
    assert [key[0] for key in lookout.queued()] == [first.id, scene.id]
    assert len(lookout.promises()) == 1


def test_a_worker_that_ends_looks_once_more(lookout):
    lookout.scan()
    first = expect_new_scene(lookout)
    lookout.look()
    scene = lookout.desk.scene("second.mp4")
    lookout.watch.close()
    assert lookout.promises() == []
    assert [key[0] for key in lookout.queued()] == [first.id, scene.id]


def test_what_a_killed_worker_promised_is_found_by_the_next_one(lookout):
    desk = lookout.desk
    desk.item("second.mp4")
    desk.item("first.mp4")
    desk.work(2.0)
    lookout.scan()
    expect_new_scene(lookout)
    lookout.look()
    desk.scene("second.mp4")
    # Killed: it neither looks again nor withdraws the promise. The script trusts it for seconds.
    lookout.watch = None
    assert len(lookout.promises()) == 1
    desk.clock.step(60.0)
    lookout.end_scan()
    desk.restart()
    lookout.watch = lookout.make()
    assert lookout.promises() == []
    desk.work(20.0)
    titles = {item.title for item in desk.plex.all_items()}
    assert titles == {"About first.mp4", "About second.mp4"}


def test_a_folder_that_cannot_be_written_promises_nothing(tmp_path):
    promise = Promise(str(tmp_path / "missing"), lambda: 1.0)
    promise.clear()
    promise.renew(3)
    promise.renew(3)
    promise.withdraw()
    assert list(tmp_path.iterdir()) == []


def test_a_last_look_that_fails_adds_nothing(lookout):
    lookout.scan()
    first = expect_new_scene(lookout)
    lookout.look()
    lookout.desk.scene("second.mp4")
    lookout.desk.stash.faults.add("status", operation="", status=500, times=None)
    lookout.watch.close()
    assert [id_ for id_, _, _ in lookout.queued()] == [first.id]
    assert lookout.promises() == []
