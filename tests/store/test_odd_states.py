"""States of the store that are seldom met."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import closing
from random import Random

import pytest

from stash2plex import hookcost
from stash2plex.app import open_store
from stash2plex.datadir import DATABASE_NAME, prepare
from stash2plex.db import connect, get_meta, set_meta, transaction
from stash2plex.errors import StoreUnavailable
from stash2plex.model import StashFile
from stash2plex.rules.matching import Level
from stash2plex.rules.pacing import Pacer
from stash2plex.rules.path_inference import PathPair
from stash2plex.store.inspection import read_through
from stash2plex.store.item_claims import Claimant
from stash2plex.store.path_rules import PAIRS_A_ROOT
from stash2plex.store.plex_comparisons import ComparisonMark
from stash2plex.store.repair import rebuild_mark, replace_damaged
from stash2plex.store.worker_choice import (
    OFF_FRESH_SECONDS,
    WorkerChoice,
    keep_choice,
    read_choice,
)
from stash2plex.sync.evidence import EDITS, Evidence
from tests.support import ManualClock, present


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store(tmp_path, clock):
    made = open_store(str(tmp_path), clock, Random(1))
    yield made
    made.connection.close()


def test_pairs_beyond_what_a_root_may_keep_are_left_out(store):
    def pair(number):
        return number, PathPair(f"/data/{number}/quay.mp4", f"/media/{number}/quay.mp4")

    store.path_rules.note(map(pair, range(PAIRS_A_ROOT)), {"1": ["/media"]})
    before = list(store.connection.execute("SELECT * FROM path_pair"))
    store.path_rules.note([pair(PAIRS_A_ROOT)], {"1": ["/media"]})
    assert len(before) == PAIRS_A_ROOT
    assert list(store.connection.execute("SELECT * FROM path_pair")) == before


def test_files_are_cleared_before_any_server_is_known(store):
    store.plex_files.clear()
    assert store.plex_files.server() is None
    store.plex_files.adopt_server("machine")
    assert store.plex_files.server() == "machine"


def test_a_deed_shows_that_a_server_works_only_after_the_request_began(store, clock):
    evidence = Evidence(store, Pacer(), clock=clock, monotonic=clock)
    before = evidence.mark(EDITS)
    assert not evidence.since(EDITS, before)
    evidence.wrote(0.0, edited=False)
    assert not evidence.since(EDITS, before)
    evidence.wrote(0.0, edited=True)
    assert evidence.since(EDITS, before)
    assert not evidence.since(EDITS, evidence.mark(EDITS))


def test_a_database_that_another_process_has_mended_meanwhile_stays(tmp_path):
    path = prepare(str(tmp_path))
    with closing(connect(path)) as database, transaction(database):
        set_meta(database, "lamp", "lit")
    replace_damaged(str(tmp_path))
    with closing(connect(path)) as database:
        assert get_meta(database, "lamp") == "lit"
        assert rebuild_mark(database) is None
    assert [name for name in os.listdir(tmp_path) if "damaged" in name] == []


def with_rollback_journal(path):
    """Open a database in which a writer keeps readers out, as on a network folder."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")


