"""An update that a save meets, and the way back to the version before it, by the built archive."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

from stash2plex import db
from stash2plex.copies import list_copies
from tests.harness.process import Stage, workers


def old_database(path: str, schema: int) -> None:
    """Make the database that the version before an update left, with one key."""
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        for number, statements in db._migrations():
            if number <= schema:
                for statement in statements:
                    old.execute(statement)
        old.execute(f"PRAGMA user_version = {schema:d}")
        old.execute(
            "INSERT INTO queue (kind, id, priority, added_at, due_at) VALUES ('scene', 3, 0, 1, 2)"
        )


def shell(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    folder = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    script = os.path.join(folder, "process_queue.py")
    return subprocess.run(
        [sys.executable, "-IS", script, "--data-dir", stage.data_dir, *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def keys(stage: Stage) -> set[Any]:
    return set(stage.rows("SELECT kind, id FROM queue"))


def test_a_save_after_an_update_copies_the_database_and_restore_takes_it_back(make_stage):
    stage = make_stage(3, settings={"background_worker": "off"})
    shutil.rmtree(stage.data_dir, ignore_errors=True)
    os.makedirs(stage.data_dir, mode=0o700)
    old_database(stage.database, 13)
    stage.edit(1, title="The first save of the new version")
    assert stage.rows("PRAGMA user_version") == [(db.SCHEMA_NUMBER,)]
    # Whatever the setting, a worker may have been started to read it.
    stage.until(lambda: workers(stage.data_dir)[0] == [])
    assert keys(stage) >= {("scene", 1), ("scene", 3)}
    (copy,) = list_copies(stage.data_dir)
    listed = json.loads(shell(stage, "restore", "--list", "--json").stdout)
    assert [(row["name"], row["schema"]) for row in listed] == [(copy.name, 13)]
    done = shell(stage, "restore")
    assert done.returncode == 0, done.stderr
    assert f"{copy.name} was taken back" in done.stdout
    assert "Install the older version of the plugin now" in done.stdout
    assert stage.rows("PRAGMA user_version") == [(13,)]
    assert keys(stage) >= {("scene", 1), ("scene", 3)}
    # The new version is still there: the next save brings the database up to date again.
    stage.edit(2, title="Before the older version was installed")
    assert keys(stage) >= {("scene", 1), ("scene", 2), ("scene", 3)}


def test_it_refuses_while_a_worker_lives(make_stage):
    stage = make_stage(3, settings={"skip_fields": "poster background"})
    stage.edit(1, title="The worker lives")
    stage.until(lambda: "The worker lives" in {item.title for item in stage.plex.all_items()})
    with closing(sqlite3.connect(stage.database)) as database:
        copies = os.path.join(stage.data_dir, "copies")
        os.mkdir(copies)
        name = f"stash2plex-20260101-000000-schema{db.SCHEMA_NUMBER}.db"
        with closing(sqlite3.connect(os.path.join(copies, name))) as copy:
            database.backup(copy)
    done = shell(stage, "restore", name)
    assert done.returncode == 1
    assert "is sending scenes now" in done.stderr
    assert len(list_copies(stage.data_dir)) == 1
