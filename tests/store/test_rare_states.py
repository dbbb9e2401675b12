"""Rows and files of the store that only damage, an older version or another process leaves."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.copies import Copy
from stash2plex.db import SCHEMA_NUMBER, get_meta, set_meta
from stash2plex.errors import (
    StoreDamaged,
    StoreError,
    StoreUnavailable,
    Unavailable,
    UsageError,
)
from stash2plex.store import repair
from stash2plex.store.identity import alias_key, client_id, make_identity
from stash2plex.store.meta import CLIENT_ID, PLEX_SEEN, PSEUDONYM_KEY, SCENES_AS_OF
from stash2plex.store.restore import find_copy, restore
from stash2plex.store.scene_counts import count_scenes
from stash2plex.store.stored_page import open_and_read, read_page
from stash2plex.store.stored_status import (
    pace_and_worker,
    read_stored_status,
    read_wait,
    wait_outlook,
)
from stash2plex.workqueue import WorkQueue
from tests.support import ManualClock

DRAIN = (
    "INSERT INTO drain (id, origin, pid, started_at, updated_at, done, failed, snoozed, rate, note)"
    " VALUES (1, 'worker', 17, ?, 0, 3, 2, 1, ?, ?)"
)


@pytest.fixture
def opened(tmp_path, clock):
    store = open_store(str(tmp_path), clock, Random(1))
    yield store
    store.connection.close()


# -- the servers --------------------------------------------------------------------------


def test_a_single_failure_is_no_problem_of_a_server_and_the_third_is(opened, tmp_path, clock):
    for times, words in ((1, None), (2, "It rests.")):
        for server in ("plex", "stash"):
            for _ in range(times):
                opened.breakers[server].failed(Unavailable(server.capitalize(), "It rests."), 0)
        status = read_stored_status(opened.connection, str(tmp_path), clock())
        assert (status["plex"]["problem"], status["stash"]["problem"]) == (words, words)


# -- what a worker does -------------------------------------------------------------------


def test_before_the_first_drain_nothing_is_known_of_a_worker(database):
    assert pace_and_worker(database, 5, runs=True) == {
        "rate_per_s": 0.0,
        "eta_s": None,
        "worker": {
            "running": True,
            "pid": 0,
            "since": None,
            "origin": "",
            "note": None,
            "why": None,
            "outlook": None,
            "handled": 0,
        },
    }
    assert pace_and_worker(database, 5, runs=False)["worker"] == {
        "running": False,
        "pid": None,
        "since": None,
        "origin": None,
        "note": None,
        "why": None,
        "outlook": None,
        "handled": None,
    }


def test_a_worker_that_waits_shows_why_and_how_long_on_two_lines(database):
    note = {"why": "Plex rests.", "server": "Plex", "next_try": 30.0, "gives_up": 60.0}
    database.execute(DRAIN, (60.0, 2.0, json.dumps(note)))
    outlook = "Waiting for Plex, next try in 30 s. Giving up in 1 min 00 s."
    found = pace_and_worker(database, 6, runs=True)
    assert found == {
        "rate_per_s": 0.0,
        "eta_s": None,
        "worker": {
            "running": True,
            "pid": 17,
            "since": "1970-01-01T00:01:00Z",
            "origin": "worker",
            "note": f"Plex rests.\n{outlook}",
            "why": "Plex rests.",
            "outlook": outlook,
            "handled": 6,
        },
    }
    database.execute("UPDATE drain SET note = ''")
    moving = pace_and_worker(database, 6, runs=True)
    assert (moving["rate_per_s"], moving["eta_s"]) == (2.0, 3)
    for left, runs in ((0, True), (6, False)):
        still = pace_and_worker(database, left, runs=runs)
        assert (still["rate_per_s"], still["eta_s"]) == (0.0, None)


@pytest.mark.parametrize("note", ["Plex rests.", "[1]", '{"why": 1}', "7"])
def test_a_note_of_an_earlier_version_is_shown_as_it_is(note):
    assert read_wait(note) == (note, None)
    assert read_wait("") == (None, None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((None, 5.0, None), None),
        (("Plex", None, None), None),
        (("Plex", 5.0, None), "Waiting for Plex, next try in 5 s."),
        ((None, None, 5.0), "Giving up in 5 s."),
    ],
)
def test_when_a_wait_ends_is_known_in_part(given, words):
    assert wait_outlook(*given) == words


# -- the page -----------------------------------------------------------------------------


def test_what_a_worker_drains_without_a_task_is_on_the_page(data_folder, database, monkeypatch):
    monkeypatch.setattr("stash2plex.store.stored_page.drain_runs", lambda _: True)
    WorkQueue(database, ManualClock(50.0)).add("scene", 1)
    database.execute(DRAIN, (60.0, 2.0, ""))

    def run():
        return read_page(database, str(data_folder), 100.0)["run"]

    expected = {
        "id": None,
        "name": "",
        "by": "worker",
        "began_at": "1970-01-01T00:01:00Z",
        "done": 6,
        "failed": 2,
        "later": 1,
        "left": 1,
        "total": 7,
    }
    assert run() == expected
    database.execute("UPDATE drain SET started_at = 0")
    assert run() == {**expected, "began_at": None}
    database.execute("DELETE FROM queue")
    assert run() is None


@pytest.mark.parametrize("stored", ["{", "[1]", "5", '"text"'])
def test_what_is_stored_of_a_server_and_damaged_counts_as_nothing(data_folder, database, stored):
    set_meta(database, PLEX_SEEN, stored)
    page = read_page(database, str(data_folder), 100.0)
    assert (page["plex"]["name"], page["plex"]["ms"]) == (None, None)
    set_meta(database, PLEX_SEEN, json.dumps({"name": "Quay", "ms": 4, "at": 60.0}))
    page = read_page(database, str(data_folder), 100.0)
    assert (page["plex"]["name"], page["plex"]["ms"]) == ("Quay", 4)


def test_a_page_of_a_damaged_database_is_an_error_of_the_store(data_folder, database):
    database.execute("DROP TABLE breaker")
    with pytest.raises(StoreError):
        open_and_read(str(data_folder))


# -- scenes -------------------------------------------------------------------------------


def test_scenes_are_counted_where_they_stand(database):
    database.executemany(
        "INSERT INTO scene (id, standing, place) VALUES (?, ?, ?)",
        [(1, "in_sync", 0), (2, "excluded", 0), (3, "", 1), (4, "", 1), (5, "", 2)],
    )
    states, reasons = count_scenes(database, 100.0, worker_runs=False)
    assert reasons == {"excluded": 1}
    assert sum(states.values()) == 5
    # A place of a newer version is in no count.
    database.execute("UPDATE scene SET place = 9 WHERE id = 5")
    states, _ = count_scenes(database, 100.0, worker_runs=False)
    assert sum(states.values()) == 4


def test_as_many_scenes_as_are_known_confirm_the_list(opened, clock):
    scenes, read = opened.scenes, opened.connection
    # Before all were seen once, nothing is confirmed.
    scenes.confirm(0)
    assert get_meta(read, SCENES_AS_OF) is None
    scenes.all_seen()
    first = get_meta(read, SCENES_AS_OF)
    clock.step(60.0)
    scenes.confirm(1)
    assert get_meta(read, SCENES_AS_OF) == first
    scenes.confirm(0)
    assert get_meta(read, SCENES_AS_OF) == f"{clock():.3f}"


# -- the queue ----------------------------------------------------------------------------


def test_a_scene_that_is_queued_again_is_not_given_up_for_its_pictures(queue, database):
    given = {"title": "Pier", "reason": "bug", "error": "why", "attempts": 3}
    assert queue.bury_done(("scene", 1), **given)
    queue.add("scene", 2)
    assert not queue.bury_done(("scene", 2), **given)
    rows = database.execute("SELECT id, title, reason, error, attempts FROM dead_letter")
    assert list(rows) == [(1, "Pier", "bug", "why", 3)]
    assert list(database.execute("SELECT DISTINCT id FROM failure")) == [(1,)]


# -- the identity -------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [CLIENT_ID, PSEUDONYM_KEY])
def test_what_is_missing_of_the_identity_is_made_and_the_rest_stays(database, missing):
    make_identity(database)
    before = {name: get_meta(database, name) for name in (CLIENT_ID, PSEUDONYM_KEY)}
    make_identity(database)
    assert {name: get_meta(database, name) for name in before} == before
    database.execute("DELETE FROM meta WHERE name = ?", (missing,))
    make_identity(database)
    after = {name: get_meta(database, name) for name in before}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {missing}
    assert len(client_id(database)) == 36
    assert len(alias_key(database)) == 16


# -- copies and repair --------------------------------------------------------------------


NAMED = f"stash2plex-20260102-030405-schema{SCHEMA_NUMBER}.db"


class Vanishing:
    """Opens databases, and takes a copy away before the second one is opened."""

    def __init__(self, path):
        self.path, self.number, self.open = path, 0, sqlite3.connect

    def __call__(self, *given, **more):
        self.number += 1
        if self.number == 2:
            os.remove(self.path)
        return self.open(*given, **more)


def test_a_copy_that_goes_away_meanwhile_changes_nothing(data_folder, database, monkeypatch):
    path = str(data_folder / "stash2plex.db")
    database.execute("INSERT INTO queue (kind, id, priority, added_at, due_at) VALUES"
                     " ('scene', 1, 0, 5.0, 6.0)")  # fmt: skip
    kept = Copy(str(data_folder), NAMED)
    # It is there while it is checked, and taken away meanwhile.
    monkeypatch.setattr(sqlite3, "connect", Vanishing(kept.path))
    shutil.copy(path, kept.path)
    with pytest.raises(StoreError):
        restore(str(data_folder), kept, ManualClock())
    assert list(database.execute("SELECT id FROM queue")) == [(1,)]
    assert os.path.exists(path)


def test_a_file_that_is_no_database_is_no_copy(data_folder):
    kept = Copy(str(data_folder), NAMED)
    (data_folder / NAMED).write_bytes(b"no database at all, though it is long enough" * 40)
    with pytest.raises(StoreDamaged):
        restore(str(data_folder), kept, ManualClock())


def test_without_a_copy_there_is_nothing_to_go_back_to(data_folder):
    with pytest.raises(UsageError) as met:
        find_copy(str(data_folder), None)
    assert str(met.value) == (
        f"There is no copy in “{data_folder}”. One is made before an update changes the database."
    )


class Failing:
    """A database on a disk that cannot be read."""

    def execute(self, _text):
        raise sqlite3.OperationalError("disk I/O error")

    def close(self):
        """Close nothing."""


def test_a_database_on_a_failing_disk_is_not_set_aside(data_folder, monkeypatch):
    monkeypatch.setattr(repair, "connect", lambda _: Failing())
    with pytest.raises(StoreUnavailable):
        repair.replace_damaged(str(data_folder))
    assert [name for name in os.listdir(data_folder) if "damaged" in name] == []
