"""The harness in one process: an application over both stand-ins, on a manual clock."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, Self

from stash2plex.app import STASH_LOGIN_PAGE, App, make_stash, open_store
from stash2plex.db import connect
from stash2plex.logs.handlers import Logs
from stash2plex.servers.stash import Stash
from stash2plex.servers.stash_address import StashAddress
from stash2plex.servers.transport import Transport
from stash2plex.sync.goals import Background, Foreground
from stash2plex.sync.observer import Observer, Silent
from stash2plex.sync.worker import Summary
from stash2plex_testing.plex import FakePlex
from stash2plex_testing.stash import FakeStash
from tests.support import ManualClock

TEXT_ONLY = {"skip_fields": "poster background"}


class Heard(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def make_app(
    folder: str,
    stash_url: str,
    clock: ManualClock,
    *,
    seconds: float | None = None,
    overrides: Mapping[str, object] | None = None,
    logs: Logs | None = None,
) -> App:
    """Open a data folder as a new process does; every wait moves the clock.

    `seconds` is how long to wait for Stash, by default as long as the plugin does.
    """
    put_database(folder)
    store = open_store(folder, clock, Random(1))
    return App(
        folder=folder,
        store=store,
        stash=make_stash(StashAddress(stash_url)) if seconds is None else hasty(stash_url, seconds),
        overrides=overrides or {},
        logs=logs or Logs(None),
        clock=clock,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
        random=Random(1),
    )


def put_database(folder: str) -> None:
    """Put a database with empty tables into a data folder that has none.

    To create the tables takes ten times as long, and most tests are about something else.
    """
    path = os.path.join(folder, "stash2plex.db")
    if os.path.exists(path):
        return
    os.makedirs(folder, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(_empty_database())


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "stash2plex.db")
        connect(path).close()
        with open(path, "rb") as file:
            return file.read()


def hasty(url: str, seconds: float) -> Stash:
    """Make a client of Stash that waits up to `seconds` for an answer."""
    return Stash(
        Transport(
            "Stash",
            url,
            headers={"Accept": "*/*"},
            login_page=STASH_LOGIN_PAGE,
            connect_timeout=seconds,
            read_timeout=seconds,
        )
    )


def listen(desk: Desk) -> list[str]:
    """Return what is logged from now on; the next application of this process ends that."""
    handler = Heard()
    desk.app.logs.logger.addHandler(handler)
    return handler.lines


class Desk:
    """Both stand-ins, an application and a clock. Use it as a context manager.

    Stash sees files below `/data`, Plex below `/media`.
    """

    def __init__(self, folder: str, **settings: Any) -> None:
        self.folder = folder
        self.clock = ManualClock(1_800_000_000.0)
        self.stash = FakeStash(root=os.path.join(folder, "stash"), clock=self.clock)
        self.plex = FakePlex(clock=self.clock)
        self.films = self.plex.add_section("Harbour Films", locations=["/media"])
        self.settings = {**TEXT_ONLY, **settings}

    def __enter__(self) -> Self:
        self.plex.start()
        self.stash.start()
        self.app = self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.app.close()
        self.stash.stop()
        self.plex.stop()

    def open(self) -> App:
        """Open the data folder as a new process does."""
        given = {"plex_url": self.plex.url, "plex_token": self.plex.token, **self.settings}
        folder = os.path.join(self.folder, "data")
        return make_app(folder, self.stash.url, self.clock, overrides=given)

    def restart(self, **settings: Any) -> None:
        """End the process and start another one, perhaps with other settings."""
        self.app.close()
        self.settings.update(settings)
        self.app = self.open()

    def scene(self, path: str, size: int = 100, **values: Any) -> Any:
        """Add a scene of one file."""
        given = {"title": f"About {path}", "details": f"Seen at {path}.", **values}
        return self.stash.add_scene(files=[f"/data/{path}"], sizes=[size], **given)

    def item(self, path: str, size: int = 100) -> Any:
        """Add a Plex item of one file."""
        return self.plex.add_item(self.films, f"/media/{path}", size=size)

    def add(self, *scenes: Any) -> None:
        """Enqueue scenes, as a save does."""
        keys = [("scene", scene.id) for scene in scenes]
        self.app.store.queue.add_many(keys, priority=0)

    def drain(self, *scenes: Any) -> Summary:
        """Enqueue scenes and process the queue in the foreground."""
        self.add(*scenes)
        return self.process(Silent())

    def process(self, observer: Observer) -> Summary:
        """Process the queue in the foreground, before the eyes of an observer."""
        return self.app.drain(Foreground("test"), observer, lambda: False)

    def work(self, seconds: float, *, grain: float = 0.0) -> Summary:
        """Let a background worker live for `seconds` by the clock.

        A sleep takes at least `grain` seconds: an idle hour has 14,400 turns otherwise.
        """
        end = self.clock() + seconds
        self.app.sleep = lambda least: self.clock.sleep(max(least, grain))
        goal = Background("worker")
        return self.app.drain(goal, Silent(), lambda: self.clock() >= end)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Ask the database."""
        return list(self.app.store.connection.execute(sql, values))

    def dead(self) -> dict[int, str]:
        """Name the dead letters and their reasons."""
        return dict(self.rows("SELECT id, reason FROM dead_letter"))

    def errors(self) -> dict[int, str]:
        """Name the dead letters and their errors."""
        return dict(self.rows("SELECT id, error FROM dead_letter"))

    def titles(self) -> list[str]:
        """Name what Plex shows, by rating key."""
        return [item.title for item in self.plex.all_items()]


def fill(desk: Desk, number: int) -> list[Any]:
    """Add scenes, and an item of the same file for each."""
    scenes = [desk.scene(f"{one}.mp4", size=100 + one) for one in range(number)]
    for one in range(number):
        desk.item(f"{one}.mp4", size=100 + one)
    return scenes
