"""What the stored status costs: the imports of its process, and no request."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.budget.test_hook import ALLOWED
from tests.harness.hooks import run

MORE = {
    "__future__",
    "stash2plex.rules", "stash2plex.rules.scene_states",
    "stash2plex.store", "stash2plex.store.meta", "stash2plex.store.scene_counts",
    "stash2plex.store.stored_status",
    "stash2plex.text", "stash2plex.version",
}  # fmt: skip


def ask(folder, **arguments):
    return json.dumps(
        {
            # Nobody listens there: a request would be an error.
            "server_connection": {
                "Scheme": "http",
                "Port": 9,
                "Dir": str(folder.parent / "config"),
            },
            "args": {"mode": "status", **arguments},
        }
    ).encode()


def test_the_stored_status_imports_what_a_hook_imports_and_asks_nobody(plugin):
    bare = subprocess.run(
        [sys.executable, "-ISX", "importtime", "-c", "pass"],
        capture_output=True,
        check=True,
        env={},
    )
    done = run(plugin, ask(plugin, stored=True), "-X", "importtime")

    def modules(text):
        return {
            line.rsplit(b"|", 1)[1].strip().decode() for line in text.splitlines() if b"|" in line
        }

    extra = modules(done.stderr) - modules(bare.stderr) - {"imported package"}
    assert extra <= ALLOWED | MORE
    assert extra >= MORE
    status = json.loads(done.stdout)["output"]
    assert status["scenes"] == {
        "total": 0, "in_sync": 0, "to_send": 0, "sending": 0, "waiting": 0, "not_in_plex": 0,
        "given_up": 0, "left_out": 0, "as_of": None, "left_out_because": {},
    }  # fmt: skip
    assert status["plex"]["reachable"] is False
    assert done.returncode == 0


def test_a_task_may_hand_the_word_over_as_text(plugin):
    assert json.loads(run(plugin, ask(plugin, stored="true")).stdout)["output"]["queue"] == {
        "pending": 0, "in_progress": 0, "waiting": 0, "dead": 0
    }  # fmt: skip
