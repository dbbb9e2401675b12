"""What the page decides, run in QuickJS: no browser."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import quickjs

from stash2plex_testing.page import answers as canned
from stash2plex_testing.page.site import PLUGIN

RULES = ("pace", "links", "topline", "figures", "spans", "choices")


class Rules:
    """The modules below ui/rules, called with JSON."""

    def __init__(self) -> None:
        self._context = quickjs.Context()
        for name in RULES:
            with open(os.path.join(PLUGIN, "ui", "rules", f"{name}.js"), encoding="utf-8") as file:
                self._context.eval(file.read())

    def call(self, name: str, *values: Any) -> Any:
        text = ", ".join(json.dumps(value) for value in values)
        answer = self._context.eval(f"JSON.stringify(Stash2Plex.{name}({text}))")
        return None if answer is None else json.loads(answer)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules()


class TestPace:
    @pytest.mark.parametrize(
        ("watched", "draining", "failures", "wait"),
        [
            ("page", True, 0, 2_000),
            ("page", False, 0, 15_000),
            ("badge", True, 0, 60_000),
            ("page", True, 1, 30_000),
            ("page", False, 3, 120_000),
            ("badge", False, 40, 300_000),
        ],
    )
    def test_the_wait_until_the_next_question(self, rules, watched, draining, failures, wait):
        asked = {"visible": True, "watched": watched, "draining": draining, "failures": failures}
        assert rules.call("pace.nextAsk", asked) == wait

    def test_a_hidden_page_asks_nothing(self, rules):
        asked = {"visible": False, "watched": "page", "draining": True, "failures": 0}
        assert rules.call("pace.nextAsk", asked) is None

    def test_nobody_watches(self, rules):
        asked = {"visible": True, "watched": "", "draining": True, "failures": 0}
        assert rules.call("pace.nextAsk", asked) is None

    def test_a_worker_without_a_run_drains_too(self, rules):
        assert rules.call("pace.isDraining", canned.page(run=None))
        idle = canned.page(run=None, scenes=canned.settled(to_send=5), worker={"running": False})
        assert not rules.call("pace.isDraining", idle)
        held = canned.page(held={"by": "pause", "since": None, "task": None, "scenes": 0})
        assert not rules.call("pace.isDraining", held)


HELD = {"since": canned.AT, "task": "Sync All Scenes", "scenes": 9}
SICK = {
    "part": "library",
    "name": "Old Harbour",
    "what": "“Old Harbour” does not answer.",
    "do": "",
    "since": canned.AT,
    "scenes": 40,
    "next_try_at": None,
}
IDLE = {"run": None, "worker": {"running": False}}


class TestTopLine:
    @pytest.mark.parametrize(
        ("page", "line", "action"),
        [
            (canned.FRESH, "set_up", "set_up"),
            (canned.at_step("files"), "set_up_goes_on", "set_up"),
            (canned.page(plex={"refused": True, "state": "open"}), "token", "sign_in"),
            (canned.page(plex={"state": "open"}), "plex_away", "wake"),
            (canned.page(plex={"state": "half_open"}), "plex_away", "wake"),
            (canned.page(stash={"state": "open"}), "stash_away", "wake"),
            (canned.page(held={"by": "pause", **HELD}), "paused", "resume"),
            (canned.page(held={"by": "stop", **HELD}), "stopped", "resume"),
            (canned.page(held={"by": "set_up", **HELD}), "set_up", "set_up"),
            (canned.page(sick=[SICK]), "sick", "trouble"),
            (canned.page(), "sending", "pause"),
            (canned.page(**IDLE, held={"by": "off", **HELD}, scenes=canned.settled(to_send=4)),
             "off", "process"),
            (canned.page(**IDLE, scenes=canned.settled(given_up=3)), "given_up", "trouble"),
            (canned.page(**IDLE, scenes=canned.settled(to_send=4)), "due", "process"),
            (canned.page(**IDLE, scenes=canned.settled(not_in_plex=31)), "not_in_plex",
             "not_in_plex"),
            (canned.page(**IDLE, scenes=canned.settled(waiting=1)), "waiting", "waiting"),
            (canned.page(**IDLE, scenes=canned.settled(total=0)), "empty", None),
            (canned.WELL, "well", "sync_all"),
        ],
    )  # fmt: skip
    def test_the_first_that_fits(self, rules, page, line, action):
        found = rules.call("topLine", page, None)
        assert (found["id"], found["action"]) == (line, action)

    def test_a_failed_process_comes_before_all(self, rules):
        found = rules.call("topLine", canned.page(), {"what": "Python was not found."})
        assert found["id"] == "failed"
        assert found["values"] == {"what": "Python was not found."}

    def test_what_was_stopped_counts_its_own_scenes(self, rules):
        found = rules.call("topLine", canned.page(held={"by": "stop", **HELD}), None)
        assert found["values"]["waits"] == 9

    def test_who_waits_is_everything_that_is_not_sent(self, rules):
        scenes = canned.settled(to_send=4, sending=2, waiting=6)
        found = rules.call("topLine", canned.page(scenes=scenes, plex={"state": "open"}), None)
        assert found["values"]["waits"] == 12


class TestFigures:
    def test_they_add_up_and_each_opens_its_list(self, rules):
        rows = rules.call("figures.figures", canned.SCENES)
        assert sum(row["number"] for row in rows) == canned.SCENES["total"]
        assert [row["state"] for row in rows][:2] == ["in_sync", "to_send"]
        given_up = next(row for row in rows if row["state"] == "given_up")
        assert given_up["to"] == "/plugins/stash2plex/trouble"
        assert rows[0]["to"] == "/plugins/stash2plex/scenes?state=in_sync"

    def test_no_scenes_no_division(self, rules):
        assert {row["share"] for row in rules.call("figures.figures", canned.settled(total=0))} == {
            0
        }

    def test_progress(self, rules):
        assert rules.call("figures.progress", canned.page()) == pytest.approx(8611 / 9815)
        assert rules.call("figures.progress", canned.WELL) is None


class TestLinks:
    def test_they_carry_what_is_shown(self, rules):
        link = rules.call("links.to", "trouble", {"reason": "no match & more", "from": None})
        assert link == "/plugins/stash2plex/trouble?reason=no%20match%20%26%20more"
        path, _, search = link.partition("?")
        found = rules.call("links.read", f"/stash{path}", f"?{search}")
        assert found == {"view": "trouble", "values": {"reason": "no match & more"}}

    def test_the_page_alone_is_now(self, rules):
        found = rules.call("links.read", "/plugins/stash2plex/", "")
        assert found == {"view": "now", "values": {}}

    def test_a_half_percent_sign_breaks_nothing(self, rules):
        found = rules.call("links.read", "/plugins/stash2plex/scenes", "?search=100%&state=waiting")
        assert found["values"] == {"search": "100%", "state": "waiting"}

    @pytest.mark.parametrize(
        ("address", "safe"),
        [
            ("https://app.plex.tv/", True),
            ("javascript:alert(1)", False),
            ("", False),
            (None, False),
        ],
    )
    def test_only_web_addresses_lead_outside(self, rules, address, safe):
        assert bool(rules.call("links.outside", address)) is safe


class TestSpans:
    @pytest.mark.parametrize(
        ("seconds", "span"),
        [
            (0, {"unit": "second", "value": 0}),
            (59.4, {"unit": "second", "value": 59}),
            (71, {"unit": "minute", "value": 1}),
            (85, {"unit": "second", "value": 85}),
            (5400, {"unit": "minute", "value": 90}),
            (7000, {"unit": "hour", "value": 2}),
            (130_000, {"unit": "hour", "value": 36}),
            (90_000, {"unit": "day", "value": 1}),
        ],
    )
    def test_the_largest_unit_that_fits(self, rules, seconds, span):
        assert rules.call("spans.span", seconds) == span

    def test_the_age_of_a_time(self, rules):
        assert rules.call("spans.age", "1970-01-01T00:00:10Z", 25_000) == 15
        assert rules.call("spans.age", None, 25_000) is None

    @pytest.mark.parametrize(
        ("stash", "plex", "apart"),
        [
            (
                "/data/a/b.mp4",
                "/media/x/a/b.mp4",
                [["/data/", "a/b.mp4"], ["/media/x/", "a/b.mp4"]],
            ),
            ("/d/a/b.mp4", "D:\\a\\b.mp4", [["/d/", "a/b.mp4"], ["D:\\", "a\\b.mp4"]]),
            ("/d/a.mp4", "/e/b.mp4", [["/d/a.mp4", ""], ["/e/b.mp4", ""]]),
            ("/d/a.mp4", "/d/a.mp4", [["", "/d/a.mp4"], ["", "/d/a.mp4"]]),
        ],
    )
    def test_where_two_paths_part(self, rules, stash, plex, apart):
        assert rules.call("spans.apart", stash, plex) == apart


class TestChoices:
    @pytest.mark.parametrize("names", [["Lanterns", "Quay, old"], ['Say "ahoy"'], [], ["a", "b"]])
    def test_names_survive_the_way_to_the_setting_and_back(self, rules, names):
        assert rules.call("choices.splitNames", rules.call("choices.joinNames", names)) == names

    def test_loose_commas(self, rules):
        assert rules.call("choices.splitNames", " a ,, b,") == ["a", "b"]

    def test_only_what_differs_is_saved(self, rules):
        settings = canned.SETTINGS["settings"]
        draft = {
            "plex_url": "http://plex:32400",
            "exclude_tags": "",
            "only_organized": True,
            "preserve_plex_edits": False,
            "max_retries": 7,
            "plex_token": "",
        }
        assert rules.call("choices.changed", settings, draft) == {
            "exclude_tags": None,
            "only_organized": True,
            "max_retries": 7,
        }

    @pytest.mark.parametrize(
        ("value", "refused"),
        [(5, False), (0, True), (21, True), (2.5, True), ("x", True), ("", False)],
    )
    def test_a_number_is_checked_as_it_is_typed(self, rules, value, refused):
        setting = canned.setting("max_retries", "patience", "number", low=1, high=20, whole=True)
        assert (rules.call("choices.refusal", setting, value) is not None) is refused

    def test_groups_keep_their_order(self, rules):
        groups = rules.call("choices.grouped", canned.SETTINGS["settings"])
        assert [group["name"] for group in groups] == [
            "connection", "scenes", "content", "plex_edits", "when", "patience", "privacy",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("value", "shown"),
        [(None, []), ("", []), (0, ["0"]), (["a", {"name": "b"}], ["a", "b"]), ("x", ["x"])],
    )
    def test_values_of_fields(self, rules, value, shown):
        assert rules.call("choices.shownValue", value) == shown
