"""The log-in of a worker that is to be started: the script hands its session over, masked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.harness.hooks import edit, recorded, rows, run
from tests.support import until


@pytest.fixture
def wanting(plugin):
    """A plugin whose worker may be started; none is, until a test lets that happen."""
    rows(plugin, "DELETE FROM meta WHERE name = 'background_worker'")
    return plugin


def session_of(folder, offered, value):
    """Return what the script has Stash send to hand a session over."""
    sent = json.loads(edit(folder, []))
    masked = [ord(one) ^ key for one, key in zip(value, offered["key"], strict=False)]
    sent["args"] = {"mode": "session", "nonce": offered["nonce"], "masked": masked}
    return sent


def test_a_worker_is_started_only_when_the_session_is_there(wanting):
    folder = wanting.parent / "config" / "stash2plex"
    output = recorded(run(wanting, edit(wanting, [12])))
    assert output["recorded"] == 1
    assert not (folder / "drain.lock").exists()
    offered = output["session"]
    assert sorted(offered) == ["key", "nonce"]
    assert len(offered["key"]) >= 4_096
    # What starts here is a process that shows its standard input instead of the worker.
    (wanting / "stash2plex_plugin.py").rename(wanting / "door.py")
    (wanting / "stash2plex_plugin.py").write_text(
        "import sys\nwith open(sys.argv[2] + '/heard', 'w') as file: file.write(sys.stdin.read())\n"
    )
    sent = session_of(wanting, offered, "light-of-the-harbour")
    done = subprocess.run(
        [sys.executable, "-IS", str(wanting / "door.py")],
        input=json.dumps(sent).encode(), capture_output=True, check=False, env={}, timeout=60,
    )  # fmt: skip
    assert recorded(done) == {"error": None}
    heard = json.loads(
        until(lambda: (folder / "heard").exists() and (folder / "heard").read_text())
    )
    assert heard["server_connection"]["SessionCookie"]["Value"] == "light-of-the-harbour"
    # No trace is left of the session, nor of its key.
    kept = b"".join(path.read_bytes() for path in folder.glob("*.*"))
    assert b"light-of-the-harbour" not in kept
    assert rows(wanting, "SELECT * FROM meta WHERE name LIKE 'handover%'") == []


def test_a_key_is_good_once_and_only_under_its_name(wanting):
    offered = recorded(run(wanting, edit(wanting, [12])))["session"]
    other = recorded(run(wanting, edit(wanting, [13])))["session"]
    assert offered["key"] != other["key"]
    wrong = session_of(wanting, {**offered, "key": other["key"]}, "light-of-the-harbour")
    for _ in range(2):
        answer = recorded(run(wanting, json.dumps(wrong).encode()))
        assert answer["error"].startswith("The session was handed over ")
        assert "light" not in answer["error"]


@pytest.mark.parametrize("masked", [None, 7, "text", [256], [-1], ["1"], [1.5], [1] * 5_000, {}])
def test_a_malformed_session_is_one_sentence(wanting, masked):
    offered = recorded(run(wanting, edit(wanting, [12])))["session"]
    sent = session_of(wanting, offered, "")
    sent["args"]["masked"] = masked
    assert "unknown" in recorded(run(wanting, json.dumps(sent).encode()))["error"]


def test_keys_that_nobody_used_are_deleted(wanting):
    for until_when in ("1 ab", "x", "99999999999 ab"):
        rows(wanting, "INSERT INTO meta VALUES (?, ?)", f"handover {until_when}", until_when)
    offered = recorded(run(wanting, edit(wanting, [12])))["session"]
    assert rows(wanting, "SELECT name FROM meta WHERE name LIKE 'handover%'") == [
        (f"handover {offered['nonce']}",)
    ]
