"""Questions that are seldom asked, and answers that are seldom given."""

from __future__ import annotations

import io
import os
import sys

import pytest

from stash2plex.db import drop_meta
from stash2plex.errors import StoreUnavailable
from stash2plex.model import Field
from stash2plex.operations import preview
from stash2plex.operations.explain import explain_scene
from stash2plex.operations.health.local_checks import check_sync
from stash2plex.operations.import_legacy import MAX_BYTES, scene_id_of
from stash2plex.operations.notifications import notify_stash
from stash2plex.operations.preview import preview_all, preview_scenes
from stash2plex.operations.runs import find_own_job
from stash2plex.store.meta import SWEEP_MARKS
from stash2plex.tasks.run import run_task
from tests.harness.in_process import fill

# -- previews ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [4, 5])
def test_a_preview_in_small_steps_is_the_same(make_desk, monkeypatch, number):
    desk = make_desk()
    ids = [scene.id for scene in fill(desk, number)]
    lost = [desk.scene(f"lost/buoy {one}.mp4", size=900 + one).id for one in range(2)]
    whole = preview_scenes(desk.app, [*ids, *lost])
    for name in ("SCENES_PER_READ", "IDS_PER_READ"):
        monkeypatch.setattr(preview, name, 2)
    monkeypatch.setattr(preview, "SHOWN", 1)
    small = preview_scenes(desk.app, [*ids, *lost])
    assert (small.seen, small.changing, small.not_matched) == (number + 2, number, 2)
    assert (whole.seen, whole.changing, whole.not_matched) == (number + 2, number, 2)
    assert (len(whole.problems), len(small.problems)) == (2, 1)
    assert preview_all(desk.app).changing == number


# -- questions -----------------------------------------------------------------------------


def test_a_field_that_is_not_synced_is_shown_as_that(make_desk):
    desk = make_desk(skip_fields="poster background title")
    (scene,) = fill(desk, 1)
    views = {view.name: view.state for view in explain_scene(desk.app, scene.id).fields}
    assert views[Field.TITLE] == "skipped"
    assert views[Field.SUMMARY] != "skipped"


def test_what_is_in_sync_before_the_first_look_names_no_look(make_desk):
    desk = make_desk()
    desk.drain(*fill(desk, 2))
    drop_meta(desk.app.store.connection, SWEEP_MARKS)
    detail = check_sync(desk.app).detail
    assert "2 scenes in sync" in detail
    assert "Last full sweep" not in detail


@pytest.mark.parametrize(
    "data", ["text", None, b"\x80\x04" + b"a" * MAX_BYTES, b"\x80\x04}.", b"\x80\x04K\x07."]
)
def test_what_holds_no_scene_is_none(data):
    assert scene_id_of(data) is None


# -- tasks ---------------------------------------------------------------------------------


def test_a_task_that_cannot_open_the_database_fails_with_why(tmp_path):
    (tmp_path / "stash2plex").write_text("a file in the folder's place")
    request = {
        "args": {"mode": "all"},
        "server_connection": {"Dir": str(tmp_path), "Host": "127.0.0.1", "Port": 9},
    }
    with pytest.raises(StoreUnavailable):
        run_task(request, str(tmp_path), print)


def test_a_stash_that_is_away_has_no_job_of_ours(make_desk):
    desk = make_desk()
    desk.stash.down()
    assert find_own_job(desk.app, "Sync All Scenes") is None


def test_where_standard_error_is_no_file_the_news_are_written_as_they_are(make_desk, monkeypatch):
    desk = make_desk()
    desk.drain(desk.scene("a.mp4"))
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    notify_stash(os.path.join(desk.app.folder, "stash2plex.db"))
    assert "a.mp4" in shown.getvalue()
