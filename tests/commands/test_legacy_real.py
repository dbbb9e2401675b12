"""The data folder of version 1, written by the library that it used itself."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
from contextlib import closing

import pytest
from persistqueue.sqlackqueue import SQLiteAckQueue

from stash2plex.db import connect
from stash2plex.errors import ConfigError
from stash2plex.operations.import_legacy import read_legacy
from stash2plex.store.queue import Queue

DEAD_SCHEMA = (
    "CREATE TABLE dead_letters (id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER,"
    " scene_id INTEGER, job_data BLOB, error_type TEXT, error_message TEXT, stack_trace TEXT,"
    " retry_count INTEGER, failed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"
)
STATE = {
    "sync_timestamps.json": {str(number): 1_760_000_000.0 for number in range(1, 500)},
    "device_id.json": {"device_id": "7f0c", "device_name": "Stash2Plex"},
    "outage_history.json": [{"started_at": 1_760_000_000, "ended_at": 1_760_000_600}],
    "circuit_breaker.json": {"state": "closed"},
    "stats.json": {"synced": 499},
}


def job(number):
    return {
        "job_id": number,
        "scene_id": number,
        "update_type": "metadata",
        "data": {"title": f"Pier {number}", "performers": ["Performer 17"], "path": "/data/a.mp4"},
        "enqueued_at": 1_760_000_000.0 + number,
        "job_key": f"scene_{number}",
    }


def open_queue(folder):
    return SQLiteAckQueue(
        path=os.path.join(folder, "queue"), auto_commit=True, multithreading=True, auto_resume=False
    )


def leave_dead(folder, numbers):
    with closing(sqlite3.connect(os.path.join(folder, "dlq.db"))) as database:
        database.execute(DEAD_SCHEMA)
        database.executemany(
            "INSERT INTO dead_letters (job_id, scene_id, job_data, error_type, retry_count)"
            " VALUES (?, ?, ?, 'PlexNotFound', 5)",
            [(number, number, pickle.dumps(job(number))) for number in numbers],
        )
        database.commit()


@pytest.fixture
def folder(tmp_path):
    """Leave 1,000 jobs: 970 wait, 10 were in progress, 20 are done; and 50 dead letters."""
    place = str(tmp_path / "old" / "data")
    os.makedirs(place)
    queue = open_queue(place)
    for number in range(1, 1001):
        queue.put(job(number))
    for _ in range(20):
        queue.ack(queue.get(block=False))
    for _ in range(10):
        queue.get(block=False)
    queue.close()
    leave_dead(place, [*range(981, 1001), *range(2001, 2031)])
    for name, value in STATE.items():
        with open(os.path.join(place, name), "w", encoding="utf-8") as file:
            json.dump(value, file)
    return place


def bytes_of(folder):
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            if not name.endswith(("-wal", "-shm")):
                with open(os.path.join(place, name), "rb") as file:
                    found[name] = file.read()
    return found


def queued_in(folder):
    with closing(connect(os.path.join(folder, "stash2plex.db"))) as database:
        counts = Queue(database, lambda: 4e9).counts()
    return counts.pending + counts.waiting


def test_a_thousand_jobs_and_fifty_dead_letters_before_and_after(desk, folder):
    before = bytes_of(folder)
    code, out, _ = desk.run("import-legacy", folder, "--json")
    assert code == 0
    assert json.loads(out) == {
        "queued": 1010, "waiting": 980, "dead": 50, "unreadable": 0, "damaged": [],
        "left": ["stats.json", "circuit_breaker.json", "outage_history.json",
                 "sync_timestamps.json", "device_id.json"],
    }  # fmt: skip
    assert bytes_of(folder) == before
    assert queued_in(desk.folder) == 1010
    assert json.loads(desk.run("import-legacy", folder, "--json")[1])["queued"] == 1010
    assert queued_in(desk.folder) == 1010


def test_a_queue_that_is_in_use_is_read_and_stays_usable(desk, folder):
    queue = open_queue(folder)
    taken = queue.get(block=False)
    assert json.loads(desk.run("import-legacy", folder, "--json")[1])["waiting"] == 980
    queue.ack(taken)
    queue.put(job(3000))
    assert json.loads(desk.run("import-legacy", folder, "--json")[1])["waiting"] == 980
    assert 3000 in read_legacy(folder).waiting
    queue.close()


def test_a_damaged_queue_does_not_hold_up_the_dead_letters(desk, folder):
    path = os.path.join(folder, "queue", "data.db")
    with open(path, "r+b") as file:
        file.truncate(2048)
    legacy = read_legacy(folder)
    assert len(legacy.dead) == 50
    assert len(legacy.damaged) == 1
    code, out, _ = desk.run("import-legacy", folder)
    assert code == 0
    assert "cannot be read" in " ".join(out.split())
    assert queued_in(desk.folder) >= 50


def test_what_is_damaged_altogether_is_named_with_the_cure(folder):
    for path in (os.path.join(folder, "queue", "data.db"), os.path.join(folder, "dlq.db")):
        with open(path, "wb") as file:
            file.write(b"not a database, but long enough to look like one " * 40)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read_legacy(folder)
    assert "Sync All Scenes" in str(caught.value)


def test_a_page_that_is_damaged_costs_only_what_is_on_it(folder):
    path = os.path.join(folder, "queue", "data.db")
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.seek(size // 4096 // 2 * 4096)
        file.write(b"\xff" * 4096)
    legacy = read_legacy(folder)
    assert 0 < len(legacy.waiting) <= 980
    assert len(legacy.dead) == 50


def test_health_offers_it_once_and_the_operation_takes_it(desk, folder):
    desk.run("status")
    for name in ("queue", "dlq.db"):
        os.rename(os.path.join(folder, name), os.path.join(desk.folder, name))
    report = json.loads(desk.run("health", "--json")[1])["checks"]
    (check,) = [one for one in report if one["name"] == "queue"]
    assert check["state"] == "failed"
    assert "left 1,010 scenes unfinished" in check["detail"]
    assert json.loads(desk.run("operation", "import_legacy")[1])["queued"] == 1010
    report = json.loads(desk.run("health", "--json")[1])["checks"]
    (check,) = [one for one in report if one["name"] == "queue"]
    assert "unfinished" not in check["detail"]
    code, out, err = desk.run("operation", "import_legacy")
    assert (code, json.loads(out)["queued"], "left nothing" in err) == (0, 0, True)
