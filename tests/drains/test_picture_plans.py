"""Which pictures of a scene are planned: from the cover in Stash, and from what Plex has."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.errors import Rejected, TooLarge, Transient, Unavailable
from stash2plex.model import Field, Image, Picture, Record
from stash2plex.rules.desired import desired_state
from stash2plex.servers.plex import Plex
from stash2plex.servers.stash import Stash
from stash2plex.sync.pictures import PicturePlan, cover_may_differ, image_hash, plan_pictures
from tests.support import make_item, make_scene

POSTER, BACKGROUND = Field.POSTER, Field.BACKGROUND
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
