"""What is stale, what has drifted, what is empty."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.config import Settings
from stash2plex.model import Entity, Field, Record
from stash2plex.rules.desired import desired_state
from stash2plex.rules.drift import Kind, find_drift, is_bare
from stash2plex.rules.merge import plan_change, remember
from tests.support import make_item, make_scene, named

TEXT = Settings(skip_fields=frozenset({Field.POSTER, Field.BACKGROUND}))


def synced(scene, settings=TEXT):
    """The item and the record that a sync leaves behind."""
    desired = desired_state(scene, settings)
    item = make_item(
        texts=desired.texts,
        lists=desired.lists,
        rating=desired.rating,
        locked=frozenset({*desired.texts, *desired.lists}),
    )
    nothing = plan_change(desired, item, None, preserve=False)
    record = Record(
        scene.id,
        item.rating_key,
        "1",
        "/media/a.mp4",
        "the whole path",
        desired.fingerprint,
        remember(desired, item, nothing, None)[0],
        cover_tag=scene.cover_tag,
    )
    return item, record


def drift(scene, item, record, settings=TEXT, *, preserve=False):
    return find_drift(scene, desired_state(scene, settings), item, record, preserve=preserve)


FULL = make_scene(
    details="Fog over the pier.",
    rating100=80,
    date="2020-05-01",
    director="A director",
    studio=Entity(1, "Harbour"),
    performers=named("Performer 17", "Performer 4"),
    tags=named("fog", "tide"),
)

NAMES = st.text("abc ", min_size=1, max_size=3)
SCENES = st.builds(
    make_scene,
    title=NAMES,
    details=NAMES | st.just(""),
    rating100=st.none() | st.integers(1, 100),
    performers=st.lists(NAMES, max_size=2).map(lambda names: named(*names)),
    tags=st.lists(NAMES, max_size=2).map(lambda names: named(*names)),
)


@given(SCENES, st.booleans())
def test_what_was_synced_is_well(scene, preserve):
    item, record = synced(scene)
    assert drift(scene, item, record, preserve=preserve) is None


@given(SCENES, SCENES)
def test_a_difference_that_a_sync_would_write_is_found_and_no_other(scene, other):
    item, record = synced(scene)
    found = drift(other, item, record)
    change = plan_change(desired_state(other, TEXT), item, record, preserve=False)
    if change.fields:
        assert found is not None
        assert found[1] == change.fields
    assert found is None or found[0] is not Kind.DRIFTED


@given(SCENES, SCENES)
def test_a_plex_that_was_changed_has_drifted_and_nothing_is_stale(scene, other):
    _, record = synced(scene)
    item, _ = synced(other)
    found = drift(scene, item, record)
    assert found is None or found[0] in (Kind.DRIFTED, Kind.EMPTY)


def test_a_forgotten_fingerprint_does_not_make_a_drift_stale():
    item, record = synced(FULL)
    drifted = evolve(item, rating=2.0)
    expected = (Kind.DRIFTED, (Field.RATING,))
    assert drift(FULL, drifted, record) == expected
    assert drift(FULL, drifted, evolve(record, fingerprint="")) == expected


def test_a_scene_that_changed_on_both_sides_is_stale():
    item, record = synced(FULL)
    both = (Kind.STALE, (Field.TITLE, Field.RATING))
    assert drift(evolve(FULL, title="Anew"), evolve(item, rating=2.0), record) == both


def test_a_scene_that_was_never_synced_is_stale():
    item, _ = synced(FULL)
    assert drift(FULL, item, None) == (Kind.STALE, ())
    assert drift(FULL, evolve(item, rating=None), None) == (Kind.STALE, (Field.RATING,))


def test_a_cover_that_may_be_new_is_stale():
    settings = Settings()
    item, record = synced(FULL, settings)
    edited = evolve(FULL, screenshot="http://127.0.0.1:9999/scene/1/screenshot?t=2")
    assert drift(edited, item, record, settings) == (
        Kind.STALE,
        (Field.BACKGROUND, Field.POSTER),
    )
    assert drift(edited, item, record) is None


def test_an_item_that_shows_only_its_file_is_empty():
    _, record = synced(FULL)
    bare = make_item(texts={Field.TITLE: "a", Field.DATE: "2020-01-01"})
    assert is_bare(bare)
    kind, fields = drift(FULL, bare, record)
    assert kind is Kind.EMPTY
    assert Field.SUMMARY in fields
    # A scene with a title only leaves an item that is bare and well.
    titled = make_scene()
    item, record = synced(titled)
    assert drift(titled, item, record) is None
    assert drift(titled, bare, record) == (Kind.DRIFTED, (Field.TITLE,))


def test_what_a_person_changed_in_plex_may_be_well():
    item, record = synced(FULL)
    texts = {**item.texts, Field.TITLE: "A person's"}
    lists = {**item.lists, Field.TAGS: ("fog", "tide", "theirs")}
    changed = evolve(item, texts=texts, lists=lists, rating=1.0)
    assert drift(FULL, changed, record, preserve=True) is None
    assert drift(FULL, changed, record) == (
        Kind.DRIFTED,
        (Field.TITLE, Field.TAGS, Field.RATING),
    )
