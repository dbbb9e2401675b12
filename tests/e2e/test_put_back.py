"""The way back through the archive: python-plexapi reads every item before and after."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from plexapi.server import PlexServer

from stash2plex_testing.plex import Fault


def look(stage, *, pictures=False):
    """Return what python-plexapi shows of each item: values, locks, lists, rating, pictures."""
    return {
        path: {
            "title": item.title,
            "summary": item.summary,
            "studio": item.studio,
            "tagline": item.tagline,
            "date": item.originallyAvailableAt,
            "rating": item.userRating,
            "genres": sorted(one.tag for one in item.genres),
            "roles": sorted(one.tag for one in item.roles),
            "directors": sorted(one.tag for one in item.directors),
            "collections": sorted(one.tag for one in item.collections),
            "locks": sorted(one.name for one in item.fields),
            "poster": [one.ratingKey for one in item.posters() if one.selected] if pictures else [],
            "art": [one.ratingKey for one in item.arts() if one.selected] if pictures else [],
        }
        for path, item in stage.items().items()
    }


def command(stage, *arguments):
    """Run the archive's command line; returns its answer, read as JSON."""
    folder = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    process = subprocess.run(
        [sys.executable, "-IS", os.path.join(folder, "process_queue.py"), *arguments, "--json"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "STASH2PLEX_STASH_URL": stage.stash.url,
        },
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr.decode()
    return json.loads(process.stdout)


def some_history_in_plex(stage):
    """Give some items values, locks and chosen pictures, as an agent and a user would have."""
    for number, item in enumerate(stage.plex.all_items()):
        if number % 3 == 0:
            item.texts["summary"] = f"Told before, {number}"
            item.locked.add("summary")
        if number % 4 == 0:
            item.tags["genre"] = ["Old", "Older"]
            item.floats["userRating"] = 3.0
        if number % 5 == 0:
            item.offers["posters"] = ["media://one.jpg", "media://two.jpg"]
            item.selected["posters"] = "media://one.jpg"
        if number % 10 == 0:
            # The user's choice is locked; Plex's own is not.
            item.selected["posters"] = "media://two.jpg"
            item.locked.add("thumb")


@pytest.mark.parametrize("scenes", [30, pytest.param(1000, marks=pytest.mark.nightly)])
def test_everything_is_as_before_but_for_the_users_edits(make_stage, scenes):
    stage = make_stage(scenes, settings={"background_worker": "off"})
    some_history_in_plex(stage)
    before = look(stage, pictures=True)
    stage.run_task("Sync All Scenes")
    assert stage.wrong() == []
    # The user edits every tenth item in Plex whose title was written.
    reader = PlexServer(stage.plex.url, stage.plex.token)
    items = stage.items()
    written = {
        item.ratingKey: path for path, item in items.items() if item.title != before[path]["title"]
    }
    edited = sorted(written)[::10]
    for key in edited:
        reader.fetchItem(key).editTitle("By hand")
    for path, item in items.items():
        # An item may hold several files.
        if item.ratingKey in edited:
            before[path]["title"] = "By hand"
            before[path]["locks"] = sorted({*before[path]["locks"], "title"})
    reader._session.close()
    forecast = command(stage, "undo", "--all", "--dry-run")
    assert forecast["theirs"] == len(edited)
    report = command(stage, "undo", "--all")
    after = look(stage, pictures=True)
    differing = [(before[path], one) for path, one in after.items() if one != before[path]]
    assert not differing, (len(differing), differing[:2])
    assert report["scenes"] == report["done"] == forecast["queued"]
    assert (report["theirs"], report["gone"], report["cannot"]) == (len(edited), 0, 0)
    assert report["uploads"] == sum(item.number_of_uploads for item in stage.plex.all_items())
    # They stay as they are, whatever runs.
    stage.plex.clear_log()
    stage.run_task("Sync All Scenes")
    stage.run_task("Reconcile Library (All)")
    assert stage.plex.count("PUT") == 0
    assert f"{report['scenes']:,} put back, and left out since" in stage.log_text()
    counts = stage.operation("status")["scenes"]
    assert counts["left_out"] >= report["scenes"]


def test_the_task_acts_at_the_second_press_and_goes_on_after_an_outage(make_stage):
    stage = make_stage(12, settings={"background_worker": "off"})
    some_history_in_plex(stage)
    before = look(stage, pictures=True)
    stage.run_task("Sync All Scenes")
    after = look(stage, pictures=True)
    stage.run_task("Put Plex Back")
    assert look(stage, pictures=True) == after
    assert "Press it again within ten minutes to do that." in stage.log_text()
    # Plex goes away in the middle.
    fault = stage.plex.faults.add(Fault("status", method="PUT", status=503, times=6))
    stage.run_task("Put Plex Back")
    stage.run_task("Process Queue")
    assert fault is None or fault.hits
    assert look(stage, pictures=True) == before
    history = stage.operation("history", runs=True)["runs"]
    assert history[0]["cause"] == "undo"
    # The user asks for one scene again.
    scene = stage.read_scenes()[0]
    stage.operation("sync", scene_ids=[int(scene["id"])])
    stage.run_task("Process Queue")
    path = scene["files"][0]["path"].replace("/data", "/media/library", 1)
    now = look(stage, pictures=True)
    assert now[path] == after[path]
    assert {one for one in now if now[one] != before[one]} <= {path}


def test_the_operation_counts_and_queues(make_stage):
    stage = make_stage(4, settings={"background_worker": "off", "skip_fields": "poster background"})
    before = look(stage)
    stage.run_task("Sync All Scenes")
    page = stage.operation("history", limit=2)
    assert len(page["items"]) == 2
    chosen = page["items"][0]
    assert set(chosen["fields"]["title"]) == {"before", "sent", "shown"}
    answer = stage.operation("undo", scene_ids=[chosen["scene_id"]], dry_run=True)
    pictures = {"pictures": 0, "own_pictures": 0, "may_stay": 0}
    assert answer == {"queued": 1, "theirs": 0, "cannot": 0, "gone": 0, **pictures}
    assert stage.operation("undo", rating_keys=[chosen["rating_key"]])["queued"] == 1
    stage.run_task("Process Queue")
    differing = [path for path, one in look(stage).items() if one == before[path]]
    assert len(differing) >= 1
    assert stage.operation("undo", run_id=chosen["run_id"], fields=["title"])["queued"] >= 1
    assert "Choose what to undo" in stage.said("undo")
    assert "There is no field" in stage.said("undo", all=True, fields=["harbour"])
