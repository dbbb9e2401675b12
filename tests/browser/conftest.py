"""A browser over FakeStash's host page; the plugin's page in it, its operations canned.

Without a Chromium, playwright or npm these tests are skipped, and say what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stash2plex_testing.page.site import Site
from tests.harness.process import Stage
from tests.page.conftest import check_arguments, read_schema
from tests.support import until
from tools import browser as tool

HOME = "/plugins/stash2plex"
PATIENCE, LONG_PATIENCE = 8_000, 40_000
"""Milliseconds that a test waits for what must come: an answer, and what several processes do."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    path = tool.find_browser()
    if not path:
        pytest.skip("no Chromium was found")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def host_page() -> str:
    folder = tool.find_host_page()
    if not folder:
        pytest.skip("the host page was not built: make test builds it where npm is there")
    return folder


@pytest.fixture
def site(tmp_path: Any, host_page: str) -> Iterator[Site]:
    made = Site(str(tmp_path), host_page)
    with made.stash:
        yield made
    # Every call that the page made has the form that the plugin takes.
    schema = read_schema()["$defs"]
    for call in made.calls():
        mode = call.pop("mode")
        if mode in schema:
            check_arguments(mode, call)


@pytest.fixture
def open_page(chromium: Any, site: Site) -> Iterator[Callable[..., Any]]:
    """Open an address of the site in a window of its own; faults of scripts fail the test."""
    contexts: list[Any] = []
    faults: list[str] = []

    def opened(path: str = "/plugins/stash2plex", *, base: str = "", **options: Any) -> Any:
        # Stash's policy stands while axe is put in by the tests.
        context = chromium.new_context(
            viewport=options.pop("viewport", {"width": 1200, "height": 900}),
            bypass_csp=True,
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto((base or site.stash.url) + path, wait_until="commit")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def visit(chromium: Any, host_page: str) -> Iterator[Callable[..., Any]]:
    """Open an address of a stage's Stash; faults of scripts fail the test."""
    contexts: list[Any] = []
    faults: list[str] = []

    def opened(stage: Stage, path: str = HOME) -> Any:
        stage.stash.core.interface = host_page
        context = chromium.new_context(viewport={"width": 1200, "height": 900})
        contexts.append(context)
        context.set_default_timeout(LONG_PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(stage.stash.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def look_until(page: Any, words: str) -> None:
    """Have the page ask the plugin until it shows `words`; it would ask every 15 seconds."""
    line = page.get_by_text(words).first
    page.locator(".s2p-top").wait_for()

    def asked() -> bool:
        page.evaluate("Stash2Plex.pulse.now().then(() => true)")
        return bool(line.is_visible()) or bool(page.wait_for_timeout(500))

    until(asked)
