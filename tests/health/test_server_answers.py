"""Whole answers of the checks of both servers, over both stand-ins on clocks of their own."""

from __future__ import annotations

import math
import os
import re
import time
from typing import Any

import pytest

from stash2plex.errors import Unavailable
from stash2plex.operations.health.checks import blocked, failed, passed
from stash2plex.operations.health.report import read_health
from stash2plex_testing.patient import TiB, expired_session
from stash2plex_testing.plex import FakePlex, Fault, scopes
from stash2plex_testing.setups import Setup, examine
from tests.harness.in_process import Desk, fill, make_app

UNLISTED = (
    "Look at that library in Plex: have it scanned, or optimize the database. Plex library may name"
    " the others alone."
)


class Today(Desk):
    """Both stand-ins in the middle of this second, with a Plex whose clock is `ahead` seconds."""

    def __init__(self, folder: str, ahead: float = 0.0) -> None:
        super().__init__(folder)
        self.clock.now = int(time.time()) + 0.5
        self.plex = FakePlex(clock=lambda: self.clock() + ahead)
        self.films = self.plex.add_section("Harbour Films", locations=["/media"])


@pytest.fixture
def desk(tmp_path):
    with Today(str(tmp_path)) as desk:
        desk.stash.configure_plugin("Stash2Plex", {"plex_url": desk.plex.url})
        fill(desk, 3)
        desk.app.monotonic = lambda: 0.0
        yield desk


def health(desk: Desk, app: Any = None) -> dict[str, Any]:
    return {check.name: check for check in read_health(app or desk.app, lambda _: TiB)}


def restart(desk: Desk, **settings: Any) -> None:
    desk.restart(**settings)
    desk.app.monotonic = lambda: 0.0


def test_every_answer_where_all_is_well(desk):
    found = health(desk)
    version = desk.stash.core.version
    plex = desk.app.make_plex(desk.app.settings()).identity().version
    assert [(check.name, check.state, check.detail) for check in found.values()][:14] == [
        ("Stash", "passed", f"Version {version}, answers in 0 ms."),
        ("Stash log-in", "passed", "Stash has no password."),
        ("hooks", "passed", "Stash2Plex is not installed in this Stash; it looks for changes."),
        ("settings", "passed", "All are usable."),
        ("tags in settings", "passed", "The settings name none."),
        ("Plex", "passed", f"Version {plex}, answers in 0 ms."),
        ("Plex token", "passed", "Plex accepts it."),
        ("Plex server", "passed", "Not synced to yet."),
        ("Plex library", "passed", "“Harbour Films”, of the right type."),
        ("edit rights", "passed", "The token may edit (tried with an edit that changes nothing)."),
        (
            "matches",
            "passed",
            "3 of 3 scenes looked at have a Plex item (100 %). Stash has 3 scenes.",
        ),
        (
            "path mapping",
            "passed",
            "No rule is set, and matches need none: “/data” is “/media” in Plex (3 of 3).",
        ),
        ("clocks", "passed", "Within 2 min 00 s of this machine's."),
        ("python", "passed", "It has every part that is needed."),
    ]
    assert {check.exit_code for check in found.values()} == {0}


# -- the clocks ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (120, None),
        (121, "Plex +2 min 01 s"),
        (-120, None),
        (-121, "Plex -2 min 01 s"),
    ],
)
def test_a_clock_that_differs_by_more_than_two_minutes(tmp_path, seconds, shown):
    with Today(str(tmp_path), seconds) as desk:
        found = health(desk)["clocks"]
    assert found == (
        passed("clocks", "Within 2 min 00 s of this machine's.")
        if shown is None
        else failed(
            "clocks",
            f"The clocks differ from this machine's: {shown}.",
            "Let every machine set its clock by the network (NTP).",
        )
    )


def test_both_clocks_differ_from_a_machine_that_is_late(tmp_path):
    with Today(str(tmp_path)) as desk:
        desk.clock.offset = -7200.0
        desk.plex.down()
        only = health(desk)["clocks"].detail
    assert re.fullmatch(r"The clocks differ from this machine's: Stash \+2 h 00 min\.", only)


# -- what a server that fails means for the rest ------------------------------------------


def test_without_stash_and_without_plex_the_clocks_need_stash(desk):
    desk.stash.down()
    desk.plex.down()
    found = health(desk)
    address = desk.stash.url
    assert found["clocks"] == blocked("clocks", "Stash")
    assert found["hooks"] == blocked("hooks", "Stash")
    assert found["Stash log-in"] == blocked("Stash log-in", "Stash")
    assert found["tags in settings"] == blocked("tags in settings", "Stash")
    assert found["settings"] == passed("settings", "All are usable.")
    assert address in found["Stash"].detail


def test_without_stash_the_settings_of_a_command_line_still_lead_to_plex(desk):
    desk.stash.down()
    found = health(desk)
    assert found["edit rights"].state == "passed"
    assert [found[name] for name in ("matches", "path mapping")] == [
        blocked("matches", "Stash"), blocked("path mapping", "Stash"),
    ]  # fmt: skip


def test_without_stash_and_settings_everything_of_plex_needs_stash(desk):
    app = make_app(os.path.join(desk.folder, "other"), desk.stash.url, desk.clock)
    desk.stash.down()
    found = health(desk, app)
    app.close()
    needs = [name for name, check in found.items() if check == blocked(name, "Stash")]
    assert needs == [
        "Stash log-in", "hooks", "settings", "tags in settings", "Plex", "Plex token",
        "Plex server", "Plex library", "edit rights", "matches", "path mapping", "clocks",
    ]  # fmt: skip


