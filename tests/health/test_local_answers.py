"""Whole answers of the checks of this machine, at the edge of each of their limits."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from stash2plex.app import App
from stash2plex.errors import Refused, Unavailable
from stash2plex.lock import presence_lock
from stash2plex.operations.health.checks import blocked, failed, follows, passed
from stash2plex.operations.health.local_checks import (
    check_breaker,
    check_database,
    check_dead,
    check_disk,
    check_local,
    check_python,
    check_queue,
    check_worker,
)
from stash2plex.rules.endpoints import EndpointState
from stash2plex.start_trouble import Trouble, record_trouble
from stash2plex.store.holds import PAUSE, SET_UP, hold
from stash2plex.store.progress import Progress
from stash2plex.store.worker_choice import keep_choice
from stash2plex.text import local

NOW = 1_800_000_000.0
MiB, GiB = 2**20, 2**30


def queue_scenes(app: App, *numbers: int) -> None:
    app.store.queue.add_many([("scene", number) for number in numbers])


def bury(app: App, *letters: tuple[int, str, str]) -> None:
    """Give up scenes: id, title and reason of each."""
    queue_scenes(app, *(number for number, _, _ in letters))
    claims = {claim.id: claim for claim in app.store.queue.claim(len(letters), 60.0)}
    for number, title, reason in letters:
        app.store.queue.bury(claims[number], title=title, reason=reason, error="No.")


# -- the check itself ---------------------------------------------------------------------


def test_what_each_kind_of_check_is_to_the_page_and_to_the_command_line():
    found = failed("queue", "12 due.", "Run “Process Queue”.", 3)
    kinds = [
        (passed("queue", "None."), True, "passed", "None.", "", 0),
        (found, False, "failed", "12 due.", "Run “Process Queue”.", 3),
        (failed("queue", "Old.", "Wait."), False, "failed", "Old.", "Wait.", 1),
        (blocked("queue", "disk"), True, "skipped", "Not checked: it needs “disk”.", "", 0),
        (follows(found, "disk"), True, "skipped", "12 due. It follows from “disk”.", "", 0),
    ]
    for check, ok, state, detail, fix, exit_code in kinds:
        assert check.as_json() == {
            "name": "queue", "ok": ok, "state": state, "detail": detail, "fix": fix,
        }  # fmt: skip
        assert check.exit_code == exit_code


def test_the_python_that_runs_these_tests_lacks_nothing():
    assert check_python() == passed("python", "It has every part that is needed.")


# -- disk and database --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "shown"),
    [
        (100 * MiB, "100 MiB"),
        (GiB - MiB, "1,023 MiB"),
        (GiB, "1.0 GiB"),
        (GiB + GiB // 2, "1.5 GiB"),
        (2 * GiB, "2.0 GiB"),
        (2048 * GiB, "2,048.0 GiB"),
    ],
)
def test_free_space_is_shown_in_the_unit_that_fits(free, shown):
    assert check_disk("/harbour", lambda _: free) == passed("disk", f"{shown} are free.")


def test_less_than_a_hundred_mebibytes_is_too_little():
    seen: list[str] = []

    def free(folder: str) -> int:
        seen.append(folder)
        return 100 * MiB - 1

    assert check_disk("/harbour", free) == failed(
        "disk",
        "Only 100 MiB are free for “/harbour”.",
        "Free some disk space. Until then, saves may not be recorded.",
        1,
    )
    assert seen == ["/harbour"]


def test_the_size_of_the_database_is_in_mebibytes(app):
    size = os.path.getsize(os.path.join(app.folder, "stash2plex.db")) / MiB
    assert check_database(app) == passed(
        "database", f"It is intact and can be written, {size:.1f} MiB."
    )


def test_a_database_that_cannot_be_read_now_is_not_called_damaged(app):
    path = os.path.join(app.folder, "stash2plex.db")
    app.store.connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    app.store.connection.execute("PRAGMA busy_timeout = 0").fetchall()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert check_database(app) == failed(
            "database",
            f"“{path}” cannot be used: database is locked.",
            "Another program has locked it; try again in a minute.",
            1,
        )


def test_everything_local_is_checked_in_this_order(app):
    checks = check_local(app, lambda _: 5 * GiB, worker_off=False)
    assert [(check.name, check.state, check.detail) for check in checks[1:]] == [
        ("disk", "passed", "5.0 GiB are free."),
        ("worker", "passed", "Not running: nothing is due. The next save starts it."),
        ("circuit breaker", "passed", "Closed: nothing waits for a server."),
        ("queue", "passed", "0 due, 0 waiting for later."),
        ("dead letters", "passed", "None."),
        ("last sync", "passed", "Nothing yet: “Sync All Scenes” sends what is there."),
        ("what Plex keeps", "passed", "Nothing yet: nothing has been written."),
        ("cost of a save", "passed", "Nothing yet: no save was measured."),
    ]


# -- the worker ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "off", "expected"),
    [
        ((), True, passed("worker", "Background worker is off: only tasks send anything. "
                          "Nothing is due.")),
        ((1,), True, failed("worker", "Background worker is off, and 1 scene is due.",
                            "Run “Process Queue”, or set Background worker to auto.")),
        ((1, 2), True, failed("worker", "Background worker is off, and 2 scenes are due.",
                              "Run “Process Queue”, or set Background worker to auto.")),
        ((1,), False, failed("worker", "1 scene is due, and no worker is running.",
                             "Save any scene or run “Process Queue”. “worker.log” shows why the "
                             "worker ended.")),
        ((1, 2), None, failed("worker", "2 scenes are due, and no worker is running.",
                              "Save any scene or run “Process Queue”. “worker.log” shows why the "
                              "worker ended.")),
        ((), None, passed("worker", "Not running: nothing is due. The next save starts it.")),
    ],
)  # fmt: skip
def test_a_worker_that_does_not_run(app, due, off, expected):
    queue_scenes(app, *due)
    assert check_worker(app, off=off) == expected


def test_a_worker_that_was_off_when_the_settings_were_read_last(app):
    keep_choice(app.store.connection, "off", NOW)
    queue_scenes(app, 1)
    assert check_worker(app, off=None).detail == "Background worker is off, and 1 scene is due."
    assert check_worker(app, off=False).detail == "1 scene is due, and no worker is running."


def test_what_kept_the_worker_from_starting_goes_before_what_is_due(app):
    record_trouble(app.folder, Trouble("It cannot be started: the pier is closed.", "Open it."))
    queue_scenes(app, 1)
    assert check_worker(app, off=False) == failed(
        "worker", "It cannot be started: the pier is closed.", "Open it.", 1
    )
    assert check_worker(app, off=True).detail == "Background worker is off, and 1 scene is due."


def test_a_drain_that_hangs_is_named_with_its_process(app, clock):
    lock = presence_lock(app.folder)
    assert lock.acquire()
    app.book.write(Progress(origin="background worker"))
    clock.step(301)
    pid = os.getpid()
    running = f"The background worker is running (process {pid})"
    assert check_worker(app, off=False) == passed("worker", f"{running}, 0 scenes due.")
    queue_scenes(app, 1, 2)
    assert check_worker(app, off=False) == failed(
        "worker",
        f"The background worker (process {pid}) has done nothing for 5 min 01 s, and 2 scenes are "
        "due.",
        f"End process {pid}; the next save starts a new worker. See “worker.log” for more.",
        1,
    )
    lock.release()


# -- the breakers -------------------------------------------------------------------------


def test_a_server_that_is_out_of_reach_is_asked_again(app, clock):
    for _ in range(3):
        app.store.breakers["plex"].failed(Unavailable("Plex", "Plex is away.", retry_after=90), 7)
    clock.step(25)
    assert check_breaker(app) == failed(
        "circuit breaker",
        f"Waiting for Plex since {local(NOW)}: Plex is away.",
        "It is asked again in 1 min 05 s; “Process Queue” asks at once.",
        3,
    )
    clock.step(500)
    assert "asked again in 0 s;" in str(check_breaker(app).fix)


def test_a_server_that_keeps_us_out_waits_for_the_user(app):
    app.store.breakers["stash"].failed(Refused("Stash", "Stash wants a log-in."), 1)
    assert check_breaker(app) == failed(
        "circuit breaker",
        f"Stash has refused access since {local(NOW)}: Stash wants a log-in.",
        "Fix the cause; what waits is then sent.",
        2,
    )


ALL_FAIL = {
    "covers": "Stash has given no cover",
    "posters": "Plex has taken no poster",
    "backgrounds": "Plex has taken no background",
}


@pytest.mark.parametrize("name", ALL_FAIL)
def test_pictures_that_wait_for_one_kind_of_request(app, name):
    pictures = app.store.pictures
    pictures.set_endpoint(EndpointState(name, 2, NOW - 60, 1, NOW + 30, "No."))
    pictures.add(1, "")
    assert check_breaker(app) == passed("circuit breaker", "Closed: nothing waits for a server.")
    pictures.set_endpoint(EndpointState(name, 3, NOW - 60, 1, NOW + 30, "No."))
    assert check_breaker(app) == failed(
        "circuit breaker",
        f"{ALL_FAIL[name]} since {local(NOW - 60)}: No. The pictures of 1 scene wait; their texts "
        "are in Plex.",
        "The pictures follow when it does, next try in 30 s. Look at the server's log.",
        1,
    )
    pictures.drop(1)
    assert check_breaker(app).ok


def test_pictures_that_wait_for_several_requests_follow_the_first_of_them(app):
    pictures = app.store.pictures
    pictures.set_endpoint(EndpointState("posters", 3, NOW - 60, 1, NOW + 50, "No."))
    pictures.set_endpoint(EndpointState("covers", 3, NOW - 90, 1, NOW + 20, "Lost."))
    for number in (1, 2, 3):
        pictures.add(number, "")
    found = check_breaker(app)
    sentences = (
        f"Stash has given no cover since {local(NOW - 90)}: Lost.",
        f"Plex has taken no poster since {local(NOW - 60)}: No.",
    )
    assert all(sentence in found.detail for sentence in sentences)
    assert found.detail.endswith(" The pictures of 3 scenes wait; their texts are in Plex.")
    assert "next try in 20 s." in str(found.fix)


# -- the queue ----------------------------------------------------------------------------


def test_what_is_due_and_what_waits_with_its_first_names(app, clock):
    queue_scenes(app, 1, 2, 3, 4, 5, 6, 7)
    claims = app.store.queue.claim(5, 60.0)
    for claim in claims[1:]:
        app.store.queue.snooze(claim, delay=900.0 + claim.id, reason="not_in_plex")
    clock.step(40)
    assert check_queue(app) == passed(
        "queue",
        "3 due, 4 waiting for later (scene 2, scene 3, scene 4 and 1 more); the oldest has been "
        "due for 40 s.",
    )


@pytest.mark.parametrize(("seconds", "ok"), [(3600, True), (3601, False)])
def test_a_key_that_has_been_due_for_more_than_an_hour_is_late(app, clock, seconds, ok):
    queue_scenes(app, 1)
    clock.step(seconds)
    late = failed(
        "queue",
        f"1 due, 0 waiting for later; the oldest has been due since {local(NOW)} (1 h 00 min).",
        "Run “Process Queue” and watch its bar; the checks above show what holds it up.",
        1,
    )
    right = passed("queue", "1 due, 0 waiting for later; the oldest has been due for 1 h 00 min.")
    assert check_queue(app) == (right if ok else late)


@pytest.mark.parametrize(
    ("by", "what", "button"),
    [
        (SET_UP, "The set-up has not been finished, so nothing is sent yet.", "Start"),
        (PAUSE, f"Paused by you since {local(NOW)}. What you save is recorded.", "Go on"),
    ],
)
def test_a_queue_that_is_held_names_the_button(app, by, what, button):
    hold(app.store.connection, by, NOW)
    queue_scenes(app, 1)
    assert check_queue(app) == failed(
        "queue",
        f"1 due, 0 waiting for later. {what}",
        f"Press “{button}” on the page of Stash2Plex.",
        1,
    )


def test_the_dead_letters_are_counted_by_reason_and_named(app, clock):
    bury(app, (1, "Quay", "ambiguous"))
    clock.step(1)
    bury(app, (2, "Pier", "not_in_plex"), (3, "", "not_in_plex"))
    assert check_dead(app) == failed(
        "dead letters",
        "3 scenes given up: 2 because Plex has no such file (scene 2 “Pier”, scene 3), 1 because "
        "several Plex items fit (scene 1 “Quay”).",
        "Scan the library in Plex and check Plex library; then run “Retry Dead Letters”. Turn on "
        "Skip not found if Plex is not meant to have them.",
        1,
    )
