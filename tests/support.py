"""Small things that several tests need."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from stash2plex.model import Entity, PlexFile, PlexItem, Scene, StashFile

Value = TypeVar("Value")

PATIENCE = 60.0
"""Seconds until a test that waits for a process has failed."""


def until(
    wish: Callable[[], Value], seconds: float = PATIENCE, log: Callable[[], str] = str
) -> Value:
    """Wait until `wish` returns something true, and return that.

    After `seconds`, the test has failed: the end of `log` is shown. The time decides nothing else.
    What takes long to ask is asked seldom, so that asking leaves the processor to what is tested.
    """
    end = time.monotonic() + seconds
    asked = time.monotonic()
    while not (value := wish()):
        now = time.monotonic()
        assert now < end, f"it never came true; the log: {log()[-3000:]}"
        took = now - asked
        time.sleep(min(2 * took, 0.4) if took > 0.05 else 0.02)
        asked = time.monotonic()
    return value


def present(value: Value | None) -> Value:
    """Return a value that has to be there."""
    assert value is not None
    return value


class ManualClock:
    """Seconds that only a test moves, by `step` or by letting the code under test sleep.

    Called, it is the clock on the wall, which `offset` sets; `monotonic` only goes on. `at` holds
    what happens during a sleep, by its moment.
    """

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now
        self.offset = 0.0
        self.at: dict[float, Callable[[], Any]] = {}

    def __call__(self) -> float:
        return self.now + self.offset

    def monotonic(self) -> float:
        return self.now

    def step(self, seconds: float) -> None:
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        """Move on by at least a hundredth of a second; what `at` holds until then happens."""
        self.step(max(seconds, 0.01))
        for moment in sorted(moment for moment in self.at if moment <= self.now):
            self.at.pop(moment)()


class Edge(Random):
    """Jitter at one end of its range."""

    def __init__(self, *, high):
        super().__init__(1)
        self.high = high

    def uniform(self, a, b):
        return b if self.high else a


def make_scene(id_=1, **values):
    base = {
        "title": "A harbour",
        "details": "",
        "director": "",
        "code": "",
        "date": "",
        "rating100": None,
        "organized": False,
        "updated_at": "2026-01-01T00:00:00Z",
        "screenshot": f"http://127.0.0.1:9999/scene/{id_}/screenshot?t=1",
        "files": (StashFile("/data/harbour/a.mp4", 100),),
        "studio": None,
        "performers": (),
        "tags": (),
        "groups": (),
    }
    return Scene(id=id_, **{**base, **values})


def named(*names):
    return tuple(Entity(number + 1, name) for number, name in enumerate(names))


def plex_file(path, key="1", size=None, section="1"):
    return PlexFile(section, key, path, size)


def make_item(**values):
    base: dict[str, Any] = {
        "rating_key": "7",
        "section_id": "1",
        "texts": {},
        "rating": None,
        "lists": {},
        "locked": frozenset(),
        "paths": ("/media/a.mp4",),
    }
    return PlexItem(**{**base, **values})
