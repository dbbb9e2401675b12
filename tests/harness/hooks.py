"""A save as a process: the plugin in a folder, what Stash sends it, and what it stored."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import pytest

from stash2plex.db import connect
from stash2plex.lock import drain_runs
from tests.harness.process import workers
from tests.support import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def copy_plugin(folder):
    """Copy the plugin and its package into a new folder."""
    shutil.copytree(os.path.join(ROOT, "plugin"), folder)
    shutil.copytree(
        os.path.join(ROOT, "stash2plex"),
        folder / "stash2plex",
        ignore=shutil.ignore_patterns("__pycache__"),
    )


@pytest.fixture
def plugin(tmp_path):
    folder = tmp_path / "plugin"
    copy_plugin(folder)
    config = tmp_path / "config"
    (config / "stash2plex").mkdir(parents=True)
    with closing(connect(str(config / "stash2plex" / "stash2plex.db"))) as database:
        # No worker is to be left behind by these tests.
        database.execute("INSERT INTO meta VALUES ('background_worker', 'off')")
    return folder


def request(folder, id_=12, **context):
    return json.dumps(
        {
            "server_connection": {
                "Scheme": "http",
                "Port": 9,
                "Dir": str(folder.parent / "config"),
            },
            "args": {"hookContext": {"type": "Scene.Update.Post", "id": id_, **context}},
        }
    ).encode()


def edit(folder, ids, trigger="Scene.Update.Post", fields=None):
    """Return what the hooks' script has Stash send for one edit."""
    sent = json.loads(request(folder))
    sent["args"] = {"mode": "record", "hook": trigger, "ids": ids, "fields": fields}
    return json.dumps(sent).encode()


def recorded(done):
    """Return the output that the script gets, whatever happened."""
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert set(answer) == {"output"}
    return answer["output"]


def run(folder, data, *flags, environment=None, most=0):
    """Run the door; no file may grow beyond `most` bytes, where that is given."""
    limit = None
    if most:
        import resource  # Windows has none, and nothing limits a file there

        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # noqa: E731
    return subprocess.run(
        [sys.executable, "-IS", *flags, str(folder / "stash2plex_plugin.py")],
        input=data, capture_output=True, check=False, timeout=60, env=environment or {},
        preexec_fn=limit,
    )  # fmt: skip


def rows(folder, sql, *values):
    path = folder.parent / "config" / "stash2plex" / "stash2plex.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        return list(database.execute(sql, values))


def keys(folder):
    return rows(folder, "SELECT kind, id FROM queue ORDER BY id")


def end_worker(folder):
    def ended():
        running = drain_runs(str(folder))
        for pid in workers(str(folder))[0] if running else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        return not running

    until(ended)
