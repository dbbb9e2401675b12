"""A browser over FakeStash's host page; the plugin's page in it, its operations canned.

Without a Chromium, playwright or npm these tests are skipped, and say what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stash2plex_testing.page.site import Site
from tests.page.conftest import check_arguments, read_schema
from tools import browser as tool

PATIENCE = 8_000
"""Milliseconds that a test waits for what must come."""


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