def test_without_a_log_in_everything_needs_that_and_not_stash():
    keeper = {"username": "keeper", "password": "lantern"}
    checks = examine(Setup("", "", (), expired_session, keeper))
    found = {check.name: check for check in checks}
    assert found["Stash"] == passed("Stash", "It answers, but does not let us in.")
    needs = [name for name, check in found.items() if check == blocked(name, "Stash log-in")]
    assert needs == [
        "hooks", "settings", "tags in settings", "Plex", "Plex token", "Plex server",
        "Plex library", "edit rights", "matches", "path mapping", "clocks",
    ]  # fmt: skip


def test_a_stash_that_speaks_http_is_asked_for_by_https(desk):
    url = desk.stash.url.replace("http:", "https:")
    app = make_app(os.path.join(desk.folder, "other"), url, desk.clock)
    found = health(desk, app)["Stash"]
    app.close()
    assert not found.ok
    assert found.fix == (
        "Stash hands its address to the plugin; on a command line correct STASH2PLEX_STASH_URL."
    )


def test_tags_that_stash_does_not_list(desk):
    restart(desk, exclude_tags="Night")
    desk.stash.faults.add("graphql_error", operation="query TagMark", times=None)
    found = health(desk)["tags in settings"]
    assert (found.state, found.exit_code) == ("failed", 3)
    assert "database is locked" in found.detail


def test_tags_are_counted_once_each(desk):
    desk.stash.add_tag("Night")
    desk.stash.add_tag("Fog")
    restart(desk, exclude_tags="Night", ignore_tags="Night, Fog")
    assert health(desk)["tags in settings"] == passed("tags in settings", "Found in Stash: 2 tags.")
    restart(desk, exclude_tags="Night", ignore_tags="")
    assert health(desk)["tags in settings"] == passed("tags in settings", "Found in Stash: 1 tag.")


# -- the libraries ------------------------------------------------------------------------


def test_libraries_that_cannot_be_listed_first_in_the_middle_and_all(desk):
    old = desk.plex.add_section("Old Harbour", locations=["/old"])
    desk.plex.add_section("New Harbour", locations=["/new"])
    desk.plex.faults.add(Fault("status", times=None, **scopes.library(old)))
    found = health(desk)
    listed = found["Plex library"]
    assert (listed.state, listed.fix, listed.exit_code) == ("failed", UNLISTED, 3)
    assert listed.detail.startswith("“Old Harbour” cannot be listed: ")
    assert listed.detail.endswith(
        " “Harbour Films”, “New Harbour” can. Scenes of an unlisted library wait, and lose no "
        "attempts."
    )
    assert found["edit rights"].state == "passed"
    section = next(
        one
        for one in desk.app.make_plex(desk.app.settings()).sections()
        if one.title == "Old Harbour"
    )
    desk.app.store.library_troubles.failed(section, Unavailable("Plex", "No."), desk.clock())
    assert " First seen at " in health(desk)["Plex library"].detail
    desk.plex.faults.add(Fault("status", times=None, path=r"^/library/sections/\d+/all"))
    found = health(desk)
    assert " can. " not in found["Plex library"].detail
    assert [found[name] for name in ("edit rights", "matches", "path mapping")] == [
        blocked(name, "Plex library") for name in ("edit rights", "matches", "path mapping")
    ]


def test_a_library_that_is_being_scanned(desk):
    desk.plex.add_section("New Harbour", locations=["/new"])
    desk.films.refreshing, desk.films.scan_ends = True, math.inf
    assert health(desk)["Plex library"] == passed(
        "Plex library", "“Harbour Films”, “New Harbour”, of the right type. Plex is scanning."
    )
    restart(desk, plex_library="Harbour Films, Pier")
    assert health(desk)["Plex library"] == failed(
        "Plex library",
        "Plex has no movie-type library named “Pier”. It has: “Harbour Films”, “New Harbour”. "
        "“Harbour Films” is used. Plex is scanning.",
        "Correct Settings > Plugins > Stash2Plex > Plex library.",
    )


# -- the edit that changes nothing --------------------------------------------------------


def edited(desk: Desk) -> list[str]:
    desk.plex.clear_log()
    assert health(desk)["edit rights"].state == "passed"
    return [one.query["id"][0] for one in desk.plex.requests if one.method == "PUT"]


def test_the_edit_goes_to_an_item_of_a_chosen_library_that_is_not_in_the_trash(desk):
    first, second, _ = desk.plex.all_items()
    new = desk.plex.add_section("New Harbour", locations=["/new"])
    there = desk.plex.add_item(new, "/new/a.mp4", size=7)
    assert edited(desk) == [str(first.rating_key)]
    record(desk, first)
    restart(desk, plex_library="New Harbour")
    assert edited(desk) == [str(there.rating_key)]
    restart(desk, plex_library="")
    assert edited(desk) == [str(first.rating_key)]
    first.deleted_at = 1
    assert edited(desk) == [str(second.rating_key)]


def test_the_edit_goes_to_the_item_that_we_have_written_not_to_the_first(desk):
    *_, last = desk.plex.all_items()
    record(desk, last)
    assert edited(desk) == [str(last.rating_key)]


def record(desk: Desk, item: Any) -> None:
    desk.app.store.connection.execute(
        "INSERT INTO scene_record (scene_id, rating_key, section_id, plex_path, matched_by,"
        " fingerprint, written, synced_at) VALUES (?, ?, '1', '/a', 'path', 'f', '{}', ?)",
        (item.rating_key, str(item.rating_key), float(item.rating_key)),
    )
