"""The page within Stash: its ways in, its sentence, its poll, and a plugin that fails."""

from __future__ import annotations

import http.client
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stash2plex_testing.page import answers as canned
from stash2plex_testing.page.site import PLUGIN
from tests.support import until

HOME = "/plugins/stash2plex"


def sentence(page: Any) -> str:
    return str(page.locator(".s2p-sentence").inner_text()).strip()


class TestWaysIn:
    def test_the_navigation_has_a_button_with_the_number_of_troubles(self, open_page):
        page = open_page("/")
        button = page.get_by_role("link", name="Stash2Plex: 3 things need you").last
        button.click()
        page.get_by_role("heading", name="Several Plex items fit").wait_for()
        assert page.url.endswith("/plugins/stash2plex/trouble")

    def test_without_troubles_the_button_leads_to_now(self, site, open_page):
        site.answer(page=canned.WELL)
        page = open_page("/")
        page.get_by_role("link", name="Stash2Plex", exact=True).last.click()
        page.get_by_role("heading", name="Where your scenes are").wait_for()

    def test_the_entry_under_plugins_begins_with_a_link(self, open_page):
        page = open_page("/settings?tab=plugins")
        page.get_by_role("link", name="Open Stash2Plex").click()
        page.locator(".s2p-top").wait_for()
        # The settings that Stash draws are still there.
        page.go_back()
        page.locator("#plugin-Stash2Plex-plex_url").wait_for()

    def test_views_are_addresses_and_back_works(self, open_page):
        page = open_page()
        tabs = page.get_by_role("navigation", name="Stash2Plex")
        tabs.get_by_role("link", name="Library").click()
        page.get_by_role("heading", name="Libraries in Plex").wait_for()
        assert page.url.endswith(f"{HOME}/library")
        page.go_back()
        page.get_by_role("heading", name="Last changes").wait_for()

    def test_a_number_opens_its_list(self, open_page):
        page = open_page()
        page.get_by_role("link", name="31 Not in Plex").click()
        page.get_by_text("1–25 of 31").wait_for()
        page.get_by_role("button", name="More").click()
        page.get_by_text("26–31 of 31").wait_for()
        assert page.url.endswith("/scenes?state=not_in_plex&from=25")

    def test_wake_is_called_once_per_load(self, site, open_page):
        page = open_page("/")
        until(lambda: site.calls("wake"))
        page.get_by_role("link", name="Plugins").click()
        page.get_by_role("link", name="Open Stash2Plex").click()
        page.locator(".s2p-top").wait_for()
        assert len(site.calls("wake")) == 1


class TestSentence:
    def test_sending_with_rate_time_and_bar(self, open_page):
        page = open_page()
        page.locator(".s2p-top").wait_for()
        assert sentence(page) == "Sending 1,204 scenes: 17 a second, about 1 minute left."
        assert page.get_by_text("8,611 of 9,815").is_visible()
        assert page.get_by_text("Plex 1.42.2.10156 “Harbour”, 12 ms").is_visible()

    def test_all_well(self, site, open_page):
        site.answer(page=canned.WELL)
        page = open_page()
        page.locator(".s2p-top").wait_for()
        assert sentence(page).startswith("All 12,410 scenes are in sync. Last change: ")
        page.get_by_role("button", name="Sync all").first.wait_for()

    def test_pause_is_answered_beside_the_button(self, site, open_page):
        page = open_page()
        held = {"by": "pause", "since": canned.AT, "task": None, "scenes": 0}
        page.locator(".s2p-top").wait_for()
        site.answer(page=canned.page(held=held))
        page.locator(".s2p-top").get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Go on").wait_for()
        assert sentence(page).startswith("Paused by you since ")
        assert len(site.calls("pause")) == 1

    def test_an_action_that_fails_shows_why_beside_it(self, site, open_page):
        problem = {"what": "The database is locked.", "do": "Try again in a minute."}
        site.answer(pause={"problem": problem})
        page = open_page()
        page.locator(".s2p-top").get_by_role("button", name="Pause").click()
        said = page.locator(".s2p-top .s2p-failed")
        said.wait_for()
        assert said.inner_text().strip() == "The database is locked. Try again in a minute."

    def test_a_task_is_queued_in_stash(self, site, open_page):
        page = open_page()
        page.get_by_role("button", name="Process queue").click()
        page.get_by_text("Queued in Stash.").wait_for()
        until(lambda: site.calls("process_queue"))

    def test_stop_asks_once_and_names_how_many(self, site, open_page):
        page = open_page()
        page.get_by_role("button", name="Stop").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("1,204 scenes").wait_for()
        assert not site.calls("stop")
        dialog.get_by_role("button", name="Stop").click()
        page.get_by_text("Stopped. 1,204 scenes are on hold.").wait_for()


