"""How a difference is judged, field by field, and how each kind of it reads."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.model import Entity, Field, Record
from stash2plex.rules.desired import desired_state
from stash2plex.rules.drift import Kind, find_drift, is_bare
from stash2plex.rules.merge import plan_change, remember
from stash2plex.sync.report import report_lines, summary_sentence
from tests.support import make_item, make_scene, named

TEXT = Settings(skip_fields=frozenset({Field.POSTER, Field.BACKGROUND}))
SCENE = make_scene(
    details="Fog over the pier.",
    rating100=80,
    studio=Entity(1, "Harbour"),
    performers=named("Performer 17"),
    tags=named("fog", "tide"),
)


def synced(settings=TEXT, scene=SCENE):
    """The item and the record that a sync leaves behind."""
    desired = desired_state(scene, settings)
    item = make_item(
        texts=desired.texts,
        lists=desired.lists,
        rating=desired.rating,
        locked=frozenset({*desired.texts, *desired.lists}),
    )
    nothing = plan_change(desired, item, None, preserve=False)
    written = remember(desired, item, nothing, None)[0]
    record = Record(scene.id, "7", "1", "/media/a.mp4", "the whole path", "f", written)
    return item, evolve(record, cover_tag=scene.cover_tag)


def drift(item, record, settings=TEXT, scene=SCENE):
    return find_drift(scene, desired_state(scene, settings), item, record, preserve=False)


EDITS = [
    ({"texts": {Field.TITLE: "Edited"}}, Field.TITLE),
    ({"texts": {Field.SUMMARY: ""}}, Field.SUMMARY),
    ({"texts": {Field.STUDIO: "Edited"}}, Field.STUDIO),
    ({"lists": {Field.TAGS: ("fog",)}}, Field.TAGS),
    ({"lists": {Field.PERFORMERS: ()}}, Field.PERFORMERS),
    ({"rating": 3.0}, Field.RATING),
    ({"rating": None}, Field.RATING),
]


def edited(item, values):
    return evolve(
        item,
        texts={**item.texts, **values.get("texts", {})},
        lists={**item.lists, **values.get("lists", {})},
        rating=values.get("rating", item.rating),
    )


@pytest.mark.parametrize(("values", "name"), EDITS)
def test_an_edit_in_plex_is_drift_and_one_that_stash_made_since_is_stale(values, name):
    item, record = synced()
    assert drift(edited(item, values), record) == (Kind.DRIFTED, (name,))
    before = {key: value for key, value in record.written.items() if key != name}
    assert drift(edited(item, values), evolve(record, written=before)) == (Kind.STALE, (name,))
    assert drift(edited(item, values), None) == (Kind.STALE, (name,))


@pytest.mark.parametrize("written", [{}, {Field.STUDIO: ""}, {Field.STUDIO: None}])
def test_a_text_that_stash_does_not_hold_and_that_was_never_written_is_plexs_own(written):
    scene = evolve(SCENE, studio=None)
    item, record = synced(scene=scene)
    rest = {key: value for key, value in record.written.items() if key != Field.STUDIO}
    theirs = edited(item, {"texts": {Field.STUDIO: "Theirs"}})
    assert drift(theirs, evolve(record, written={**rest, **written}), scene=scene) is None


def test_lists_that_were_written_in_another_spelling_or_order_are_what_stash_holds():
    item, record = synced()
    less = edited(item, {"lists": {Field.TAGS: ()}})
    for known in (["Tide", "FOG"], ("fog", "tide")):
        written = {**record.written, Field.TAGS: known}
        assert drift(less, evolve(record, written=written)) == (Kind.DRIFTED, (Field.TAGS,))
    for odd in ("fog", None, ["fog"]):
        written = {**record.written, Field.TAGS: odd}
        assert drift(less, evolve(record, written=written)) == (Kind.STALE, (Field.TAGS,))


def test_a_new_cover_comes_behind_the_fields_and_makes_a_drift_stale():
    settings = Settings()
    item, record = synced(settings)
    older = evolve(record, cover_tag="another")
    covers = (Field.BACKGROUND, Field.POSTER)
    assert drift(item, record, settings) is None
    assert drift(item, older, settings) == (Kind.STALE, covers)
    theirs = edited(item, {"rating": 3.0})
    assert drift(theirs, record, settings) == (Kind.DRIFTED, (Field.RATING,))
    assert drift(theirs, older, settings) == (Kind.STALE, (Field.RATING, *covers))
    assert drift(item, older) is None


@pytest.mark.parametrize(
    ("values", "bare"),
    [
        ({}, True),
        ({"texts": {Field.TITLE: "a", Field.DATE: "2020-01-01"}}, True),
        ({"texts": {Field.SUMMARY: ""}, "lists": {Field.TAGS: ()}}, True),
        ({"texts": {Field.TITLE: "a", Field.SUMMARY: "b"}}, False),
        ({"texts": {Field.STUDIO: "b"}}, False),
        ({"rating": 2.0}, False),
        ({"rating": 0.0}, True),
        ({"lists": {Field.TAGS: ("fog",)}}, False),
        ({"lists": {Field.TAGS: (), Field.COLLECTION: ("fog",)}}, False),
    ],
)
def test_when_an_item_shows_nothing_but_its_file(values, bare):
    assert is_bare(make_item(**values)) is bare


def test_a_bare_item_is_empty_only_if_there_is_more_to_show():
    _, record = synced()
    bare = make_item(texts={Field.TITLE: "a"})
    fields = (
        Field.TITLE, Field.SUMMARY, Field.STUDIO, Field.PERFORMERS, Field.TAGS, Field.COLLECTION,
        Field.RATING,
    )  # fmt: skip
    found = drift(bare, record)
    assert found is not None
    assert (found[0], sorted(found[1])) == (Kind.EMPTY, sorted(fields))
    assert drift(bare, None) == found
    titled = make_scene()
    assert drift(bare, None, scene=titled) == (Kind.STALE, (Field.TITLE,))


def test_the_line_of_each_kind_in_a_report():
    example = {
        "scene_id": 3, "title": "Pier", "path": "/data/a.mp4", "rating_key": None, "fields": [],
        "detail": "",
    }  # fmt: skip
    report = {
        "scenes": 12, "seconds": 3.0, "in_sync": 6, "left_out": 0, "dry_run": False, "queued": 5,
        "problem": None,
        "kinds": {kind.value: {"count": 1, "examples": [example]} for kind in Kind},
    }  # fmt: skip
    assert [line.partition(":")[0] for line in report_lines(report)] == [
        "12 scenes compared in 3 s, 6 in sync, 5 queued.",
        "1 missing in Plex (no file in Plex fits)",
        "1 stale (Stash holds something that was not written yet)",
        "1 drifted (Plex no longer holds what was written)",
        "1 empty (Plex shows nothing but a title)",
        "1 ambiguous (several Plex items fit equally well)",
        "1 orphan in Plex (no scene has a file of the Plex item)",
    ]
    summary = {
        "scope": "all", "complete": True, "scenes": 12, "queued": 5,
        "counts": {kind.value: 2 for kind in Kind},
    }  # fmt: skip
    assert summary_sentence(summary, "noon") == (
        "Last reconcile (all) at noon: 12 scenes, 2 missing in Plex, 2 stale, 2 drifted, 2 empty, "
        "2 ambiguous, 2 orphan in Plex, 5 queued."
    )
