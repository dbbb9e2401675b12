"""A browser over FakeStash's host page; the plugin's page in it, its operations canned.

Without a Chromium, playwright or npm these tests are skipped, and say what is missing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stash2plex_testing.stash import FakeStash
from tests.browser import canned
from tools import browser as tool

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLUGIN = os.path.join(ROOT, "plugin")
STUB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stub_plugin.py")
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


class Site:
    """A FakeStash with our page, and what the page asked the plugin for."""

    def __init__(self, folder: str, interface: str) -> None:
        self.stash = FakeStash(root=folder)
        self.stash.core.interface = interface
        self.stash.generate(scenes=3)
        self.plugin = os.path.join(self.stash.plugins_dir, "Stash2Plex")
        shutil.copytree(PLUGIN, self.plugin)
        os.remove(os.path.join(self.plugin, "Stash2PlexHooks.yml"))
        shutil.copy(STUB, os.path.join(self.plugin, "stash2plex_plugin.py"))
        self.answers = {**canned.ANSWERS, **canned.OTHER_ANSWERS}
        self.answer()

    def answer(self, **answers: Any) -> None:
        """Change what operations answer from now on."""
        self.answers.update(answers)
        path = os.path.join(self.plugin, "answers.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.answers, file)
        os.replace(path + ".new", path)

    def calls(self, mode: str = "") -> list[dict[str, Any]]:
        """List the arguments of the operations so far, those of `mode` only."""
        path = os.path.join(self.plugin, "calls.jsonl")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            found = [json.loads(line) for line in file]
        return [args for args in found if not mode or args["mode"] == mode]


@pytest.fixture
def site(tmp_path: Any, host_page: str) -> Iterator[Site]:
    made = Site(str(tmp_path), host_page)
    with made.stash:
        yield made


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
        page.goto((base or site.stash.url) + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
