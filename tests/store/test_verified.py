"""What the database keeps of readings: of each scene, and of the server."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.db import connect, set_meta
from stash2plex.model import Field, Record
from stash2plex.rules.traits import Trait
from stash2plex.store.meta import MACHINE_ID
from stash2plex.store.records import Records
from stash2plex.store.server_traits import ServerTraits
from tests.harness.old_database import A_RECORD_SQL, old_database
from tests.support import ManualClock, make_scene, present

CASE, ADDS = (Trait.OWN_CASE, Field.STUDIO), (Trait.ADDS, None)


@pytest.fixture
def database(tmp_path):
    connection = connect(str(tmp_path / "stash2plex.db"))
    set_meta(connection, MACHINE_ID, "harbour")
    yield connection
    connection.close()


@pytest.fixture
def records(database):
    return Records(database)


def put(records, scene_id=4, **values):
    record = Record(
        scene_id, str(scene_id), "1", "/media/a.mp4", "path", "f", {"title": "A pier"}, **values
    )
    records.put(record, make_scene(scene_id))
    return record


def test_a_record_keeps_what_plex_shows_and_what_is_to_be_read(records):
    record = put(records, shown={"date": "2024-06-23"}, unread={"title": "a"}, verified=True)
    assert records.get(4) == record
    assert records.unread_ids(10) == [4]


def test_only_what_was_written_and_is_in_an_item_is_read_back(records):
    put(records, 1)
    put(records, 2, unread={"title": "a"})
    put(records, 3, unread={"title": "a"})
    put(records, 5, unread={"title": "a"})
    records.invalidate([3])
    records.detach(5, "5")
    assert records.unread_ids(10) == [2]
    assert records.unread_ids(0) == []


def test_a_reading_of_a_scene_that_was_written_since_is_dropped(records):
    old = put(records, unread={"title": "a"})
    new = evolve(old, unread={}, verified=True)
    put(records, unread={"title": "a"}, synced_at=9.0)
    assert not records.keep_reading(old, new)
    assert present(records.get(4)).unread == {"title": "a"}
    current = present(records.get(4))
    assert records.keep_reading(current, evolve(current, unread={}))
    assert records.unread_ids(10) == []


def test_an_announced_edit_leaves_what_was_read_as_it_is(records):
    old = put(records, shown={"date": "2024-06-23"}, unread={"title": "a"}, verified=True)
    records.announce([evolve(old, written={"title": "B"}, shown={}, unread={})])
    after = present(records.get(4))
    assert (after.shown, after.unread, after.verified) == (old.shown, old.unread, True)
    assert after.announced == ({"title": "B"},)


@pytest.mark.parametrize("text", ["{lantern", "[]", '{"lantern": 1}'])
def test_a_row_that_cannot_be_read_is_as_none(database, records, text):
    put(records)
    database.execute("UPDATE scene_record SET shown = ?, unread = ?", (text, text))
    assert present(records.get(4)).unread == {}


def test_records_of_the_schema_before_are_not_verified_and_cost_no_reading(tmp_path):
    path = str(tmp_path / "old.db")
    with old_database(path, 9) as old:
        old.execute(A_RECORD_SQL)
    database = connect(path)
    record = present(Records(database).get(4))
    assert (record.shown, record.unread, record.verified, record.tries) == ({}, {}, False, 0)
    assert Records(database).unread_ids(10) == []
    database.close()


def test_traits_are_kept_for_the_server_and_its_version(database):
    clock = ManualClock()
    traits = ServerTraits(database, clock)
    traits.adopt("1.43")
    assert traits.learn([CASE, ADDS]) == [CASE, ADDS]
    assert traits.learn([CASE]) == []
    again = ServerTraits(database, clock)
    assert again.known.known == {CASE, ADDS}
    assert [(row.trait, row.field, row.since) for row in again.rows()] == [
        (*ADDS, clock()),
        (*CASE, clock()),
    ]
    assert again.learn([], [CASE]) == []
    assert ServerTraits(database, clock).known.known == {ADDS}
    again.adopt("1.44")
    assert again.known.known == frozenset()


def test_another_server_has_traits_of_its_own(database):
    traits = ServerTraits(database, ManualClock())
    traits.learn([CASE])
    set_meta(database, MACHINE_ID, "lantern")
    traits.adopt("1.43")
    assert (traits.known.known, traits.rows()) == (frozenset(), [])
    set_meta(database, MACHINE_ID, "harbour")
    assert [row.field for row in traits.rows()] == [Field.STUDIO]


def test_a_trait_that_nobody_knows_is_left_out(database):
    traits = ServerTraits(database, ManualClock())
    database.execute("INSERT INTO server_trait VALUES ('harbour', 'glows', '', '', 1.0)")
    database.execute("INSERT INTO server_trait VALUES ('harbour', 'loses', 'mast', '', 1.0)")
    assert traits.rows() == []
