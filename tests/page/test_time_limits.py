"""How many seconds each question lets a server take: a user is watching."""

from __future__ import annotations

import socket
from functools import partial
from typing import Any

import pytest

from stash2plex.errors import Unavailable
from stash2plex.operations.disabled import DisabledWatch
from stash2plex.operations.server_probe import ServerProbe, probe_servers
from stash2plex.store.progress import Wait
from stash2plex.sync.goals import Foreground
from stash2plex.tasks.registry import find_task
from tests.page.conftest import Page
from tests.page.test_whole_answers import harbour

USUAL = [5.0, 60.0]
"""Stash's settings and its scenes: as long as the worker waits."""


QUESTIONS: list[tuple[str, dict[str, Any], dict[str, list[float]]]] = [
    ("page", {}, {}),
    ("status", {"stored": True}, {}),
    ("status", {}, {"Plex": [2.0], "Stash": USUAL}),
    ("scene", {"scene_id": 1}, {"Plex": [10.0], "Stash": USUAL}),
    ("scenes", {"state": "in_sync"}, {"Stash": [5.0]}),
    ("not_in_plex", {}, {"Stash": [5.0]}),
    ("libraries", {}, {"Plex": [10.0], "Stash": USUAL}),
    ("candidates", {"scene_id": 4}, {"Plex": [10.0], "Stash": USUAL}),
    ("health", {}, {"Plex": [5.0], "Stash": [5.0]}),
    ("preview", {}, {"Plex": [21.0, 22.0], "Stash": USUAL}),
    ("connect", {"url": "PLEX"}, {"Plex": [3.0], "Stash": USUAL}),
    ("all", {}, {"Plex": [21.0, 22.0], "Stash": USUAL}),
]


class Limits:
    """Notices which limits the sockets to both servers get."""

    def __init__(self, desk, monkeypatch):
        self.desk = desk
        self.seen: dict[str, set[float]] = {"Plex": set(), "Stash": set()}
        self.set = socket.socket.settimeout
        limits = self

        def settimeout(one, seconds):
            limits.notice(one, seconds)
            limits.set(one, seconds)

        monkeypatch.setattr(socket.socket, "settimeout", settimeout, raising=False)

    def notice(self, one, seconds):
        try:
            port = one.getpeername()[1]
        except OSError:
            return
        for name, fake in (("Plex", self.desk.plex), ("Stash", self.desk.stash)):
            if port == fake.port and seconds is not None:
                self.seen[name].add(seconds)

    def of(self, deed):
        """Return the limits at Plex and at Stash meanwhile."""
        for seen in self.seen.values():
            seen.clear()
        deed()
        return {name: sorted(seen) for name, seen in self.seen.items() if seen}


@pytest.fixture
def limits(make_desk, monkeypatch):
    desk = make_desk(max_retries=1, connect_timeout=21, read_timeout=22)
    return Limits(desk, monkeypatch)


def test_how_long_a_question_waits(limits):
    desk = limits.desk
    harbour(desk)
    for mode, arguments, expected in QUESTIONS:
        given = {name: desk.plex.url if name == "url" else arguments[name] for name in arguments}
        call = Page(desk.app).make_call(given)
        assert limits.of(partial(find_task(mode).run, call)) == expected, mode


def test_how_long_a_look_beside_other_work_waits(limits):
    app, clock = limits.desk.app, limits.desk.clock
    assert limits.of(partial(probe_servers, app)) == {"Plex": [10.0], "Stash": [60.0]}
    watch = DisabledWatch(app)
    for seconds, expected in (
        (59.0, {}),
        (1.0, {"Stash": [2.0]}),
        (59.5, {}),
        (0.5, {"Stash": [2.0]}),
    ):
        clock.step(seconds)
        assert limits.of(watch.disabled) == expected


class Wrong:
    """A server that another process waits for, watched by a task of some patience."""

    def __init__(self, desk, patience):
        self.desk = desk
        self.probe = ServerProbe(desk.app, Foreground("test", patience=patience))

    def after(self, seconds, wait, left):
        self.desk.clock.step(seconds)
        return self.probe.verdict(wait, left)


def test_a_task_that_watches_ends_after_its_patience(limits):
    watched = Wrong(limits.desk, 60.0)
    wait = Wait("Plex rests.")
    assert watched.after(0.0, None, 3) == (None, None)
    assert watched.after(1.0, wait, 3) == (None, None)
    assert watched.after(59.5, wait, 3) == (None, None)
    # Nothing is left for a while: the patience begins again.
    assert watched.after(0.0, wait, 0) == (None, None)
    assert watched.after(1.0, wait, 3) == (None, None)
    assert watched.after(59.0, wait, 3) == (None, None)
    error, words = watched.after(1.0, wait, 3)
    assert isinstance(error, Unavailable)
    assert (error.what, words) == (
        "Plex rests.",
        "Plex rests. Waited 1 min 00 s; run the task again later.",
    )


def test_a_watching_task_asks_every_five_seconds_and_believes_its_own_answer(limits):
    watched = Wrong(limits.desk, 10.0)
    wait = Wait("Plex rests.")
    plex = limits.desk.plex
    plex.clear_log()
    for seconds, asked in ((4.5, False), (0.5, True), (4.5, False), (0.5, True)):
        plex.clear_log()
        watched.after(seconds, wait, 1)
        assert bool(plex.requests) is asked
    plex.down()
    watched = Wrong(limits.desk, 10.0)
    watched.probe.ask()
    assert watched.after(9.5, None, 1) == (None, None)
    error, words = watched.after(0.5, None, 1)
    # It has been wrong since the task began.
    assert isinstance(error, Unavailable)
    assert words == (
        f"Plex at {plex.url} refuses the connection. Is it running, is the port right? "
        "Waited 10 s; run the task again later."
    )
