"""Written answers of the first run."""

from __future__ import annotations

from typing import Any

from stash2plex_testing.page.common import AT, HOSTILE, NO_WORK

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

ANSWERS: dict[str, Any] = {
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
        "scenes": 12410,
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
}
