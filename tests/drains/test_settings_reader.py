"""The reader of the settings: one that switches the plugin off, and what a change forgets."""

from __future__ import annotations

import os

import pytest

from stash2plex.db import HOOK_COST, get_meta, set_meta
from stash2plex.errors import ConfigError


def test_a_plugin_that_an_old_setting_switched_off_says_where_to_turn_it_on(make_desk):
    desk = make_desk(enabled=False)
    with pytest.raises(ConfigError) as failure:
        desk.app.open_session()
    assert (failure.value.what, failure.value.fix) == (
        "Stash2Plex is switched off: the old setting “enabled” is stored as false.",
        "Turn it on again in the plugin's settings.",
    )


def test_the_cost_of_a_save_is_forgotten_when_a_setting_was_stored(make_desk):
    desk = make_desk()
    connection, reader = desk.app.store.connection, desk.app.settings_reader
    reader.stash_dir = os.path.dirname(desk.app.stash.config_path())
    known = []
    for value in (1, 1, 2):
        desk.stash.configure_plugin("Stash2Plex", {"max_tags": value})
        os.utime(desk.app.stash.config_path(), (value, value))
        reader.take_up()
        known.append(get_meta(connection, HOOK_COST))
        set_meta(connection, HOOK_COST, "0 {}")
    assert known == [None, "0 {}", None]
