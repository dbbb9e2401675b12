"""What waits in the store: pictures for endpoints, files for scans, scenes that are gone."""

from __future__ import annotations

import json
import time
from random import Random

import pytest

from stash2plex import hookcost
from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.db import HOOK_COST, get_meta
from stash2plex.model import Record, StashFile
from stash2plex.rules.endpoints import BACKGROUNDS, COVERS, POSTERS, EndpointState
from stash2plex.sync.library_blame import PROBE_AGAIN, LibraryBlame
from stash2plex.sync.sweep import ChangeFilter
from tests.support import ManualClock, make_scene


@pytest.fixture
def store(tmp_path):
    store = open_store(str(tmp_path), ManualClock(1_000.0), Random(1))
    yield store
    store.connection.close()


def shut(store, name, next_try_at, failures=3):
    store.pictures.set_endpoint(EndpointState(name, failures, 1.0, 1, next_try_at, "No."))


@pytest.mark.parametrize(
    ("shut_ones", "waits_for", "sits_out", "due"),
    [
        ([], "", False, 1_000.0),
        # What is fresh waits for the covers, or for both of Plex.
        ([(COVERS, 1_060.0)], "", False, 1_060.0),
        ([(COVERS, 1_060.0)], "", True, None),
        ([(POSTERS, 1_060.0)], "", False, 1_000.0),
        ([(POSTERS, 1_060.0)], "", True, 1_000.0),
        ([(POSTERS, 1_060.0), (BACKGROUNDS, 1_030.0)], "", False, 1_030.0),
        ([(POSTERS, 1_060.0), (BACKGROUNDS, 1_030.0)], "", True, None),
        # What waits for an endpoint waits for that one only.
        ([(POSTERS, 1_060.0)], POSTERS, False, 1_060.0),
        ([(POSTERS, 1_060.0)], POSTERS, True, None),
        ([(BACKGROUNDS, 1_060.0)], POSTERS, True, 1_000.0),
    ],
)
def test_when_the_next_pictures_may_be_sent(store, shut_ones, waits_for, sits_out, due):
    store.pictures.add(7, "t=1")
    store.connection.execute(
        "UPDATE waiting_picture SET waits_for = ?, due_at = 1000", (waits_for,)
    )
    for name, next_try_at in shut_ones:
        shut(store, name, next_try_at)
    assert store.pictures.next_due_at(sits_out=sits_out) == due


def test_an_endpoint_that_failed_twice_is_not_shut(store):
    store.pictures.add(7, "t=1")
    shut(store, COVERS, 9_999.0, failures=2)
    assert store.pictures.next_due_at(sits_out=True) == 1_000.0


@pytest.mark.parametrize(
    ("section_id", "folder", "scanned", "answer"),
    [
        ("1", "/media/a", "/media/a", True),
        ("1", "/media/a", "/media", True),
        ("1", "/media/a", "/media/b", False),
        ("1", "/media/a", "", True),
        # A whole library was asked for.
        ("1", "", "", True),
        ("2", "", "", False),
        ("1", "", "/media/a", False),
        ("", "", "", False),
    ],
)
def test_whether_a_scan_was_meant_for_an_awaited_file(store, section_id, folder, scanned, answer):
    store.awaited_files.note(7, [StashFile("/data/a/pier.mp4", 1)], [])
    store.awaited_files.asked(7, "/data/a/pier.mp4", section_id, folder)
    locations = ["/media"] if folder else []
    assert store.awaited_files.any_below("1", scanned, locations) is answer


def test_a_scene_that_is_gone_is_forgotten_unless_it_has_a_record_or_waits(store):
    record = Record(2, "7", "1", "/media/a.mp4", "the whole path", "f", {})
    store.records.put(record, make_scene(2))
    store.queue.add_many([("scene", number) for number in (1, 2, 3, 4, 5)])
    for claim in store.queue.claim(9, 60.0):
        if claim.id != 3:
            store.queue.ack(claim)
    known = [id_ for (id_,) in store.connection.execute("SELECT id FROM scene ORDER BY id")]
    assert known == [1, 2, 3, 4, 5]
    sweep = ChangeFilter(store.queue, store.records, Settings(), store.scenes)
    # The first and the last lie outside of the range, the fourth is there.
    assert sweep.find_gone(1, 4, {4}) == [2]
    known = [id_ for (id_,) in store.connection.execute("SELECT id FROM scene ORDER BY id")]
    assert known == [1, 2, 3, 4, 5]
    assert sweep.find_gone(0, 4, {4}) == [2]
    known = [id_ for (id_,) in store.connection.execute("SELECT id FROM scene ORDER BY id")]
    assert known == [2, 3, 4, 5]


def test_a_library_is_asked_for_its_list_once_in_ten_seconds(store):
    clock = ManualClock(0.0)
    blame = LibraryBlame(store, clock)
    asked = []
    for seconds in (0.0, PROBE_AGAIN - 1.0, 1.0, 0.0):
        clock.step(seconds)
        asked.append((blame._may_probe("1"), blame._may_probe("2")))
    assert asked == [(True, True), (False, False), (True, True), (False, False)]


def test_the_cost_of_a_save_is_measured_at_once_until_there_are_five_samples(store, monkeypatch):
    monkeypatch.setattr(hookcost, "process_age", lambda: 0.25)
    dues = []
    for _ in range(6):
        hookcost.note_cost(store.connection, time.monotonic(), 1_000.7)
        due, _, text = str(get_meta(store.connection, HOOK_COST)).partition(" ")
        dues.append(due)
    assert dues == ["0", "0", "0", "0", "1060", "1060"]
    known = json.loads(text)
    assert (known["ms"], len(known["start_ms"])) == ([250] * 5, 5)
    assert all(200 <= one <= 250 for one in known["start_ms"])
    assert hookcost.read_cost(store.connection) == known
    hookcost.forget_cost(store.connection)
    assert hookcost.read_cost(store.connection) is None
