"""Where version 1 may have left its data, what of it can be read, and when it is offered."""

from __future__ import annotations

import os
import pickle
import sqlite3
from contextlib import closing

import pytest

import stash2plex
from stash2plex.errors import ConfigError
from stash2plex.operations.import_legacy import (
    MAX_BYTES,
    Legacy,
    Taken,
    dismiss,
    left_behind,
    offered,
    read_legacy,
    scene_id_of,
    take_over,
)
from tests.commands.test_legacy import leave
from tests.page.conftest import Page

NOISE = b"damaged" * 1000


def job(number):
    return pickle.dumps({"scene_id": number})


def leave_dead(path, *numbers):
    """Leave a file of dead letters."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE dead_letters (id INTEGER PRIMARY KEY, scene_id)")
        rows = [(number,) for number in numbers]
        database.executemany("INSERT INTO dead_letters (scene_id) VALUES (?)", rows)
        database.commit()


# -- one job ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "aside", [b"p5\n", b"q\x05", b"r\x05\x00\x00\x00", b"\x94", b"\x95\x03" + bytes(7)]
)
def test_what_stands_between_a_key_and_its_value_is_passed_over(aside):
    assert scene_id_of(b"\x80\x04}\x8c\x08scene_id" + aside + b"K\x07s.") == 7


@pytest.mark.parametrize("reference", [b"g5\n", b"h\x05", b"j\x05\x00\x00\x00"])
def test_a_reference_to_an_earlier_value_is_no_number(reference):
    assert scene_id_of(b"\x80\x04}\x8c\x08scene_id" + reference + b"s.") is None


def test_a_job_of_four_megabytes_is_read_and_a_larger_one_is_not():
    data = job(7)
    most = data + b"a" * (4 * 2**20 - len(data))
    assert len(most) == MAX_BYTES
    assert scene_id_of(most) == 7
    assert scene_id_of(most + b"a") is None


def test_a_value_named_scene_id_in_another_key_is_none():
    assert scene_id_of(pickle.dumps({"name": b"scene_id", "x": 5})) is None


# -- one folder ---------------------------------------------------------------------------


def test_each_state_of_a_job_in_each_table_and_each_file_of_dead_letters(tmp_path):
    folder = str(tmp_path / "a ?#%41")
    jobs = [(job(10 + status), status) for status in range(11)]
    leave(folder, [*jobs, (b"garbage", 0), (b"", 1)], dead=[5, None, "6", -4, "x", 5])
    leave_dead(os.path.join(folder, "queue", "dlq.db"), 30, 31)
    with closing(sqlite3.connect(os.path.join(folder, "queue", "data.db"))) as database:
        for name in ('ack_queue_of "mine"', "other"):
            quoted = name.replace('"', '""')
            database.execute(f'CREATE TABLE "{quoted}" (data BLOB, status INTEGER)')
            database.execute(f'INSERT INTO "{quoted}" VALUES (?, 0)', (job(40 + len(name)),))
        database.commit()
    names = (
        "stats.json", "circuit_breaker.json", "outage_history.json", "recovery_state.json",
        "reconciliation_state.json", "sync_timestamps.json", "device_id.json",
    )  # fmt: skip
    for name in (*names, "other.json"):
        with open(os.path.join(folder, name), "w", encoding="ascii"):
            pass
    found = read_legacy(folder)
    # 0 and 1 wait, 2 was in progress, 9 failed.
    assert found == Legacy(
        folder, frozenset({10, 11, 12, 19, 59}), frozenset({5, 6, 30, 31}), 2, names
    )  # fmt: skip
    assert found.scene_ids == [5, 6, 10, 11, 12, 19, 30, 31, 59]


def test_a_file_of_dead_letters_alone_is_enough(tmp_path):
    leave_dead(str(tmp_path / "queue" / "dlq.db"), 30)
    found = read_legacy(str(tmp_path))
    assert (found.waiting, found.dead, found.left) == (frozenset(), frozenset({30}), ())
    # The folder around it is enough too.
    leave_dead(str(tmp_path / "plugin" / "data" / "dlq.db"), 31)
    found = read_legacy(str(tmp_path / "plugin"))
    assert (found.folder, found.dead) == (str(tmp_path / "plugin" / "data"), frozenset({31}))


def test_a_folder_without_such_data_and_one_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError) as caught:
        read_legacy(str(tmp_path))
    assert (caught.value.what, caught.value.fix) == (
        f"“{tmp_path}” holds no data from Stash2Plex 1.x.",
        (
            "Name the folder that has queue and dlq.db in it; usually it is called data and lies "
            "in the old plugin's folder."
        ),
    )
    (tmp_path / "dlq.db").write_bytes(NOISE)
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / "data.db").write_bytes(NOISE)
    with pytest.raises(ConfigError) as caught:
        read_legacy(str(tmp_path))
    queue, dead = tmp_path / "queue" / "data.db", tmp_path / "dlq.db"
    damaged = [f"“{path}” cannot be read: file is not a database." for path in (queue, dead)]
    assert (caught.value.what, caught.value.fix) == (
        " ".join(damaged), "Run “Sync All Scenes” instead: it finds every scene that differs.",
    )  # fmt: skip
    dead.unlink()
    leave_dead(str(dead))
    # One of the two can be read, though it holds nothing.
    assert read_legacy(str(tmp_path)).damaged == (damaged[0],)


# -- offering -----------------------------------------------------------------------------


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Let the plugin be installed in a folder of its own."""
    folder = tmp_path / "plugins" / "stash2plex"
    monkeypatch.setattr(stash2plex, "__file__", str(folder / "stash2plex" / "__init__.py"))
    return folder


