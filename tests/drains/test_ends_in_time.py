"""A worker ends within ten seconds of the clock, whatever it does; the guide promises it."""

from __future__ import annotations

import shutil
import signal
import threading

import pytest

from stash2plex_testing.plex.faults import Fault
from tests.drains.test_worker_here import ENDS, Life, install
from tests.harness.in_process import fill

SECONDS = 10.0
MANY, A_REQUEST = 150, 0.1
"""Scenes, and the seconds of the clock that Plex takes for each request about them."""

UNINSTALLED, DISABLED = "the plugin was uninstalled.", "the plugin was disabled in Stash."


@pytest.fixture
def life(make_desk, tmp_path, monkeypatch):
    """Give a worker as Stash starts one: it sees the file of Stash's settings."""
    kept = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    found = Life(make_desk(), tmp_path, monkeypatch)
    install(found.desk, "Stash2Plex")
    found.desk.stash.plugins.write_config()
    found.desk.app.settings_reader.stash_dir = found.desk.stash.core.config_dir
    yield found
    for number, handler in kept:
        signal.signal(number, handler)


def nothing(_):
    """Leave the worker without work."""


def sends(desk):
    """Give the worker more to send than it can in ten seconds."""
    answer, lock = desk.plex.handle, threading.Lock()

    def slowly(handler):
        with lock:
            desk.clock.sleep(A_REQUEST)
        answer(handler)

    desk.plex.handle = slowly
    desk.add(*fill(desk, MANY))


def waits_for_plex(desk):
    """Stop Plex with scenes due."""
    desk.add(*fill(desk, 3))
    desk.plex.down()


def retries(desk):
    """Have Plex refuse every edit for a while."""
    desk.add(*fill(desk, 3))
    desk.plex.faults.add(Fault("status", method="PUT", status=500, times=None))


def waits_for_stash(desk):
    """Stop Stash, which could have told why the worker is to end."""
    desk.add(*fill(desk, 3))
    desk.clock.at[desk.clock.now + 0.5] = desk.stash.down


def ends(life, during):
    """Live until `during`, a second from now, ends it; returns after how many seconds, and why."""
    moments: list[float] = []

    def happen():
        moments.append(life.desk.clock.now)
        during(life.desk)

    (why,) = life.run(happen)
    return life.desk.clock.now - moments[0], why.removeprefix(ENDS)


@pytest.mark.parametrize("busy", [nothing, sends, waits_for_plex, retries, waits_for_stash])
def test_a_worker_of_a_plugin_that_was_removed_ends_within_ten_seconds(life, busy):
    busy(life.desk)
    seconds, why = ends(life, lambda _: shutil.rmtree(life.plugin))
    assert why == UNINSTALLED
    assert seconds < SECONDS
    assert not life.plugin.exists()


def disable(desk):
    """Press Disable in Stash, which writes its settings."""
    desk.stash.plugins.disabled.add("Stash2Plex")
    desk.stash.plugins.write_config()


@pytest.mark.parametrize("busy", [nothing, sends, waits_for_plex, retries])
def test_a_worker_of_a_plugin_that_was_disabled_ends_within_ten_seconds(life, busy):
    busy(life.desk)
    seconds, why = ends(life, disable)
    assert why == DISABLED
    assert seconds < SECONDS
    if busy is sends:
        ((left,),) = life.desk.rows("SELECT count(*) FROM queue")
        sent = sum(title.startswith("About ") for title in life.desk.titles())
        assert (0 < left < MANY, sent) == (True, MANY - left)
