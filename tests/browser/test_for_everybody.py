"""Screen readers, keyboards, phones, light and dark, and little motion."""

from __future__ import annotations

import os
from typing import Any

import pytest

from stash2plex_testing.page import answers as canned

HOME = "/plugins/stash2plex"
VIEWS = {
    "now": (HOME, ".s2p-figures", {}),
    "trouble": (f"{HOME}/trouble?reason=ambiguous", ".s2p-table tbody tr", {}),
    "scenes": (f"{HOME}/scenes?state=not_in_plex", ".s2p-table tbody tr", {}),
    "library": (f"{HOME}/library?show=unknown", ".s2p-table tbody tr", {}),
    "history": (f"{HOME}/history?run=4", ".s2p-days", {}),
    "settings": (f"{HOME}/settings?sign_in=1", ".s2p-setting", {}),
    "first run": (HOME, ".s2p-open", {"page": canned.FRESH}),
    "failed": (HOME, ".alert-danger", {"page": {"exit": 3}}),
}
THEMES = ("dark", "light")
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def open_view(site: Any, open_page: Any, name: str, **options: Any) -> Any:
    path, wanted, answers = VIEWS[name]
    site.answer(**answers)
    page = open_page(path, **options)
    page.locator(wanted).first.wait_for()
    return page


def violations(page: Any, host_page: str, root: str) -> list[str]:
    """Name what axe finds below `root`, with the first place of each."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.add_script_tag(path=os.path.join(host_page, "axe.min.js"))
    found = page.evaluate("root => axe.run(root, { resultTypes: ['violations'] })", root)
    return [
        f"{one['id']} {node['html'][:150]} {node['failureSummary'][-170:]}"
        for one in found["violations"]
        for node in one["nodes"][:2]
    ]


@pytest.mark.parametrize("view", list(VIEWS))
def test_axe_finds_nothing(site, open_page, host_page, view):
    page = open_view(site, open_page, view)
    if view == "trouble":
        page.get_by_role("button", name="Compare").first.click()
        page.locator(".s2p-candidates").wait_for()
        page.get_by_role("button", name="Make the report").click()
        page.locator(".s2p-report").wait_for()
    if view == "settings":
        page.get_by_label("Only organized").check(force=True)
        page.locator(".s2p-save").wait_for()
    for theme in THEMES:
        page.evaluate("theme => { document.documentElement.className = theme }", theme)
        assert violations(page, host_page, "#stash2plex") == [], theme


def test_axe_finds_nothing_in_the_steps_of_the_first_run(site, open_page, host_page):
    held = {"by": "set_up", "since": canned.AT, "task": None, "scenes": 0}
    for step, wanted in (("library", "fieldset"), ("files", ".s2p-paths"), ("start", ".s2p-bars")):
        set_up = {"done": False, "step": step, "held": True}
        site.answer(page=canned.page(run=None, set_up=set_up, held=held))
        page = open_page()
        page.locator(wanted).first.wait_for()
        for theme in THEMES:
            page.evaluate("theme => { document.documentElement.className = theme }", theme)
            assert violations(page, host_page, "#stash2plex") == [], theme


def test_axe_finds_nothing_in_a_scenes_tab(open_page, host_page):
    page = open_page("/scenes/1")
    page.get_by_role("tab", name="Plex").click()
    page.get_by_role("table", name="Fields").wait_for()
    assert violations(page, host_page, ".s2p-panel") == []


@pytest.mark.parametrize("view", list(VIEWS))
def test_a_phone_of_360_pixels_scrolls_down_only(site, open_page, view):
    page = open_view(site, open_page, view, **PHONE)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360


def test_the_phone_journey(site, open_page):
    page = open_page(**PHONE)
    page.get_by_role("link", name="3 Given up").tap()
    page.get_by_role("button", name="Show the 3 scenes").tap()
    page.get_by_label("Select Harbour 1").check(force=True)
    page.get_by_role("button", name="Try again").tap()
    page.get_by_text("1 scene is queued.").wait_for()
    box = page.get_by_role("button", name="Try again").bounding_box()
    assert box["height"] >= 44


def press_until(page: Any, name: str, key: str = "Tab") -> None:
    """Press a key until the focus is on what has this name."""
    for _ in range(80):
        page.keyboard.press(key)
        focused = page.evaluate(
            """(({ ariaLabel, innerText, labels }) =>
              (ariaLabel || innerText || (labels && labels[0] || {}).innerText || '').trim()
            )(document.activeElement)"""
        )
        if focused.startswith(name):
            return
    raise AssertionError(f"The focus never comes to {name!r}.")


def test_the_keyboard_journey(site, open_page):
    page = open_page()
    page.locator(".s2p-top").wait_for()
    press_until(page, "Trouble")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Several Plex items fit").wait_for()
    press_until(page, "Show the 3 scenes")
    page.keyboard.press("Enter")
    page.get_by_label("Select Harbour 1").wait_for(state="attached")
    press_until(page, "Select Harbour 1")
    page.keyboard.press("Space")
    page.get_by_text("1 selected").wait_for()
    press_until(page, "Forget", "Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    # The focus is in the question, and Escape closes it.
    assert page.evaluate("Boolean(document.activeElement.closest('[role=dialog]'))")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert not site.calls("discard")
    press_until(page, "Forget")
    page.keyboard.press("Enter")
    press_until(page, "Forget")
    page.keyboard.press("Enter")
    page.get_by_text("1 scene is forgotten.").wait_for()


def test_a_poll_moves_nothing_that_is_read(site, open_page):
    page = open_page(f"{HOME}/trouble?reason=ambiguous")
    page.get_by_label("Select Harbour 2").check(force=True)
    page.get_by_role("button", name="Compare").first.click()
    page.locator(".s2p-candidates").wait_for()
    asked = len(site.calls("page"))
    site.answer(page=canned.WELL)
    page.get_by_text("All 12,410 scenes are in sync.").wait_for()
    assert len(site.calls("page")) > asked
    assert page.get_by_label("Select Harbour 2").is_checked()
    assert page.locator(".s2p-candidates").is_visible()
    assert len(site.calls("dead_letters")) == 1


def test_the_last_changes_stand_while_they_are_read(site, open_page):
    page = open_page()
    row = page.get_by_role("link", name="Lantern Day")
    row.hover()
    new = canned.change(99, "Newest Lantern", at="2026-03-01T14:06:00Z")
    site.answer(page=canned.page(changes=[new, *canned.PAGE["changes"]], rate_per_s=18.0))
    page.get_by_text("Sending 1,204 scenes: 18 a second").wait_for()
    assert not page.get_by_text("Newest Lantern").is_visible()
    page.mouse.move(5, 5)
    page.get_by_text("Newest Lantern").wait_for()


def test_little_motion(open_page):
    page = open_page(reduced_motion="reduce")
    page.locator(".s2p-bar .progress-bar").wait_for()
    style = "getComputedStyle(document.querySelector('.s2p-bar .progress-bar')).transitionProperty"
    assert page.evaluate(style) in ("none", "all")
    assert page.evaluate(style.replace("Property", "Duration")) == "0s"


def test_ten_thousand_dead_letters_draw_one_page_of_them(site, open_page):
    site.answer(dead_letters=canned.dead_letters(10_000))
    page = open_page(f"{HOME}/trouble?reason=ambiguous")
    page.locator("tbody tr").first.wait_for()
    assert page.evaluate("document.querySelectorAll('#stash2plex *').length") < 1500