class TestWithoutAPlugin:
    def test_python_is_missing(self, site, open_page):
        site.stash.plugins.python_path = os.devnull + "/python"
        site.stash.plugins.python = os.devnull + "/python"
        page = open_page()
        page.get_by_text("Stash could not run Stash2Plex.").wait_for()
        assert page.get_by_text("fork/exec").is_visible()
        page.get_by_role("link", name="Stash's plugins").wait_for()

    def test_the_process_dies(self, site, open_page):
        site.answer(page={"exit": 7})
        page = open_page()
        page.get_by_text("Stash could not run Stash2Plex.").wait_for()

    def test_it_comes_back(self, site, open_page):
        site.answer(page={"exit": 7})
        page = open_page()
        page.get_by_text("Stash could not run Stash2Plex.").wait_for()
        site.answer(page=canned.WELL)
        page.get_by_role("button", name="Try again").click()
        page.get_by_role("heading", name="Last changes").wait_for()
        assert not page.get_by_text("Stash could not run Stash2Plex.").is_visible()

    def test_a_problem_is_shown_in_its_own_words(self, site, open_page):
        site.answer(page={"problem": {"what": "The disk is full.", "do": "Free some space."}})
        page = open_page()
        page.get_by_text("The disk is full. Free some space.").wait_for()

    def test_a_slow_one_shows_that_it_is_awaited(self, site, open_page):
        site.answer(page={"sleep": 7, "then": canned.WELL})
        page = open_page()
        page.get_by_text("Stash2Plex takes longer than usual.").wait_for()
        page.get_by_role("heading", name="Last changes").wait_for()

    def test_stash_goes_away_and_old_figures_keep_their_age(self, site, open_page):
        page = open_page()
        page.locator(".s2p-top").wait_for()
        site.stash.down()
        page.get_by_text("Stash does not answer.").wait_for()
        assert page.get_by_text("The figures below were counted").is_visible()
        site.stash.up()
        page.get_by_role("button", name="Try again").click()
        page.get_by_text("The figures below were counted").wait_for(state="detached")

    def test_a_view_that_breaks_leaves_the_rest(self, site, open_page):
        site.answer(trouble={"cards": None, "health_at": None})
        page = open_page()
        page.locator(".s2p-top").wait_for()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.get_by_role("link", name=re.compile("^Trouble")).click()
        page.get_by_text("This part of the page cannot be shown.").wait_for()
        page.get_by_role("navigation", name="Stash2Plex").get_by_role("link", name="Now").click()
        page.get_by_role("heading", name="Last changes").wait_for()


