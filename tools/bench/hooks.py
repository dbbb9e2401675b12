"""Measures what a save costs: the hook compared with a bare interpreter that commits one row."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import zipfile
from contextlib import closing

from stash2plex_testing.world import ARCHIVE
from tools.bench.figure import Figure

PAIRS = 60

BARE = """import sqlite3
c = sqlite3.connect({path!r}, isolation_level=None)
c.execute("BEGIN IMMEDIATE")
c.execute("INSERT OR REPLACE INTO t VALUES (1, 2)")
c.execute("COMMIT")
"""


def measure(folder: str) -> list[Figure]:
    """Run both in turn, so that other work on the machine affects both."""
    python = os.path.realpath(sys.executable)
    # As Stash installs it: compiled files are found before the request is read.
    config = os.path.join(folder, "hook-config")
    plugin = os.path.join(config, "plugins", "Stash2Plex")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(plugin)
    bare_path = os.path.join(folder, "bare.db")
    with closing(sqlite3.connect(bare_path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (k PRIMARY KEY, v)")
    bare_code = BARE.format(path=bare_path)
    script = os.path.join(plugin, "stash2plex_plugin.py")
    request = json.dumps(
        {
            "server_connection": {"Scheme": "http", "Port": 1, "Dir": config},
            "args": {"hookContext": {"type": "Scene.Update.Post", "id": 12}},
        }
    ).encode()
    run(python, ["-IS", script], request)
    # The figure is the hook's own cost, without a worker that looks for a missing Stash.
    with closing(sqlite3.connect(os.path.join(config, "stash2plex", "stash2plex.db"))) as database:
        database.execute(
            "INSERT OR REPLACE INTO meta (name, value) VALUES ('background_worker', 'off')"
        )
        database.commit()
    bare, isolated, hook = [], [], []
    for _ in range(PAIRS):
        bare.append(run(python, ["-c", bare_code], b""))
        isolated.append(run(python, ["-IS", "-c", bare_code], b""))
        hook.append(run(python, ["-IS", script], request))
    shutil.rmtree(plugin)
    median = statistics.median
    return [
        Figure("hook, from spawn to end of stdout", median(hook) * 1000, " ms", at_most=40),
        Figure("bare interpreter, one commit", median(bare) * 1000, " ms"),
        Figure("the same without site-packages (-IS)", median(isolated) * 1000, " ms"),
        Figure("hook against the bare interpreter", median(hook) / median(bare), "×", at_most=1.5),
        Figure(
            "hook against the bare interpreter, -IS",
            median(hook) / median(isolated),
            "×",
            at_most=1.5,
        ),
    ]


def run(python: str, arguments: list[str], data: bytes) -> float:
    """Run a process to the end of its stdout; returns seconds."""
    start = time.perf_counter()
    subprocess.run([python, *arguments], input=data, stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - start
