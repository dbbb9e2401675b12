"""Written answers of what the page polls and of the view Now."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from stash2plex_testing.page.common import AT, HOSTILE, SCENES, settled


def change(scene_id: int, title: str, **more: Any) -> dict[str, Any]:
    """Return a change that was sent."""
    return {
        "at": AT,
        "scene_id": scene_id,
        "title": title,
        "state": "sent",
        "fields": ["title", "tags", "poster"],
        "rating_key": str(7000 + scene_id),
        "reason": None,
        "words": None,
        "until": None,
        **more,
    }


PAGE: dict[str, Any] = {
    "version": "1",
    "plugin_version": "2.0.0",
    "now": AT,
    "set_up": {"done": True, "step": None, "held": False},
    "scenes": SCENES,
    "queue": {"pending": 1201, "in_progress": 3, "waiting": 31, "dead": 3},
    "rate_per_s": 17.2,
    "eta_s": 71,
    "last_sync_at": AT,
    "run": {
        "id": 4,
        "name": "Sync All Scenes",
        "by": "task",
        "began_at": AT,
        "done": 8611,
        "failed": 0,
        "later": 0,
        "left": 1204,
        "total": 9815,
    },
    "worker": {
        "choice": "auto",
        "running": True,
        "pid": 4711,
        "since": AT,
        "origin": "background worker",
        "why": None,
        "outlook": None,
    },
    "plex": {
        "state": "closed",
        "since": None,
        "refused": False,
        "problem": None,
        "do": None,
        "next_try_at": None,
        "asked_at": AT,
        "version": "1.42.2.10156-f737b826c",
        "name": "Harbour",
        "ms": 12.4,
        "libraries": ["Harbour Films"],
        "machine_id": "f00d",
        "web": "https://app.plex.tv/desktop/#!/server/f00d/details?key=%2Flibrary%2Fmetadata%2F",
    },
    "stash": {
        "state": "closed",
        "since": None,
        "refused": False,
        "problem": None,
        "do": None,
        "next_try_at": None,
        "asked_at": AT,
        "version": "v0.30.1",
    },
    "held": None,
    "sick": [],
    "changes": [
        change(17, "Lantern Day"),
        change(18, "Quay at Dusk", fields=["studio"]),
        change(
            19,
            "Night Ferry",
            state="waits",
            fields=[],
            reason="plex_busy",
            words="Plex was busy",
            until="2026-03-01T14:06:00Z",
        ),
        change(20, HOSTILE, fields=["summary"]),
    ],
    "troubles": 3,
}


def page(**more: Any) -> dict[str, Any]:
    """Return an answer of `page`; a map of `more` changes the map of the same name."""
    answer = deepcopy(PAGE)
    for name, value in more.items():
        whole = name in ("scenes", "run") or not isinstance(value, dict) or not answer[name]
        answer[name] = value if whole else {**answer[name], **value}
    return answer


WELL = page(
    scenes=settled(), run=None, troubles=0, queue={"pending": 0, "in_progress": 0, "dead": 0}
)

FRESH = page(
    scenes=settled(total=0),
    run=None,
    troubles=0,
    changes=[],
    set_up={"done": False, "step": "plex", "held": True},
    held={"by": "set_up", "since": AT, "task": None, "scenes": 0},
    plex={"asked_at": None, "version": None, "name": None, "ms": None, "web": None},
    last_sync_at=None,
)


def at_step(step: str) -> dict[str, Any]:
    """Return an answer of `page` in the first run, with `step` to be done next."""
    held = {"by": "set_up", "since": AT, "task": None, "scenes": 0}
    set_up = {"done": False, "step": step, "held": True}
    return page(run=None, set_up=set_up, held=held, troubles=0)


ANSWERS: dict[str, Any] = {
    "page": PAGE,
    "wake": {"started": False, "due": 0},
    "hold": {"held": FRESH["held"]},
    "pause": {"held": {"by": "pause", "since": AT, "task": None, "scenes": 0}},
    "resume": {"held": None, "started": True, "released": 0},
    "stop": {"stopped": ["Sync All Scenes"], "scenes": 1204, "held": None},
    "start": {"held": None, "job": "12"},
    "sync": {"changed": 1},
    "scenes": {
        "total": 31,
        "items": [
            {
                "scene_id": number,
                "title": f"Harbour {number}",
                "path": f"/data/harbour/Harbour {number:04}.mp4",
                "state": "not_in_plex",
                "reason": "not_in_plex",
                "words": "Plex does not have the file yet.",
                "since": AT,
                "until": None,
                "rating_key": None,
            }
            for number in range(1, 26)
        ],
    },
}
