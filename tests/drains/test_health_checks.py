"""Single checks of Health Check over both stand-ins: hooks, database, sync, worker, Plex."""

from __future__ import annotations

import os

from stash2plex import start_trouble
from stash2plex.db import drop_meta
from stash2plex.operations.health import local_checks
from stash2plex.operations.health.hook_checks import check_hooks
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.health.local_checks import check_database, check_sync
from stash2plex.store.meta import SWEEP_MARKS
from tests.harness.in_process import fill


def test_health_without_stash_says_what_cannot_be_checked(make_desk):
    desk = make_desk()
    scene, _ = desk.scene("a.mp4"), desk.item("a.mp4")
    desk.drain(scene)
    desk.stash.down()
    check = check_hooks(desk.app.stash, "v0.28.0")
    assert (check.ok, "refuses the connection" in check.detail) == (False, True)
    assert check_kept(desk.app).detail == "Plex keeps everything as it was sent."


def test_the_size_of_the_database_is_shown(make_desk, monkeypatch):
    desk = make_desk()
    monkeypatch.setattr(os.path, "getsize", lambda _: 3 * 1_048_576 + 524_288)
    assert check_database(desk.app).detail == "It is intact and can be written, 3.5 MiB."


def test_what_is_in_sync_before_the_first_look_names_no_look(make_desk):
    desk = make_desk()
    desk.drain(*fill(desk, 2))
    drop_meta(desk.app.store.connection, SWEEP_MARKS)
    detail = check_sync(desk.app).detail
    assert "2 scenes in sync" in detail
    assert "Last full sweep" not in detail


def test_the_check_of_what_plex_keeps_does_not_need_the_settings(make_desk):
    desk = make_desk()
    desk.drain(desk.scene("a.mp4"))
    desk.stash.down()
    assert check_kept(desk.app).state == "passed"


def test_a_trouble_of_the_start_is_what_the_check_of_the_worker_shows(make_desk):
    desk = make_desk()
    start_trouble.record_trouble(
        desk.app.folder, start_trouble.Trouble("It cannot start.", "Install Python.")
    )
    check = local_checks.check_worker(desk.app, off=False)
    assert (check.state, check.detail, check.fix) == (
        "failed", "It cannot start.", "Install Python.",
    )  # fmt: skip
