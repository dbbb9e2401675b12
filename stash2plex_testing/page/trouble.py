"""Written answers of the view Trouble."""

from __future__ import annotations

from typing import Any

from stash2plex_testing.page.common import AT, HOSTILE


def dead_letters(number: int, offset: int = 0, limit: int = 25) -> dict[str, Any]:
    """Return a page of `number` dead letters."""
    items = [
        {
            "scene_id": one,
            "kind": "scene",
            "title": HOSTILE if one == 3 else f"Harbour {one}",
            "path": f"/data/harbour/Harbour {one:04}.mp4",
            "reason": "ambiguous",
            "words": "Several Plex items fit.",
            "fix": "Choose the item that belongs to the scene.",
            "error": "Scene “Harbour”: 2 Plex items fit.",
            "attempts": 5,
            "first_failed_at": AT,
            "last_failed_at": AT,
            "history": [{"at": AT, "reason": "ambiguous", "error": "2 Plex items fit."}],
        }
        for one in range(offset + 1, min(offset + limit, number) + 1)
    ]
    group = {
        "reason": "ambiguous",
        "words": "Several Plex items fit",
        "fix": "Choose one",
        "total": number,
        "last_failed_at": AT,
    }
    return {"total": number, "groups": [group], "items": items}


ANSWERS: dict[str, Any] = {
    "trouble": {
        "cards": [
            {
                "kind": "library",
                "name": "Old Harbour",
                "what": "“Old Harbour” does not answer.",
                "do": "See whether its disk is mounted.",
                "since": AT,
                "last_at": AT,
                "number": 40,
                "action": "try_now",
                "setting": None,
            },
            {
                "kind": "setting",
                "name": "max_tags",
                "what": "Max tags is not a number.",
                "do": "Enter a whole number from 1 to 500.",
                "since": None,
                "last_at": None,
                "number": None,
                "action": "settings",
                "setting": "max_tags",
            },
            {
                "kind": "scenes",
                "name": "ambiguous",
                "what": "Several Plex items fit",
                "do": "Choose the item that belongs to each scene.",
                "since": AT,
                "last_at": AT,
                "number": 3,
                "action": "retry",
                "setting": None,
            },
        ],
        "legacy": None,
        "health_at": AT,
    },
    "dead_letters": dead_letters(3),
    "retry": {"changed": 1},
    "discard": {"changed": 1},
    "retry_reason": {"changed": 3},
    "discard_reason": {"changed": 3},
    "candidates": {
        "scene_id": 1,
        "title": "Harbour 1",
        "path": "/data/harbour/Harbour 0001.mp4",
        "size": 1_400_000_000,
        "duration_s": 1800.0,
        "year": 2021,
        "choice": None,
        "candidates": [
            {
                "rating_key": str(81 + number),
                "library": library,
                "title": "Harbour 1",
                "year": 2021,
                "path": f"/media/{library}/Harbour 0001.mp4",
                "size": size,
                "duration_s": 1800.0,
                "poster": None,
                "why": None,
                "chosen": False,
            }
            for number, (library, size) in enumerate(
                [("Harbour Films", 1_400_000_000), ("Old Harbour", 900_000_000)]
            )
        ],
        "unknown": [],
    },
    "choose_item": {
        "scene_id": 1,
        "rating_key": "81",
        "path": "/media/Harbour Films/Harbour 0001.mp4",
        "queued": True,
    },
    "forget_choice": {"forgotten": 1, "queued": True},
    "health": {
        "checks": [
            {"name": "Stash", "ok": True, "state": "passed", "detail": "v0.30.1", "fix": ""},
            {
                "name": "Library",
                "ok": False,
                "state": "failed",
                "detail": "“Old Harbour” does not answer.",
                "fix": "See whether its disk is mounted.",
            },
        ]
    },
    "import_legacy": {
        "queued": 14,
        "waiting": 12,
        "dead": 2,
        "unreadable": 0,
        "damaged": [],
        "left": ["stats.json"],
    },
    "report": {
        "report": ["== Versions ==", "Stash2Plex: 2.0.0, schema 17", "", "== Status ==", "…"]
    },
}
