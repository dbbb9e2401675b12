"""Health of the data folder and of what drains, over real files and both stand-ins."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import closing

import pytest

from stash2plex.errors import Refused
from stash2plex.lock import presence_lock
from stash2plex.operations.health import match_checks
from stash2plex.operations.health.checks import (
    FAILED,
    PASSED,
    SKIPPED,
    blocked,
    failed,
    passed,
)
from stash2plex.operations.health.local_checks import (
    BREAKER,
    INTEGRITY_SECONDS,
    STUCK_SECONDS,
    check_queue,
)
from stash2plex.operations.health.report import NAMES, once_each, read_health
from stash2plex.operations.health.server_checks import LOGIN, SETTINGS
from stash2plex.store.progress import Progress
from stash2plex.ui.lines.health import health_sentence
from stash2plex_testing.patient import TiB, works_with
from stash2plex_testing.plex import Fault
from stash2plex_testing.plex.connection import Connection
from stash2plex_testing.world import World
from tests.faults.test_disk import damage
from tests.harness.in_process import make_app
from tests.support import ManualClock


class Ward:
    """A set-up that works, its application, and the report of it."""

    def __init__(self, world, app, clock):
        self.world = world
        self.clock = clock
        self.app = app
        self.path = os.path.join(app.folder, "stash2plex.db")

    def checks(self):
        checks = {check.name: check for check in read_health(self.app, lambda _: TiB)}
        assert tuple(checks) == NAMES
        return checks

    def failed(self):
        """Name the checks that ran and failed."""
        return {name: one for name, one in self.checks().items() if is_trouble(one)}


def is_trouble(check):
    return not check.ok and check.state != SKIPPED


@pytest.fixture
def ward(tmp_path):
    clock = ManualClock(time.time())
    with World(str(tmp_path), clock=clock) as world:
        world.fill(4)
        world.stash.configure_plugin("Stash2Plex", works_with(world))
        app = make_app(str(tmp_path / "data"), world.stash.url, clock)
        yield Ward(world, app, clock)
        app.close()


# -- the database -------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["reconcile_report", "failure"])
def test_a_damaged_database_is_named_and_nothing_that_rests_on_it_is_judged(ward, table):
    ward.app.settings()
    damage(ward.path, table)
    checks = ward.checks()
    database = checks["database"]
    assert not database.ok
    assert re.search("stash2plex.db” is damaged", database.detail)
    assert "Run “Process Queue”: it sets the file aside" in database.fix
    for name in ("worker", "circuit breaker", "queue", "dead letters", "last sync"):
        assert checks[name].detail == "Not checked: it needs “database”."
    assert checks["Plex"].ok


def test_damage_where_the_settings_are_kept_still_gives_a_whole_report(ward):
    damage(ward.path, "meta")
    checks = ward.checks()
    assert re.search("is damaged|cannot be used", checks["database"].detail)
    assert checks["Stash"].ok
    assert checks["queue"].detail == "Not checked: it needs “database”."


def test_a_file_that_is_no_database_any_more_is_named_without_stash_too(ward):
    ward.world.stash.down()
    ward.app.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(ward.path, "r+b") as file:
        file.write(b"harbour " * 4000)
    ward.app.store.connection.execute("PRAGMA shrink_memory")
    checks = ward.checks()
    assert not checks["database"].ok
    assert "stash2plex.db” is damaged (" in checks["database"].detail
    assert "it sets the file aside" in checks["database"].fix
    assert checks["worker"].detail == "Not checked: it needs “database”."


def test_a_database_that_may_not_be_written(ward):
    ward.world.stash.down()
    ward.app.store.connection.execute("PRAGMA query_only = ON")
    database = ward.checks()["database"]
    assert not database.ok
    assert "attempt to write a readonly database" in database.detail
    assert database.fix == "Make it writable for the user that runs Stash."


def test_a_database_that_another_program_holds(ward):
    ward.world.stash.down()
    ward.app.store.connection.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(ward.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database = ward.checks()["database"]
    assert not database.ok
    assert database.detail == f"“{ward.path}” cannot be used: database is locked."
    assert database.fix == "Another program has locked it; try again in a minute."
    assert ward.checks()["database"].ok


def test_a_large_database_is_read_as_long_as_time_allows(ward):
    keys = [("scene", number) for number in range(1, 15_000)]
    ward.app.store.queue.add_many(keys, priority=0)
    assert "It is intact and can be written" in ward.checks()["database"].detail
    clock = ward.clock

    def hurried():
        clock.step(INTEGRITY_SECONDS + 1)
        return clock()

    ward.app.monotonic = hurried
    database = ward.checks()["database"]
    assert database.ok
    assert "intact as far as 5 s of reading shows and can be written" in database.detail


# -- the worker ---------------------------------------------------------------------------


def test_a_drain_that_runs_and_one_that_hangs(ward):
    lock = presence_lock(ward.app.folder)
    assert lock.acquire()
    ward.app.book.write(Progress(origin="background worker"))
    ward.app.store.queue.add("scene", 1)
    running = ward.checks()["worker"]
    assert (running.ok, running.detail) == (
        True, f"The background worker is running (process {os.getpid()}), 1 scene due.",
    )  # fmt: skip
    ward.clock.step(STUCK_SECONDS)
    assert ward.checks()["worker"].ok
    ward.clock.step(1)
    hangs = ward.checks()["worker"]
    assert not hangs.ok
    assert "has done nothing for 5 min 01 s, and 1 scene is due" in hangs.detail
    assert hangs.fix.startswith(f"End process {os.getpid()};")
    ward.app.store.queue.clear_waiting()
    ward.app.store.connection.execute("DELETE FROM queue")
    assert ward.checks()["worker"].ok
    ward.app.store.connection.execute("DELETE FROM drain")
    assert "The drain is running (process 0)" in ward.checks()["worker"].detail
    lock.release()


def test_a_worker_that_is_switched_off_is_no_trouble_while_nothing_is_due(ward):
    ward.world.stash.configure_plugin(
        "Stash2Plex", {**works_with(ward.world), "background_worker": "off"}
    )
    worker = ward.checks()["worker"]
    assert (worker.ok, "only tasks send anything" in worker.detail) == (True, True)


def test_a_refusal_waits_for_a_person_and_an_outage_for_time(ward):
    breaker = ward.app.store.breakers["stash"]
    breaker.failed(Refused("Stash", "Stash wants a log-in."), 1)
    found = ward.checks()["circuit breaker"]
    assert not found.ok
    assert re.fullmatch(
        r"Stash has refused access since [\d: -]+: Stash wants a log-in\.", found.detail
    )
    assert (found.fix, found.exit_code) == ("Fix the cause; what waits is then sent.", 2)


def test_a_scene_that_waited_and_became_due_this_second_is_not_late(ward):
    queue = ward.app.store.queue
    queue.add("scene", 1)
    (claim,) = queue.claim(1, 60.0)
    queue.snooze(claim, delay=5_400.0, reason="not_in_plex")
    ward.clock.step(5_400.0)
    found = check_queue(ward.app)
    assert found.ok
    assert "the oldest has been due for 0 s" in found.detail
    ward.clock.step(3_601.0)
    assert not check_queue(ward.app).ok


# -- the servers --------------------------------------------------------------------------


def test_a_token_that_may_read_but_not_edit(ward):
    ward.world.stash.configure_plugin(
        "Stash2Plex", {**works_with(ward.world), "plex_token": ward.world.plex.viewer_token}
    )
    checks = ward.checks()
    assert not checks["edit rights"].ok
    assert checks["edit rights"].detail == "The token may read this library but not edit it."
    assert "X-Plex-Token of the server's owner" in checks["edit rights"].fix
    assert checks["edit rights"].exit_code == 2
    assert checks["matches"].ok


@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        (Fault("status", method="PUT", path="/all"), "edit rights", "with 500"),
        (Fault("status", path="/library/sections$"), "Plex library", "with 500"),
        (Fault("status", path="^/$", status=503), "Plex", "with 503"),
    ],
)
def test_a_plex_that_fails_at_one_question_is_named_by_that_check(ward, fault, name, words):
    fault.times = None
    ward.world.plex.faults.add(fault)
    failed = ward.failed()
    assert set(failed) == {name}
    assert words in failed[name].detail
    assert failed[name].fix


def test_a_stash_that_fails_at_the_sample_is_named_by_the_matches(ward):
    ward.world.stash.faults.add("status", operation="query Sample", status=500, times=None)
    failed = ward.failed()
    assert set(failed) == {"matches"}
    assert failed["matches"].fix == "Run the check again later."


def test_a_slow_plex_passes_for_no_well_one(ward):
    clock = ward.clock

    def slow():
        clock.step(2.5)
        return clock()

    ward.app.monotonic = slow
    plex = ward.checks()["Plex"]
    assert not plex.ok
    assert plex.detail.endswith("but answers in 2,500 ms.")


def test_the_sentence_counts_what_needs_the_user(ward):
    ward.app.store.breakers["stash"].failed(Refused("Stash", "Stash wants a log-in."), 1)
    checks = list(ward.checks().values())
    assert [check.name for check in checks if not check.ok] == ["circuit breaker"]
    assert health_sentence(checks) == f"1 of {len(checks)} checks needs you: circuit breaker."


def test_a_library_of_which_all_is_in_the_trash_gives_no_item_to_try_an_edit_on(ward):
    for item in ward.world.plex.all_items():
        item.deleted_at = 1
    check = ward.checks()["edit rights"]
    assert (check.ok, check.detail) == (True, "Nothing yet: the library holds no item.")
    assert ward.world.plex.count("PUT") == 0


def test_a_library_too_large_to_be_listed_beside_a_drain_waits_for_it(ward, monkeypatch):
    monkeypatch.setattr(match_checks, "MAX_LISTED", 3)
    assert "the first sync lists the library" in ward.checks()["matches"].detail


def test_a_server_that_does_not_say_what_time_it_is_has_no_wrong_clock(ward, monkeypatch):
    send = Connection.send_header

    def without_date(self, keyword, value):
        if keyword != "Date":
            send(self, keyword, value)

    monkeypatch.setattr(Connection, "send_header", without_date)
    monkeypatch.setattr(Connection, "date_time_string", lambda *_: "Thu, 01 Jan 1970 00:00:00 GMT")
    assert ward.checks()["clocks"].ok


def test_a_path_map_that_is_right_passes_with_its_rule(ward):
    settings = works_with(ward.world)
    ward.world.stash.configure_plugin(
        "Stash2Plex", {**settings, "path_map": "/data=>/media/library"}
    )
    check = ward.checks()["path mapping"]
    assert (check.ok, check.detail.endswith("right for 4 of 4 matches.")) == (True, True)


def test_a_log_in_that_will_expire_is_no_cause_of_a_failure_of_today():
    log_in, breaker = failed(LOGIN, "It ends in an hour.", "Log in."), failed(BREAKER, "Open.", "")
    let_in = once_each([log_in, passed(SETTINGS, "Read."), breaker])
    assert [check.state for check in let_in] == [FAILED, PASSED, FAILED]
    kept_out = once_each([log_in, blocked(SETTINGS, LOGIN), breaker])
    assert [check.state for check in kept_out] == [FAILED, SKIPPED, SKIPPED]
