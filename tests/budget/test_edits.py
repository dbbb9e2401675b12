"""Edits of many scenes at once, as the hooks' script sends them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from stash2plex.hook import edit_delay
from tests.harness.hooks import edit, keys, recorded, rows, run


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([12], [12]),
        ([3, 1, 2], [1, 2, 3]),
        (["7", "007", 7, "0008"], [7, 8]),
        ([7, None, -1, 0, "", "x", "-3", 1.5, True, [], 2**63, str(2**63), "9" * 50], [7]),
        ([str(2**63 - 1)], [2**63 - 1]),
    ],
)
def test_an_edit_is_recorded_in_one_commit_each_id_once(plugin, ids, expected):
    done = run(plugin, edit(plugin, ids))
    assert recorded(done) == {"recorded": len(expected), "error": None, "session": None}
    assert done.stderr == b""
    assert keys(plugin) == [("scene", number) for number in expected]
    assert len(set(rows(plugin, "SELECT added_at FROM queue"))) == 1


@pytest.mark.parametrize("ids", [["x"], [0], [None, -1], "12", None, {"1": 2}])
def test_an_edit_without_a_usable_id_is_one_sentence(plugin, ids):
    output = recorded(run(plugin, edit(plugin, ids)))
    assert output["recorded"] == 0
    assert output["error"].startswith("The hook Scene.Update.Post has no ")
    assert keys(plugin) == []


@pytest.mark.parametrize(("ids", "fields"), [([], None), ([1, 2], ["ids", "play_count"])])
def test_an_empty_edit_is_nothing(plugin, ids, fields):
    output = recorded(run(plugin, edit(plugin, ids, fields=fields)))
    assert output == {"recorded": 0, "error": None, "session": None}
    assert keys(plugin) == []


@pytest.mark.parametrize("trigger", ["Image.Update.Post", "Scene", "", None, 5, ["Scene"]])
def test_an_edit_of_something_else_is_one_sentence(plugin, trigger):
    output = recorded(run(plugin, edit(plugin, [1], trigger)))
    assert "is not one that Stash2Plex knows" in output["error"]


def test_a_hundred_thousand_ids_are_recorded_in_one_call(plugin):
    done = run(plugin, edit(plugin, list(range(1, 100_001))))
    assert recorded(done)["recorded"] == 100_000
    assert rows(plugin, "SELECT count(*), min(id), max(id) FROM queue") == [(100_000, 1, 100_000)]


@pytest.mark.parametrize(("number", "delay"), [(1, 0.0), (2, 0.002), (300, 0.3), (5_000, 1.0)])
def test_the_keys_of_an_edit_of_many_wait_until_stash_is_done_with_it(number, delay):
    assert edit_delay(number) == pytest.approx(delay)


def test_an_edit_knows_kind_and_delay_by_its_hook(plugin):
    run(plugin, edit(plugin, [7, 8, 9], "Tag.Merge.Post"))
    run(plugin, edit(plugin, [13], "Scene.Create.Post"))
    assert rows(plugin, "SELECT kind, id, priority, round(due_at - added_at) FROM queue") == [
        ("scene", 13, 0, 3.0), ("tag", 7, 0, 0.0), ("tag", 8, 0, 0.0), ("tag", 9, 0, 0.0),
    ]  # fmt: skip


def test_a_full_disk_is_one_sentence_for_a_whole_edit(plugin):
    path = plugin.parent / "config" / "stash2plex" / "stash2plex.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    done = run(plugin, edit(plugin, list(range(1, 30_001))), most=os.path.getsize(path) + 60_000)
    output = recorded(done)
    assert output["recorded"] == 0
    assert "cannot be used" in output["error"]
    assert "\n" not in output["error"]
    assert keys(plugin) == []
    assert recorded(run(plugin, edit(plugin, [1])))["error"] is None


def test_a_fault_of_its_own_is_an_output_for_the_script(plugin):
    rows(plugin, "INSERT INTO meta VALUES ('settings_file', ?)", "1-1 /no\0file")
    done = run(plugin, edit(plugin, [12]))
    assert "has a fault (ValueError)" in recorded(done)["error"]
    assert b"Traceback" in done.stderr
    assert keys(plugin) == [("scene", 12)]


def test_files_that_do_not_fit_together_are_reported_once_and_never_as_an_error(plugin):
    (plugin / "stash2plex" / "workqueue.py").unlink()
    first, second = (recorded(run(plugin, edit(plugin, [number]))) for number in (1, 2))
    assert "Stash2Plex cannot be started" in first["error"]
    assert (first["recorded"], second) == (0, {"recorded": 0, "error": None})


def test_a_damaged_database_is_set_aside_and_the_edit_stored(plugin):
    path = plugin.parent / "config" / "stash2plex" / "stash2plex.db"
    path.write_bytes(b"harbour " * 2000)
    output = recorded(run(plugin, edit(plugin, [1, 2])))
    assert output["recorded"] == 2
    assert keys(plugin) == [("scene", 1), ("scene", 2)]
