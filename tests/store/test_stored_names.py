"""Names that outlive a version: in the database of every user, and in what callers read."""

from __future__ import annotations

from importlib import import_module

import pytest

from stash2plex.rules.drift import Kind
from stash2plex.store import meta


def test_the_names_in_the_database_stay():
    stored = {
        "background_worker",
        "settings_file",
        "told_at",
        "trouble",
        "trouble_told",
        "hook_cost",
        "stash_login",
        "hold",
        "health_at",
        "set_up_step",
        "configured",
        "plex_seen",
        "stash_seen",
        "handover ",
        "settings_seen",
        "settings_of_command_line",
        "tag_lists",
        "tag_lists_of_command_line",
        "scenes_as_of",
        "plex_client_id",
        "alias_key",
        "obfuscate",
        "plex_machine_id",
        "plex_machine_id_cleared",
        "legacy_taken",
        "plex_listing",
        "plex_listing_woken",
        "library_scan ",
        "library_trouble ",
        "other_libraries",
        "upkeep",
        "look_asked",
        "compared_at",
        "rebuild",
        "watched_since",
        "put_back_asked",
        "history_pruned",
    }
    assert stored <= {value for value in vars(meta).values() if isinstance(value, str)}


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
}
"""Values that are in the database, or that callers read, by `module:NAME`."""


@pytest.mark.parametrize("path", ENUMERATIONS)
def test_the_values_of_an_enumeration_stay(path):
    module, name = path.split(":")
    kinds = getattr(import_module(f"stash2plex.{module}"), name)
    assert [kind.value for kind in kinds] == ENUMERATIONS[path]
