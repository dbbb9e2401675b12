"""Written answers of what stands on Stash's own pages."""

from __future__ import annotations

from typing import Any

from stash2plex_testing.page.common import AT, HOSTILE
from stash2plex_testing.page.now import PAGE

ANSWERS: dict[str, Any] = {
    "scene": {
        "scene_id": 1,
        "title": "Night Ferry",
        "path": "/data/harbour/Harbour 0001.mp4",
        "state": "in_sync",
        "why": "",
        "since": AT,
        "do": None,
        "machine_id": "f00d",
        "rating_key": "7001",
        "library": "Harbour Films",
        "web": PAGE["plex"]["web"] + "7001",
        "match": {
            "rating_key": "7001",
            "path": "/media/library/harbour/Harbour 0001.mp4",
            "matched_by": "path",
            "confidence": "certain",
            "mapped_path": None,
            "refusal": None,
            "shared_with": [],
            "candidates": [],
        },
        "choice": None,
        "queue": {
            "state": "none",
            "due_at": None,
            "attempts": 0,
            "snoozes": 0,
            "reason": None,
            "error": None,
            "history": [],
        },
        "last_sync": {
            "at": AT,
            "rating_key": "7001",
            "path": "/media/library/harbour/Harbour 0001.mp4",
            "matched_by": "path",
        },
        "fields": [
            {
                "field": "title",
                "stash": "Night Ferry",
                "plex": "Night Ferry",
                "written": "Night Ferry",
                "state": "equal",
            },
            {
                "field": "tags",
                "stash": ["Lanterns", "quay"],
                "plex": ["Lanterns", "Quay"],
                "written": ["Lanterns", "quay"],
                "state": "spelling",
            },
            {"field": "summary", "stash": HOSTILE, "plex": "", "written": None, "state": "kept"},
        ],
        "unknown": [],
    },
    "entity": {
        "kind": "performer",
        "id": 1,
        "scenes": 12,
        "not_in_sync": 3,
        "states": {"in_sync": 9, "to_send": 3},
    },
}
