"""The stored status: the problem of each server, what a worker does, and for what it waits."""

from __future__ import annotations

import json
from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.errors import Unavailable
from stash2plex.store.stored_status import (
    pace_and_worker,
    read_stored_status,
    read_wait,
    wait_outlook,
)

DRAIN = (
    "INSERT INTO drain (id, origin, pid, started_at, updated_at, done, failed, snoozed, rate, note)"
    " VALUES (1, 'worker', 17, ?, 0, 3, 2, 1, ?, ?)"
)


@pytest.fixture
def opened(tmp_path, clock):
    store = open_store(str(tmp_path), clock, Random(1))
    yield store
    store.connection.close()


def test_a_single_failure_is_no_problem_of_a_server_and_the_third_is(opened, tmp_path, clock):
    for times, words in ((1, None), (2, "It rests.")):
        for server in ("plex", "stash"):
            for _ in range(times):
                opened.breakers[server].failed(Unavailable(server.capitalize(), "It rests."), 0)
        status = read_stored_status(opened.connection, str(tmp_path), clock())
        assert (status["plex"]["problem"], status["stash"]["problem"]) == (words, words)


def test_before_the_first_drain_nothing_is_known_of_a_worker(database):
    assert pace_and_worker(database, 5, runs=True) == {
        "rate_per_s": 0.0,
        "eta_s": None,
        "worker": {
            "running": True,
            "pid": 0,
            "since": None,
            "origin": "",
            "note": None,
            "why": None,
            "outlook": None,
            "handled": 0,
        },
    }
    assert pace_and_worker(database, 5, runs=False)["worker"] == {
        "running": False,
        "pid": None,
        "since": None,
        "origin": None,
        "note": None,
        "why": None,
        "outlook": None,
        "handled": None,
    }


def test_a_worker_that_waits_shows_why_and_how_long_on_two_lines(database):
    note = {"why": "Plex rests.", "server": "Plex", "next_try": 30.0, "gives_up": 60.0}
    database.execute(DRAIN, (60.0, 2.0, json.dumps(note)))
    outlook = "Waiting for Plex, next try in 30 s. Giving up in 1 min 00 s."
    found = pace_and_worker(database, 6, runs=True)
    assert found == {
        "rate_per_s": 0.0,
        "eta_s": None,
        "worker": {
            "running": True,
            "pid": 17,
            "since": "1970-01-01T00:01:00Z",
            "origin": "worker",
            "note": f"Plex rests.\n{outlook}",
            "why": "Plex rests.",
            "outlook": outlook,
            "handled": 6,
        },
    }
    database.execute("UPDATE drain SET note = ''")
    moving = pace_and_worker(database, 6, runs=True)
    assert (moving["rate_per_s"], moving["eta_s"]) == (2.0, 3)
    for left, runs in ((0, True), (6, False)):
        still = pace_and_worker(database, left, runs=runs)
        assert (still["rate_per_s"], still["eta_s"]) == (0.0, None)


@pytest.mark.parametrize("note", ["Plex rests.", "[1]", '{"why": 1}', "7"])
def test_a_note_of_an_earlier_version_is_shown_as_it_is(note):
    assert read_wait(note) == (note, None)
    assert read_wait("") == (None, None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((None, 5.0, None), None),
        (("Plex", None, None), None),
        (("Plex", 5.0, None), "Waiting for Plex, next try in 5 s."),
        ((None, None, 5.0), "Giving up in 5 s."),
    ],
)
def test_when_a_wait_ends_is_known_in_part(given, words):
    assert wait_outlook(*given) == words
