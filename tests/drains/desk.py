"""A drain in this process over both stand-ins, on a clock that only sleeping moves."""

from __future__ import annotations

import logging
import os
from random import Random
from typing import Any, Self

from stash2plex.app import App, make_stash, open_store
from stash2plex.servers.stash_address import StashAddress
from stash2plex.sync.observer import Observer, Silent
from stash2plex.sync.worker import Goal, Summary
from stash2plex_testing.plex import FakePlex
from stash2plex_testing.stash import FakeStash
from tests.support import ManualClock

TEXT_ONLY = {"skip_fields": "poster background"}


class Desk:
    """Stash sees files below `/data`, Plex below `/media`. Use it as a context manager."""

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
        random = Random(1)
        store = open_store(os.path.join(self.folder, "data"), self.clock, random)
        given = {"plex_url": self.plex.url, "plex_token": self.plex.token, **self.settings}
        return App(
            os.path.join(self.folder, "data"),
            store,
            make_stash(StashAddress(self.stash.url)),
            overrides=given,
            clock=self.clock,
            monotonic=self.clock,
            sleep=self.clock.step,
            random=random,
        )

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
        return self.app.drain(Goal("test", foreground=True), observer, lambda: False)

    def work(self, seconds: float) -> Summary:
        """Let a background worker live for so long by the clock."""
        end = self.clock() + seconds
        goal = Goal("worker", foreground=False)
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


class Heard(logging.Handler):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def listen(desk):
    """Return what is logged from now on; the next application of this process ends that."""
    handler = Heard()
    desk.app.logs.logger.addHandler(handler)
    return handler.lines
