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
        "ALIAS_KEY": "alias_key",
        "OBFUSCATE": "obfuscate",
        "MACHINE_ID": "plex_machine_id",
        "CLEARED_MACHINE_ID": "plex_machine_id_cleared",
        "LEGACY_TAKEN": "legacy_taken",
        "LISTING": "plex_listing",
        "LISTING_WOKEN": "plex_listing_woken",
        "LIBRARY_SCAN": "library_scan ",
        "LIBRARY_TROUBLE": "library_trouble ",
        "UPKEEP": "upkeep",
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
