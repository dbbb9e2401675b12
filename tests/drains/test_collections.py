"""Collections that cannot be listed or deleted: the work goes on, and it is tried again later."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.errors import Transient, Unavailable
from stash2plex.model import Field, Match, PlexFile
from stash2plex.rules.desired import desired_state
from stash2plex.servers.plex import Plex
from stash2plex.sync.collections import AGAIN_SECONDS, Collections
from stash2plex.sync.in_flight import InFlight
from stash2plex.sync.session import Matched
from stash2plex.workqueue import Claim
from tests.harness.in_process import listen
from tests.support import make_scene, until


def test_collections_that_cannot_be_deleted_are_in_the_log(make_desk):
    desk = make_desk()
    lines = listen(desk)
    cleaner = Collections(desk.app.store, InFlight(1, 1), desk.clock.monotonic)
    cleaner._failed(Transient("Plex", "Plex answered with half a page."))
    assert lines == ["The empty collections could not be deleted: Plex answered with half a page."]
    assert not cleaner.busy


class Shelves(Plex):
    """A Plex whose collections cannot be listed, by a fault of ours or of its own."""

    def __init__(self, error):
        self.error = error
        self.asked: list[Any] = []

    def collections(self, section_id, most_seconds=0.0):
        self.asked.append((section_id, most_seconds))
        raise self.error


@pytest.fixture
def shelves(make_desk):
    desk = make_desk()
    flight = InFlight(1, 1)
    lines = listen(desk)
    yield desk, flight, Collections(desk.app.store, flight, desk.clock.monotonic), lines
    flight.close()


def finish(flight):
    def is_idle():
        flight.collect(1.0)
        return not flight

    until(is_idle)


def matched():
    scene = make_scene(studio=None)
    desired = evolve(desired_state(scene, Settings()), lists={Field.COLLECTION: ("Quay Works",)})
    claim = Claim("scene", 1, "lease", 0, 0, 0, 1)
    file = PlexFile("1", "7", "/media/a.mp4", 1)
    other = PlexFile("2", "8", "/media/a.mp4", 1)
    return Matched(claim, scene, desired, None, 0, Match(file, "path", (other,)))


@pytest.mark.parametrize("error", [ValueError("ours"), Unavailable("Plex", "Away.")])
def test_where_collections_cannot_be_listed_the_work_goes_on(shelves, error):
    desk, flight, collections, _ = shelves
    session = evolve(desk.app.open_session(), plex=Shelves(error))
    went_on: list[int] = []
    assert collections.list_first([matched()], session, lambda: went_on.append(1))
    assert went_on == []
    finish(flight)
    assert went_on == [1]
    # They are not asked for once more.
    assert not collections.list_first([matched()], session, lambda: went_on.append(2))
    assert went_on == [1]


@pytest.mark.parametrize(
    ("error", "is_fault"), [(ValueError("ours"), True), (Unavailable("Plex", "Away."), False)]
)
def test_empty_collections_that_cannot_be_deleted_are_tried_again_later(shelves, error, is_fault):
    desk, flight, collections, lines = shelves
    store = desk.app.store
    plex = Shelves(error)
    session = evolve(desk.app.open_session(), plex=plex)
    # Nothing has left a collection yet.
    collections.clean_up(session)
    assert not collections.busy
    with store.connection:
        store.own_collections.add(store.first_states.server, "1", {"quay works"})
        collections.note_left()
    collections.clean_up(session)
    assert collections.busy
    collections.clean_up(session)
    finish(flight)
    assert not collections.busy
    assert len(plex.asked) == 1
    assert lines[-1] == f"The empty collections could not be deleted: {error}"
    assert ("A fault in Stash2Plex:" in lines) is is_fault
    desk.clock.step(AGAIN_SECONDS - 0.1)
    collections.clean_up(session)
    assert not collections.busy
    desk.clock.step(0.1)
    collections.clean_up(session)
    assert collections.busy
    finish(flight)
    assert store.own_collections.were_left
