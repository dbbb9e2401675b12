"""The settings on the page: shown, checked, saved beside what others stored."""

from __future__ import annotations

import pytest

from stash2plex.config import SPECS
from stash2plex.operations.settings import GROUPS
from tests.page.conftest import Page

TOKEN = "light-of-the-harbour"


def by_key(page):
    return {one["key"]: one for one in page.call("settings")["settings"]}


def test_every_setting_has_a_group():
    assert sorted(key for keys in GROUPS.values() for key in keys) == sorted(
        spec.key for spec in SPECS
    )


def test_settings_are_shown_with_limits_defaults_and_values_and_without_the_token(make_desk):
    desk = make_desk()
    page = Page(desk.app)
    page.call("save_settings", values={"plex_token": TOKEN, "max_tags": 50, "exclude_tags": "Fog"})
    shown = by_key(page)
    assert (shown["max_tags"]["value"], shown["max_tags"]["low"], shown["max_tags"]["whole"]) == (
        50, 1, True,
    )  # fmt: skip
    assert shown["reconcile_interval"]["choices"] == ["never", "hourly", "daily", "weekly"]
    assert shown["plex_token"]["is_set"]
    assert shown["plex_token"]["source"] == "command_line"
    assert shown["exclude_tags"]["type"] == "tags"
    assert TOKEN not in str(shown)
    assert desk.plex.token not in str(shown)


def test_saving_changes_only_what_is_given(make_desk):
    desk = make_desk()
    page = Page(desk.app)
    page.call("save_settings", values={"max_tags": 50})
    # Another tab stores something, and another plugin has its own.
    page.call("save_settings", values={"only_organized": True})
    assert page.call("save_settings", values={"max_retries": 7, "max_tags": ""}) == {
        "saved": ["max_retries", "max_tags"],
        "problems": [],
    }
    shown = by_key(page)
    assert (shown["max_retries"]["value"], shown["max_tags"]["is_set"]) == (7, False)
    assert shown["only_organized"]["value"] is True
    assert page.call("save_settings", values={"max_retries": 7})["saved"] == []


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("max_tags", 501, "1 to 500"),
        ("max_tags", "many", "1 to 500"),
        ("plex_url", "harbour", "http(s)://host:port"),
        ("plex_token", f"{TOKEN} {TOKEN}", "an X-Plex-Token"),
        ("skip_fields", "title smell", "“smell” cannot be used"),
        ("reconcile_interval", "yearly", "weekly"),
        ("smell", 1, "There is no such setting."),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_saved(make_desk, key, value, what):
    page = Page(make_desk().app)
    saved = page.call("save_settings", values={key: value, "max_retries": 7})
    assert saved["saved"] == []
    (problem,) = saved["problems"]
    assert problem["key"] == key
    assert what in problem["what"]
    assert TOKEN not in str(saved)
    assert not by_key(page)["max_retries"]["is_set"]
    assert page.call("check_settings", values={key: value})["ok"] is False


def test_a_check_counts_what_would_be_left_out(make_desk):
    desk = make_desk()
    fog = desk.stash.add_tag(name="Fog")
    desk.scene("a/1.mp4", tags=[fog], organized=True)
    desk.scene("a/2.mp4")
    checked = Page(desk.app).call(
        "check_settings", values={"exclude_tags": "Fog", "only_organized": True}
    )
    assert checked == {
        "ok": True,
        "problems": [],
        "counts": [
            {"key": "only_organized", "effect": "leaves_out", "number": 1, "of": 2},
            {"key": "exclude_tags", "effect": "leaves_out", "number": 1, "of": 2},
        ],
    }


def test_tags_are_found_by_a_part_of_their_name(make_desk):
    desk = make_desk()
    for name in ("Fog", "Foghorn", "Lantern"):
        desk.stash.add_tag(name=name)
    page = Page(desk.app)
    found = page.call("tags", search="fog", limit=1)
    assert (found["total"], [tag["name"] for tag in found["tags"]]) == (2, ["Fog"])


def test_libraries_are_listed_with_what_they_can_be_used_for(make_desk):
    desk = make_desk(plex_library="Harbour Films")
    desk.item("a/1.mp4")
    desk.plex.add_section("Serials", type="show", locations=["/serials"])
    page = Page(desk.app)
    assert page.call("page")["plex"]["asked_at"] is None
    listed = {one["title"]: one for one in page.call("libraries")["libraries"]}
    # What has just answered is not shown as “not asked yet”.
    assert page.call("page")["plex"]["name"]
    films = listed["Harbour Films"]
    assert (films["items"], films["usable"], films["chosen"]) == (1, True, True)
    assert listed["Serials"]["why"] == "TV shows cannot hold single scenes."


def test_without_a_plex_the_libraries_are_a_problem(make_desk):
    answer = Page(make_desk(plex_url="").app).call("libraries")
    assert answer["problem"]["what"] == "Plex URL is not set."