def test_a_page_of_rubbish_is_damage_and_a_lock_is_not(tmp_path):
    path = prepare(str(tmp_path))
    with closing(connect(path)) as database, transaction(database):
        for number in range(200):
            set_meta(database, f"lamp {number}", "lit " * 100)
    with_rollback_journal(path)
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.seek(size // 2)
        file.write(b"harbour " * ((size - size // 2) // 8))
    replace_damaged(str(tmp_path))
    aside = [name for name in os.listdir(tmp_path) if "damaged" in name]
    with closing(connect(path)) as database:
        assert [rebuild_mark(database)] == aside


def test_a_locked_database_is_no_damaged_one(tmp_path):
    path = str(tmp_path / DATABASE_NAME)
    connect(path).close()
    with_rollback_journal(path)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as writer,
        closing(sqlite3.connect(path, isolation_level=None, timeout=0.0)) as reader,
    ):
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="locked"):
            read_through(reader, path, lambda: False)
        writer.execute("ROLLBACK")
        assert read_through(reader, path, lambda: False).damage == ""


def test_a_transaction_that_sqlite_has_taken_back_itself_ends_with_its_error(tmp_path):
    with closing(connect(str(tmp_path / "a.db"))) as database:

        def full_disk():
            with transaction(database):
                database.execute("ROLLBACK")
                raise sqlite3.OperationalError("database or disk is full")

        with pytest.raises(sqlite3.OperationalError, match="disk is full"):
            full_disk()
        assert not database.in_transaction


def test_a_file_that_another_process_is_making_is_waited_for(tmp_path, monkeypatch):
    path = str(tmp_path / "a.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE lamp (lit)")
        other.execute("BEGIN IMMEDIATE")
        waited = []

        def sleep(seconds):
            waited.append(seconds)
            if other.in_transaction:
                other.execute("ROLLBACK")
                other.execute("DROP TABLE lamp")

        monkeypatch.setattr(time, "sleep", sleep)
        with closing(connect(path)) as database:
            assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert waited


def test_where_a_system_does_not_tell_how_old_a_process_is_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    assert hookcost.process_age() is None
    with closing(connect(str(tmp_path / "a.db"))) as database:
        hookcost.note_cost(database, 0.0, 1_000.0)
        assert hookcost.read_cost(database) is None


def test_where_a_system_does_not_tell_which_file_a_process_runs_python_does(monkeypatch):
    def none(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "readlink", none)
    assert hookcost.interpreter() == sys.executable


def test_a_worker_that_is_switched_on_again_is_on_for_the_next_save(store):
    database = store.connection
    assert not read_choice(database).off
    keep_choice(database, "off", 1_000.0)
    assert read_choice(database) == WorkerChoice(True, 1_000.0)
    keep_choice(database, "off", 1_000.0 + OFF_FRESH_SECONDS - 1)
    assert read_choice(database).since == 1_000.0
    keep_choice(database, "off", 1_000.0 + OFF_FRESH_SECONDS)
    assert read_choice(database).since == 1_000.0 + OFF_FRESH_SECONDS
    keep_choice(database, "auto", 3_000.0)
    assert not read_choice(database).off


def test_a_database_without_its_tables_is_named_and_closed(tmp_path, clock):
    path = prepare(str(tmp_path))
    with closing(connect(path)) as database:
        database.execute("DROP TABLE meta")
    with pytest.raises(StoreUnavailable, match="no such table: meta"):
        open_store(str(tmp_path), clock, Random(1))


def test_scenes_that_want_one_item_are_listed_by_their_id(store):
    claims = store.item_claims
    for id_ in (9, 3, 5):
        claims.refuse(Claimant(id_, f"Pier {id_}", Level.NAME, refused=True), "77")
    assert [one.scene_id for one in claims.claimants("77", 5)] == [3, 9]
    assert claims.claimants("78", 5) == []


def test_a_file_that_a_scene_has_no_more_is_awaited_no_more(store):
    awaited = store.awaited_files

    def note(*paths):
        return awaited.note(7, [StashFile(path, 100) for path in paths], ())

    assert set(note("/data/quay.mp4", "/data/pier.mp4")) == {"/data/quay.mp4", "/data/pier.mp4"}
    awaited.asked(7, "/data/quay.mp4", "1", "/media")
    assert note("/data/quay.mp4", "/data/pier.mp4") == ["/data/pier.mp4"]
    assert note("/data/buoy.mp4") == ["/data/buoy.mp4"]
    assert list(store.connection.execute("SELECT path FROM missed_file")) == [("/data/buoy.mp4",)]
    awaited.forget([7])
    assert not awaited.any()


def test_the_last_costs_of_saves_are_kept(tmp_path, monkeypatch):
    # A process of tests is soon older than any save.
    ages = iter(range(1, 100))
    monkeypatch.setattr(hookcost, "process_age", lambda: next(ages) / 100)
    with closing(connect(str(tmp_path / "a.db"))) as database:
        for number in range(1, hookcost.SAMPLES_LIMIT + 3):
            hookcost.note_cost(database, time.monotonic(), 1_000.0 + number)
            known = present(hookcost.read_cost(database))
            expected = min(number, hookcost.SAMPLES_LIMIT)
            assert (len(known["ms"]), len(known["start_ms"])) == (expected, expected)
        # Of a growing process the last are the largest.
        assert known["ms"] == sorted(known["ms"])
        hookcost.forget_cost(database)
        assert hookcost.read_cost(database) is None


def test_the_mark_of_a_comparison_is_read_as_it_was_stored(store):
    marks = {"1": ComparisonMark(17, 1_000.5, True), "2": ComparisonMark(18, 2_000.0, False)}
    store.plex_comparisons.put(marks)
    assert {id_: store.plex_comparisons.get(id_) for id_ in "12"} == marks
    assert store.plex_comparisons.get("3") is None
    store.plex_comparisons.clear()
    assert store.plex_comparisons.get("1") is None
