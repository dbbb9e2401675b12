"""The first run through the built archive: plex.tv on loopback, real processes, stand-ins."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from stash2plex_testing.plextv import FakePlexTv
from tests.browser.conftest import look_until
from tests.harness.process import Stage, make_stage

__all__ = ["make_stage"]

LATER = 11_000
"""Milliseconds after which the page asks plex.tv again, whatever it answered."""


@pytest.fixture
def plex_tv() -> Iterator[FakePlexTv]:
    with FakePlexTv() as fake:
        yield fake


@pytest.fixture
def stage(make_stage: Any, plex_tv: FakePlexTv) -> Stage:
    """A Stash with the plugin and twelve scenes, which knows no Plex yet."""
    made: Stage = make_stage(12, settings={"plex_url": "", "plex_token": ""})
    made.stash.plugins.environ = {**os.environ, "STASH2PLEX_PLEX_TV_URL": plex_tv.url}
    return made


def open_first_run(stage: Stage, visit: Any) -> Any:
    """Open the page; the test turns its clock, and the window for the sign-in shows plex.tv's."""
    page = visit(stage)
    page.context.route("https://app.plex.tv/**", lambda route: route.fulfill(body="agreed"))
    page.clock.install()
    page.get_by_text("Connect Plex to begin.").wait_for()
    return page


def begin(page: Any, name: str = "Sign in with Plex") -> None:
    page.get_by_role("button", name=name).click()
    page.get_by_text("Agree in the window that opened.").wait_for()


def shows(page: Any, words: str) -> None:
    """Let the page ask again, and wait for its sentence."""
    page.clock.fast_forward(LATER)
    page.get_by_text(words).first.wait_for()


def add_server(stage: Stage, plex_tv: FakePlexTv, *urls: str) -> None:
    plex_tv.servers.clear()
    plex_tv.add_server("Harbour", stage.plex.machine_identifier, list(urls), token=stage.plex.token)


def closed() -> str:
    """Return an address on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


def test_each_way_in_which_a_sign_in_fails_has_a_sentence(stage, plex_tv, visit):
    page = open_first_run(stage, visit)
    # Before plex.tv has made a PIN.
    plex_tv.mode = "fails"
    page.get_by_role("button", name="Sign in with Plex").click()
    page.locator(".alert-danger").get_by_text("plex.tv").first.wait_for()
    plex_tv.mode = "works"
    begin(page)
    # Not yet agreed, rate-limited, out of reach: it goes on asking.
    plex_tv.mode = "limits"
    shows(page, "plex.tv asks to wait a little.")
    plex_tv.mode = "fails"
    shows(page, "plex.tv cannot be asked from where Stash runs.")
    # Refused and expired: the user begins again.
    plex_tv.mode = "refuses"
    shows(page, "plex.tv does not accept the sign-in.")
    plex_tv.mode = "works"
    begin(page)
    plex_tv.forget()
    shows(page, "The code has expired. Sign in again.")
    # Agreed, by an account without a server, and by one whose server Stash cannot reach.
    begin(page)
    plex_tv.agree()
    shows(page, "This account has no Plex server.")
    page.get_by_role("button", name="Sign in again").click()
    url = closed()
    add_server(stage, plex_tv, url)
    begin(page)
    plex_tv.agree()
    shows(page, "No address of this server answers from where Stash runs.")
    assert page.get_by_role("radio").is_disabled()
    assert page.get_by_role("button", name="Use this server").is_disabled()
    assert "refuses the connection" in page.locator(".s2p-server label").inner_text()
    # Nothing was stored, and no token came to the browser.
    assert not stage.stash.plugins.settings["Stash2Plex"]["plex_token"]
    for secret in (plex_tv.token, stage.plex.token):
        assert secret not in page.content()
        assert secret not in stage.log_text()


def test_from_signing_in_to_scenes_in_sync(stage, plex_tv, visit):
    add_server(stage, plex_tv, closed(), stage.plex.url)
    page = open_first_run(stage, visit)
    begin(page)
    shows(page, "Agree in the window that opened.")
    plex_tv.agree()
    page.clock.fast_forward(LATER)
    page.get_by_role("radio", checked=True).wait_for()
    page.get_by_role("button", name="Use this server").click()
    page.get_by_text("Which libraries of Plex hold your scenes?").wait_for()
    stored = stage.stash.plugins.settings["Stash2Plex"]
    assert (stored["plex_url"], stored["plex_token"]) == (stage.plex.url, stage.plex.token)
    page.get_by_role("checkbox", name=re.compile("^Harbour Films")).wait_for(state="attached")
    page.get_by_role("button", name="Next").click()
    page.get_by_text("12 of 12 scenes were found in Plex by their files (100%).").wait_for()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="Scenes that change, up to ten").wait_for()
    # The job of the count ends while the page waits for its next look.
    stage.until(lambda: stage.operation("count_changes")["work"]["state"] == "ended")
    page.clock.fast_forward(LATER)
    page.get_by_role("row", name="change 12").wait_for()
    # A save before Start is recorded, and nothing is written.
    stage.edit(1, title="Lantern Night")
    assert "Lantern Night" not in str([item.title for item in stage.items().values()])
    page.get_by_role("button", name="Start").click()
    look_until(page, "All 12 scenes are in sync.")
    assert stage.wrong() == []
