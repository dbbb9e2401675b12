"""Written answers of the view History."""

from __future__ import annotations

from typing import Any

from stash2plex_testing.page.common import AT

DAYS = [
    {
        "date": f"2026-{1 + number // 28:02}-{1 + number % 28:02}",
        "plex": None if number < 10 else 0.95 if number in (40, 70) else 0.5 if number == 55 else 1,
        "stash": None if number < 10 else 1,
        "outages": int(number in (40, 55, 70)),
    }
    for number in range(90)
]

ANSWERS: dict[str, Any] = {
    "runs": {
        "total": 1,
        "items": [
            {
                "id": 4,
                "name": "Sync All Scenes",
                "state": "ended",
                "began_at": AT,
                "ended_at": AT,
                "queued": 12410,
                "found": 12410,
                "done": 9815,
                "failed": 3,
                "later": 0,
                "removed": 0,
                "held": 0,
            }
        ],
    },
    "history": {
        "total": 1,
        "items": [
            {
                "at": AT,
                "run_id": 4,
                "cause": "task",
                "scene_id": 17,
                "title": "Lantern Day",
                "rating_key": "7017",
                "fields": {
                    "title": {"before": "harbour_0017", "sent": "Lantern Day", "shown": None},
                    "tags": {"before": [], "sent": ["quay"], "shown": ["Quay"]},
                    "poster": {"before": "", "sent": "cd2e007333ff", "shown": "cd2e007333ff"},
                },
            }
        ],
    },
    "undo": {
        "queued": 9812,
        "theirs": 2,
        "cannot": 1,
        "gone": 0,
        "pictures": 19624,
        "own_pictures": 19000,
        "may_stay": 0,
    },
    "outages": {
        "watched_since": AT,
        "current": [],
        "total": 3,
        "outages": [
            {
                "server": "plex",
                "started_at": AT,
                "ended_at": AT,
                "seconds": 5400,
                "kind": "outage",
                "cause": "Plex refused the connection.",
                "cured": True,
                "waiting": 12,
            }
        ],
        "windows": [
            {
                "server": "plex",
                "days": 30,
                "outages": 3,
                "down_s": 9000,
                "mttr_s": 3000,
                "mtbf_s": 860000,
                "availability": 0.9965,
            }
        ],
        "days": DAYS,
    },
}
