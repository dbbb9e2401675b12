"""Trouble, settings, library, history, and what stands on Stash's own pages."""

from __future__ import annotations

import re

import pytest

from stash2plex_testing.page import answers as canned
from tests.support import until

HOME = "/plugins/stash2plex"


def last(site, name):
    """Return what the page sent when it called an operation last; nothing if it did not yet."""
    return [{}, *site.calls(name)][-1]


class TestTrouble:
    def test_each_has_a_sentence_a_cure_and_a_button(self, site, open_page):
        page = open_page(f"{HOME}/trouble")
        page.get_by_role("heading", name="“Old Harbour” does not answer.").wait_for()
        assert page.get_by_text("See whether its disk is mounted.").is_visible()
        page.get_by_role("link", name="To the setting").click()
        page.locator("#s2p-max_retries").wait_for()
        assert page.url.endswith("/settings?key=max_tags")

    def test_retry_what_is_selected_and_grey_it_out(self, site, open_page):
        page = open_page(f"{HOME}/trouble?reason=ambiguous")
        page.get_by_label("Select Harbour 1").check(force=True)
        page.get_by_label("Select Harbour 2").check(force=True)
        page.get_by_text("2 selected").wait_for()
        page.get_by_role("button", name="Try again").click()
        page.get_by_text("1 scene is queued.").wait_for()
        assert site.calls("retry")[0]["scene_ids"] == [1, 2]
        row = page.get_by_role("row", name=re.compile("Harbour 1"))
        assert "s2p-gone" in row.get_attribute("class")
        assert page.get_by_label("Select Harbour 1").is_disabled()

    def test_forget_asks_first(self, site, open_page):
        page = open_page(f"{HOME}/trouble?reason=ambiguous")
        page.get_by_label("Select Harbour 1").check(force=True)
        page.get_by_role("button", name="Forget").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("Forget 1 given-up scene?").wait_for()
        dialog.get_by_role("button", name="Cancel").click()
        assert not site.calls("discard")

    def test_ten_thousand_are_paged_and_can_all_be_chosen(self, site, open_page):
        site.answer(dead_letters=canned.dead_letters(10_000))
        page = open_page(f"{HOME}/trouble?reason=ambiguous")
        page.get_by_text("1–25 of 10,000").wait_for()
        assert page.locator("tbody tr").count() == 25
        page.get_by_label("Select all shown").check(force=True)
        page.get_by_role("button", name="Select all 10,000").click()
        page.get_by_text("10,000 selected").wait_for()
        page.get_by_role("button", name="Try again").click()
        until(lambda: site.calls("retry_reason"))
        assert site.calls("retry_reason")[0]["reason"] == "ambiguous"
        page.get_by_role("button", name="More").click()
        until(lambda: last(site, "dead_letters").get("offset") == 25)

    def test_search_asks_the_plugin(self, site, open_page):
        page = open_page(f"{HOME}/trouble?reason=ambiguous")
        page.get_by_label("Search title and path").fill("quay")
        until(lambda: last(site, "dead_letters").get("search") == "quay")

    def test_ambiguous_items_stand_side_by_side(self, site, open_page):
        page = open_page(f"{HOME}/trouble?reason=ambiguous")
        page.get_by_role("button", name="Compare").first.click()
        page.get_by_role("columnheader", name="Item 2").wait_for()
        assert page.locator(".s2p-differs").inner_text().startswith("900 MB")
        page.get_by_role("button", name="This one (2)").click()
        until(lambda: site.calls("choose_item"))
        assert site.calls("choose_item")[0] == {
            "mode": "choose_item", "scene_id": 1, "rating_key": "82",
        }  # fmt: skip

    def test_nothing_needs_you_and_the_health_check(self, site, open_page):
        site.answer(trouble={"cards": [], "health_at": None})
        page = open_page(f"{HOME}/trouble")
        page.get_by_text("Nothing needs you.").wait_for()
        assert not site.calls("health")
        page.get_by_role("button", name="Check now").click()
        page.get_by_text("See whether its disk is mounted.").wait_for()

    def test_what_version_1_left_is_queued_on_request(self, site, open_page):
        offer = {"folder": "/data/old", "jobs": 14}
        site.answer(trouble={"cards": [], "legacy": offer, "health_at": None})
        page = open_page(f"{HOME}/trouble")
        page.get_by_text("14 jobs lie in this folder.").wait_for()
        page.get_by_role("button", name="Queue them").click()
        page.get_by_text("14 scenes are queued.").wait_for()
        assert site.calls("import_legacy") == [{"mode": "import_legacy"}]

    def test_a_report_is_made_only_on_request_and_shown_whole(self, site, open_page):
        page = open_page(f"{HOME}/trouble")
        page.get_by_role("button", name="Make the report").click()
        box = page.get_by_role("textbox", name="Report a problem")
        box.wait_for()
        assert box.input_value() == "\n".join(canned.ANSWERS["report"]["report"])
        assert len(site.calls("report")) == 1


