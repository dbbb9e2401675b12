"""The settings as the page shows, checks and saves them. The token is shown as set or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import fields_dict

from stash2plex.app import PLUGIN_ID, App
from stash2plex.config import SPECS, Settings, Spec, parse_settings
from stash2plex.namelist import NameList
from stash2plex.servers.stash_deeds import store_settings
from stash2plex.servers.stash_lists import count_scenes

TOKEN = "plex_token"  # noqa: S105 - the name of a setting

GROUPS = {
    "connection": ("plex_url", TOKEN, "plex_library", "path_map", "tls_insecure"),
    "scenes": ("only_organized", "exclude_tags", "loose_matching", "skip_not_found"),
    "content": ("skip_fields", "ignore_tags", "max_tags"),
    "plex_edits": ("preserve_plex_edits",),
    "when": ("background_worker", "reconcile_interval", "trigger_plex_scan"),
    "patience": ("max_retries", "connect_timeout", "read_timeout"),
    "privacy": ("obfuscate_paths", "debug_logging"),
}
"""The settings by group, in the order in which the page shows them."""

KINDS = {
    TOKEN: "secret",
    "plex_library": "libraries",
    "path_map": "paths",
    "skip_fields": "fields",
    "exclude_tags": "tags",
    "ignore_tags": "tags",
}
"""How the page lets the user pick a setting, if that is not told by its type or choices."""


def settings_json(app: App) -> dict[str, Any]:
    """Return every setting with its value in Stash, what is used, and what is wrong with it."""
    stored = app.stash.stored(PLUGIN_ID).settings
    overrides = app.settings_reader.overrides
    used, _ = parse_settings({**stored, **overrides})
    specs = {spec.key: spec for spec in SPECS}
    return {
        "settings": [
            _setting_json(specs[key], group, stored, overrides, used)
            for group, keys in GROUPS.items()
            for key in keys
        ],
        "unknown": sorted(key for key in stored if key not in specs),
    }


def _setting_json(
    spec: Spec,
    group: str,
    stored: Mapping[str, object],
    overrides: Mapping[str, object],
    used: Settings,
) -> dict[str, Any]:
    secret = spec.key == TOKEN
    is_set = not _is_empty(spec, stored.get(spec.key))
    source = "stash" if is_set else "default"
    if spec.key in overrides:
        source = "command_line"
    default = fields_dict(Settings)[spec.key].default
    number = spec.type == "NUMBER"
    return {
        "key": spec.key,
        "group": group,
        "label": spec.label,
        "type": KINDS.get(spec.key) or ("choice" if spec.choices else spec.type.lower()),
        "help": spec.meaning,
        "allowed": spec.allowed,
        "default": default if isinstance(default, (bool, int, float)) or spec.choices else None,
        "default_words": spec.default,
        "required": spec.is_required,
        "value": None if secret else stored.get(spec.key),
        "is_set": is_set,
        "effective": None if secret else _shown(getattr(used, spec.key)),
        "low": spec.low,
        "high": spec.high,
        "whole": number and isinstance(default, int),
        "choices": list(spec.choices) or None,
        "source": source,
        "problem": _problem(spec, stored.get(spec.key)),
    }


def _shown(value: object) -> object:
    """Return a setting's value as the user would type it."""
    if isinstance(value, NameList):
        return value.text
    if isinstance(value, frozenset):
        return " ".join(sorted(value))
    if isinstance(value, tuple):
        return "; ".join(f"{stash}=>{plex}" for stash, plex in value)
    return value


def _is_empty(spec: Spec, value: object) -> bool:
    return value is None or value == "" or (spec.type == "NUMBER" and value == 0)


def _problem(spec: Spec, value: object) -> str | None:
    """Return what is wrong with a value; None if it can be used. A token is never shown."""
    if _is_empty(spec, value):
        return None
    try:
        spec.parse(value)
    except (ValueError, TypeError) as error:
        wrong = f" {error} cannot be used." if str(error) and spec.key == "skip_fields" else ""
        return f"Allowed: {spec.allowed}.{wrong}"
    return None


def check_values(app: App, values: Mapping[str, object]) -> dict[str, Any]:
    """Check values before they are saved, and count what some of them would change."""
    problems = problems_of(values)
    wrong = {problem["key"] for problem in problems}
    good = {key: value for key, value in values.items() if key not in wrong}
    return {"ok": not problems, "problems": problems, "counts": _counts(app, good)}


def problems_of(values: Mapping[str, object]) -> list[dict[str, str]]:
    """Return what is wrong with values, each with its key."""
    specs = {spec.key: spec for spec in SPECS}
    problems = []
    for key, value in values.items():
        spec = specs.get(key)
        what = "There is no such setting." if spec is None else _problem(spec, value)
        if what:
            problems.append({"key": key[:60], "what": what})
    return problems


def _counts(app: App, values: Mapping[str, object]) -> list[dict[str, Any]]:
    """Count the scenes that rules among these values would leave out. Raises what Stash raises."""
    criteria: dict[str, dict[str, object]] = {}
    settings, _ = parse_settings({key: value for key, value in values.items() if key != TOKEN})
    if settings.only_organized:
        criteria["only_organized"] = {"organized": False}
    if settings.exclude_tags:
        lists = app.settings_reader.read_tags(settings, app.stash)
        excluded = lists.lists.get("exclude_tags")
        ids = [str(tag.id) for tag in excluded.tags] if excluded else []
        if ids:
            criteria["exclude_tags"] = {"tags": {"value": ids, "modifier": "INCLUDES"}}
    if not criteria:
        return []
    total = app.stash.count_scenes()
    return [
        {
            "key": key,
            "effect": "leaves_out",
            "number": count_scenes(app.stash.link, criterion),
            "of": total,
        }
        for key, criterion in criteria.items()
    ]


def save_values(app: App, values: Mapping[str, object]) -> dict[str, Any]:
    """Save the given settings beside what Stash has now; nothing if one of them is wrong.

    An empty value goes back to the default. What others stored meanwhile stays as it is.
    """
    problems = problems_of(values)
    if problems:
        return {"saved": [], "problems": problems}
    specs = {spec.key: spec for spec in SPECS}
    stored = dict(app.stash.stored(PLUGIN_ID).settings)
    changed = []
    for key, value in values.items():
        new = value.strip() if isinstance(value, str) else value
        old = stored.get(key)
        if _is_empty(specs[key], new):
            stored.pop(key, None)
        else:
            stored[key] = new
        if stored.get(key) != old:
            changed.append(key)
    if changed:
        store_settings(app.stash.link, PLUGIN_ID, stored)
        app.settings_reader.take_up()
    return {"saved": changed, "problems": []}
