"""Every operation against the contract, through Stash, with the built archive."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest

from stash2plex.operations.health.report import NAMES
from stash2plex.tasks.registry import TASKS

OFF = {"background_worker": "off", "skip_fields": "poster background"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def fits(value, shape):
    """Compare a value with a shape: types, lists of one shape, objects with at least these keys."""
    if shape is TIME:
        return isinstance(value, str) and bool(TIME.fullmatch(value))
    if isinstance(shape, tuple):
        return any(fits(value, one) for one in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            key in value and fits(value[key], inner) for key, inner in shape.items()
        )
    if shape is float:
        # Stash sends a whole number on without a point.
        return type(value) in (float, int)
    if isinstance(shape, type):
        return type(value) is shape
    return value == shape


MAYBE_TIME = (TIME, None)
STATUS = {
    "queue": {"pending": int, "in_progress": int, "waiting": int, "dead": int},
    "synced": int,
    "last_sync_at": MAYBE_TIME,
    "rate_per_s": float,
    "eta_s": (int, None),
    "breaker": {
        "state": ("closed", "open", "half_open"),
        "since": MAYBE_TIME,
        "reason": (str, None),
    },
    "worker": {"running": bool, "pid": (int, None), "since": MAYBE_TIME},
    "plex": {"reachable": bool, "version": (str, None), "library": (str, None), "items": int},
    "version": str,
}
DEAD_LETTERS = {
    "total": int,
    "groups": [{"reason": str, "words": str, "fix": str, "total": int}],
    "items": [
        {
            "scene_id": int,
            "title": str,
            "path": str,
            "reason": str,
            "error": str,
            "attempts": int,
            "first_failed_at": TIME,
            "last_failed_at": TIME,
            "history": [{"at": TIME, "reason": str, "error": str}],
        }
    ],
}
HEALTH = {
    "checks": [
        {
            "name": str,
            "ok": bool,
            "state": ("passed", "failed", "skipped"),
            "detail": str,
            "fix": str,
        }
    ]
}
OUTAGE = {"server": ("plex", "stash"), "started_at": TIME, "seconds": int, "cause": str}
OUTAGES = {
    "watched_since": TIME,
    "current": [{**OUTAGE, "waiting": int, "next_probe_at": TIME}],
    "total": int,
    "outages": [{**OUTAGE, "ended_at": MAYBE_TIME, "waiting": int}],
    "windows": [
        {
            "server": ("plex", "stash"),
            "days": (7, 30, 365),
            "outages": int,
            "down_s": int,
            "mttr_s": (int, None),
            "mtbf_s": (int, None),
            "availability": float,
        }
    ],
}
CHANGED = {"changed": int}

CONTRACT = {
    "process_queue": str,
    "all": str,
    "recent": str,
    "queue_status": STATUS,
    "clear_queue": str,
    "clear_dlq": str,
    "purge_dlq": str,
    "retry_dlq": str,
    "recover_outage_jobs": str,
    "health_check": HEALTH,
    "outage_summary": OUTAGES,
    "clear_match_cache": str,
    "status": STATUS,
    "health": HEALTH,
    "outages": OUTAGES,
    "wake": {"started": bool, "due": int},
    "dead_letters": DEAD_LETTERS,
    "retry": CHANGED,
    "discard": CHANGED,
    "sync": CHANGED,
}
"""What each operation answers (contract §5); one of another file is tested beside it."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "process_queue": {"max_wait": 5},
    "retry": {"scene_ids": [1]},
    "discard": {"scene_ids": ["2"]},
    "sync": {"scene_ids": [1, "2"]},
    "purge_dlq": {"days": "30"},
    "retry_dlq": {"reason": "ambiguous"},
}


@pytest.fixture
def busy(make_stage):
    """A stage with an outage, a dead letter, and keys that wait."""
    stage = make_stage(4, settings=OFF)
    twin = stage.stash.add_scene(title="Twins", files=["/data/a/quay.mp4"])
    for folder in ("one", "two"):
        stage.plex.add_item(stage.section, file=f"/media/{folder}/a/quay.mp4")
    stage.run_task("Sync All Scenes")
    stage.plex.down()
    stage.edit(1, title="While Plex was away")
    with pytest.raises(RuntimeError, match="run the task again later"):
        stage.operation("process_queue", max_wait=1)
    stage.plex.up()
    stage.ids = {"twin": twin.id}
    return stage


def test_every_operation_answers_as_the_contract_says(busy):
    assert set(CONTRACT) <= {task.mode for task in TASKS}
    letters = busy.operation("dead_letters")
    assert [row["scene_id"] for row in letters["items"]] == [busy.ids["twin"]]
    (row,) = letters["items"]
    assert row["path"] == "/data/a/quay.mp4"
    assert row["history"][-1]["error"] == row["error"]
    assert letters["groups"][0]["words"] == "several Plex items fit"
    outages = busy.operation("outages")
    assert (outages["total"], len(outages["current"])) == (1, 1)
    for name in sorted(CONTRACT, key=lambda name: name in ("all", "clear_dlq")):
        answer = busy.operation(name, **ARGUMENTS.get(name, {}))
        assert fits(answer, CONTRACT[name]), f"{name}: {answer}"
    assert busy.plex.token not in busy.log_text()


def test_what_an_outage_killed_comes_back_and_what_a_scene_did_stays(busy):
    def bury(reason, ids):
        with sqlite3.connect(busy.database) as database:
            for number in ids:
                database.execute(
                    "INSERT OR REPLACE INTO dead_letter SELECT 'scene', ?, 'Pier', ?, 'x', 5,"
                    " started_at, started_at, '' FROM outage LIMIT 1",
                    (number, reason),
                )
        database.close()

    bury("unavailable", [1])
    bury("transient", [2])
    bury("rejected", [3])
    said = busy.operation("recover_outage_jobs")
    assert said.startswith(
        "Put 2 dead letters from outages back into the queue. Run “Process Queue” to send what is "
        "due. 2 stay: "
    )
    left = {row["scene_id"] for row in busy.operation("dead_letters")["items"]}
    assert left == {3, busy.ids["twin"]}
    only = busy.operation("dead_letters", reason="rejected")
    assert (only["total"], [row["scene_id"] for row in only["items"]]) == (1, [3])
    assert "Put 1 dead letter back" in busy.operation("retry_dlq", reason="rejected")
    with pytest.raises(RuntimeError, match="“reason”.*not_in_plex"):
        busy.operation("retry_dlq", reason="sharks")


def test_health_in_words_and_with_a_database_that_cannot_be_opened(make_stage):
    stage = make_stage(3, settings=OFF)
    stage.run_task("Sync All Scenes")
    stage.run_task("Health Check")
    assert f"All {len(NAMES)} checks pass." in stage.log_text()
    stage.run_task("Outage Summary Report")
    assert "No outage since" in stage.log_text()
    database = sqlite3.connect(stage.database)
    database.execute("PRAGMA user_version = 9000")
    database.close()
    checks = stage.operation("health")["checks"]
    (named,) = [check for check in checks if not check["ok"]]
    assert [check["name"] for check in checks if check["state"] == "passed"] == ["python"]
    assert named["name"] == "database"
    assert "Update the plugin" in named["fix"]
