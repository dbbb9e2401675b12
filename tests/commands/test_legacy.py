"""What version 1 left is read without being run."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.errors import ConfigError
from stash2plex.operations.import_legacy import MAX_BYTES, read_legacy, scene_id_of

JOB = {
    "job_id": 4,
    "scene_id": 17,
    "update_type": "metadata",
    "data": {"title": "A pier", "scene_id": 99, "performers": ["Performer 17"] * 300},
    "enqueued_at": 1.5,
}


class Trap:
    """Writes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


def leave(folder, jobs, dead=()):
    os.makedirs(os.path.join(folder, "queue"))
    with closing(sqlite3.connect(os.path.join(folder, "queue", "data.db"))) as database:
        database.execute(
            "CREATE TABLE ack_queue_default (_id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB,"
            " timestamp FLOAT, status INTEGER)"
        )
        database.executemany(
            "INSERT INTO ack_queue_default (data, timestamp, status) VALUES (?, 1.0, ?)", jobs
        )
        database.commit()
    with closing(sqlite3.connect(os.path.join(folder, "dlq.db"))) as database:
        database.execute(
            "CREATE TABLE dead_letters (id INTEGER PRIMARY KEY, job_id INTEGER, scene_id INTEGER,"
            " job_data BLOB, error_type TEXT)"
        )
        database.executemany(
            "INSERT INTO dead_letters (scene_id) VALUES (?)", [(one,) for one in dead]
        )
        database.commit()


def words(text):
    """Join the lines that a narrow terminal breaks."""
    return " ".join(text.split())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("scene_id", [1, 17, 300, 70_000, 2**40, "17"])
def test_the_scene_is_read_off_every_protocol(protocol, scene_id):
    data = pickle.dumps({**JOB, "scene_id": scene_id}, protocol)
    assert scene_id_of(data) == int(scene_id)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_scene_or_nothing(data):
    found = scene_id_of(data)
    assert found is None or 0 < found < 2**63


@given(st.integers(0, 400))
def test_a_job_cut_short_is_a_scene_or_nothing(length):
    assert scene_id_of(pickle.dumps(JOB)[:length]) in (None, 17)


@pytest.mark.parametrize(
    "value", [None, True, -4, 0, 2**70, "1; DROP TABLE queue", 1.5, [1], "", "1" * 400]
)
def test_what_is_no_number_of_a_scene_is_left(value):
    assert scene_id_of(pickle.dumps({"scene_id": value, "x": 5})) is None


@pytest.mark.parametrize(
    "data", ["text", None, b"\x80\x04" + b"a" * MAX_BYTES, b"\x80\x04}.", b"\x80\x04K\x07."]
)
def test_what_holds_no_scene_is_none(data):
    assert scene_id_of(data) is None


def test_a_trap_is_not_sprung(tmp_path):
    trap = str(tmp_path / "sprung")
    data = pickle.dumps({"bait": Trap(trap), "scene_id": 3})
    assert scene_id_of(data) == 3
    assert not os.path.exists(trap)


def test_what_waited_and_what_died_is_queued_and_the_rest_named(desk, tmp_path):
    folder = str(tmp_path / "old" / "data")
    jobs = [
        (pickle.dumps({**JOB, "scene_id": number}), status)
        for number, status in ((1, 0), (2, 1), (3, 2), (4, 5), (1, 0))
    ]
    leave(folder, [*jobs, (b"garbage", 0)], dead=[5, None, 2])
    with open(os.path.join(folder, "stats.json"), "w", encoding="ascii") as file:
        file.write("{}")
    before = {name: os.stat(os.path.join(folder, name)).st_mtime_ns for name in os.listdir(folder)}
    code, out, _ = desk.run("import-legacy", str(tmp_path / "old"), "--json")
    assert code == 0
    assert json.loads(out) == {
        "queued": 4, "waiting": 3, "dead": 2, "unreadable": 1, "damaged": [],
        "left": ["stats.json"],
    }  # fmt: skip
    after = {name: os.stat(os.path.join(folder, name)).st_mtime_ns for name in os.listdir(folder)}
    assert after == before
    out = desk.run("import-legacy", folder)[1]
    assert "4 scenes queued: 3 were waiting, 2 given up." in out
    assert "1 job could not be read; “Sync All Scenes” finds them." in words(out)
    assert "Left as they are, because they are not needed: stats.json." in words(out)
    assert desk.run("process")[0] == 0
    assert desk.plex.count("PUT") == 4


def test_what_is_not_there_is_not_spoken_of(desk, tmp_path):
    leave(str(tmp_path / "data"), [(pickle.dumps(JOB), 0)])
    out = words(desk.run("import-legacy", str(tmp_path / "data"))[1])
    assert out == (
        "1 scene queued: 1 were waiting, 0 given up. Run “stash2plex process”, or “Process Queue” "
        "in Stash, to send them."
    )


def test_a_folder_without_such_data_is_said(desk, tmp_path):
    code, _, err = desk.run("import-legacy", str(tmp_path))
    assert (code, "holds no data from Stash2Plex 1.x" in err) == (2, True)
    (tmp_path / "dlq.db").write_bytes(b"no database at all, but long enough to look like one" * 9)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_legacy(str(tmp_path))
