"""Names that outlive a version: in the database of every user, and in what callers read."""

from __future__ import annotations

from importlib import import_module

import pytest

from stash2plex.rules.drift import Kind
from stash2plex.store import meta


def test_the_names_in_the_database_stay():
    stored = {
        "BACKGROUND_WORKER": "background_worker",
        "SETTINGS_FILE": "settings_file",
        "NOTIFIED_AT": "told_at",
        "TROUBLE": "trouble",
        "TROUBLE_NOTIFIED": "trouble_told",
        "HOOK_COST": "hook_cost",
        "STASH_LOGIN": "stash_login",
        "HOLD": "hold",
        "HEALTH_AT": "health_at",
        "SET_UP_STEP": "set_up_step",
        "CONFIGURED": "configured",
        "PLEX_SEEN": "plex_seen",
        "STASH_SEEN": "stash_seen",
        "HANDOVER_KEY": "handover ",
        "SETTINGS_SEEN": "settings_seen",
        "SETTINGS_OF_COMMAND_LINE": "settings_of_command_line",
        "TAG_LISTS": "tag_lists",
        "TAG_LISTS_OF_COMMAND_LINE": "tag_lists_of_command_line",
        "SCENES_AS_OF": "scenes_as_of",
        "CLIENT_ID": "plex_client_id",
        "PSEUDONYM_KEY": "alias_key",
        "OBFUSCATE": "obfuscate",
        "MACHINE_ID": "plex_machine_id",
        "CLEARED_MACHINE_ID": "plex_machine_id_cleared",
        "LEGACY_TAKEN": "legacy_taken",
        "LISTING": "plex_listing",
        "LISTING_WOKEN": "plex_listing_woken",
        "LIBRARY_SCAN": "library_scan ",
        "LIBRARY_TROUBLE": "library_trouble ",
        "OTHER_LIBRARIES": "other_libraries",
        "SWEEP_MARKS": "upkeep",
        "LOOK_ASKED": "look_asked",
        "COMPARED_AT": "compared_at",
        "REBUILD": "rebuild",
        "WATCHED_SINCE": "watched_since",
        "PUT_BACK_ASKED": "put_back_asked",
        "HISTORY_PRUNED": "history_pruned",
    }
    assert {key: getattr(meta, key) for key in stored} == stored


def test_the_kinds_of_a_reconcile_stay():
    assert [kind.value for kind in Kind] == [
        "missing_in_plex", "stale", "drifted", "empty", "ambiguous", "orphan_in_plex",
    ]  # fmt: skip


ENUMERATIONS: dict[str, list[str]] = {
    "rules.traits:Trait": [
        "adds",
        "replaces",
        "replaces_sets",
        "doubles",
        "one_removal",
        "rates_apart",
        "own_case",
        "own_form",
        "own_blanks",
        "own_marks",
        "cuts",
        "shifts_dates",
        "rounds",
        "loses",
    ],
    "rules.matching:Level": [
        "your choice",
        "the whole path",
        "the end of the path",
        "file name and size",
        "the file name",
    ],
    "store.surveys:SurveyKind": ["count_changes", "compare"],
    "model:Field": [
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
    ],
    "sync.reconcile:Scope": ["all", "recent", "7days", "missing-metadata"],
    "sync.sweep:Idle": [
        "in sync already",
        "put back, and left out since",
        "have no metadata yet",
        "not organized",
        "with an excluded tag",
        "without a file",
    ],
}
"""Values that are in the database, or that callers and users read, by `module:NAME`."""


@pytest.mark.parametrize("path", ENUMERATIONS)
def test_the_values_of_an_enumeration_stay(path):
    module, name = path.split(":")
    kinds = getattr(import_module(f"stash2plex.{module}"), name)
    assert [kind.value for kind in kinds] == ENUMERATIONS[path]


