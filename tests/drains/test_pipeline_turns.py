"""One turn of the pipeline at a time: what is claimed beside what, and what a read shows."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.errors import ConfigError, Unavailable
from stash2plex.rules.pacing import Pacer
from stash2plex.store.progress import Tally
from stash2plex.store.undo_marks import Asked
from stash2plex.sync import picture_lane, pipeline, read_back
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.finder import Finder
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.pipeline import Pipeline
from stash2plex.sync.read_back import ReadBack
from stash2plex.workqueue import BULK, URGENT
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture
from tests.harness.in_process import fill, listen
from tests.support import until


class Turns:
    """A pipeline over a desk; `desk` belongs to the test."""

    def __init__(self, desk):
        self.desk, self.store = desk, desk.app.store
        clocks = {"clock": desk.clock, "monotonic": desk.clock.monotonic}
        pacer = Pacer()
        evidence = Evidence(self.store, pacer, **clocks)
        self.hand = KeysInHand(
            self.store, Tally("test", desk.clock), evidence, random=Random(1), **clocks
        )
        finder = Finder(self.store, self.hand, **clocks)
        self.doubted: list[ConfigError] = []
        self.pipeline = Pipeline(
            self.store,
            self.hand,
            finder,
            evidence,
            pacer,
            self.doubted.append,
            random=Random(1),
            **clocks,
        )
        self.session = desk.app.open_session()
        self.pipeline.use(self.session)

    def held(self, *scenes):
        return [self.hand.holds(("scene", scene.id)) for scene in scenes]

    def finish(self):
        """Work until nothing is in hand."""
        until(self.is_idle)

    def is_idle(self):
        self.pipeline.fill(single=False)
        self.pipeline.collect(1.0)
        return not (self.pipeline.busy or self.store.queue.counts().pending)


@pytest.fixture
def begin():
    made = []

    def make(desk):
        made.append(Turns(desk))
        return made[-1]

    yield make
    for turns in made:
        turns.desk.plex.faults.clear()
        turns.pipeline.close()


def add(desk, priority, *scenes):
    desk.app.store.queue.add_many([("scene", scene.id) for scene in scenes], priority=priority)


def test_texts_wait_while_very_many_pictures_do(make_desk, begin, monkeypatch):
    desk = make_desk(skip_fields="")
    monkeypatch.setattr(picture_lane, "FULL", 2)
    scenes = [desk.scene(f"{at}.mp4", size=at, cover=picture(at)) for at in range(1, 5)]
    for at in range(1, 5):
        desk.item(f"{at}.mp4", size=at)
    # The pictures of the first are under way, and those of two others wait behind them.
    desk.plex.faults.add(Fault("hang", times=None, **scopes.uploads()))
    turns = begin(desk)
    add(desk, BULK, *scenes[:3])
    until(lambda: is_written(turns))
    add(desk, BULK, scenes[3])
    turns.pipeline.fill(single=True)
    assert turns.held(scenes[3]) == [False]
    desk.plex.faults.clear()
    turns.finish()
    assert desk.titles() == [scene.title for scene in scenes]


def is_written(turns):
    turns.pipeline.fill(single=True)
    turns.pipeline.collect(0.1)
    return not turns.desk.rows("SELECT 1 FROM queue")


def test_a_key_that_ended_the_worker_eight_times_has_no_urgent_one_beside_it(make_desk, begin):
    desk = make_desk()
    risky, urgent = fill(desk, 2)
    turns = begin(desk)
    add(desk, BULK, risky)
    desk.app.store.connection.execute("UPDATE queue SET interruptions = 8")
    turns.pipeline.fill(single=False)
    add(desk, URGENT, urgent)
    turns.pipeline.fill(single=False)
    assert turns.held(risky, urgent) == [True, False]
    turns.finish()
    assert desk.titles() == [risky.title, urgent.title]


def test_urgent_keys_are_claimed_beside_a_full_batch(make_desk, begin, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 2)
    monkeypatch.setattr(pipeline, "URGENT_BATCH", 2)
    desk = make_desk()
    scenes = fill(desk, 8)
    turns = begin(desk)
    add(desk, BULK, *scenes[:3])
    turns.pipeline.fill(single=False)
    assert turns.held(*scenes[:3]) == [True, True, False]
    add(desk, URGENT, *scenes[3:6])
    turns.pipeline.fill(single=False)
    # Two of the three urgent ones, and none of the others.
    assert turns.held(*scenes[:6]) == [True, True, False, True, True, False]
    turns.pipeline.fill(single=False)
    assert turns.held(*scenes[:6]) == [True, True, False, True, True, False]
    turns.finish()
    assert desk.titles()[:6] == [scene.title for scene in scenes[:6]]


def test_while_a_server_is_tried_one_key_is_claimed(make_desk, begin):
    desk = make_desk()
    scenes = fill(desk, 3)
    turns = begin(desk)
    add(desk, BULK, *scenes[:2])
    turns.pipeline.fill(single=True)
    add(desk, URGENT, scenes[2])
    turns.pipeline.fill(single=True)
    assert turns.held(*scenes) == [True, False, False]
    turns.finish()


def test_scenes_that_are_read_show_that_stash_works(make_desk, begin):
    desk = make_desk()
    scenes = fill(desk, 2)
    desk.drain(*scenes)
    turns = begin(desk)
    breaker = desk.app.store.breakers["stash"]
    breaker.failed(Unavailable("Stash", "Stash refuses the connection."), 1)
    assert breaker.read().failures == 1
    # They are as they were: nothing is written.
    add(desk, BULK, *scenes)
    turns.finish()
    assert breaker.read().failures == 0


def test_what_is_given_back_during_an_outage_is_read_again_before_it_is_written(make_desk, begin):
    desk = make_desk()
    scenes = fill(desk, 2)
    lines = listen(desk)
    turns = begin(desk)
    add(desk, BULK, *scenes)
    turns.pipeline.fill(single=False)
    turns.pipeline.close()
    assert desk.rows("SELECT id, attempts FROM queue ORDER BY id") == [
        (scene.id, 0) for scene in scenes
    ]
    assert [line for line in lines if "goes back" in line] == [
        f"scene:{scene.id} goes back uncounted: it is read again before it is written."
        for scene in scenes
    ]
    assert desk.titles() == ["0", "1"]


def test_a_scene_that_is_gone_but_was_saved_meanwhile_stays_known(make_desk, begin):
    desk = make_desk()
    gone, again = fill(desk, 2)
    desk.drain(gone, again)
    for scene in (gone, again):
        desk.stash.library.destroy_scene(scene)
    turns = begin(desk)
    add(desk, BULK, gone, again)
    turns.pipeline.fill(single=False)
    desk.app.store.queue.add("scene", again.id)
    until(lambda: collected(turns))
    assert desk.rows("SELECT id FROM scene") == [(again.id,)]
    assert desk.rows("SELECT id FROM queue") == [(again.id,)]


def collected(turns):
    turns.pipeline.collect(1.0)
    return not turns.hand.busy


def test_a_scene_whose_pictures_are_being_sent_is_put_back_a_second_later(make_desk, begin):
    desk = make_desk(skip_fields="")
    scene, _ = desk.scene("a.mp4", cover=picture(1)), desk.item("a.mp4")
    desk.plex.faults.add(Fault("hang", times=None, **scopes.uploads()))
    turns = begin(desk)
    add(desk, BULK, scene)
    until(lambda: is_written(turns))
    turns.pipeline.fill(single=False)
    with desk.app.store.connection:
        desk.app.store.undo_marks.ask([scene.id], Asked())
    add(desk, BULK, scene)
    turns.pipeline.fill(single=False)
    ((reason, due_at),) = desk.rows("SELECT reason, due_at FROM queue")
    assert (reason, due_at - desk.clock()) == ("pictures", 1.0)
    assert desk.rows("SELECT error FROM failure") == [("its pictures are being sent.",)]


def test_a_file_that_came_while_its_folder_is_scanned_is_asked_for_again_later(make_desk, begin):
    desk = make_desk(trigger_plex_scan=True, path_map="/data=>/media")
    desk.drain()
    turns = begin(desk)
    scans = desk.app.store.scans
    scans.request(str(desk.films.id), "/media/a", desk.clock())
    scans.start(scans.waiting()[0], desk.clock())
    add(desk, BULK, desk.scene("a/pier.mp4"), desk.scene("b/quay.mp4", size=5))
    turns.pipeline.fill(single=False)
    until(lambda: collected(turns))
    assert desk.rows("SELECT path, section_id, folder FROM missed_file ORDER BY path") == [
        ("/data/a/pier.mp4", "", ""),
        ("/data/b/quay.mp4", str(desk.films.id), "/media/b"),
    ]


# -- reading back -----------------------------------------------------------------------------


def test_each_of_the_first_readings_covers_more_writes(make_desk, begin, monkeypatch):
    monkeypatch.setattr(read_back, "BATCHES", (1, 2, 4))
    desk = make_desk()
    scenes = fill(desk, 7)
    turns = begin(desk)
    reading = ReadBack(desk.app.store, turns.hand, monotonic=desk.clock.monotonic)
    moments = []
    for number, scene in enumerate(scenes, 1):
        add(desk, BULK, scene)
        turns.finish()
        desk.clock.step(1.0)
        if reading.step(turns.session, idle=False, sending=False, seconds=5):
            assert reading.step(turns.session, idle=True, sending=True, seconds=5)
            moments.append(number)
    reading.close()
    assert moments == [1, 3, 7]
