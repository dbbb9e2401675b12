"""Opening, migrating and refusing a database; records, breaker and progress in it."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from random import Random

import pytest
from attrs import evolve

from stash2plex import db
from stash2plex.datadir import locate, prepare
from stash2plex.db import (
    CACHE_KIB,
    SCHEMA_NUMBER,
    WAL_PAGES,
    connect,
    get_meta,
    set_meta,
    transaction,
)
from stash2plex.errors import Refused, StoreDamaged, StoreTooNew, StoreUnavailable, Unavailable
from stash2plex.model import Entity, Record
from stash2plex.store.breaker import Breaker, BreakerState
from stash2plex.store.key_state import Failure, KeyState, read_key_state
from stash2plex.store.progress import Progress, ProgressBook, Tally
from stash2plex.store.records import Records
from stash2plex.workqueue import WorkQueue
from tests.support import Edge, ManualClock, make_scene, named, present


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "stash2plex.db")


@pytest.fixture
def database(path):
    connection = connect(path)
    yield connection
    connection.close()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_files_are_for_their_owner_only(tmp_path):
    path = prepare(str(tmp_path / "deep" / "data"))
    database = connect(path)
    set_meta(database, "a", "b")
    assert mode(tmp_path / "deep" / "data") == 0o700
    assert {mode(path + end) for end in ("", "-wal", "-shm")} == {0o600}
    database.close()


def test_a_fresh_file_has_the_newest_schema_and_an_old_connection_reads_it(path, database):
    assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_NUMBER,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    again = connect(path)
    again.close()


def test_a_newer_schema_is_refused_and_left_alone(path, database):
    database.execute(f"PRAGMA user_version = {SCHEMA_NUMBER + 1}")
    with pytest.raises(StoreTooNew, match="newer Stash2Plex"):
        connect(path)
    assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_NUMBER + 1,)


def test_a_file_that_is_no_database_is_named_as_damaged(path):
    with open(path, "wb") as file:
        file.write(b"harbour " * 1000)
    with pytest.raises(StoreDamaged):
        connect(path)
    with open(path, "rb") as file:
        assert file.read(7) == b"harbour"


def test_a_folder_that_cannot_be_used_says_what_to_do(tmp_path):
    (tmp_path / "taken").write_text("a file in the folder's place")
    with pytest.raises(StoreUnavailable, match="Move it away"):
        prepare(str(tmp_path / "taken" / "data"))
    with pytest.raises(StoreUnavailable):
        connect(str(tmp_path / "missing" / "stash2plex.db"))


def test_where_the_data_folder_is(monkeypatch, tmp_path):
    assert locate("/config", "/plugin") == "/config/stash2plex"
    assert locate(None, "/plugin") == "/plugin/data"
    monkeypatch.setenv("STASH_PLUGIN_DATA", "/three")
    assert locate("/config", "/plugin") == "/three"
    monkeypatch.setenv("STASH2PLEX_DATA_DIR", "/four")
    assert locate("/config", "/plugin") == "/four"


def test_the_outermost_transaction_decides(database):
    def fail_after_the_inner_one():
        with transaction(database):
            with transaction(database):
                set_meta(database, "inner", "1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_the_inner_one()
    assert get_meta(database, "inner") is None
    with transaction(database):
        set_meta(database, "inner", "2")
    assert get_meta(database, "inner") == "2"
    assert not database.in_transaction


def pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_only_a_worker_commits_without_a_flush_to_disk(path):
    # 2 is FULL: a hook's commit is the only trace of an edit; 1 is NORMAL.
    with closing(connect(path)) as hook, closing(connect(path, relaxed=True)) as worker:
        assert (pragma(hook, "synchronous"), pragma(worker, "synchronous")) == (2, 1)
        assert pragma(worker, "cache_size") == -CACHE_KIB
        assert pragma(worker, "wal_autocheckpoint") == WAL_PAGES


def test_a_value_is_stored_over_its_earlier_one(database):
    assert get_meta(database, "lamp") is None
    set_meta(database, "lamp", "lit")
    set_meta(database, "lamp", "out")
    set_meta(database, "fog", "dense")
    assert (get_meta(database, "lamp"), get_meta(database, "fog")) == ("out", "dense")


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
    folder = os.path.join(os.path.dirname(db.__file__), "migrations")
    with open(os.path.join(folder, "0001_first.sql"), encoding="utf-8") as file:
        first = file.read()
    old = sqlite3.connect(path)
    old.executescript(first + ";PRAGMA user_version = 1;")
    old.execute(
        "INSERT INTO scene_record (scene_id, rating_key, section_id, plex_path, matched_by,"
        " fingerprint, written, synced_at) VALUES (4, '7', '1', '/a', 'path', 'f', '{}', 5.0)"
    )
    old.commit()
    old.close()
    database = connect(path)
    assert present(Records(database).get(4)).files == ""
    database.close()


class TestBreaker:
    """Closed, open, half open."""

    @pytest.fixture
    def clock(self):
        return ManualClock()

    @pytest.fixture
    def breaker(self, database, clock):
        return Breaker(database, "plex", clock, Random(1))

    def test_three_in_a_row_open_it_and_a_success_between_does_not_count(self, breaker):
        down = Unavailable("Plex", "refused")
        for _ in range(2):
            assert breaker.failed(down, 5).state == "closed"
        breaker.succeeded()
        assert [breaker.failed(down, 5).state for _ in range(3)] == ["closed", "closed", "open"]

    def test_a_refusal_opens_it_at_once(self, breaker):
        state = breaker.failed(Refused("Plex", "wrong token"), 1)
        assert (state.state, state.refused, state.reason) == ("open", True, "wrong token")

    def test_the_server_may_name_the_time(self, breaker, clock):
        state = breaker.failed(Unavailable("Plex", "busy", retry_after=500.0), 1)
        assert state.next_probe_at == clock.now + 500

    def test_probes_come_at_most_once_a_minute_in_the_long_run(self, breaker, clock):
        waits = []
        for _ in range(15):
            state = breaker.failed(Unavailable("Plex", "refused"), 1)
            waits.append(state.next_probe_at - clock.now if state.state == "open" else 0)
        opened = waits[2:]
        assert opened[0] <= 2.0
        assert all(0 < wait <= 60 for wait in opened)
        assert opened[-5:] == [60.0] * 5

    def test_an_outage_is_one_row_from_the_first_failure_to_the_real_success(
        self, breaker, clock, database
    ):
        start = clock.now
        for _ in range(4):
            breaker.failed(Unavailable("Plex", "refused"), 8)
            clock.step(10)
        breaker.probed()
        assert breaker.read().state == "half_open"
        breaker.failed(Unavailable("Plex", "refused"), 8)
        assert breaker.read().state == "open"
        breaker.probed()
        clock.step(5)
        assert breaker.succeeded()
        assert breaker.read() == BreakerState()
        rows = list(database.execute("SELECT started_at, ended_at, waiting FROM outage"))
        assert rows == [(start + 20, start + 45, 8)]

    def test_probes_grow_apart_from_two_seconds_on(self, database, clock):
        breaker = Breaker(database, "plex", clock, Edge(high=True))
        waits = []
        for _ in range(9):
            state = breaker.failed(Unavailable("Plex", "refused"), 1)
            waits.append(state.next_probe_at - clock.now if state.state == "open" else None)
        assert waits == [None, None, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
        hurried = Breaker(database, "stash", clock, Edge(high=False))
        state = hurried.failed(Refused("Stash", "who?"), 1)
        assert state.next_probe_at - clock.now == pytest.approx(1.6)

    def test_it_is_open_since_the_failure_that_opened_it(self, breaker, clock):
        for _ in range(2):
            breaker.failed(Unavailable("Plex", "refused"), 1)
            clock.step(5)
        opened = clock.now
        for _ in range(3):
            state = breaker.failed(Unavailable("Plex", "refused"), 1)
            clock.step(5)
        breaker.probed()
        assert (state.since, breaker.read().since) == (opened, opened)
        assert breaker.failed(Unavailable("Plex", "refused"), 1).since == opened

    def test_only_the_end_of_an_outage_is_one(self, breaker, clock, database):
        assert not breaker.succeeded()
        breaker.failed(Unavailable("Plex", "refused"), 1)
        assert not breaker.succeeded()
        assert breaker.read() == BreakerState()
        for _ in range(2):
            breaker.failed(Refused("Plex", "who?"), 1)
            clock.step(5)
            assert breaker.succeeded()
        rows = list(database.execute("SELECT started_at, ended_at FROM outage ORDER BY seq"))
        assert rows == [(clock.now - 10, clock.now - 5), (clock.now - 5, clock.now)]

    def test_a_probe_says_nothing_of_a_server_that_is_not_known_to_be_down(self, breaker):
        breaker.probed()
        breaker.failed(Unavailable("Plex", "refused"), 1)
        breaker.probed()
        assert breaker.read().state == "closed"

    def test_a_probe_is_due_at_once_where_a_person_waits(self, breaker, clock):
        breaker.failed(Refused("Plex", "who?"), 1)
        assert breaker.read().next_probe_at > clock.now
        breaker.hasten()
        assert breaker.read() == evolve(breaker.read(), state="open", next_probe_at=0.0)

    def test_each_server_has_its_own(self, breaker, database, clock):
        stash = Breaker(database, "Stash", clock, Random(1))
        breaker.failed(Refused("Plex", "who?"), 1)
        stash.failed(Refused("Stash", "who?"), 1)
        due = breaker.read().next_probe_at
        stash.hasten()
        stash.probed()
        assert breaker.read().next_probe_at == due
        stash.succeeded()
        assert (breaker.read().state, stash.read().state) == ("open", "closed")
        rows = list(database.execute("SELECT server, ended_at IS NULL FROM outage ORDER BY seq"))
        assert rows == [("plex", 1), ("stash", 0)]


def test_a_key_is_due_in_hand_waiting_dead_or_nowhere(database):
    clock = ManualClock()
    queue = WorkQueue(database, clock)

    def state():
        return read_key_state(database, ("scene", 1), clock.now)

    assert state() == KeyState("none")
    queue.add("scene", 1)
    queue.add("tag", 1)
    assert state() == KeyState("due", clock.now, clock.now)
    (claim,) = queue.claim(1, 60.0)
    assert state().state == "in_progress"
    queue.nack(claim, delay=5.0, reason="transient", error="Half an answer.")
    clock.step(1)
    first = Failure(clock.now - 1, "transient", "Half an answer.")
    known = state()
    assert (known.state, known.due_at) == ("waiting", clock.now + 4)
    assert (known.attempts, known.snoozes, known.reason) == (1, 0, "transient")
    assert (known.error, known.history) == ("Half an answer.", (first,))
    clock.step(4)
    assert state().state == "due"
    claim = next(one for one in queue.claim(2, 60.0) if one.kind == "scene")
    queue.bury(claim, title="A pier", reason="rejected", error="No.")
    last = Failure(clock.now, "rejected", "No.")
    dead = KeyState("dead", None, None, 2, 0, "rejected", "No.", (last, first))
    assert state() == dead


def test_every_process_reads_the_same_progress(database):
    clock = ManualClock()
    book = ProgressBook(database, clock)
    assert book.read(3) == Progress(left=3)
    tally = Tally("Process Queue", clock)
    for _ in range(30):
        clock.step(1)
        tally.done()
    now = tally.now(60)
    book.write(now)
    assert book.read(60).fraction == pytest.approx(30 / 90)
    assert book.read(60).rate == pytest.approx(1.0, rel=0.05)
    assert book.read(60).seconds_left == pytest.approx(60, rel=0.05)


def test_the_fraction_is_true_when_the_queue_grows():
    assert Progress(done=10, left=10).fraction == 0.5
    assert Progress(done=10, left=30).fraction == 0.25
    assert Progress().fraction == 1.0


def test_a_worker_can_still_read_what_sqlite_of_the_system_writes(path, database):
    other = sqlite3.connect(path)
    assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    other.close()