WORDS: dict[str, dict[str, object]] = {
    "rules.scene_states": {
        "IN_SYNC": "in_sync",
        "TO_SEND": "to_send",
        "SENDING": "sending",
        "WAITING": "waiting",
        "NOT_IN_PLEX": "not_in_plex",
        "GIVEN_UP": "given_up",
        "LEFT_OUT": "left_out",
        "EXCLUDED": "excluded",
        "NOT_ORGANIZED": "not_organized",
        "NO_METADATA": "no_metadata",
        "UNDONE": "undone",
        "LIBRARY": "library",
        "OTHER_SCENE": "other_scene",
        "UNKNOWN": "",
        "REASONS": {
            "excluded": "with an excluded tag",
            "not_organized": "not organized",
            "no_metadata": "without metadata",
            "undone": "undone",
            "library": "in a library that is not chosen",
            "other_scene": "whose Plex item shows another scene",
        },
    },
    "rules.endpoints": {
        "COVERS": "covers",
        "POSTERS": "posters",
        "BACKGROUNDS": "backgrounds",
    },
    "rules.memory": {
        "BACK": "+back",
        "BEFORE": "+before",
    },
    "rules.tag_lists": {
        "EXCLUDE": "exclude_tags",
        "EFFECTS": {
            "exclude_tags": "keeps its scenes out of Plex",
            "ignore_tags": "is not sent to Plex",
        },
    },
    "rules.sweep_schedule": {
        "ENTITIES": ("performer", "studio", "tag", "group"),
        "SWEPT_AFTER": ("Scanning", "Cleaning", "Importing"),
        "WATCHED": (
            "Scanning",
            "Cleaning",
            "Importing",
            "Auto-tagging",
            "Identifying",
            "Generating",
            "Batch stash-box",
        ),
        "SHOWING": (
            "skip_fields",
            "only_organized",
            "exclude_tags",
            "ignore_tags",
            "max_tags",
            "preserve_plex_edits",
        ),
        "MATCHING": ("plex_library", "path_map", "loose_matching"),
        "SETTINGS_CAUSE": "a setting has changed",
    },
    "rules.way_back": {
        "NOT_KEPT": "Plex accepts it but does not keep it",
        "EARLY": "it was written before the first states were kept",
        "NEWER": "a later write changed it once more",
        "NO_TITLE": "an item cannot be without a title",
    },
    "errors": {
        "BUSY": "busy",
        "SLOW": "slow",
        "NO_TLS": "no_tls",
        "CLOSED": "closed",
        "UNTRUSTED": "untrusted",
        "FIELD": "field",
        "ITEM": "item",
        "ENDPOINT": "endpoint",
        "LIBRARY": "library",
        "SERVER": "server",
    },
    "datadir": {
        "DATABASE_NAME": "stash2plex.db",
        "LOG_NAME": "worker.log",
        "START_LOG_NAME": "worker-start.log",
        "TROUBLE_NAME": "worker-trouble.json",
        "RIGHTS_FIX": "Make it writable for the user that runs Stash, or set STASH2PLEX_DATA_DIR.",
        "ELSEWHERE_FIX": "Set STASH2PLEX_DATA_DIR to another folder.",
    },
    "db": {
        "HELD_FIX": "Another program has locked it; try again in a minute.",
        "FULL_FIX": "Free some disk space; nothing that was stored is lost.",
        "RIGHTS_FIX": "Make it writable for the user that runs Stash.",
        "NO_COPY": "no_copy",
        "NO_LOGIN": "none",
    },
    "copies": {
        "FOLDER": "copies",
        "PART": ".part",
    },
    "store.history": {
        "SAVE": "save",
        "TASK": "task",
        "COMPARISON": "comparison",
        "UNDO": "undo",
        "BULK_EDIT": "bulk edit",
    },
    "store.holds": {
        "PAUSE": "pause",
        "SET_UP": "set_up",
        "STEPS": ("plex", "library", "files", "start"),
    },
    "store.metrics": {
        "SCENES": "scenes",
        "FIELDS": "fields",
        "EDIT": "edit_seconds",
        "DEAD": "dead",
        "RETRIED": "retried",
        "PUT_OFF": "put_off",
    },
    "store.names": {
        "WAITING": {
            "not_in_plex": "not in Plex yet",
            "unavailable": "waiting for a server",
            "library": "waiting for a library that Plex does not list",
            "stopped": "on hold, because a task was stopped",
            "pictures": "in Plex except for their pictures, which follow",
            "": "waiting for a moment",
        },
        "DEAD": "dead",
    },
    "store.meta": {
        "COLLECTIONS_LEFT": "collections_left",
        "SURVEY": "survey ",
    },
    "store.undo_marks": {
        "ALL": "all",
    },
    "sync.apply": {
        "KEPT": "+kept",
    },
    "sync.indexing": {
        "OWNER_FIX": "Put an X-Plex-Token of the server's owner into Plex token.",
    },
    "sync.reconcile": {
        "HEALED": ("not_in_plex", "ambiguous"),
    },
    "sync.undoing": {
        "GONE": "gone",
        "OTHER_SERVER": "other server",
        "OTHER_FILE": "other file",
    },
    "sync.worker": {
        "SWITCHED_OFF": "Background worker is off.",
    },
    "sync.settings_watch": {
        "CONNECTION": ("plex_url", "plex_token", "tls_insecure", "connect_timeout", "read_timeout"),
    },
    "operations.trouble": {
        "TRY_NOW": "try_now",
        "SIGN_IN": "sign_in",
        "SETTINGS": "settings",
        "RETRY": "retry",
        "HEALTH": "health",
    },
    "operations.surveys": {
        "LOST": "It was ended before every scene was seen. Start it again.",
    },
    "operations.sign_in": {
        "ANSWERED": "answered",
    },
    "operations.libraries": {
        "USABLE": "movie",
        "UNUSABLE": {
            "show": "TV shows cannot hold single scenes.",
            "artist": "Music cannot hold scenes.",
            "photo": "Photos cannot hold scenes.",
        },
    },
    "operations.health.checks": {
        "PASSED": "passed",
        "FAILED": "failed",
        "SKIPPED": "skipped",
    },
    "operations.health.local_checks": {
        "DATABASE": "database",
        "DISK": "disk",
        "WORKER": "worker",
        "BREAKER": "circuit breaker",
        "QUEUE": "queue",
        "DEAD": "dead letters",
        "SYNC": "last sync",
        "SAVES": "cost of a save",
    },
    "operations.health.match_checks": {
        "MATCHES": "matches",
        "PATHS": "path mapping",
    },
    "operations.health.server_checks": {
        "STASH": "Stash",
        "LOGIN": "Stash log-in",
        "SETTINGS": "settings",
        "CLOCKS": "clocks",
        "TAGS": "tags in settings",
        "PLEX": "Plex",
        "TOKEN": "Plex token",
        "SERVER": "Plex server",
        "RIGHTS": "edit rights",
        "LIBRARY": "Plex library",
        "STASH_FIX": "Start Stash; on a command line also check STASH2PLEX_STASH_URL.",
        "PLEX_FIX": "Start Plex, and correct Plex URL: it must work from where Stash runs.",
    },
    "operations.health.hook_checks": {
        "HOOKS": "hooks",
        "HOOKS_NAME": "Stash2Plex Hooks",
        "LATER": "Stash2Plex learns of a save only when it next looks at Stash.",
    },
    "servers.plexedit": {
        "TEXTS": {
            "title": "title",
            "summary": "summary",
            "studio": "studio",
            "tagline": "tagline",
            "date": "originallyAvailableAt",
        },
        "TAGS": {
            "performers": "actor",
            "tags": "genre",
            "director": "director",
            "collection": "collection",
        },
        "IMAGES": {"poster": ("posters", "thumb"), "background": ("arts", "art")},
    },
    "servers.plexraw": {
        "LISTS": {
            "genre": "Genre",
            "actor": "Role",
            "director": "Director",
            "collection": "Collection",
            "label": "Label",
        },
        "TEXTS": ("title", "studio", "summary", "tagline", "originallyAvailableAt"),
    },
    "servers.stash": {
        "ENTITY_CRITERIA": {
            "performer": "performers",
            "studio": "studios",
            "tag": "tags",
            "group": "groups",
        },
    },
    "servers.jobs": {
        "TASK_DESCRIPTION": "Running plugin task: ",
    },
    "ui.lines.health": {
        "MARKS": {"passed": "pass", "failed": "FAIL", "skipped": "skip"},
    },
    "ui.lines.status": {
        "STATE_WORDS": {
            "in_sync": "in sync",
            "to_send": "to send",
            "sending": "being sent",
            "waiting": "waiting",
            "not_in_plex": "not in Plex",
            "given_up": "given up",
            "left_out": "left out",
        },
    },
    "workqueue": {
        "KINDS": ("scene", "performer", "studio", "tag", "group"),
        "STOPPED": "stopped",
    },
    "app": {
        "PLUGIN_ID": "Stash2Plex",
        "HOOKS_ID": "Stash2PlexHooks",
        "PLEX_TV_VARIABLE": "STASH2PLEX_PLEX_TV_URL",
    },
}
"""Words in the database, in answers and in messages, by module and name."""


@pytest.mark.parametrize("module", WORDS)
def test_the_words_that_outlive_a_version_stay(module):
    found = import_module(f"stash2plex.{module}")
    assert {name: getattr(found, name) for name in WORDS[module]} == WORDS[module]
