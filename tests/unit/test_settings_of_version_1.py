"""Every setting of Stash2Plex 1.x: what a stored value means today."""

from __future__ import annotations

import pytest

from stash2plex.config import LEGACY_FLAGS, Settings, parse_settings
from stash2plex.model import Field

SAME = {
    "plex_url": "http://harbour:32400",
    "plex_token": "t" * 20,
    "max_retries": 7,
    "connect_timeout": 9.0,
    "read_timeout": 60.0,
    "max_tags": 50,
    "preserve_plex_edits": True,
    "trigger_plex_scan": True,
    "debug_logging": True,
    "obfuscate_paths": True,
    "reconcile_interval": "weekly",
}
"""Settings that kept name and meaning."""

TURNED = {
    "enabled": ("enabled", False),
    "strict_matching": ("loose_matching", True),
    "reconcile_missing": ("skip_not_found", True),
    "sync_master": ("skip_fields", frozenset(Field)),
    **{key: ("skip_fields", frozenset({field})) for key, field in LEGACY_FLAGS.items()},
}
"""Checkboxes that were on by default: what a stored `false` sets today."""

WITHOUT_MEANING = {
    "poll_interval": 30,  # the worker is woken by the save
    "reconcile_scope": "7days",  # a comparison on schedule covers everything, at little cost
}

OLD_KEYS = {
    "plex_url", "plex_token", "plex_library", "enabled", "max_retries", "poll_interval",
    "strict_matching", "preserve_plex_edits", "connect_timeout", "read_timeout", "max_tags",
    "sync_master", "sync_studio", "sync_summary", "sync_tagline", "sync_date", "sync_performers",
    "sync_tags", "sync_poster", "sync_background", "sync_collection", "trigger_plex_scan",
    "debug_logging", "obfuscate_paths", "reconcile_interval", "reconcile_scope",
    "reconcile_missing",
}  # fmt: skip
"""The settings of version 1.5.18, as its yml lists them."""


def test_no_setting_is_forgotten():
    assert {*SAME, *TURNED, *WITHOUT_MEANING, "plex_library"} == OLD_KEYS


@pytest.mark.parametrize("key", sorted(SAME))
def test_a_setting_of_the_same_name_has_the_same_value(key):
    settings, problems = parse_settings({key: SAME[key]})
    assert problems == []
    assert getattr(settings, key) == SAME[key] != getattr(Settings(), key)


@pytest.mark.parametrize("stored", [False, "false"])
@pytest.mark.parametrize("key", sorted(TURNED))
def test_a_box_that_was_unticked_keeps_its_meaning(key, stored):
    settings, problems = parse_settings({key: stored})
    name, value = TURNED[key]
    assert problems == []
    assert getattr(settings, name) == value != getattr(Settings(), name)


@pytest.mark.parametrize("key", sorted(TURNED))
def test_a_box_that_was_ticked_changes_nothing(key):
    assert parse_settings({key: True}) == (Settings(), [])


@pytest.mark.parametrize("key", sorted(WITHOUT_MEANING))
def test_a_setting_without_meaning_is_ignored(key):
    assert parse_settings({key: WITHOUT_MEANING[key]}) == (Settings(), [])


def test_several_libraries_stay_several():
    settings, _ = parse_settings({"plex_library": "Harbour Films, Lanterns"})
    assert settings.plex_library.text == "Harbour Films, Lanterns"


def test_a_new_setting_counts_before_an_old_one():
    settings, _ = parse_settings({"strict_matching": False, "loose_matching": False})
    assert not settings.loose_matching
    settings, _ = parse_settings({"sync_tags": False, "skip_fields": "poster"})
    assert settings.skip_fields == {Field.TAGS, Field.POSTER}


def test_a_switch_of_1x_that_is_neither_on_nor_off_takes_nothing_away():
    settings, _ = parse_settings({"sync_master": "perhaps"})
    assert settings.skip_fields == frozenset()
    settings, _ = parse_settings({"sync_master": "false"})
    assert settings.skip_fields == frozenset(Field)
