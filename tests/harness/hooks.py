"""A save as a process: the plugin in a folder, what Stash sends it, and what it stored."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

from stash2plex.lock import drain_runs
from tests.harness.process import workers
from tests.support import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


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
    """Return what the script is told: an output, whatever happened."""
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert set(answer) == {"output"}
    return answer["output"]


def run(folder, data, *flags, environment=None, most=0):
    """Run the door; no file may grow beyond `most` bytes, where that is given."""
    limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))) if most else None
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
