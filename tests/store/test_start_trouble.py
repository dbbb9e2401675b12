"""What keeps a worker from starting is named once by a save, and by Health Check until it ends."""

from __future__ import annotations

import os

import pytest

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
