"""Status, health and explanations write nothing, and leave no trace in the clients."""

from __future__ import annotations

import math
from contextlib import contextmanager

import pytest

from stash2plex.errors import Refused, Unavailable
from stash2plex.operations.explain import explain_scene
from stash2plex.operations.health.report import read_health
from stash2plex.operations.server_probe import probe_servers
from stash2plex.operations.status import read_status
from tests.support import present


@contextmanager
def nothing_is_written(desk):
    connection = desk.app.store.connection
    before = list(connection.iterdump())
    connection.execute("PRAGMA query_only = ON")
    yield
    connection.execute("PRAGMA query_only = OFF")
    assert list(connection.iterdump()) == before


@pytest.mark.parametrize("known", [True, False], ids=["in use", "fresh"])
def test_status_and_explanation_write_nothing(make_desk, known):
    desk = make_desk()
    scene = desk.scene("a/pier.mp4")
    desk.item("a/pier.mp4")
    if known:
        desk.drain(scene)
    desk.restart(background_worker="off", obfuscate_paths=True)
    desk.add(scene)
    with nothing_is_written(desk):
        status = read_status(desk.app)
        found = explain_scene(desk.app, scene.id)
    assert status["plex"]["reachable"]
    assert status["background_worker"] == "off"
    assert status["held"] == {"by": "off", "since": None, "task": None, "scenes": 1}
    assert present(found.scene).id == scene.id


def test_health_writes_nothing_but_tries_to(make_desk):
    desk = make_desk()
    desk.item("a/pier.mp4")
    desk.scene("a/pier.mp4")
    before = list(desk.app.store.connection.iterdump())
    checks = read_health(desk.app, lambda _: 2**40)
    # Those of the stand-ins are the test's.
    assert [check.name for check in checks if not check.ok] == ["clocks"]
    assert list(desk.app.store.connection.iterdump()) == before


def test_a_hasty_client_makes_no_other_one_hasty(make_desk):
    desk = make_desk()
    desk.stash.faults.add("hang", operation="query Version", times=1)
    hasty = desk.app.stash.within(0.05)
    with pytest.raises(Unavailable, match="did not answer .* in time"):
        hasty.ping()
    desk.stash.faults.clear()
    desk.app.stash.ping()
    assert (hasty.most_seconds, desk.app.stash.most_seconds) == (0.05, math.inf)


def test_what_is_asked_for_a_task_that_watches_adopts_no_server(make_desk):
    desk = make_desk()
    assert probe_servers(desk.app) is None
    assert desk.app.store.plex_files.server() is None
    session = desk.app.open_session()
    session.index.adopt_server("the-server-of-before")
    assert desk.app.store.plex_files.server() == "the-server-of-before"
    assert isinstance(probe_servers(desk.app), Refused)
    with pytest.raises(Refused):
        session.index.adopt_server("another-server")
    assert desk.app.store.plex_files.server() == "the-server-of-before"