def test_where_nothing_was_left_nothing_is_remembered(make_desk, plugin):
    desk = make_desk()
    dismiss(desk.app)
    assert (offered(desk.app), left_behind(desk.app)) == (None, None)
    assert Page(desk.app).call("import_legacy")["queued"] == 0
    assert legacy_meta(desk) == []


def legacy_meta(desk):
    return desk.rows("SELECT value FROM meta WHERE name LIKE '%legacy%'")


def test_what_lies_in_the_plugins_folder_is_offered_once(make_desk, plugin):
    desk = make_desk()
    data = str(plugin / "data")
    leave(data, [(job(1), 0), (job(2), 5)], dead=[3])
    assert left_behind(desk.app) == (data, 2)
    offer = offered(desk.app)
    assert offer is not None
    assert (offer.folder, offer.scene_ids) == (data, [1, 3])
    assert take_over(desk.app, data) == Taken(offer, 2)
    assert desk.rows("SELECT id FROM queue ORDER BY id") == [(1,), (3,)]
    assert (offered(desk.app), left_behind(desk.app)) == (None, None)
    # Its own folder comes first; it was not taken over.
    leave(desk.app.folder, [(job(4), 0)])
    assert left_behind(desk.app) == (desk.app.folder, 1)


def test_a_scene_that_is_due_already_counts_as_queued(make_desk, plugin):
    desk = make_desk()
    data = str(plugin / "data")
    leave(data, [(job(1), 0), (job(2), 0)])
    desk.app.store.queue.add("scene", 1)
    assert take_over(desk.app, data).queued == 2


def test_an_empty_or_damaged_place_does_not_hide_the_next_one(make_desk, plugin):
    desk = make_desk()
    data = str(plugin / "data")
    leave(desk.app.folder, [(job(1), 5)])
    leave(data, [(job(2), 0)])
    assert left_behind(desk.app) == (data, 1)
    offer = offered(desk.app)
    assert offer is not None
    assert offer.folder == data
    for name in ("dlq.db", os.path.join("queue", "data.db")):
        with open(os.path.join(desk.app.folder, name), "wb") as file:
            file.write(NOISE)
    assert left_behind(desk.app) == (data, 1)
    assert offered(desk.app) == offer


def test_what_names_no_scene_is_offered_no_longer_unless_a_file_is_damaged(make_desk, plugin):
    desk = make_desk()
    data = plugin / "data"
    leave(str(data), [(b"garbage", 0)])
    with closing(sqlite3.connect(data / "dlq.db")) as database:
        # It can be counted, but not read.
        database.execute("ALTER TABLE dead_letters RENAME COLUMN scene_id TO number")
        database.commit()
    assert left_behind(desk.app) == (str(data), 1)
    dismiss(desk.app)
    assert left_behind(desk.app) == (str(data), 1)
    with closing(sqlite3.connect(data / "queue" / "data.db")) as database:
        database.execute("ALTER TABLE ack_queue_default RENAME COLUMN data TO job")
        database.commit()
    # Now none of them can be read.
    dismiss(desk.app)
    assert left_behind(desk.app) == (str(data), 1)
    for name in ("dlq.db", "queue/data.db"):
        (data / name).unlink()
    (data / "queue").rmdir()
    leave(str(data), [(b"garbage", 0)])
    dismiss(desk.app)
    assert left_behind(desk.app) is None