class TestPoll:
    def test_one_operation_a_poll_and_none_while_hidden(self, site, open_page):
        page = open_page()
        until(lambda: len(site.calls("page")) >= 2)
        assert {call["mode"] for call in site.calls()} <= {"page", "wake"}
        page.evaluate(
            "Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
        page.wait_for_timeout(200)
        asked = len(site.calls("page"))
        page.wait_for_timeout(3000)
        assert len(site.calls("page")) == asked

    def test_other_pages_ask_for_the_badge_only(self, site, open_page):
        page = open_page("/")
        page.get_by_role("link", name="Stash2Plex: 3 things need you").last.wait_for()
        assert len(site.calls("page")) == 1


class Proxy:
    """A proxy that serves a FakeStash below a path, as nginx does."""

    def __init__(self, port: int, prefix: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if not self.path.startswith(prefix + "/"):
                    self.send_error(404)
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {"X-Forwarded-Prefix": prefix, "Host": self.headers["Host"]}
                if kind := self.headers.get("Content-Type"):
                    headers["Content-Type"] = kind
                onward = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                onward.request(self.command, self.path.removeprefix(prefix), body, headers)
                answer = onward.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                for name in ("Content-Type", "Content-Security-Policy"):
                    if value := answer.headers.get(name):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                onward.close()

            do_POST = do_GET  # noqa: N815 - the base class's names

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}{prefix}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def proxy(site) -> Iterator[Proxy]:
    made = Proxy(site.stash.port, "/stash")
    yield made
    made.close()


def test_behind_a_proxy_under_a_path(proxy, open_page):
    page = open_page(HOME, base=proxy.url)
    page.locator(".s2p-top").wait_for()
    page.get_by_role("link", name="31 Not in Plex").click()
    page.get_by_text("1–25 of 31").wait_for()
    assert page.url == f"{proxy.url}{HOME}/scenes?state=not_in_plex"
    page.reload()
    page.get_by_text("1–25 of 31").wait_for()


def test_numbers_and_times_follow_the_language_of_stash(site, open_page):
    site.stash.core.language = "de-DE"
    page = open_page()
    page.get_by_role("link", name="11.172 In sync").wait_for()
    assert "1.204" in sentence(page)


def test_a_title_is_text_whatever_is_in_it(open_page):
    page = open_page()
    row = page.get_by_role("link", name=canned.HOSTILE.strip()[:40])
    row.wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


class TestFiles:
    def test_every_file_is_listed_in_the_yml(self, site):
        ui = site.stash.plugins.find("Stash2Plex").ui
        there = {
            os.path.relpath(os.path.join(folder, name), PLUGIN).replace(os.sep, "/")
            for folder, _, names in os.walk(os.path.join(PLUGIN, "ui"))
            for name in names
        }
        assert set(ui.javascript) | set(ui.css) == there

    def test_every_text_is_there_and_used(self):
        texts, code = "", ""
        for folder, _, names in os.walk(os.path.join(PLUGIN, "ui")):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    if "texts" in folder:
                        texts += file.read()
                    else:
                        code += file.read()
        known = set(re.findall(r'"([a-z][a-z_.]*)": "', texts))
        used = set(re.findall(r'\bt\("([a-z][a-z_.]*)"', code))
        assert used <= known
        # Those whose ids are put together while drawing begin with the name of their group.
        whole = {one for one in known if f'"{one}"' in code or f"`{one}`" in code}
        groups = set(re.findall(r"`([a-z_.]+)\.\$\{", code)) | {"settings"}
        assert {one for one in known - whole if not one.startswith(tuple(groups))} == set()

    def test_every_text_can_be_read(self, open_page):
        page = open_page()
        page.locator(".s2p-top").wait_for()
        bad = page.evaluate(
            """() => {
              const intl = PluginApi.libraries.Intl.createIntl({ locale: 'en',
                messages: Stash2Plex.texts.en, onError: (error) => { throw error; } });
              const bad = [];
              for (const [id, text] of Object.entries(Stash2Plex.texts.en)) {
                const names = (text.match(/\\{(\\w+)/g) || []).map((name) => name.slice(1));
                try { intl.formatMessage({ id }, Object.fromEntries(names.map((n) => [n, 3]))); }
                catch (error) { bad.push(id); }
              }
              return bad;
            }"""
        )
        assert bad == []
