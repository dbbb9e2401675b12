"""Written answers of the view Library."""

from __future__ import annotations

from typing import Any

from stash2plex_testing.page.common import AT, HOSTILE, NO_WORK, settled

ANSWERS: dict[str, Any] = {
    "library": {
        "scenes": settled(not_in_plex=31),
        "share": 0.9975,
        "looks": [
            {"kind": "sweep", "at": AT, "next_at": None, "words": "12 scenes had changed"},
            {"kind": "compare", "at": AT, "next_at": "2026-03-02T04:00:00Z", "words": None},
            {"kind": "index", "at": None, "next_at": None, "words": None},
        ],
        "libraries": [
            {
                "id": "1",
                "title": "Harbour Films",
                "items": 12000,
                "files": 12100,
                "with_scene": 11990,
                "without_scene": 110,
                "listed_at": AT,
                "compared_at": AT,
                "problem": None,
            }
        ],
    },
    "unknown_files": {
        "total": 110,
        "items": [
            {
                "rating_key": str(number),
                "path": f"/media/library/unknown/{number}.mp4",
                "library": "Harbour Films",
                "section_id": "1",
                "size": 7_000_000,
            }
            for number in range(25)
        ],
    },
    "compare": {
        "work": {
            **NO_WORK,
            "state": "ended",
            "began_at": AT,
            "ended_at": AT,
            "done": 12410,
            "total": 12410,
        },
        "seen": 12410,
        "in_sync": 12377,
        "differing": 2,
        "fields": {"title": 2},
        "missing": 31,
        "total": 2,
        "items": [
            {
                "scene_id": number,
                "title": title,
                "rating_key": str(number),
                "field": "title",
                "stash": title,
                "plex": "Harbour",
                "written": "Harbor",
            }
            for number, title in ((5, "Lantern Night"), (6, HOSTILE))
        ],
    },
}
