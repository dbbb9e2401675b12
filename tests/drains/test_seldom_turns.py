"""Turns that a drain takes when something went away, was asked back, or failed, in between."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.errors import Rejected, TooLarge, Transient, Unavailable
from stash2plex.model import Field, Image, Match, Picture, PlexFile, Record
from stash2plex.operations.undo import Chosen
from stash2plex.rules.desired import desired_state
from stash2plex.rules.first_state import Before, FirstState
from stash2plex.servers.plex import Plex
from stash2plex.servers.stash import Stash
from stash2plex.sync.collections import AGAIN_SECONDS, Collections
from stash2plex.sync.in_flight import InFlight
from stash2plex.sync.picture_keeping import PictureKeeper
from stash2plex.sync.pictures import PicturePlan, cover_may_differ, image_hash, plan_pictures
from stash2plex.sync.session import Matched
from stash2plex.workqueue import Claim
from stash2plex_testing.plex import Fault, scopes
from tests.drains.test_undo import put_back
from tests.harness.in_process import fill, listen
from tests.support import make_item, make_scene, until

POSTER, BACKGROUND = Field.POSTER, Field.BACKGROUND


def test_a_library_that_takes_no_shared_edit_has_each_scene_wait_under_its_title(make_desk):
    desk = make_desk()
    lamps = desk.plex.add_section("Lamps", locations=["/lamps"])
    desk.item("other.mp4", size=77)
    scenes = [desk.scene(f"{at}.mp4", size=at) for at in range(1, 4)]
    items = [desk.plex.add_item(lamps, f"/lamps/{at}.mp4", size=at) for at in range(1, 4)]
    desk.drain(*scenes)
    assert [item.title for item in items] == [scene.title for scene in scenes]
    fog = desk.stash.add_tag("Fog")
    for scene in scenes:
        scene.tags = [fog]
    desk.plex.faults.add(Fault("status", times=None, **scopes.library(lamps)))
    desk.drain(*scenes)
    assert desk.rows("SELECT id, reason FROM queue ORDER BY id") == [
        (scene.id, "library") for scene in scenes
    ]
    errors = dict(desk.rows("SELECT id, error FROM failure"))
    assert [errors[scene.id].partition(",")[0] for scene in scenes] == [
        f"“{scene.title}” waits for “Lamps”" for scene in scenes
    ]
    assert desk.rows("SELECT 1 FROM outage") == []


def test_an_item_of_another_library_that_was_put_back_in_part_is_ours_no_more(make_desk):
    desk = make_desk()
    quays = desk.plex.add_section("Quays", locations=["/media"])
    scene, own = desk.scene("a.mp4"), desk.item("a.mp4")
    second = desk.plex.add_item(quays, "/media/a.mp4", size=100)
    desk.drain(scene)
    put_back(desk, Chosen(scene_ids=(scene.id,), fields=frozenset({Field.TITLE})))
    assert [item.title for item in (own, second)] == ["a", "a"]
    assert [item.texts["summary"] for item in (own, second)] == ["Seen at a.mp4."] * 2
    store = desk.app.store
    records = [store.records.get(scene.id), *store.followers.of(scene.id).values()]
    assert ["title" in one.written for one in records if one] == [False, False]
    assert ["summary" in one.written for one in records if one] == [True, True]


def test_scenes_that_are_gone_are_forgotten_and_plex_keeps_what_it_has(make_desk):
    desk = make_desk()
    scenes = fill(desk, 2)
    desk.drain(*scenes)
    for scene in scenes:
        desk.stash.library.destroy_scene(scene)
    desk.drain(*scenes)
    assert desk.rows("SELECT id FROM scene") == []
    assert desk.titles() == [scene.title for scene in scenes]


# -- what is kept of pictures -----------------------------------------------------------------


def test_of_which_pictures_it_is_known_what_was_chosen_first(make_desk):
    store = make_desk().app.store
    keeper = PictureKeeper(store)
    states = store.first_states
    state = FirstState(1, "7", states.server, "1", "/media/a.mp4", 9.0)

    def keep(state, *names):
        with store.connection:
            states.keep(state, {name: Before("", locked=False) for name in names})

    assert (keeper.known_pictures("7"), keeper.has_uploads("7")) == (frozenset(), False)
    keep(state, Field.TITLE, POSTER)
    assert keeper.known_pictures("7") == {POSTER}
    keep(evolve(state, rating_key="8", before_history=True), POSTER)
    assert keeper.known_pictures("8") == {POSTER, BACKGROUND}
    with store.connection:
        states.count_uploads("8", 1)
        states.put_back(evolve(state, rating_key="8"), {}, is_done=True)
    # What was put back is forgotten; that pictures of ours are there is not.
    assert (keeper.known_pictures("8"), keeper.has_uploads("8")) == (frozenset(), True)
    assert not keeper.has_uploads("7")


# -- what a preview shows of pictures ---------------------------------------------------------

COVER = Image(b"cover", "image/jpeg", "e1")
HASH = image_hash(COVER)


class Shore(Stash):
    """A Stash that gives one cover, or fails."""

    def __init__(self, cover):
        self.given = cover
        self.asked: list[str] = []

    def cover(self, scene, etag):
        self.asked.append(etag)
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


class Wall(Plex):
    """A Plex that has some pictures."""

    def __init__(self, *there):
        self.there = there
        self.asked: list[Any] = []

    def pictures(self, rating_key, name):
        self.asked.append((rating_key, name))
        return self.there


def plan(cover=COVER, plex=None, item=None, settings=None, preserve=False):
    scene = make_scene()
    desired = desired_state(scene, settings or Settings())
    stash = Shore(cover)
    made = plan_pictures(
        scene,
        desired,
        item or make_item(),
        None,
        preserve=preserve,
        stash=stash,
        plex=plex or Wall(),
    )
    return made, stash


NOTHING = PicturePlan({}, {}, frozenset(), {POSTER: "", BACKGROUND: ""})


def test_a_new_cover_is_planned_for_both_places_without_asking_plex():
    plex = Wall()
    made, stash = plan(plex=plex)
    assert made == evolve(
        NOTHING,
        uploads={POSTER: COVER, BACKGROUND: COVER},
        hashes={POSTER: HASH, BACKGROUND: HASH},
    )
    assert made.fields == (BACKGROUND, POSTER)
    assert (plex.asked, stash.asked) == ([], [""])
    made, _ = plan(settings=Settings(skip_fields=frozenset({POSTER})))
    assert made.fields == (BACKGROUND,)


@pytest.mark.parametrize(
    ("cover", "notes"),
    [
        (Unavailable("Stash", "Away."), ()),
        (Transient("Stash", "Odd."), ()),
        (None, ()),
        (Image(None, "", "e1"), ()),
        (TooLarge("Stash", "Large."), ["The cover of %s is too large for Plex; it was not sent."]),
        (Rejected("Stash", "No."), ["The cover of %s was not sent: %s"]),
    ],
)
def test_a_cover_that_is_not_there_now_is_not_planned(cover, notes):
    made, _ = plan(cover)
    assert evolve(made, notes=()) == NOTHING
    assert [note[0] for note in made.notes] == list(notes)


def test_a_locked_picture_is_the_users_or_ours_or_there_already():
    locked = make_item(locked=frozenset({POSTER, BACKGROUND}))
    theirs = Picture("metadata://posters/theirs", selected=True)
    made, _ = plan(plex=Wall(theirs), item=locked, preserve=True)
    assert (made.kept, made.fields) == ({POSTER, BACKGROUND}, ())
    made, _ = plan(plex=Wall(theirs), item=locked)
    assert made.fields == (BACKGROUND, POSTER)
    assert made.before == dict.fromkeys((POSTER, BACKGROUND), theirs.key)
    ours = f"upload://posters/{HASH}"
    plex = Wall(Picture(ours, selected=False), theirs)
    made, _ = plan(plex=plex, item=locked)
    assert (made.choices, made.uploads) == (dict.fromkeys((POSTER, BACKGROUND), ours), {})
    assert plex.asked == [("7", POSTER), ("7", BACKGROUND)]
    made, _ = plan(plex=Wall(Picture(ours, selected=True)), item=locked, preserve=True)
    assert made == evolve(NOTHING, hashes={POSTER: HASH, BACKGROUND: HASH})


def test_a_cover_may_differ_only_where_pictures_are_sent():
    scene = make_scene()
    text = Settings(skip_fields=frozenset({POSTER, BACKGROUND}))
    record = make_record(scene)
    assert not cover_may_differ(scene, desired_state(scene, Settings()), record)
    other = evolve(record, cover_tag="t=0")
    assert cover_may_differ(scene, desired_state(scene, Settings()), other)
    assert not cover_may_differ(scene, desired_state(scene, text), other)


def make_record(scene):
    return Record(scene.id, "7", "1", "/a", "path", "f", {}, cover_tag=scene.cover_tag)


# -- collections ------------------------------------------------------------------------------


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
