"""Written answers of the view Settings."""

from __future__ import annotations

from typing import Any


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

ANSWERS: dict[str, Any] = {
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
}