class TestScenes:
    def test_scenes_that_are_left_out_are_listed_by_reason(self, site, open_page):
        because = {"excluded": 200, "not_organized": 14}
        scenes = {**canned.settled(left_out=214), "left_out_because": because}
        site.answer(page=canned.page(scenes=scenes))
        page = open_page(f"{HOME}/scenes?state=left_out")
        page.get_by_role("button", name="not organized 14").click()
        until(lambda: last(site, "scenes").get("reason") == "not_organized")
        assert page.url.endswith("/scenes?state=left_out&reason=not_organized")


class TestSettings:
    def test_only_what_differs_is_saved_after_its_effect_was_shown(self, site, open_page):
        page = open_page(f"{HOME}/settings")
        page.get_by_label("Max retries").fill("7")
        page.get_by_label("Only organized").check(force=True)
        page.get_by_text("Only organized: would leave out 214 of 12,410 scenes.").wait_for()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved. It counts from now on.").wait_for()
        [call] = site.calls("save_settings")
        assert call["values"] == {"max_retries": 7, "only_organized": True}

    def test_a_bad_number_is_refused_before_it_is_asked(self, site, open_page):
        page = open_page(f"{HOME}/settings")
        page.get_by_label("Max retries").fill("99")
        page.get_by_text("A whole number from 1 to 20.").wait_for()
        assert page.get_by_role("button", name="Save").is_disabled()

    def test_what_the_plugin_refuses_is_not_saved(self, site, open_page):
        refused = {"key": "plex_url", "what": "Plex URL must begin with http:// or https://."}
        site.answer(check_settings={"ok": False, "problems": [refused], "counts": []})
        page = open_page(f"{HOME}/settings")
        page.get_by_label("Plex url").fill("harbour")
        page.get_by_text("Plex URL must begin with").wait_for()
        assert page.get_by_role("button", name="Save").is_disabled()

    def test_the_token_is_never_shown_and_only_sent_when_typed(self, site, open_page):
        page = open_page(f"{HOME}/settings")
        token = page.get_by_label("Plex token")
        assert token.input_value() == ""
        assert token.get_attribute("type") == "password"
        token.fill("another-token")
        page.get_by_role("button", name="Save").click()
        until(lambda: site.calls("save_settings"))
        assert site.calls("save_settings")[0]["values"] == {"plex_token": "another-token"}

    def test_tags_are_picked_from_a_list(self, site, open_page):
        page = open_page(f"{HOME}/settings")
        page.locator("#s2p-exclude_tags").fill("lan")
        until(lambda: any(call.get("search") == "lan" for call in site.calls("tags")))
        page.get_by_label("Remove Quay, old").click()
        page.get_by_text("Not saved yet: Exclude tags.").wait_for()
        page.get_by_role("button", name="Save").click()
        until(lambda: site.calls("save_settings"))
        assert site.calls("save_settings")[0]["values"] == {"exclude_tags": "Lanterns"}

    def test_undo_takes_everything_back(self, open_page):
        page = open_page(f"{HOME}/settings")
        page.get_by_label("Only organized").check(force=True)
        page.get_by_role("button", name="Undo").click()
        assert not page.get_by_label("Only organized").is_checked()
        assert not page.get_by_text("Not saved yet").is_visible()


