"""SIGKILL in a hook, in a migration, and of the background worker while people go on saving."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress

import pytest

from stash2plex.db import SCHEMA_NUMBER, connect
from tests.harness.process import workers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KILLER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hook_killed_at.py")
BEFORE_COMMIT = ("before-open", "after-open", "before-commit")
AFTER_COMMIT = (
    "after-commit", "before-start", "before-spawn", "after-spawn", "after-start", "before-answer",
)  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        {"mode": "record", "hook": "Scene.Update.Post", "ids": [1]},
        {"hookContext": {"id": 1, "type": "Scene.Update.Post", "inputFields": []}},
    ],
    ids=["as the script", "as a process"],
)
@pytest.mark.parametrize("rounds", [1, pytest.param(10, marks=pytest.mark.nightly)])
def test_killed_in_a_hook(make_stage, rounds, arguments, record_property):
    stage = make_stage(3)
    plugin = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    stage.run_task("Sync All Scenes")
    killed = 0
    for number in range(rounds):
        for point in (*BEFORE_COMMIT, *AFTER_COMMIT):
            stage.end_worker()
            stage.until(lambda: workers(stage.data_dir)[0] == [])
            stage.stash.scenes[0].title = f"{point}, {number}"
            request = stage.request(**arguments)
            done = subprocess.run(
                [sys.executable, "-IS", KILLER, plugin, point],
                input=json.dumps(request).encode(),
                capture_output=True,
                check=False,
                timeout=30,
            )
            killed += done.returncode == -signal.SIGKILL
            queued = stage.rows("SELECT count(*) FROM queue") != [(0,)]
            synced = stage.plex.item(1).title == stage.stash.scenes[0].title
            if point in AFTER_COMMIT:
                assert queued or synced or workers(stage.data_dir)[0], point
            # The next save finds no lock and no half a database in its way.
            stage.edit(2, details=f"{point}, {number}")
            if point in BEFORE_COMMIT:
                stage.edit(1, details=f"{point}, {number}")
            stage.until(lambda: stage.queue()["pending"] == 0 and not stage.wrong())
            assert stage.rows("PRAGMA integrity_check") == [("ok",)]
    record_property("kills", killed)
    assert killed == rounds * 9


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.nightly)])
def test_the_worker_is_killed_while_people_go_on_saving(make_stage, kills, record_property):
    stage = make_stage(6)
    stage.run_task("Sync All Scenes")
    chance = random.Random(kills)
    killed = number = 0
    while killed < kills and number < 4 * kills:
        number += 1
        stage.edit(1 + number % 6, title=f"Lantern {number}")
        time.sleep(chance.uniform(0.0, 0.5))
        for pid in workers(stage.data_dir)[0]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    stage.edit(1, title="The last lantern")
    stage.until(lambda: stage.queue()["pending"] == 0 and not stage.wrong())
    assert stage.queue()["dead"] == 0
    assert stage.rows("PRAGMA integrity_check") == [("ok",)]
    assert stage.plex.whole_library_edits == 0
    record_property("kills", killed)
    assert killed >= kills


MIGRATE = """import os, signal, sys
sys.path.insert(0, {root!r})
from stash2plex import db
real = db._migrations
def steps():
    for number, statements in real():
        yield number, cut(statements)
def cut(statements):
    for place, statement in enumerate(statements):
        if place == {place}:
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement
    if {place} == -1:
        os.kill(os.getpid(), signal.SIGKILL)
db._migrations = steps
db.connect({path!r})
"""


@pytest.mark.parametrize("place", [0, 1, 4, 9, -1])
def test_killed_in_a_migration(tmp_path, place, record_property):
    path = str(tmp_path / "stash2plex.db")
    code = MIGRATE.format(root=ROOT, path=path, place=place)
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=30)
    assert done.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    with closing(connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_NUMBER,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    record_property("kills", 1)
