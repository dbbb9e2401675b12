"""The first run: four cards, from nothing to Start."""

from __future__ import annotations

import pytest

from stash2plex_testing.page import answers as canned
from tests.support import until

WAITING = {**canned.ANSWERS["sign_in_poll"], "state": "waiting", "servers": []}


@pytest.fixture
def fresh(site):
    site.answer(page=canned.FRESH)
    return site


def test_from_nothing_to_start(fresh, open_page):
    fresh.answer(sign_in_poll=[WAITING, canned.ANSWERS["sign_in_poll"]])
    page = open_page()
    page.get_by_text("Connect Plex to begin.").wait_for()
    page.context.route("https://app.plex.tv/**", lambda route: route.fulfill(body="agreed"))
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Sign in with Plex").click()
    page.get_by_text("WXYZ").wait_for()
    assert page.get_by_role("link", name="Open again").is_visible()
    until(lambda: "code=WXYZ" in opened.value.url or opened.value.wait_for_timeout(50))
    page.get_by_role("radio", name="http://192.168.1.10:32400 answers 8 ms").wait_for()
    assert page.get_by_role("radio").first.is_checked()
    assert page.get_by_role("radio").nth(1).is_disabled()
    fresh.answer(page=canned.at_step("library"))
    page.get_by_role("button", name="Use this server").click()
    page.get_by_text("TV shows cannot hold single scenes.").wait_for()
    [choice] = fresh.calls("choose_server")
    assert choice == {
        "mode": "choose_server", "id": 77, "machine_id": "f00d", "url": "http://192.168.1.10:32400",
    }  # fmt: skip
    page.get_by_role("button", name="Next").click()
    page.get_by_text("11,990 of 12,410 scenes were found").wait_for()
    # Every usable library is the default: nothing is stored.
    assert fresh.calls("save_settings")[-1]["values"] == {"plex_library": None}
    assert page.locator("mark").first.inner_text() == "/data/"
    page.get_by_text("420 scenes are not in Plex").click()
    page.get_by_text("/data/new: 400").wait_for()
    fresh.answer(page=canned.at_step("start"))
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="Scenes that change, up to ten").wait_for()
    page.get_by_role("row", name="change 9,815").wait_for()
    page.get_by_text("step 4 of 4").wait_for()
    # Whoever leaves now goes on at this card.
    assert [call["step"] for call in fresh.calls("hold") if "step" in call][-2:] == [
        "files",
        "start",
    ]
    assert not fresh.calls("start")
    fresh.answer(page=canned.page())
    page.get_by_role("button", name="Start").click()
    page.get_by_role("heading", name="Last changes").wait_for()
    assert len(fresh.calls("start")) == 1


def test_what_was_done_before_is_folded(fresh, open_page):
    fresh.answer(page=canned.at_step("files"))
    page = open_page()
    page.get_by_text("11,990 of 12,410 scenes were found").wait_for()
    page.get_by_role("button", name="Change Plex").click()
    page.get_by_role("button", name="Sign in with Plex").wait_for()


def test_files_that_cannot_be_looked_at_do_not_end_the_first_run(fresh, open_page):
    problem = {"what": "Plex is busy.", "do": "Try again in a minute."}
    fresh.answer(page=canned.at_step("files"), paths={"problem": problem})
    page = open_page()
    page.get_by_text("Plex is busy. Try again in a minute.").wait_for()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("row", name="change 9,815").wait_for()


def test_leaving_half_way_holds_all_writing(site, open_page):
    free = {**canned.FRESH, "set_up": {"done": False, "step": "plex", "held": False}, "held": None}
    site.answer(page=free)
    open_page()
    until(lambda: site.calls("hold"))


