"""Records of scenes: what was written to which item, by what it shows."""

from __future__ import annotations

from attrs import evolve

from stash2plex.db import (
    connect,
)
from stash2plex.model import Entity, Record
from stash2plex.store.records import Records
from tests.harness.old_database import A_RECORD_SQL, old_database
from tests.support import make_scene, named, present


def test_a_scene_is_found_by_everything_that_it_showed(database):
    records = Records(database)
    record = Record(4, "77", "1", "/media/a.mp4", "the whole path", "f", {})
    full = make_scene(
        4,
        studio=Entity(1, "Quay"),
        performers=(Entity(2, "Performer 17"),),
        tags=(Entity(3, "Fog"), Entity(5, "Tide")),
        groups=(Entity(4, "Lanterns"),),
    )
    records.put(record, full)
    records.put(evolve(record, scene_id=5), make_scene(5, tags=(Entity(3, "Fog"),)))
    shown = {kind: records.shown_entities(kind) for kind in ("studio", "performer", "tag", "group")}
    assert shown == {"studio": {1}, "performer": {2}, "tag": {3, 5}, "group": {4}}
    assert sorted(records.scenes_showing("tag", 3)) == [4, 5]
    assert records.scenes_showing("studio", 2) == []
    records.put(record, evolve(full, tags=(Entity(5, "Tide"), Entity(6, "Wind"))))
    assert records.shown_entities("tag") == {3, 5, 6}
    assert records.scenes_showing("tag", 3) == [5]
    records.forget(4, 1.0)
    assert records.shown_entities("tag") == {3}
    assert records.shown_entities("studio") == set()


def test_a_forgotten_fingerprint_leaves_the_rest_of_a_record(database):
    records = Records(database)
    for number in (1, 2, 3):
        record = Record(number, str(number), "1", "/media/a.mp4", "path", "f", {"title": "A pier"})
        records.put(record, make_scene(number))
    records.invalidate([1, 3])
    assert [present(records.get(number)).fingerprint for number in (1, 2, 3)] == ["", "f", ""]
    assert present(records.get(1)).written == {"title": "A pier"}


def test_an_edit_is_announced_once_and_says_what_a_person_took_away(database):
    records = Records(database)
    sent = Record(4, "77", "1", "/media/a.mp4", "path", "", {"title": "A pier"})
    records.put(evolve(sent, fingerprint="f", written={"title": "Old"}), make_scene(4))
    for _ in range(3):
        records.announce([evolve(sent, removed={"tags": ["Fog"]})])
    kept = present(records.get(4))
    assert kept.announced == ({"title": "A pier"},)
    assert (kept.written, kept.removed) == ({"title": "Old"}, {"tags": ["Fog"]})


def test_an_orphan_is_named_and_gone_when_its_scene_is_back(database):
    records = Records(database)
    places = {1: "C:\\films\\pier.mp4", 2: "/media/quay.mp4", 3: "/media/buoy.mp4"}
    for number, place in places.items():
        written = {"title": "The quay"} if number == 2 else {}
        record = Record(number, str(number), "1", place, "path", "f", written)
        records.put(record, make_scene(number))
        records.forget(number, float(number))
    found = [(one.title, one.rating_key, one.plex_path) for one in records.orphans(2)]
    assert found == [("buoy.mp4", "3", places[3]), ("The quay", "2", places[2])]
    assert [one.title for one in records.orphans()][2] == "pier.mp4"
    # Back in Stash, and matched to another item.
    records.put(Record(3, "9", "1", "/media/buoy-hd.mp4", "path", "f", {}), make_scene(3))
    assert [one.scene_id for one in records.orphans()] == [2, 1]


def test_a_record_and_its_links_round_trip(database):
    records = Records(database)
    record = Record(4, "77", "1", "/media/a.mp4", "the whole path", "f" * 64, {"title": "A pier"})
    scene = make_scene(4, studio=Entity(9, "Quay"), performers=named("Performer 17"))
    record = evolve(record, synced_at=5.0)
    records.put(record, scene)
    assert records.get(4) == record
    assert records.scenes_showing("studio", 9) == [4]
    records.put(record, make_scene(4))
    assert records.scenes_showing("studio", 9) == []
    assert records.summary() == (1, 5.0)
    records.forget(4, 1.0)
    assert records.get(4) is None


def test_an_announced_edit_is_remembered_until_its_end_is_known(database):
    records = Records(database)
    sent = Record(4, "77", "1", "/media/a.mp4", "the whole path", "", {"title": "A pier"})
    records.announce([sent])
    first = present(records.get(4))
    assert (first.written, first.announced) == ({}, ({"title": "A pier"},))
    assert records.summary() == (0, None)
    done = evolve(sent, fingerprint="f" * 64, synced_at=5.0)
    records.put(done, make_scene(4))
    assert records.get(4) == done
    for number in range(9):
        records.announce([evolve(sent, written={"title": f"Pier {number}"})])
    again = present(records.get(4))
    assert (again.written, again.fingerprint) == (done.written, "")
    assert [one["title"] for one in again.announced] == [f"Pier {one}" for one in range(4, 9)]
    records.announce([evolve(sent, rating_key="78")])
    assert present(records.get(4)).written == {}


def test_an_orphan_is_noted_once_bounded_and_gone_with_its_heir(database, monkeypatch):
    monkeypatch.setattr("stash2plex.store.records.ORPHANS_LIMIT", 2)
    records = Records(database)
    for number in range(1, 5):
        record = Record(number, str(number), "1", f"/media/{number}.mp4", "path", "f", {})
        records.put(record, make_scene(number))
        records.forget(number, float(number))
        records.forget(number, float(number + 50))
    assert [(one.scene_id, one.title, one.since) for one in records.orphans()] == [
        (4, "4.mp4", 4.0),
        (3, "3.mp4", 3.0),
    ]
    heir = Record(9, "4", "1", "/media/4.mp4", "path", "f", {"title": "Taken over"})
    records.put(heir, make_scene(9))
    assert [one.scene_id for one in records.orphans()] == [3]
    records.put(evolve(heir, scene_id=10), make_scene(10))
    records.forget(10, 60.0)
    assert [one.scene_id for one in records.orphans()] == [3]


def test_which_records_and_entities_there_are(database):
    records = Records(database)
    for number in (3, 5, 9):
        record = Record(number, str(number), "1", "/media/a.mp4", "path", "f", {}, files="d")
        records.put(record, make_scene(number, tags=(Entity(number * 10, "Fog"),)))
    assert records.ids_between(3, 9) == {5, 9}
    assert records.ids_between(9, 2**63 - 1) == set()
    assert records.shown_entities("tag") == {30, 50, 90}
    assert records.shown_entities("performer") == set()


def test_a_record_of_the_first_schema_has_no_files_yet(tmp_path):
    path = str(tmp_path / "old.db")
    with old_database(path, 1) as old:
        old.execute(A_RECORD_SQL)
    database = connect(path)
    assert present(Records(database).get(4)).files == ""
    database.close()
