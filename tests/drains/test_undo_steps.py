"""Putting one item back: what is asked and sent, when nothing is, and what is kept of it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from attrs import evolve

from stash2plex.app import open_store
from stash2plex.errors import NotFound, Rejected, ServerError, Transient, Unavailable
from stash2plex.model import Change, Field, Picture, Record
from stash2plex.rules.first_state import Before, FirstState
from stash2plex.rules.memory import Base, Version, base_of
from stash2plex.rules.traits import NO_TRAITS
from stash2plex.rules.undo_goals import ItemBack
from stash2plex.rules.way_back import ALTERED, Goal, WayBack
from stash2plex.servers.apart import ReadItems
from stash2plex.servers.plex import Plex
from stash2plex.servers.stash import Stash
from stash2plex.store.undo_marks import Asked
from stash2plex.sync.indexing import PlexIndex
from stash2plex.sync.session import Session
from stash2plex.sync.undoing import (
    GONE,
    OTHER_FILE,
    OTHER_SERVER,
    ItemUndone,
    UndoJob,
    base_for,
    items_back,
    look,
    outcome_of,
    put_back,
    weigh,
)
from stash2plex.workqueue import Claim
from tests.drains.test_write_jobs import TEXT
from tests.support import ManualClock, make_item, make_scene

TITLE, SUMMARY, POSTER, RATING = Field.TITLE, Field.SUMMARY, Field.POSTER, Field.RATING
STATE = FirstState(
    1, "7", "m", "1", "/media/a.mp4", 9.0, {TITLE: Before("First", locked=False)}, uploads=2
)
RECORD = Record(1, "7", "1", "/media/a.mp4", "the whole path", "f", {TITLE: "Ours"}, verified=True)
OURS = make_item(texts={TITLE: "Ours"}, locked=frozenset({TITLE}))


def back(state=STATE, record: Record | None = RECORD, goals=None, **more):
    return ItemBack(
        state, record, {TITLE: Goal("First", False)} if goals is None else goals, **more
    )


class Harbour(Plex):
    """A Plex of one item that holds what it is sent, and keeps what it is asked."""

    def __init__(self, item=OURS):
        self.held = {item.rating_key: item}
        self.asked: list[Any] = []
        self.unreadable: dict[str, ServerError] = {}
        self.listed: dict[Field, tuple[Picture, ...]] = {}
        self.keeps = True
        self.refuses: Exception | None = None

    def items(self, keys, witness=""):
        self.asked.append(("read", *keys))
        found = {key: self.held[key] for key in keys if key in self.held}
        return ReadItems(found, self.unreadable)

    def pictures(self, rating_key, name):
        self.asked.append(("pictures", rating_key, name))
        return self.listed.get(name, ())

    def edit(self, section_id, keys, change):
        self.asked.append(("edit", section_id, *keys, dict(change.texts)))
        if self.refuses:
            raise self.refuses
        (key,) = keys
        if self.keeps:
            item = self.held[key]
            locked = item.locked | change.texts.keys() | change.locks
            texts = {**item.texts, **change.texts}
            self.held[key] = evolve(item, texts=texts, locked=locked - change.unlocks)

    def clear_rating(self, rating_key):
        self.asked.append(("clear rating", rating_key))
        self.held[rating_key] = evolve(self.held[rating_key], rating=None)

    def choose_picture(self, rating_key, name, key):
        self.asked.append(("choose", rating_key, name, key))
        if self.refuses:
            raise self.refuses
        self.listed[name] = tuple(
            Picture(one.key, one.key == key) for one in self.listed.get(name, ())
        )

    def choose_none(self, rating_key, name):
        self.asked.append(("choose none", rating_key, name))
        if self.refuses:
            raise self.refuses
        self.listed[name] = tuple(Picture(one.key, selected=False) for one in self.listed[name])


def run(plex, *backs, server="m"):
    clock = ManualClock()
    session = Session(TEXT, Stash.__new__(Stash), plex, PlexIndex.__new__(PlexIndex))
    job = UndoJob(Claim("scene", 1, "lease", 0, 0, 0, 1), 1, Asked(), backs)
    assert clock() > 0
    return put_back(job, server, session, NO_TRAITS)


def test_an_item_is_put_back_and_read_back():
    plex = Harbour()
    (one,) = run(plex, back())
    assert plex.asked == [("read", "7"), ("edit", "1", "7", {TITLE: "First"}), ("read", "7")]
    assert (one.way.back, one.way.theirs, dict(one.way.cannot)) == ({TITLE}, frozenset(), {})
    assert (one.item, one.after) == (OURS, plex.held["7"])
    assert one.gone == ""


def test_an_item_that_shows_it_already_is_sent_nothing():
    plex = Harbour(make_item(texts={TITLE: "First"}))
    (one,) = run(plex, back())
    assert plex.asked == [("read", "7")]
    assert one.way.back == {TITLE}
    assert one.after == one.item


def test_an_item_that_keeps_nothing_is_written_twice():
    plex = Harbour()
    plex.keeps = False
    (one,) = run(plex, back())
    assert [asked[0] for asked in plex.asked] == ["read", "edit", "read", "edit", "read"]
    assert list(one.way.cannot) == [TITLE]
    assert one.way.back == frozenset()


def test_a_rating_is_taken_away():
    item = make_item(rating=8.0, locked=frozenset({RATING}))
    plex = Harbour(item)
    record = evolve(RECORD, written={RATING: 8.0})
    state = evolve(STATE, fields={RATING: Before(None, locked=False)})
    (one,) = run(plex, back(state, record, {RATING: Goal(None, False)}))
    assert ("clear rating", "7") in plex.asked
    assert one.way.back == {RATING}


@pytest.mark.parametrize(
    ("item", "server", "why"),
    [
        (OURS, "another", OTHER_SERVER),
        (None, "m", GONE),
        (evolve(OURS, trashed=True), "m", GONE),
        (evolve(OURS, paths=("/media/b.mp4",)), "m", OTHER_FILE),
        (evolve(OURS, paths=()), "m", OTHER_FILE),
    ],
)
def test_to_another_item_nothing_is_sent(item, server, why):
    seen = weigh(back(), server, item)
    assert seen == ItemUndone(back(), gone=why)
    plex = Harbour()
    plex.held = {"7": item} if item else {}
    assert look(back(), server, plex) == seen
    # Another server is not even asked.
    assert plex.asked == ([] if why == OTHER_SERVER else [("read", "7")])
    assert run(plex, back(), server=server) == [seen]


def test_an_item_that_went_away_after_the_write_is_gone():
    plex = Harbour()

    def edit(section_id, keys, change):
        plex.held.clear()

    plex.edit = edit  # type: ignore[method-assign]  # the stand-in of this file
    (one,) = run(plex, back())
    assert (one.gone, one.item) == (GONE, None)


def test_a_file_is_the_same_under_another_spelling_of_its_separators():
    item = evolve(OURS, paths=("/media/b.mp4", r"\media\a.mp4"))
    assert weigh(back(), "m", item).gone == ""
    # Where the first state has no path, the record's counts.
    nameless = evolve(STATE, path="")
    assert weigh(back(nameless), "m", item).gone == ""
    assert weigh(back(nameless, None), "m", item).gone == OTHER_FILE


def test_an_item_without_a_library_is_in_the_one_that_was_kept():
    seen = weigh(back(evolve(STATE, section_id="5")), "m", evolve(OURS, section_id=""))
    assert seen.item is not None
    assert seen.item.section_id == "5"
    seen = weigh(back(evolve(STATE, section_id="5")), "m", OURS)
    assert seen.item is not None
    assert seen.item.section_id == "1"


def test_an_item_that_fails_stops_no_other_and_is_raised_in_the_end():
    plex = Harbour()
    plex.held["8"] = evolve(OURS, rating_key="8")
    plex.held["9"] = evolve(OURS, rating_key="9")
    plex.unreadable = {"7": Transient("Plex", "Odd.")}
    first, second, third = (
        back(evolve(STATE, rating_key=key), evolve(RECORD, rating_key=key)) for key in "789"
    )
    with pytest.raises(Transient, match="Odd"):
        run(plex, first, second, third)
    assert [plex.held[key].texts[TITLE] for key in "789"] == ["Ours", "First", "First"]
    # The first failure is the one that is raised.
    plex.unreadable = {"7": Transient("Plex", "Odd."), "8": Transient("Plex", "Odder.")}
    with pytest.raises(Transient, match="Odd\\."):
        run(plex, first, second)
    plex.unreadable = {}
    plex.refuses = Unavailable("Plex", "Away.")
    with pytest.raises(Unavailable):
        run(plex, first)


# -- pictures -------------------------------------------------------------------------------

MINE, FIRST = "upload://posters/h1", "metadata://posters/one"


def with_poster(key):
    goals = {POSTER: Goal(key)}
    state = evolve(STATE, fields={POSTER: Before(key, locked=False)})
    record = evolve(RECORD, poster_hash="h1")
    return back(state, record, goals, hashes={POSTER: frozenset({"h1"})})


def poster_item():
    plex = Harbour(evolve(OURS, locked=frozenset({POSTER})))
    plex.listed[POSTER] = (Picture(FIRST, selected=False), Picture(MINE, selected=True))
    return plex


def test_the_first_picture_is_chosen_again():
    plex = poster_item()
    (one,) = run(plex, with_poster(FIRST))
    assert [asked for asked in plex.asked if asked[0] not in ("read", "edit")][:2] == [
        ("pictures", "7", POSTER),
        ("choose", "7", POSTER, FIRST),
    ]
    assert one.way.back == {POSTER}
    assert one.back.chosen == {POSTER: MINE}


@pytest.mark.parametrize("error", [NotFound("Plex", "Gone."), Rejected("Plex", "No.")])
@pytest.mark.parametrize(
    ("key", "why"), [(FIRST, "Plex no longer has it"), ("", "this Plex cannot choose none")]
)
def test_a_picture_that_plex_refuses_to_choose_cannot_come_back(error, key, why):
    plex = poster_item()
    plex.refuses = error
    (one,) = run(plex, with_poster(key))
    assert dict(one.way.cannot) == {POSTER: why}
    assert one.way.back == frozenset()


def test_pictures_are_weighed_by_what_is_chosen_and_what_plex_itself_has():
    plex = poster_item()
    seen = weigh(with_poster(FIRST), "m", plex.held["7"], plex.listed)
    assert seen.back.chosen == {POSTER: MINE}
    assert seen.way.pictures == {POSTER: FIRST}
    plex.listed[POSTER] = (Picture(FIRST, selected=True), Picture(MINE, selected=False))
    seen = weigh(with_poster(FIRST), "m", plex.held["7"], plex.listed)
    assert (seen.back.chosen, seen.way.pictures) == ({POSTER: FIRST}, {})


# -- what is ours ---------------------------------------------------------------------------


def test_what_is_ours_is_the_one_write_or_the_record_or_what_was_kept():
    version = Version({TITLE: "Once"})
    assert base_for(back(version=version), OURS) == Base((version,))
    assert base_for(back(), OURS) == base_of(RECORD, OURS)
    kept = {"written": {TITLE: "Kept"}, "shown": {TITLE: "kept"}, "removed": {TITLE: 1}}
    left = evolve(STATE, ours=kept)
    old = Version({TITLE: "Kept"}, {TITLE: "kept"}, verified=True)
    assert base_for(back(left, None), OURS) == Base((old,), {TITLE: 1})
    known = base_of(RECORD, OURS)
    assert base_for(back(left), OURS) == evolve(known, versions=(*known.versions, old))
    bare = evolve(STATE, ours={"written": {TITLE: "Kept"}})
    assert base_for(back(bare, None), OURS) == Base((Version({TITLE: "Kept"}, verified=True),))


# -- the outcome ------------------------------------------------------------------------------


def test_the_outcome_counts_what_became_of_the_fields_of_every_item():
    way = WayBack(
        Change({}, {}),
        back=frozenset({TITLE}),
        theirs=frozenset({SUMMARY, RATING}),
        cannot={Field.TAGS: ALTERED},
    )
    pictures = {POSTER: Goal("k")}
    undone = [
        ItemUndone(back(goals=pictures, cannot={Field.DATE: "early"}), OURS, way),
        ItemUndone(back(evolve(STATE, rating_key="8"), goals=pictures), gone=GONE),
        ItemUndone(back(evolve(STATE, rating_key="9"), cannot={Field.TAGS: "early"}), OURS, way),
    ]
    assert outcome_of(undone) == {
        "back": 2,
        "theirs": 4,
        "cannot": 3,
        "items": 3,
        "gone": 1,
        "uploads": 2,
        "left": [
            {"rating_key": "7", "field": "rating", "why": "theirs"},
            {"rating_key": "7", "field": "summary", "why": "theirs"},
            {"rating_key": "7", "field": "date", "why": "early"},
            {"rating_key": "7", "field": "tags", "why": ALTERED},
            {"rating_key": "9", "field": "rating", "why": "theirs"},
            {"rating_key": "9", "field": "summary", "why": "theirs"},
            {"rating_key": "9", "field": "tags", "why": "early"},
        ],
    }
    assert outcome_of([])["items"] == 0


# -- which items ------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    opened = open_store(str(tmp_path), ManualClock(), Random(1))
    yield opened
    opened.connection.close()


def test_the_items_of_a_scene_that_hold_what_is_put_back(store):
    server = store.first_states.server
    with store.connection:
        for key, scene_id in (("7", 1), ("8", 1), ("9", 1), ("6", 2)):
            state = evolve(STATE, rating_key=key, scene_id=scene_id, server=server)
            store.first_states.keep(state, state.fields)
        # One was put back already, and comes before another that was not.
        done = evolve(STATE, rating_key="7", server=server)
        store.first_states.put_back(done, {}, is_done=True)
    store.records.put(evolve(RECORD, rating_key="9"), make_scene(1))
    store.followers.put(1, [evolve(RECORD, rating_key="8", written={TITLE: "Followed"})])
    found = items_back(store, 1, Asked(has_begun=True))
    assert [(one.state.rating_key, one.follows) for one in found] == [("8", True), ("9", False)]
    assert [dict(one.record.written) for one in found if one.record] == [
        {"title": "Followed"},
        {"title": "Ours"},
    ]
    assert {(one.is_picture_open, one.has_begun) for one in found} == {(False, True)}
    with store.connection:
        store.pictures.add(1, "t=1")
    found = items_back(store, 1, Asked())
    assert {(one.is_picture_open, one.has_begun) for one in found} == {(True, False)}
    # Nothing of another field is kept.
    assert items_back(store, 1, Asked(fields=frozenset({SUMMARY}))) == []
    assert items_back(store, 1, Asked(run_id=5)) == []