def test_address_and_token_are_tried_as_they_are_typed(fresh, open_page):
    page = open_page()
    page.get_by_text("Enter address and token").click()
    page.get_by_label("Plex URL").fill("http://192.168.1.10:32400")
    page.get_by_label("Plex token").fill("right-token")
    page.get_by_text("answers 8 ms").wait_for()
    page.get_by_role("button", name="Save").click()
    until(lambda: fresh.calls("save_settings"))
    assert fresh.calls("save_settings")[0]["values"] == {
        "plex_url": "http://192.168.1.10:32400",
        "plex_token": "right-token",
    }


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("expired", "The time is over. Sign in again."),
        ("refused", "plex.tv refused the sign-in."),
        ("limited", "plex.tv asks to wait."),
        ("unreachable", "Stash does not reach plex.tv."),
    ],
)
def test_a_sign_in_that_does_not_come_to_an_end(fresh, open_page, state, words):
    fresh.answer(sign_in_poll={**WAITING, "state": state})
    page = open_page()
    page.context.route("https://app.plex.tv/**", lambda route: route.fulfill(body="agreed"))
    page.get_by_role("button", name="Sign in with Plex").click()
    page.get_by_text(words).wait_for()


def test_an_account_without_a_server(fresh, open_page):
    fresh.answer(sign_in_poll={**canned.ANSWERS["sign_in_poll"], "servers": []})
    page = open_page()
    page.context.route("https://app.plex.tv/**", lambda route: route.fulfill(body="agreed"))
    page.get_by_role("button", name="Sign in with Plex").click()
    page.get_by_text("This account has no Plex server.").wait_for()


def test_of_a_large_library_it_shows_how_many_were_looked_at(fresh, open_page):
    paths = {**canned.ANSWERS["paths"], "matched": 290, "total": 300, "missing_total": 10}
    fresh.answer(page=canned.at_step("files"), paths=paths)
    page = open_page()
    page.get_by_text("290 of 300 scenes were found in Plex by their files (96.7%).").wait_for()
    assert page.get_by_text("chosen at random from your 12,410").is_visible()


def test_reasons_are_words(fresh, open_page):
    counts = {**canned.ANSWERS["count_changes"], "not_matched": {"ambiguous": 3}}
    counts["left_out"] = {"library": 4, "a_new_one": 5}
    fresh.answer(page=canned.at_step("start"), count_changes=counts)
    page = open_page()
    page.get_by_role("row", name="skipped: several Plex items fit 3").wait_for()
    assert page.get_by_role("row", name="left out: in a library that is not chosen 4").is_visible()
    # One that this page does not know yet.
    assert page.get_by_role("row", name="left out: a new one 5").is_visible()


def test_an_account_that_is_the_wrong_one_is_not_the_end(fresh, open_page):
    fresh.answer(sign_in_poll={**canned.ANSWERS["sign_in_poll"], "servers": []})
    page = open_page()
    page.context.route("https://app.plex.tv/**", lambda route: route.fulfill(body="agreed"))
    page.get_by_role("button", name="Sign in with Plex").click()
    page.get_by_role("button", name="Sign in again").click()
    fresh.answer(sign_in_poll=canned.ANSWERS["sign_in_poll"])
    page.get_by_role("button", name="Sign in with Plex").click()
    page.get_by_role("radio").first.wait_for()


def test_the_rule_can_be_typed_and_its_effect_is_shown_first(fresh, open_page):
    fresh.answer(page=canned.at_step("files"))
    page = open_page()
    page.get_by_text("Type the rule yourself").click()
    fresh.answer(paths={**canned.ANSWERS["paths"], "matched": 12, "source": "trial"})
    page.get_by_label("Path map").fill("/data=>/elsewhere")
    page.get_by_text("12 of 12,410 scenes were found").wait_for()
    assert fresh.calls("paths")[-1]["path_map"] == "/data=>/elsewhere"
    assert not fresh.calls("save_settings")
    page.get_by_role("button", name="Next").click()
    until(lambda: fresh.calls("save_settings"))
    assert fresh.calls("save_settings")[0]["values"] == {"path_map": "/data=>/elsewhere"}
