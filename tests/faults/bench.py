"""Both stand-ins without the plugin, and an application over them in this process."""

from __future__ import annotations

import os

from stash2plex.logs.handlers import Logs
from stash2plex.sync.goals import Background, Foreground, Goal
from stash2plex.sync.observer import Silent
from stash2plex_testing.stash import picture
from stash2plex_testing.world import World
from tests.harness.in_process import Heard, make_app
from tests.support import ManualClock

PATIENT, SHORT = 10.0, 0.5
"""Time-outs of both servers, in seconds: the short one for tests that wait for it."""


class Bench(World):
    """A world whose library grows by one scene for each case."""

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self.cases = 0

    def __enter__(self):
        super().__enter__()
        self.configure_plainly()
        return self

    def configure_plainly(self, *, seconds=PATIENT, **settings):
        """Store the settings of a case, and forget those of an earlier one."""
        self.stash.configure_plugin(
            "Stash2Plex",
            {
                "plex_url": self.plex.url,
                "plex_token": self.plex.token,
                "read_timeout": seconds,
                "connect_timeout": seconds,
                **settings,
            },
        )

    def requests(self):
        """Count the requests that either server answered."""
        return len(self.plex.requests) + len(self.stash.requests)

    def add(self, **values):
        """Make a scene with a cover and a performer, and Plex's item of its file."""
        self.cases += 1
        number = self.cases
        performer = self.stash.add_performer(f"Performer {number}")
        scene = self.stash.add_scene(
            **{
                "title": f"Pier {number}",
                "details": "A lantern in the fog.",
                "files": [f"/data/pier-{number}.mp4"],
                "performers": [performer],
                "cover": picture(number),
                **values,
            }
        )
        item = self.plex.add_item(self.section, file=f"/media/library/pier-{number}.mp4")
        return scene, item

    def clear(self):
        """Forget every scene and item, so that a case costs the same as the first."""
        self.stash.up()
        if not self.plex.listening:
            self.plex.up()
        self.plex.maintenance(False)
        self.stash.faults.clear()
        self.plex.faults.clear()
        for item in self.plex.all_items():
            self.plex.remove_item(item)
        self.stash.library.scenes.clear()
        self.plex.clear_log()
        self.stash.clear_log()


class Run:
    """An application over a fresh data folder, its clock and what it logged."""

    def __init__(self, bench, folder, *, seconds=PATIENT):
        self.clock = ManualClock(1_800_000_000.0)
        self.heard = Heard()
        self.folder = os.fspath(folder)
        logs = Logs(None)
        logs.logger.addHandler(self.heard)  # what opening the database says is heard too
        self.app = make_app(self.folder, bench.stash.url, self.clock, seconds=seconds, logs=logs)
        self.queue = self.app.store.queue

    def close(self):
        self.app.logs.logger.removeHandler(self.heard)
        self.app.close()

    def drain(self, *, patience=0.0, horizon=0.0, foreground=True, stopped=lambda: False, **more):
        """Drain; with the patience of none, it ends at the first closed gate."""
        goal: Goal
        if foreground:
            goal = Foreground("a test", horizon=horizon, patience=patience, **more)
        else:
            goal = Background("a test", patience=patience, **more)
        return self.app.drain(goal, Silent(), stopped)

    def rows(self, sql, *values):
        return list(self.app.store.connection.execute(sql, values))
