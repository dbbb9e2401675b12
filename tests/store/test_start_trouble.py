"""What keeps a worker from starting: in words, once by a save, and by Health Check."""

from __future__ import annotations

import os
import sys

import pytest

from stash2plex import start_trouble
from stash2plex.datadir import LOG_NAME
from stash2plex.operations.health.report import read_health
from stash2plex.plugin import start_failed
from tests.harness.in_process import Desk


@pytest.fixture
def desk(tmp_path):
    with Desk(str(tmp_path)) as desk:
        desk.add(desk.scene("a/pier.mp4"))
        yield desk


@pytest.mark.parametrize("lies", ["link", "folder"])
def test_a_log_that_cannot_be_opened_is_named_once_and_by_health(desk, capfd, lies):
    log = os.path.join(desk.app.folder, LOG_NAME)
    if lies == "link":
        target = os.path.join(desk.app.folder, "away", "a.log")
        os.symlink(os.path.join("away", "a.log"), log)
        cause = f"“{log}” is a link to “{target}”, which cannot be created."
        cure = f"Create the folder of “{target}”, or remove the link."
    else:
        os.mkdir(log)
        cause, cure = f"“{log}” is a folder, not a file.", f"Move “{log}” away."
    for _ in range(2):
        start_failed(desk.app.folder, OSError(2, "No such file or directory"))
    sentence = f"The background worker cannot be started: {cause}"
    assert capfd.readouterr().err == f"\x01w\x02{sentence} {cure}\n"
    (worker,) = [check for check in read_health(desk.app) if check.name == "worker"]
    assert (worker.ok, worker.detail, worker.fix) == (False, sentence, cure)


class Access:
    """What the system says about the rights of this process."""

    def __init__(self, *closed):
        self.closed = closed

    def __call__(self, path, _):
        return str(path) not in self.closed


@pytest.mark.parametrize("kind", ["folder", "log", "data", "python"])
def test_each_reason_why_no_worker_starts(tmp_path, monkeypatch, kind):
    log, python = tmp_path / "worker.log", str(tmp_path / "python")
    if kind == "folder":
        log.mkdir()
    else:
        log.write_text("")
    monkeypatch.setattr(
        os, "access", Access(*{"log": [str(log)], "data": [str(tmp_path)]}.get(kind, ()))
    )
    if kind == "python":
        monkeypatch.setattr(sys, "executable", python)
    trouble = start_trouble.start_trouble(str(tmp_path), OSError(13, "Permission denied"))
    mine = start_trouble._this_user()
    begin = "The background worker cannot be started: "
    assert trouble == start_trouble.Trouble(
        *{
            "folder": (f"{begin}“{log}” is a folder, not a file.", f"Move “{log}” away."),
            "log": (
                f"{begin}“{log}” belongs to {mine}, and Stash runs as {mine}.",
                f"Delete “{log}”, or give it to the user that runs Stash.",
            ),
            "data": (
                f"{begin}“{tmp_path}” belongs to {mine}, and Stash runs as {mine}.",
                f"Give “{tmp_path}” and the files in it to the user that runs Stash.",
            ),
            "python": (
                f"{begin}Python reports its path as “{python}”, which is not a program.",
                "Enter Python's full path under Settings > System > Python executable path.",
            ),
        }[kind]
    )


def test_users_are_named_with_their_number():
    assert start_trouble._user(0) == "“root” (uid 0)"
    assert start_trouble._user(4_000_000_000) == "uid 4000000000"
    assert start_trouble._owner("/nowhere/at/all") == "another user"
