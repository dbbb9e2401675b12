"""Answers of the operations as their schema has them, for tests and pictures of the page."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

AT = "2026-03-01T14:05:12Z"
NO_WORK = {
    "state": "none",
    "began_at": None,
    "ended_at": None,
    "done": 0,
    "total": None,
    "problem": None,
}
HOSTILE = "שלום <script>window.hacked = 1</script> " + "Very long harbour " * 15
"""A title of 300 characters, from right to left, with a script in it."""

SCENES: dict[str, Any] = {
    "total": 12410,
    "in_sync": 11172,
    "to_send": 1201,
    "sending": 3,
    "waiting": 0,
    "not_in_plex": 31,
    "given_up": 3,
    "left_out": 0,
    "as_of": AT,
    "left_out_because": {},
}


def settled(**more: int) -> dict[str, Any]:
    """Return counts of a library in which nothing is under way."""
    counts = {**SCENES, "to_send": 0, "sending": 0, "not_in_plex": 0, "given_up": 0, **more}
    rest = sum(counts[name] for name in ("waiting", "not_in_plex", "given_up", "left_out"))
    counts["in_sync"] = counts["total"] - rest - counts["to_send"] - counts["sending"]
    return counts


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

FIELDS = [
    {
        "field": "title",
        "held": "harbour_0017",
        "becomes": "Lantern Day",
        "added": [],
        "removed": [],
    },
    {"field": "studio", "held": None, "becomes": "Old Harbour", "added": [], "removed": []},
    {
        "field": "tags",
        "held": ["Quay"],
        "becomes": ["Quay", "Lanterns", "Night"],
        "added": ["Lanterns", "Night"],
        "removed": [],
    },
]


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


def setting(key: str, group: str, type_: str, **more: Any) -> dict[str, Any]:
    """Return a setting that is not set."""
    return {
        "key": key,
        "group": group,
        "label": key.replace("_", " ").capitalize(),
        "type": type_,
        "help": f"What {key.replace('_', ' ')} means.",
        "allowed": "",
        "default": None,
        "default_words": "none",
        "required": False,
        "value": None,
        "is_set": False,
        "effective": None,
        "low": None,
        "high": None,
        "whole": False,
        "choices": None,
        "source": "default",
        "problem": None,
        **more,
    }


TWELVE = [
    "title",
    "summary",
    "studio",
    "tagline",
    "date",
    "rating",
    "performers",
    "tags",
    "director",
    "collection",
    "poster",
    "background",
]
SETTINGS = {
    "settings": [
        setting(
            "plex_url",
            "connection",
            "string",
            value="http://plex:32400",
            is_set=True,
            required=True,
        ),
        setting("plex_token", "connection", "secret", is_set=True, required=True),
        setting("plex_library", "scenes", "libraries", default_words="every movie library"),
        setting("exclude_tags", "scenes", "tags", value='Lanterns, "Quay, old"', is_set=True),
        setting("only_organized", "scenes", "boolean", default=False, default_words="off"),
        setting("skip_fields", "content", "fields", choices=TWELVE),
        setting("preserve_plex_edits", "plex_edits", "boolean", default_words="off"),
        setting(
            "reconcile_interval",
            "when",
            "choice",
            choices=["never", "hourly", "daily", "weekly"],
            default_words="daily",
        ),
        setting("max_retries", "patience", "number", low=1, high=20, whole=True, default_words="5"),
        setting("obfuscate_paths", "privacy", "boolean", default_words="off"),
    ],
    "unknown": [],
}

ADDRESSES = [
    {
        "url": "http://192.168.1.10:32400",
        "local": True,
        "relay": False,
        "state": "answered",
        "ms": 8.0,
        "words": "",
    },
    {
        "url": "https://harbour.example:32400",
        "local": False,
        "relay": False,
        "state": "unreachable",
        "ms": None,
        "words": "",
    },
]

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
    "page": PAGE,
    "wake": {"started": False, "due": 0},
    "hold": {"held": FRESH["held"]},
    "pause": {"held": {"by": "pause", "since": AT, "task": None, "scenes": 0}},
    "resume": {"held": None, "started": True, "released": 0},
    "stop": {"stopped": ["Sync All Scenes"], "scenes": 1204, "held": None},
    "start": {"held": None, "job": "12"},
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
        "health_at": AT,
    },
    "dead_letters": dead_letters(3),
    "retry": {"changed": 1},
    "discard": {"changed": 1},
    "retry_reason": {"changed": 3},
    "discard_reason": {"changed": 3},
    "sync": {"changed": 1},
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
    "settings": SETTINGS,
    "check_settings": {
        "ok": True,
        "problems": [],
        "counts": [{"key": "only_organized", "effect": "leaves_out", "number": 214, "of": 12410}],
    },
    "save_settings": {"saved": ["plex_url"], "problems": []},
    "tags": {
        "total": 2,
        "tags": [
            {"id": 1, "name": "Lanterns", "aliases": [], "scenes": 214},
            {"id": 2, "name": "Quay, old", "aliases": [], "scenes": 12},
        ],
    },
    "libraries": {
        "libraries": [
            {
                "id": "1",
                "title": "Harbour Films",
                "type": "movie",
                "items": 12000,
                "usable": True,
                "chosen": True,
                "why": None,
                "locations": ["/media/library"],
            },
            {
                "id": "2",
                "title": "Harbour Series",
                "type": "show",
                "items": 40,
                "usable": False,
                "chosen": False,
                "why": "TV shows cannot hold single scenes.",
                "locations": ["/media/series"],
            },
        ]
    },
    "sign_in": {
        "id": 77,
        "code": "WXYZ",
        "address": "https://app.plex.tv/auth#?clientID=stash2plex&code=WXYZ",
        "expires_at": "2036-03-01T14:20:12Z",
        "poll_s": 0.2,
    },
    "sign_in_poll": {
        "state": "agreed",
        "words": None,
        "retry_s": 0.2,
        "expires_at": None,
        "servers": [
            {
                "machine_id": "f00d",
                "name": "Harbour",
                "owner": None,
                "owned": True,
                "version": "1.42.2.10156",
                "addresses": ADDRESSES,
                "best": ADDRESSES[0]["url"],
                "advice": None,
            }
        ],
    },
    "choose_server": {
        "saved": ["plex_url", "plex_token"],
        "name": "Harbour",
        "url": ADDRESSES[0]["url"],
    },
    "connect": {
        "address": ADDRESSES[0],
        "name": "Harbour",
        "version": "1.42.2.10156",
        "machine_id": "f00d",
    },
    "paths": {
        "source": "worked_out",
        "rules": [{"stash": "/data", "plex": "/media/library", "files": 11990}],
        "words": "What is below /data in Stash is below /media/library in Plex.",
        "examples": [
            {
                "scene_id": number,
                "title": f"Harbour {number}",
                "stash": f"/data/harbour/Harbour {number:04}.mp4",
                "plex": f"/media/library/harbour/Harbour {number:04}.mp4",
                "stash_root": "/data",
                "plex_root": "/media/library",
            }
            for number in (1, 2, 3)
        ],
        "matched": 11990,
        "total": 12410,
        "as_of": AT,
        "missing": [{"folder": "/data/new", "scenes": 400}, {"folder": "/data/odd", "scenes": 20}],
        "missing_total": 420,
        "problem": None,
    },
    "preview_some": {
        "seen": 10,
        "changing": 2,
        "unchanged": 8,
        "left_out": 0,
        "not_matched": 0,
        "scenes": [
            {
                "scene_id": number,
                "title": title,
                "rating_key": str(7000 + number),
                "matched_by": "path",
                "fields": FIELDS,
                "pictures": ["poster"],
                "locks": [],
                "kept": [],
                "cover": f"scene/{number}/screenshot",
            }
            for number, title in ((1, "Lantern Day"), (2, HOSTILE))
        ],
        "problems": [],
    },
    "count_changes": {
        "work": {
            **NO_WORK,
            "state": "ended",
            "began_at": AT,
            "ended_at": AT,
            "done": 12410,
            "total": 12410,
        },
        "changing": 9815,
        "unchanged": 2175,
        "not_matched": {"not_in_plex": 420},
        "left_out": {},
        "fields": {"title": 9000, "tags": 8000},
    },
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
    "entity": {
        "kind": "performer",
        "id": 1,
        "scenes": 12,
        "not_in_sync": 3,
        "states": {"in_sync": 9, "to_send": 3},
    },
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
}

OTHER_ANSWERS: dict[str, Any] = {
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
}
"""Answers that the contract names and the schema of the page does not have yet."""


def at_step(step: str) -> dict[str, Any]:
    """Return an answer of `page` in the first run, with `step` to be done next."""
    held = {"by": "set_up", "since": AT, "task": None, "scenes": 0}
    set_up = {"done": False, "step": step, "held": True}
    return page(run=None, set_up=set_up, held=held, troubles=0)


def _friendly() -> dict[str, Any]:
    """Replace the title that is there to break things, for pictures."""

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: named(one) for name, one in value.items()}
        if isinstance(value, list):
            return [named(one) for one in value]
        return "Paper Boats at the Weir" if value == HOSTILE else value

    return {name: named(answer) for name, answer in {**ANSWERS, **OTHER_ANSWERS}.items()}


FRIENDLY = _friendly()
"""Every answer without the title that is there to break things."""