class TestLibrary:
    def test_differences_by_field(self, site, open_page):
        page = open_page(f"{HOME}/library")
        page.get_by_role("heading", name="99.8% in sync").wait_for()
        page.get_by_role("button", name="title 2").click()
        until(lambda: last(site, "compare").get("field") == "title")
        page.get_by_role("button", name="Sync these 2").click()
        until(lambda: site.calls("sync"))
        assert site.calls("sync")[0]["scene_ids"] == [5, 6]

    def test_the_comparison_is_shown_as_it_grows(self, site, open_page):
        compare = canned.ANSWERS["compare"]
        running = {**compare, "work": {**compare["work"], "state": "running", "done": 100}}
        site.answer(compare=[running, running, compare])
        page = open_page(f"{HOME}/library")
        page.get_by_text("100 of 12,410 looked at").wait_for()
        page.get_by_text("2 scenes differ").wait_for()

    def test_the_next_looks_are_shown_and_one_that_is_due_says_so(self, site, open_page):
        library = canned.ANSWERS["library"]
        sweep = {"kind": "sweep", "at": canned.AT, "next_at": "2036-03-02T04:00:00Z", "words": None}
        index = {"kind": "index", "at": canned.AT, "next_at": canned.AT, "words": None}
        site.answer(library={**library, "looks": [sweep, index]})
        page = open_page(f"{HOME}/library")
        page.get_by_text(re.compile("next 2 Mar 2036")).wait_for()
        assert page.get_by_text("due; it is done when the worker runs").count() == 1

    def test_files_that_stash_does_not_know(self, site, open_page):
        page = open_page(f"{HOME}/library")
        page.get_by_role("link", name="110").click()
        page.get_by_text("/media/library/unknown/7.mp4").wait_for()
        assert site.calls("unknown_files")[-1]["section_id"] == "1"


class TestHistory:
    def test_a_run_is_put_back_after_it_was_counted(self, site, open_page):
        page = open_page(f"{HOME}/history?run=4")
        page.get_by_role("row", name=re.compile("Sync All Scenes")).get_by_role(
            "button", name="Put back"
        ).click()
        page.get_by_text("9,812 items would be put back; 2 changed in Plex since stay").wait_for()
        assert site.calls("undo") == [{"mode": "undo", "run_id": 4, "dry_run": True}]
        page.get_by_role("button", name="Put back 9,812 items").click()
        until(lambda: len(site.calls("undo")) == 2)
        assert site.calls("undo")[1] == {"mode": "undo", "run_id": 4}

    def test_of_one_scene(self, site, open_page):
        page = open_page(f"{HOME}/history?scene=17")
        page.get_by_role("heading", name="History of scene 17").wait_for()
        page.get_by_text("Plex spells it Quay").wait_for()
        assert page.get_by_text("poster: nothing").inner_text().endswith("a picture")
        assert site.calls("history")[-1]["scene_id"] == 17

    def test_outages_can_be_read_without_seeing_them(self, open_page):
        page = open_page(f"{HOME}/history")
        days = page.get_by_role("list", name="The last 90 days of Plex")
        days.wait_for()
        assert days.get_by_role("listitem").count() == 90
        assert (
            days.get_by_role("listitem")
            .nth(55)
            .get_attribute("aria-label")
            .endswith("50%, 1 outage")
        )


class TestOnStashsPages:
    def test_a_scenes_tab(self, site, open_page):
        page = open_page("/scenes/1")
        assert not site.calls("scene")
        page.get_by_role("tab", name="Plex").click()
        page.get_by_text("In sync since").wait_for()
        link = page.get_by_role("link", name="Plex (opens a new window)")
        assert link.get_attribute("href") == canned.ANSWERS["scene"]["web"]
        page.get_by_role("button", name="Sync now").click()
        until(lambda: site.calls("sync"))
        page.get_by_role("button", name="What would change").click()
        page.get_by_text("a new poster").first.wait_for()

    def test_a_scene_that_fits_several(self, site, open_page):
        scene = canned.ANSWERS["scene"]
        one = {"rating_key": "81", "path": "/a", "size": 1, "level": None, "why": None}
        match = {
            **scene["match"],
            "rating_key": None,
            "candidates": [one, {**one, "rating_key": "82"}],
        }
        site.answer(scene={**scene, "state": "dead", "why": "2 items fit.", "match": match})
        page = open_page("/scenes/1")
        page.get_by_role("tab", name="Plex").click()
        page.get_by_role("button", name="This one (1)").wait_for()

    @pytest.mark.parametrize(
        ("path", "noun"),
        [("/performers/1", "performer"), ("/studios/1", "studio"), ("/tags/1", "tag")],
    )
    def test_a_line_on_other_pages(self, site, open_page, path, noun):
        page = open_page(path)
        page.get_by_text("Plex: 3 of 12 scenes not in sync").wait_for()
        # Each page has one line: the picture at its head is on all of them.
        assert site.calls("entity") == [{"mode": "entity", f"{noun}_id": 1}]
        assert page.locator(".s2p-entity").count() == 1

    def test_a_plugin_that_fails_leaves_stashs_pages_alone(self, site, open_page):
        site.answer(entity={"exit": 7}, scene={"exit": 7})
        page = open_page("/performers/1")
        page.locator(".detail-group").wait_for()
        page = open_page("/scenes/1")
        page.get_by_role("tab", name="Plex").click()
        page.get_by_text("Stash could not run Stash2Plex.").wait_for()
