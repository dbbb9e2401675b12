"""Settings as they are shown, checked and stored: empty values, spaces, zeros, and counts."""

from __future__ import annotations

import pytest

from tests.page.conftest import Page


def stored(desk):
    return desk.app.stash.stored("Stash2Plex").settings


def shown(page, key):
    return next(one for one in page.call("settings")["settings"] if one["key"] == key)


def test_values_are_trimmed_and_empty_ones_go_back_to_the_default(make_desk):
    desk = make_desk()
    page = Page(desk.app)
    desk.stash.configure_plugin("Stash2Plex", {"of another tab": "x"})
    values = {
        "plex_library": "  Quay ", "max_tags": 50, "only_organized": True, "max_retries": 7,
        "exclude_tags": "Fog",
    }  # fmt: skip
    assert page.call("save_settings", values=values) == {"saved": list(values), "problems": []}
    kept = {"of another tab": "x", **values, "plex_library": "Quay"}
    assert stored(desk) == kept
    # What is the same is not stored again.
    desk.stash.clear_log()
    same = {"plex_library": "Quay ", "max_tags": 50, "exclude_tags": "Fog"}
    assert page.call("save_settings", values=same) == {"saved": [], "problems": []}
    assert desk.stash.count(operation="configurePlugin") == 0
    emptied = {"plex_library": " ", "max_tags": 0, "only_organized": False, "exclude_tags": None}
    assert page.call("save_settings", values=emptied)["saved"] == list(emptied)
    assert stored(desk) == {"of another tab": "x", "only_organized": False, "max_retries": 7}
    assert page.call("save_settings", values={"max_tags": ""})["saved"] == []


def test_settings_of_others_are_listed_by_name(make_desk):
    desk = make_desk()
    desk.stash.configure_plugin("Stash2Plex", {"smell": 1, "fog": 2, "max_tags": 3})
    assert Page(desk.app).call("settings")["unknown"] == ["fog", "smell"]


def test_a_setting_shows_what_stash_has_and_what_is_used(make_desk):
    desk = make_desk(skip_fields="title date", path_map="/a=>/b; /c=>/d", exclude_tags="Fog, Ebb")
    desk.stash.configure_plugin(
        "Stash2Plex", {"max_tags": "no", "skip_fields": "rating", "max_retries": 0}
    )
    page = Page(desk.app)
    keys = ("value", "is_set", "effective", "source", "problem")
    for key, row in (
        ("skip_fields", ("rating", True, "date title", "command_line", None)),
        ("path_map", (None, False, "/a=>/b; /c=>/d", "command_line", None)),
        ("exclude_tags", (None, False, "Fog, Ebb", "command_line", None)),
        ("max_tags", ("no", True, 100, "stash", "Allowed: a whole number from 1 to 500.")),
        ("max_retries", (0, False, 5, "default", None)),
        ("plex_token", (None, False, None, "command_line", None)),
        ("plex_library", (None, False, "", "default", None)),
    ):
        one = shown(page, key)
        assert tuple(one[name] for name in keys) == row, key


def test_how_each_setting_is_picked(make_desk):
    rows = Page(make_desk().app).call("settings")["settings"]
    assert {row["key"]: row["type"] for row in rows} == {
        "plex_url": "string", "plex_token": "secret", "plex_library": "libraries",
        "path_map": "paths", "tls_insecure": "boolean", "only_organized": "boolean",
        "exclude_tags": "tags", "loose_matching": "boolean", "skip_not_found": "boolean",
        "skip_fields": "fields", "ignore_tags": "tags", "max_tags": "number",
        "preserve_plex_edits": "boolean", "background_worker": "choice",
        "reconcile_interval": "choice", "trigger_plex_scan": "boolean", "max_retries": "number",
        "connect_timeout": "number", "read_timeout": "number", "obfuscate_paths": "boolean",
        "debug_logging": "boolean",
    }  # fmt: skip
    whole = {row["key"]: row["whole"] for row in rows if row["type"] == "number"}
    assert whole == {
        "max_tags": True, "max_retries": True, "connect_timeout": False, "read_timeout": False,
    }  # fmt: skip
    assert {row["key"] for row in rows if row["choices"]} == {
        "background_worker", "reconcile_interval",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({}, []),
        ({"max_tags": 5}, []),
        ({"only_organized": False}, []),
        ({"exclude_tags": "Nowhere"}, []),
        ({"only_organized": True}, [("only_organized", 2, 3)]),
        ({"exclude_tags": "Fog, Nowhere"}, [("exclude_tags", 2, 3)]),
        # What cannot be used counts nothing.
        ({"exclude_tags": "Ebb", "max_tags": "no"}, [("exclude_tags", 1, 3)]),
    ],
)
def test_how_many_scenes_a_rule_would_leave_out(make_desk, values, counts):
    desk = make_desk()
    fog, ebb = desk.stash.add_tag(name="Fog"), desk.stash.add_tag(name="Ebb")
    desk.scene("1.mp4", size=1, tags=[fog])
    desk.scene("2.mp4", size=2, tags=[fog, ebb])
    desk.scene("3.mp4", size=3, organized=True)
    checked = Page(desk.app).call("check_settings", values=values)
    assert checked["ok"] is ("max_tags" not in values or values["max_tags"] != "no")
    assert [(one["key"], one["number"], one["of"]) for one in checked["counts"]] == counts
