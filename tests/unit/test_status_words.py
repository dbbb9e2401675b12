"""The status in lines and on a screen."""

from __future__ import annotations

import copy
from typing import Any

from stash2plex.sync.report import summary_of
from stash2plex.text import utc
from stash2plex.ui.lines.status import status_lines
from stash2plex.ui.screens import status_screen
from tests.harness.words import WHEN, drawn, hidden, reconciled

STATUS: dict[str, Any] = {
    "queue": {"pending": 1_200, "in_progress": 3, "waiting": 4, "dead": 5},
    "synced": 17,
    "last_sync_at": utc(WHEN),
    "rate_per_s": 2.5,
    "eta_s": 90,
    "breaker": {"state": "closed", "since": None, "reason": None, "refused": False},
    "worker": {
        "running": True, "pid": 17, "since": utc(WHEN), "origin": "service", "note": None,
        "why": None, "outlook": None,
        "handled": 40,
    },
    "stash": {"problem": None},
    "plex": {
        "reachable": True, "version": "1.43", "library": "Harbour Films", "items": 1,
        "problem": None,
        "traits": [],
    },
    "metrics": {
        "scenes": {"written": 8, "equal": 2, "skipped": 1},
        "edit_seconds": {"count": 8, "mean": 0.0204, "p50_below": 0.025, "p95_below": 0.05},
    },
    "background_worker": "auto",
    "named": {"waiting": [], "dead": []},
    "held": None,
    "scenes": {"as_of": None},
    "reconcile": {"last": None},
}  # fmt: skip


def changed(**parts):
    status = copy.deepcopy(STATUS)
    for name, value in parts.items():
        status[name] = {**status[name], **value} if isinstance(value, dict) else value
    return status


def both(status, hide=str):
    """Return a status in lines and on a screen."""
    return " ".join(status_lines(status)), drawn(status_screen(status, hide))


def test_a_status_while_it_works():
    lines, screen = both(STATUS)
    for said in (lines, screen):
        for fact in ("1,200 due, 3 in progress, 4 waiting for later", "17 scenes, the last at",
                     "8 scenes written", "an edit takes 20 ms", "1.43, “Harbour Films”, 1 item",
                     "service is running (process 17)", "about 1 min 30 s left"):  # fmt: skip
            assert fact in said
        assert "ait for Plex" not in said
    assert "5 given up" in lines
    assert "95 % below 0.05 s" in lines
    assert "2.5 per second" in lines
    assert "5 given up" in screen
    assert "3 needed no change" in screen
    assert "2.5/s" in screen


def test_a_status_without_a_past():
    fresh = changed(
        synced=0, last_sync_at=None, eta_s=None, queue=dict.fromkeys(STATUS["queue"], 0),
        metrics={"scenes": {}, "edit_seconds": {"count": 0, "mean": None}},
        plex={"library": None}, worker={"running": False},
    )  # fmt: skip
    lines, screen = both(fresh)
    assert "In sync: 0 scenes." in lines
    assert "no library listed yet" in lines
    assert "So far" not in lines
    assert "No worker is running now; the next change" in lines
    assert "idle" in screen
    assert "given up" not in screen
    assert "the last at" not in screen
    off_lines, off_screen = both({**fresh, "background_worker": "off"})
    for said in (off_lines, off_screen):
        assert "only tasks send anything" in said


def test_a_status_of_what_a_stopped_task_holds_and_of_work_whose_end_is_not_known():
    held = {"by": "stop", "task": "Sync All Scenes", "since": utc(WHEN), "scenes": 3}
    for said in both({**STATUS, "held": held, "eta_s": None}):
        assert "Sync All Scenes" in said
        assert "3 scenes" in said
        assert "left" not in said.partition("process 17")[2].partition("Plex")[0]
    for said in both({**STATUS, "held": {**held, "by": "gate"}}):
        assert "Sync All Scenes" not in said


def test_a_status_while_plex_is_away():
    open_ = {"state": "open", "since": utc(WHEN), "reason": "“secret” is asleep."}
    away = changed(
        breaker=open_, plex={"reachable": False, "problem": "“secret” refuses."}, eta_s=None
    )
    lines, screen = both(away)
    assert "Waiting for Plex since" in lines
    assert "waiting for Plex since" in screen
    for said in (lines, screen):
        assert "“secret” is asleep." in said
        assert "“secret” refuses." in said
    assert "secret" not in both(away, hidden)[1]
    # What the worker says of its waiting is newer than the breaker's reason.
    noted = changed(
        breaker=open_, worker={"why": "Plex is busy.", "outlook": "Next try in 8 s."}, eta_s=None
    )
    for said in both(noted):
        assert "Plex is busy. Next try in 8 s." in said
        assert "asleep" not in said


def test_a_status_with_a_stash_that_is_away_and_a_last_comparison():
    last = {**summary_of(reconciled().as_dict()), "queued": 3}
    status = changed(stash={"problem": "Stash wants a log-in."}, reconcile={"last": last})
    lines, screen = both(status)
    assert "Stash: Stash wants a log-in." in lines
    assert "Stash Stash wants a log-in." in screen
    assert "Last reconcile (all) at" in lines
