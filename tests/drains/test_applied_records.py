"""The record that a write leaves: what it holds, and how often Plex has not kept it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.model import Field, Match, PlexFile, Record
from stash2plex.rules.desired import desired_state
from stash2plex.rules.traits import NO_TRAITS
from stash2plex.sync.apply import (
    KEPT,
    apply_scene,
    are_texts_settled,
    files_mark,
    is_settled,
    record_of,
)
from tests.drains.test_undo_steps import Harbour
from tests.support import ManualClock, make_item, make_scene

TEXT = Settings(skip_fields=frozenset({Field.POSTER, Field.BACKGROUND}))
TITLE, SUMMARY = Field.TITLE, Field.SUMMARY
HELD = make_item(texts={TITLE: "Ours", SUMMARY: "Ours too"}, locked=frozenset({TITLE, SUMMARY}))
RECORD = Record(
    1, "7", "1", "/media/a.mp4", "the whole path", "f",
    {"title": "Ours", "summary": "Ours too"}, verified=True,
)  # fmt: skip


def apply(item=HELD, record: Record | None = RECORD, settings=TEXT, **values):
    """Write a scene to an item, on a clock whose every edit takes two seconds."""
    clock = ManualClock(50.0)
    plex = Harbour(item)
    edit = plex.edit

    def slow_edit(section_id, keys, change):
        clock.step(2.0)
        edit(section_id, keys, change)

    plex.edit = slow_edit  # type: ignore[method-assign]  # the stand-in of this file
    scene = make_scene(**{"title": "Ours", "details": "Ours too", **values})
    match = Match(PlexFile("1", "7", "/media/a.mp4", 100), "the whole path")
    applied = apply_scene(
        scene,
        desired_state(scene, settings),
        match,
        item,
        record,
        settings=settings,
        traits=NO_TRAITS,
        plex=plex,
        clock=clock,
        monotonic=clock.monotonic,
    )
    return applied, plex


@pytest.mark.parametrize(
    ("known", "tries"),
    [
        # No write of this field waits to be read back.
        ({}, 0),
        ({"tries": 3, "unread": {"summary": "Before"}}, 0),
        ({"tries": 3}, 0),
        # The same field once more: a reading has counted the last one where it is unfinished.
        ({"tries": 3, "unread": {"title": "Before"}}, 4),
        ({"tries": 3, "unread": {"title": "Before"}, "fingerprint": ""}, 3),
    ],
)
def test_writes_in_a_row_that_plex_did_not_keep_are_counted(known, tries):
    applied, _ = apply(record=evolve(RECORD, **known), title="New")
    assert applied.record.tries == tries
    assert apply(record=None, title="New")[0].record.tries == 0


def test_a_write_leaves_a_whole_record():
    known: dict[str, Any] = {
        "cover_tag": "t=9", "cover_etag": "e", "poster_hash": "p", "background_hash": "b",
    }  # fmt: skip
    applied, plex = apply(record=evolve(RECORD, **known), title="New")
    scene = make_scene(title="New", details="Ours too")
    assert applied.record == evolve(
        RECORD,
        fingerprint=desired_state(scene, TEXT).fingerprint,
        written={
            "title": "New",
            "summary": "Ours too",
            **dict.fromkeys(("studio", "tagline", "date"), ""),
            **{name: [] for name in ("performers", "tags", "director", "collection")},
        },
        synced_at=52.0,
        files=files_mark(scene),
        unread={"title": "Ours"},
        **known,
    )
    assert (applied.fields, applied.seconds, applied.kept) == ((TITLE,), 2.0, ())
    assert plex.held["7"].texts[TITLE] == "New"


def test_where_nothing_differs_nothing_is_sent():
    applied, plex = apply()
    assert (applied.fields, applied.seconds, plex.asked) == ((), 0.0, [])
    assert applied.record.synced_at == 50.0
    assert not applied.is_cover_due


def test_a_first_write_knows_of_no_picture():
    new = apply(record=None)[0].record
    assert (new.cover_tag, new.cover_etag, new.poster_hash, new.background_hash) == ("",) * 4


def test_what_holds_nothing_but_compared_fields_is_verified():
    # A record of before fields were compared may hold what nobody looks at any more.
    old = evolve(RECORD, verified=False)
    whole = {"title", "summary", "rating"}
    new = apply(record=old, rating100=80)[0].record
    assert (set(new.written) >= whole, new.verified) == (True, True)
    odd = evolve(old, written={**old.written, "lantern": "lit"})
    assert not apply(record=odd, rating100=80)[0].record.verified


def test_a_kept_edit_is_in_the_record_and_its_fingerprint():
    settings = evolve(TEXT, preserve_plex_edits=True)
    theirs = evolve(HELD, texts={TITLE: "Theirs", SUMMARY: "Ours too"})
    applied, plex = apply(theirs, settings=settings)
    assert applied.kept == (TITLE,)
    assert applied.record.fingerprint.endswith(KEPT)
    assert plex.held["7"].texts[TITLE] == "Theirs"


def test_a_rating_that_stash_has_no_more_is_taken_away():
    rated = evolve(HELD, rating=8.0, locked=HELD.locked | {Field.RATING})
    record = evolve(RECORD, written={**RECORD.written, "rating": 8.0})
    applied, plex = apply(rated, record)
    assert ("clear rating", "7") in plex.asked
    assert applied.fields == (Field.RATING,)


def test_a_record_belongs_to_its_item_by_key_and_by_file_or_value():
    assert record_of(HELD, None) is None
    assert record_of(HELD, RECORD) is RECORD
    assert record_of(evolve(HELD, rating_key="8"), RECORD) is None
    moved = evolve(HELD, paths=("/media/b.mp4",))
    assert record_of(moved, RECORD) is RECORD
    assert record_of(evolve(moved, texts={TITLE: "", SUMMARY: "Else"}), RECORD) is None


def test_what_settles_a_scene():
    scene = make_scene()
    desired = desired_state(scene, TEXT)
    record = evolve(RECORD, fingerprint=desired.fingerprint, files=files_mark(scene))
    assert is_settled(scene, desired, record)
    assert are_texts_settled(scene, desired, record)
    assert not is_settled(scene, desired, None)
    assert not is_settled(scene, desired, evolve(record, fingerprint="another"))
    assert not is_settled(scene, desired, evolve(record, files="another"))
    pictured = desired_state(scene, Settings())
    record = evolve(record, fingerprint=pictured.fingerprint)
    # The texts are; another cover is not sent yet.
    assert are_texts_settled(scene, pictured, record)
    assert not is_settled(scene, pictured, record)
    assert is_settled(scene, pictured, evolve(record, cover_tag=scene.cover_tag))
