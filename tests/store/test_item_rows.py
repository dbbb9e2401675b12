"""Whose an item is, up to when a library was compared, and what the records of scenes answer."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve

from stash2plex.app import open_store
from stash2plex.model import Record
from stash2plex.rules.matching import Level
from stash2plex.store.item_claims import Claimant, ItemClaims, leading, winner_of
from stash2plex.store.plex_comparisons import ComparisonMark, PlexComparisons
from stash2plex.store.plex_files import PlexFiles
from stash2plex.store.records import Records, with_pictures
from tests.support import make_scene, plex_file, present

WRITTEN = {"title": "Ours", "studio": "Quay"}
UNREAD = {"title": "First"}
RECORD = Record(
    1, "7", "2", "/media/a.mp4", Level.WHOLE_PATH, "f", WRITTEN,
    "t=1", "etag", "p", "b", 5.0, {"tags": ["Fog"]}, ({"title": "Next"},), "d",
    {"studio": "QUAY"}, UNREAD, True, 1,
)  # fmt: skip
"""A record with something in each part."""


@pytest.fixture
def records(database):
    return Records(database)


@pytest.fixture
def claims(database, records):
    return ItemClaims(database, records)


@pytest.fixture
def store(tmp_path, clock):
    made = open_store(str(tmp_path), clock, Random(1))
    yield made
    made.connection.close()


def keep(records, *changes):
    for one in changes:
        record = evolve(RECORD, **one)
        records.put(record, make_scene(record.scene_id))


def fingerprints(records, *numbers):
    return [present(records.get(number)).fingerprint for number in numbers]


# -- comparisons --------------------------------------------------------------------------


def test_marks_of_libraries_are_stored_replaced_and_deleted(database):
    marks = PlexComparisons(database)
    first, second = ComparisonMark(5, 6.5, True), ComparisonMark(7, 8.5, False)
    marks.put({"1": first, "2": second})
    marks.put({})
    assert [marks.get(section) for section in ("1", "2", "3")] == [first, second, None]
    marks.put({"2": first})
    assert [marks.get(section) for section in ("1", "2")] == [first, first]
    marks.clear()
    assert [marks.get(section) for section in ("1", "2")] == [None, None]


def test_the_mark_of_a_comparison_is_read_as_it_was_stored(store):
    marks = {"1": ComparisonMark(17, 1_000.5, True), "2": ComparisonMark(18, 2_000.0, False)}
    store.plex_comparisons.put(marks)
    assert {id_: store.plex_comparisons.get(id_) for id_ in "12"} == marks
    assert store.plex_comparisons.get("3") is None
    store.plex_comparisons.clear()
    assert store.plex_comparisons.get("1") is None


# -- claims -------------------------------------------------------------------------------


def test_who_claims_an_item_is_listed_by_scene(database, records, claims):
    keep(
        records,
        {"scene_id": 5, "matched_by": Level.WHOLE_PATH},
        {"scene_id": 2, "matched_by": Level.PATH_END, "written": {}},
        {"scene_id": 3, "plex_path": "/media/gone.mp4"},
        {"scene_id": 4, "rating_key": "8"},
        {"scene_id": 6},
    )
    PlexFiles(database, records).add([plex_file("/media/a.mp4", "7")], 1)
    claims.refuse(Claimant(6, "The pier", Level.NAME_AND_SIZE), "9")
    claims.refuse(Claimant(1, "The mole", Level.NAME_AND_SIZE), "7")
    first = Claimant(1, "The mole", Level.NAME_AND_SIZE, refused=True)
    others = [Claimant(2, "", Level.PATH_END), Claimant(5, "Ours", Level.WHOLE_PATH)]
    assert claims.claimants("7", 9) == [first, *others]
    assert claims.claimants("7", 5) == [first, others[0]]
    assert claims.claimants("7", 1) == others
    assert claims.claimants("9", 1) == [Claimant(6, "The pier", Level.NAME_AND_SIZE, refused=True)]
    # A refused scene is not in sync; it claims one item at a time.
    assert fingerprints(records, 5, 6) == ["f", ""]
    claims.refuse(Claimant(6, "The pier", Level.WHOLE_PATH), "7")
    assert claims.claimants("9", 1) == []


def test_scenes_that_want_one_item_are_listed_by_their_id(store):
    claims = store.item_claims
    for id_ in (9, 3, 5):
        claims.refuse(Claimant(id_, f"Pier {id_}", Level.NAME, refused=True), "77")
    assert [one.scene_id for one in claims.claimants("77", 5)] == [3, 9]
    assert claims.claimants("78", 5) == []


def test_an_item_is_handed_over_by_the_scene_that_wrote_to_it(records, claims):
    keep(records, {"scene_id": 1}, {"scene_id": 2}, {"scene_id": 3, "rating_key": "8"})
    assert claims.hand_over("8", 1, 2) is False
    assert fingerprints(records, 1, 2) == ["f", "f"]
    assert claims.hand_over("7", 1, 2) is True
    assert present(records.get(1)).rating_key == ""
    assert present(records.get(2)) == evolve(RECORD, scene_id=2, fingerprint="")
    assert fingerprints(records, 3) == ["f"]


def test_who_was_refused_because_of_a_released_claim_is_named(records, claims):
    keep(records, {"scene_id": 1, "rating_key": "7"})
    claims.refuse(Claimant(1, "The mole", Level.WHOLE_PATH), "8")
    for scene, key in ((5, "8"), (4, "7"), (3, "8"), (2, "9")):
        claims.refuse(Claimant(scene, "", Level.WHOLE_PATH), key)
    assert claims.leave(1, "8") == [4]
    # Its own refusal is over.
    assert [one.scene_id for one in claims.claimants("8", 9)] == [3, 5]
    claims.refuse(Claimant(1, "The mole", Level.WHOLE_PATH), "8")
    assert claims.leave(1, "") == [3, 4, 5]
    assert claims.leave(1, "7") == []
    assert claims.leave(6, "") == []


def test_the_best_match_gets_an_item():
    far, near, also = (
        Claimant(1, "", Level.NAME),
        Claimant(5, "", Level.WHOLE_PATH),
        Claimant(3, "", Level.WHOLE_PATH),
    )
    assert far.rank > near.rank == also.rank == 1
    assert leading([far, near, also]) == [also, near]
    assert leading([near, far]) == [near]
    assert winner_of([near], loose=False) == near
    assert winner_of([also, near], loose=False) is None
    assert winner_of([also, near], loose=True) == also


# -- records ------------------------------------------------------------------------------


def test_each_part_of_a_record_comes_back(records):
    keep(records, {})
    assert records.get(1) == RECORD
    assert records.get(2) is None
    changed = evolve(RECORD, written={"title": "Other"}, verified=False, tries=0, unread={})
    records.replace(changed)
    assert records.get(1) == changed


@pytest.mark.parametrize(
    ("column", "text", "is_read"),
    [
        ("written", "no JSON", None),
        ("written", "[]", None),
        ("removed", "[]", None),
        ("announced", '{"a": 1}', evolve(RECORD, announced=())),
        ("announced", '[1, {"title": "Next"}, []]', RECORD),
        ("shown", "no JSON", evolve(RECORD, shown={})),
        ("unread", "no JSON", evolve(RECORD, unread={})),
        ("unread", '{"fog": 1, "title": "First", "ebb": 2}', RECORD),
    ],
)
def test_damaged_parts_of_a_record(database, records, column, text, is_read):
    keep(records, {})
    database.execute(f"UPDATE scene_record SET {column} = ?", (text,))
    assert records.get(1) == is_read


def test_writes_that_were_not_read_back_are_listed(records):
    keep(
        records,
        {"scene_id": 5}, {"scene_id": 3}, {"scene_id": 1, "unread": {}},
        {"scene_id": 2, "fingerprint": ""}, {"scene_id": 4, "rating_key": ""}, {"scene_id": 6},
    )  # fmt: skip
    assert records.unread_ids(9) == [3, 5, 6]
    assert records.unread_ids(2) == [3, 5]
    records.drop_unread(3)
    assert records.unread_ids(9) == [5, 6]
    assert records.get(3) == evolve(RECORD, scene_id=3, unread={})


def test_a_reading_is_stored_unless_the_scene_was_written_once_more(records):
    keep(records, {})
    read = evolve(RECORD, unread={}, shown={"title": "OURS"})
    records.put_pictures(evolve(RECORD, cover_tag="t=2", poster_hash="p2"))
    assert records.keep_reading(RECORD, read) is True
    # What was learnt of pictures meanwhile stays.
    assert records.get(1) == evolve(read, cover_tag="t=2", poster_hash="p2")
    assert records.keep_reading(RECORD, evolve(read, tries=2)) is False
    assert records.keep_reading(evolve(RECORD, scene_id=2), read) is False
    assert present(records.get(1)).tries == 1


def test_pictures_are_stored_where_the_item_is_still_the_same(records):
    keep(records, {}, {"scene_id": 2, "fingerprint": ""}, {"scene_id": 3})
    sent = evolve(RECORD, cover_tag="t=2", cover_etag="new", poster_hash="p2", background_hash="b2")
    records.put_pictures(evolve(sent, fingerprint="f+kept", written={}))
    assert records.get(1) == evolve(sent, fingerprint="f+kept")
    records.put_pictures(evolve(sent, scene_id=2, fingerprint="+kept"))
    assert records.get(2) == evolve(sent, scene_id=2, fingerprint="")
    records.put_pictures(evolve(sent, scene_id=3, fingerprint="other"))
    assert records.get(3) == evolve(sent, scene_id=3)
    records.put_pictures(evolve(RECORD, scene_id=3, rating_key="8"))
    assert records.get(3) == evolve(sent, scene_id=3)


def test_what_one_record_knows_of_pictures_goes_over_to_another_of_the_item():
    held = evolve(
        RECORD, cover_tag="t=2", cover_etag="new", poster_hash="p2", background_hash="b2",
        written={}, fingerprint="g",
    )  # fmt: skip
    assert with_pictures(RECORD, held) == evolve(held, written=WRITTEN, fingerprint="f")
    assert with_pictures(RECORD, evolve(held, rating_key="8")) == RECORD
    assert with_pictures(RECORD, None) == RECORD


def test_the_first_write_to_another_item_begins_without_ours(records):
    keep(records, {})
    sent = evolve(RECORD, rating_key="8", written={"title": "There"}, removed={"tags": ["Ebb"]})
    records.announce([sent])
    now = present(records.get(1))
    assert (now.rating_key, now.written, now.fingerprint) == ("8", {}, "")
    assert now.announced == ({"title": "Next"}, {"title": "There"})
    assert now.removed == {"tags": ["Ebb"]}


def test_records_lose_their_fingerprint_and_nothing_else(records):
    keep(
        records,
        {"scene_id": 1}, {"scene_id": 2, "rating_key": "8"}, {"scene_id": 3, "plex_path": "/b"},
        {"scene_id": 4, "rating_key": "8"},
    )  # fmt: skip
    records.invalidate_files([("8", "/media/a.mp4"), ("7", "/b"), ("9", "/media/a.mp4")])
    assert fingerprints(records, 1, 2, 3, 4) == ["f", "", "", ""]
    records.invalidate_all()
    assert fingerprints(records, 1) == [""]
    assert records.get(1) == evolve(RECORD, fingerprint="")


def test_records_leave_their_items(records):
    keep(records, {"scene_id": 1}, {"scene_id": 2, "rating_key": "8"}, {"scene_id": 3})
    assert records.detach(1, "8") is False
    assert records.detach(1, "7") is True
    assert records.get(1) == evolve(RECORD, rating_key="")
    assert records.get(3) == evolve(RECORD, scene_id=3)
    records.detach_all()
    assert records.get(2) == evolve(RECORD, scene_id=2, rating_key="", fingerprint="")


def test_a_dropped_scene_leaves_no_trace(database, records):
    keep(records, {"scene_id": 1}, {"scene_id": 2, "rating_key": "8"})
    records.forget(1, 9.0)
    assert [records.is_orphan(number) for number in (1, 2)] == [True, False]
    (orphan,) = records.orphans()
    assert (orphan.title, orphan.section_id, orphan.since) == ("Ours", "2", 9.0)
    records.drop(1)
    assert (records.is_orphan(1), records.orphans()) == (False, [])
    records.drop(2)
    assert records.get(2) is None
    assert database.execute("SELECT count(*) FROM scene_link").fetchone() == (0,)


def test_the_newest_item_and_the_number_of_synced_scenes(records):
    assert (records.newest_item(), records.summary()) == (None, (0, None))
    keep(
        records,
        {"scene_id": 1, "synced_at": 5.0}, {"scene_id": 2, "rating_key": "8", "synced_at": 9.0},
        {"scene_id": 3, "rating_key": "9", "synced_at": 0.0},
    )  # fmt: skip
    assert (records.newest_item(), records.summary()) == ("8", (2, 9.0))


def test_an_item_that_another_scene_shows_is_no_orphan(records):
    keep(records, {"scene_id": 1}, {"scene_id": 2}, {"scene_id": 3, "rating_key": "8"})
    records.forget(1, 9.0)
    records.forget(4, 9.0)
    assert records.orphans() == []
    records.forget(2, 10.0)
    assert [one.scene_id for one in records.orphans()] == [2]
