"""What the page reads from the database alone: the run of a worker, a server, and damage."""

from __future__ import annotations

import json

import pytest

from stash2plex.db import set_meta
from stash2plex.errors import StoreError
from stash2plex.store.meta import PLEX_SEEN
from stash2plex.store.stored_page import open_and_read, read_page
from stash2plex.workqueue import WorkQueue
from tests.support import ManualClock

DRAIN = (
    "INSERT INTO drain (id, origin, pid, started_at, updated_at, done, failed, snoozed, rate, note)"
    " VALUES (1, 'worker', 17, ?, 0, 3, 2, 1, ?, ?)"
)


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
