"""The service beside another process and without Stash, and the signals that end a command."""

from __future__ import annotations

import signal
import subprocess
import sys

from stash2plex.lock import drain_lock
from stash2plex_testing.world import ROOT, World
from tests.support import until


def started(*words, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "stash2plex", *words],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        **options,
    )


def test_a_service_waits_for_the_process_that_works_and_ends_while_it_waits(desk):
    desk.set(skip_fields="poster background", background_worker="off")
    desk.run("status")
    lock = drain_lock(desk.folder)
    assert lock.acquire()
    process = started("serve")
    for line in process.stderr:
        if "Another process works" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "The service" not in err
    process = started("serve")
    for line in process.stderr:
        if "Another process works" in line:
            break
    lock.release()
    for line in process.stderr:
        if "The service has started" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Another process" not in err


def test_a_service_that_stash_refuses_ends_with_why(tmp_path, monkeypatch):
    with World(str(tmp_path), username="keeper", password="lantern", api_key="the key") as world:
        monkeypatch.setenv("STASH2PLEX_STASH_URL", world.stash.url)
        monkeypatch.setenv("STASH2PLEX_STASH_API_KEY", "an old key")
        monkeypatch.setenv("STASH2PLEX_DATA_DIR", str(tmp_path / "data"))
        process = started("serve")
        _, err = process.communicate(timeout=60)
    assert process.returncode not in (0, 1)
    assert "stash2plex: Stash" in err


def test_a_second_signal_ends_at_once():
    code = (
        "import os, signal\n"
        "from stash2plex.cli.shell import StopSignals\n"
        "stop = StopSignals()\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "assert stop.wanted()\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print('still here')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_in_a_command_is_no_trace(desk):
    process = started("status", "--watch", stdout=subprocess.PIPE)
    until(process.stdout.readline)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "")
