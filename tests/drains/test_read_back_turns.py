"""Reading back, one step at a time: what is left alone because it changed, went away or is busy."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from attrs import evolve

from stash2plex.rules.pacing import Pacer
from stash2plex.store.progress import Tally
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.read_back import LOOK_SECONDS, TROUBLE_SECONDS, ReadBack
from stash2plex_testing.plex import Fault
from tests.harness.in_process import fill, listen
from tests.support import make_scene, present


class Reading:
    """Scenes whose writes wait to be read back, and what reads them."""

    def __init__(self, desk, number):
        self.desk, self.store = desk, desk.app.store
        self.scenes = fill(desk, number)
        # A reading that fails leaves all writes of the drain unread.
        desk.plex.faults.add(
            Fault("status", method="GET", path="^/library/metadata/", after=1, times=None)
        )
        desk.drain(*self.scenes)
        desk.plex.faults.clear()
        self.held = desk.plex.all_items()
        self.lines = listen(desk)
        clocks: dict[str, Any] = {"clock": desk.clock, "monotonic": desk.clock.monotonic}
        evidence = Evidence(self.store, Pacer(), **clocks)
        self.hand = KeysInHand(
            self.store, Tally("test", desk.clock), evidence, random=Random(1), **clocks
        )
        self.reading = ReadBack(self.store, self.hand, monotonic=desk.clock.monotonic)
        self.session = desk.app.open_session()
        desk.plex.clear_log()

    def step(self, *, idle=True):
        return self.reading.step(self.session, idle=idle, sending=False, seconds=5)

    def unread(self):
        return self.store.records.unread_ids(99)

    def queued(self):
        return [id_ for (id_,) in self.desk.rows("SELECT id FROM queue ORDER BY id")]

    def asked(self):
        return self.desk.plex.count("GET", "/library/metadata/")


@pytest.fixture
def reading(make_desk):
    made = Reading(make_desk(), 3)
    yield made
    made.reading.close()


def test_what_was_written_is_read_once(reading):
    assert reading.unread() == [scene.id for scene in reading.scenes]
    assert reading.step()
    assert reading.step()
    assert (reading.unread(), reading.queued(), reading.asked()) == ([], [], 1)
    # There is nothing to do any more, at the next look neither.
    assert not reading.step()
    reading.desk.clock.step(LOOK_SECONDS)
    assert not reading.step()
    assert reading.asked() == 1


def test_a_few_writes_wait_while_others_go_on(reading):
    assert not reading.step(idle=False)
    assert reading.asked() == 0
    assert reading.step(idle=True)
    assert reading.step()


def test_an_item_that_is_in_the_trash_or_of_another_file_shows_nothing(reading):
    trashed, moved, gone = reading.held
    reading.desk.plex.trash_item(trashed)
    moved.parts[0].path = "/media/another.mp4"
    reading.desk.plex.remove_item(gone)
    for item in reading.held:
        item.title = "Not what was sent"
    assert reading.step()
    assert reading.step()
    assert (reading.unread(), reading.queued()) == ([], [])
    assert reading.desk.rows("SELECT 1 FROM server_trait") == []


def test_a_record_that_changed_meanwhile_is_left_alone(reading):
    first, *others = reading.scenes
    reading.held[0].title = "Not what was sent"
    assert reading.step()
    old = present(reading.store.records.get(first.id))
    new = evolve(old, written={**old.written, "title": "Newer"}, fingerprint="newer")
    reading.store.records.put(new, make_scene(first.id))
    assert reading.step()
    assert reading.unread() == [first.id]
    assert reading.queued() == []
    assert present(reading.store.records.get(first.id)).fingerprint == "newer"
    assert len(others) == 2


def test_scenes_in_hand_are_not_read_back(reading):
    first, second, third = reading.scenes
    reading.desk.add(second)
    assert [key.claim.id for key in reading.hand.claim(9)] == [second.id]
    assert reading.step()
    reading.desk.add(first)
    assert [key.claim.id for key in reading.hand.claim(9)] == [first.id]
    assert reading.step()
    assert reading.unread() == [first.id, second.id]
    assert third.id not in reading.unread()


def test_a_value_that_plex_did_not_keep_is_written_again(reading):
    for item in reading.held[:2]:
        item.texts["summary"] = ""
    assert reading.step()
    assert reading.step()
    assert reading.queued() == [scene.id for scene in reading.scenes[:2]]
    assert [line for line in reading.lines if "is written again" in line] == [
        f"scene:{scene.id} is written again: Plex did not keep the summary."
        for scene in reading.scenes[:2]
    ]


def test_a_reading_that_fails_is_made_a_minute_later(reading):
    reading.desk.plex.faults.add(
        Fault("status", method="GET", path="^/library/metadata/", times=None)
    )
    assert reading.step()
    assert reading.step()
    assert not reading.step()
    (line,) = [line for line in reading.lines if "read back" in line]
    assert line.startswith("What was written could not be read back: Plex ")
    reading.desk.plex.faults.clear()
    reading.desk.clock.step(TROUBLE_SECONDS - 0.1)
    assert not reading.step()
    reading.desk.clock.step(0.1)
    assert reading.step()
    assert reading.step()
    assert reading.unread() == []
