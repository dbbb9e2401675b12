"""Reconcile with the built archive: one scene of each kind, found, reported and repaired."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager

from plexapi.server import PlexServer

from stash2plex_testing.plex import Fault

OFF = {"background_worker": "off", "skip_fields": "poster background"}
TABLES = ("queue", "dead_letter", "scene_record", "plex_file", "plex_section", "plex_comparison",
          "reconcile_report", "meta")  # fmt: skip


@contextmanager
def person(stage):
    """A user of Plex, who knows items by their file names."""
    reader = PlexServer(stage.plex.url, stage.plex.token)
    try:
        items = reader.library.section("Harbour Films").all()
        yield {os.path.basename(item.locations[0]): item for item in items}
    finally:
        reader._session.close()


def add(stage, name, **fields):
    """A scene whose file Plex has."""
    scene = stage.stash.add_scene(files=[f"/data/{name}.mp4"], **fields)
    stage.plex.add_item(stage.section, file=f"/media/library/{name}.mp4")
    return scene


def command(stage, *arguments, code=0):
    """The command line of the installed archive; returns its stdout."""
    folder = os.path.join(stage.stash.plugins_dir, "Stash2Plex")
    done = subprocess.run(
        [sys.executable, "-IS", os.path.join(folder, "process_queue.py"), *arguments],
        env={
            "PATH": os.environ["PATH"],
            "HOME": stage.stash.config_dir,
            "STASH2PLEX_STASH_URL": stage.stash.url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def shape(found):
    return found["count"], [(one["scene_id"], one["fields"]) for one in found["examples"]]


def test_one_scene_of_each_kind(make_stage):
    stage = make_stage(0, settings=OFF)
    names = ("fine", "drifted", "rated", "stale", "emptied", "missing", "twice", "bare")
    scenes = {
        name: add(stage, name, title=f"The {name} quay", rating100=60)
        for name in names
        if name != "bare"
    }
    scenes["bare"] = add(stage, "bare")
    stage.run_task("Sync All Scenes")
    with person(stage) as held:
        held["drifted.mp4"].editTitle("A title from Plex").editSummary("Mine")
        held["rated.mp4"].rate(2.0)
    items = {os.path.basename(item.parts[0].path): item for item in stage.plex.all_items()}
    scenes["stale"].details = "Lanterns along the wall."
    stage.stash.library.touch(scenes["stale"])
    stage.plex.readd_item(items["emptied.mp4"])
    stage.plex.remove_item(items["missing.mp4"])
    stage.plex.add_item(stage.section, file="/media/other/twice.mp4")
    stage.plex.add_item(stage.section, file="/media/library/nobody.mp4", title="Nobody's")

    dry = json.loads(command(stage, "--json", "reconcile", "--dry-run"))
    stage.plex.clear_log()
    job = stage.run_task("Reconcile Library (All)")
    assert job.progress_values == sorted(job.progress_values)
    assert job.progress_values[-1] == 1.0
    report = json.loads(command(stage, "--json", "reconcile", "--last"))
    kinds = {kind: shape(found) for kind, found in report["kinds"].items()}
    assert kinds == {
        "missing_in_plex": (1, [(scenes["missing"].id, [])]),
        "stale": (1, [(scenes["stale"].id, ["summary"])]),
        "drifted": (
            2,
            [(scenes["drifted"].id, ["title"]), (scenes["rated"].id, ["rating"])],
        ),
        "empty": (1, [(scenes["emptied"].id, ["title", "rating"])]),
        "ambiguous": (1, [(scenes["twice"].id, [])]),
        "orphan_in_plex": (1, [(None, [])]),
    }
    assert (report["scenes"], report["in_sync"]) == (8, 1)
    assert report["left_out"] == 1
    assert report["queued"] == 6
    assert report["kinds"] == dry["kinds"]
    (orphan,) = report["kinds"]["orphan_in_plex"]["examples"]
    assert (orphan["title"], orphan["path"]) == ("Nobody's", "/media/library/nobody.mp4")
    (twice,) = report["kinds"]["ambiguous"]["examples"]
    assert "/media/other/twice.mp4" in twice["detail"]

    now = {
        os.path.basename(item.parts[0].path): item
        for item in stage.plex.all_items()
        if not item.parts[0].path.startswith("/media/other")
    }
    assert now["drifted.mp4"].title == "The drifted quay"
    assert now["rated.mp4"].floats["userRating"] == 6.0
    assert now["stale.mp4"].texts["summary"] == "Lanterns along the wall."
    assert now["emptied.mp4"].title == "The emptied quay"
    assert now["nobody.mp4"].title == "Nobody's"
    # What a person wrote where Stash holds nothing is none of our business.
    assert now["drifted.mp4"].texts["summary"] == "Mine"
    assert stage.plex.whole_library_edits == 0

    status = stage.operation("status")["reconcile"]["last"]
    assert status["counts"]["drifted"] == 2
    assert (status["scope"], status["complete"], status["queued"]) == ("all", True, 6)
    stage.run_task("View Queue Status")
    assert "Last reconcile (all) at" in stage.log_text()
    assert (
        "1 missing in Plex (no file in Plex fits): scene 6 “The missing quay”." in stage.log_text()
    )

    # Again: what was mended is well, what waits or was given up is not doubled.
    stage.plex.clear_log()
    before = stage.rows("SELECT * FROM queue")
    again = stage.operation("reconcile_all")
    counts = {kind: found["count"] for kind, found in again["kinds"].items() if found["count"]}
    assert counts == {"missing_in_plex": 1, "ambiguous": 1, "orphan_in_plex": 1}
    assert again["queued"] == 0
    assert stage.rows("SELECT * FROM queue") == before
    assert stage.rows("SELECT reason FROM dead_letter") == [("ambiguous",)]
    assert stage.plex.count("PUT") == stage.plex.count("POST") == 0


def every_row(stage):
    return {table: stage.rows(f"SELECT * FROM {table}") for table in TABLES}


def test_a_dry_run_changes_nothing(make_stage):
    stage = make_stage(0, settings=OFF)
    for name in ("drifted", "moved", "stale"):
        add(stage, name, title=f"The {name} quay", details="Fog.")
    stage.run_task("Sync All Scenes")
    add(stage, "never synced", title="A new quay")
    with person(stage) as held:
        held["drifted.mp4"].editTitle("A title from Plex")
    (moved,) = (one for one in stage.plex.all_items() if "moved" in one.parts[0].path)
    stage.plex.readd_item(moved)
    stage.operation("status")
    before = every_row(stage)
    stage.plex.clear_log()
    stage.stash.clear_log()
    for scope in ("all", "recent", "7days", "missing-metadata"):
        said = command(stage, "reconcile", "--scope", scope, "--dry-run")
        assert "would be queued" in said
    report = json.loads(command(stage, "--json", "reconcile", "--dry-run"))
    assert (report["dry_run"], report["queued"], report["drained"]) == (True, 3, None)
    assert every_row(stage) == before
    assert {one.method for one in stage.plex.requests} == {"GET"}
    assert stage.stash.graphql_count > 0
    assert stage.stash.count(operation="^mutation") == 0
    assert command(stage, "reconcile", "--last") == "Nothing was reconciled yet.\n"


def test_the_report_and_the_exit_codes_of_the_command_line(make_stage):
    stage = make_stage(0, settings=OFF)
    scene = add(stage, "quay", title="The quay", details="Fog.")
    report = json.loads(command(stage, "--json", "reconcile"))
    assert report.pop("seconds") >= 0
    assert report.pop("started_at").endswith("Z")
    assert report["drained"].pop("seconds") >= 0
    requests = report.pop("requests")
    assert requests.keys() == {"stash", "plex"}
    nothing = {"count": 0, "examples": []}
    assert report == {
        "scope": "all",
        "dry_run": False,
        "complete": True,
        "problem": None,
        "scenes": 1,
        "in_sync": 0,
        "left_out": 0,
        "queued": 1,
        "unread": [],
        "kinds": {
            "missing_in_plex": nothing,
            "stale": nothing,
            "drifted": nothing,
            "empty": {
                "count": 1,
                "examples": [
                    {
                        "scene_id": scene.id,
                        "title": "The quay",
                        "path": "/data/quay.mp4",
                        "rating_key": "1",
                        "fields": ["title", "summary"],
                        "detail": "",
                    }
                ],
            },
            "ambiguous": nothing,
            "orphan_in_plex": nothing,
        },
        "drained": {"done": 1, "failed": 0, "later": 0, "left": 0, "gave_up": None},
    }
    assert stage.wrong() == []
    words = command(stage, "reconcile", "--scope", "recent")
    assert words.startswith("1 scene compared in ")
    assert "1 in sync, 0 queued." in words
    command(stage, "reconcile", "--scope", "yesterday", code=2)

    stage.plex.faults.add(Fault("status", method="GET", path="/sections", times=None, status=503))
    partial = json.loads(command(stage, "--json", "reconcile", code=3))
    assert (partial["complete"], partial["kinds"]["orphan_in_plex"]["count"]) == (False, None)
    assert "503" in partial["problem"]
    stage.run_task("Reconcile Library (All)")
    assert "Not complete: Plex answered its libraries with 503." in stage.log_text()
    assert stage.operation("status")["reconcile"]["last"]["complete"] is False
