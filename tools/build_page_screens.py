"""Writes the pictures of the page in docs/screens from the page itself, in the host page.

What the plugin's operations answer is canned, and the browser's clock stands: the same code gives
the same pictures on the same Chromium and fonts.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml
from playwright.sync_api import Browser, Page, sync_playwright

from stash2plex_testing.page import answers, site
from tools.browser import find_browser, find_host_page

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "docs", "screens")
HOME = "/plugins/stash2plex"
NOW = "2026-03-01T14:05:40Z"
WIDE, PHONE = {"width": 1180, "height": 780}, {"width": 360, "height": 780}


@dataclass(frozen=True)
class Screen:
    """A picture: where it is, what is waited for, what is pressed before it is taken."""

    name: str
    path: str
    wait: str
    press: Callable[[Page], None] | None = None
    size: dict[str, int] = field(default_factory=lambda: WIDE)
    theme: str = "dark"
    whole: bool = True
    answers: dict[str, Any] = field(default_factory=dict)


def main() -> int:
    """Write every picture."""
    browser_path, host = find_browser(), find_host_page()
    if not browser_path or not host:
        print("A Chromium and the host page are needed: see make browser.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        stage = site.Site(folder, host)
        with stage.stash:
            for screen in screens():
                stage.answer(**{**answers.FRIENDLY, **screen.answers})
                take(browser, stage.stash.url, screen)
        browser.close()
    return 0


def take(browser: Browser, url: str, screen: Screen) -> None:
    """Open a screen and write its picture."""
    context = browser.new_context(
        viewport={"width": screen.size["width"], "height": screen.size["height"]},
        timezone_id="UTC",
        reduced_motion="reduce",
        color_scheme="light" if screen.theme == "light" else "dark",
    )
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    page.goto(url + screen.path)
    page.evaluate("theme => document.documentElement.classList.add(theme)", screen.theme)
    page.locator(screen.wait).first.wait_for()
    if screen.press:
        screen.press(page)
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.wait_for_load_state("networkidle")
    path = os.path.join(FOLDER, f"page-{screen.name}.png")
    page.screenshot(path=path, full_page=screen.whole, animations="disabled")
    context.close()


def compare(page: Page) -> None:
    """Put the candidates of the first scene side by side."""
    page.get_by_role("button", name="Compare").first.click()
    page.locator(".s2p-candidates").wait_for()


def open_tab(page: Page) -> None:
    """Open the tab of a scene."""
    page.get_by_role("tab", name="Plex").click()
    page.get_by_role("table", name="Fields").wait_for()


def in_words(settings: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of `settings` with the labels and the help of the plugin's yml."""
    with open(os.path.join(ROOT, "plugin", "Stash2Plex.yml"), encoding="utf-8") as file:
        known = yaml.safe_load(file)["settings"]
    shown = [
        {
            **one,
            "label": known[one["key"]]["displayName"],
            "help": known[one["key"]]["description"].partition(" Default:")[0],
        }
        for one in settings["settings"]
    ]
    return {**settings, "settings": shown}


def screens() -> list[Screen]:
    """List the pictures."""
    first, start = answers.at_step("files"), answers.at_step("start")
    return [
        Screen("now", HOME, ".s2p-figures"),
        Screen("phone", HOME, ".s2p-figures", size=PHONE),
        Screen("light", HOME, ".s2p-figures", theme="light"),
        Screen("trouble", f"{HOME}/trouble?reason=ambiguous", "tbody tr", compare),
        Screen("first-run", HOME, ".s2p-paths", answers={"page": first}),
        Screen("what-will-change", HOME, ".s2p-bars", answers={"page": start}),
        Screen("library", f"{HOME}/library", ".s2p-chips"),
        Screen("history", f"{HOME}/history?run=4", ".s2p-days"),
        Screen(
            "settings",
            f"{HOME}/settings",
            ".s2p-setting",
            answers={"settings": in_words(answers.SETTINGS)},
        ),
        Screen("scene", "/scenes/1", "[role=tab]", open_tab, {"width": 760, "height": 620}),
    ]


if __name__ == "__main__":
    sys.exit(main())
