"""One stage for every change of the table of stash.md §10, and how the table is written."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Any

import pytest

from stash2plex.sync.goals import Background, Foreground
from stash2plex.sync.observer import Silent
from stash2plex.sync.sweep import ChangeFilter
from tests.harness.process import open_stage
from tests.support import present

HARBOUR = "/data/harbour"


class Rows:
    """Collects the rows of the table: called as a decorator of the steps of each."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def __call__(self, learnt):
        def take(steps):
            self.rows.append(pytest.param(learnt, steps, id=steps.__name__))
            return steps

        return take


class Shore:
    """One stage for all rows, an application in this process, and a clock of theirs."""

    def __init__(self, stage, clock):
        self.stage = stage
        self.clock = clock
        self.stash = stage.stash
        self.library = stage.stash.library
        self.number = 0
        self.made = []
        self.app = open_stage(stage, clock)

    # -- the library ----------------------------------------------------------------------

    def path(self, folder=HARBOUR):
        self.number += 1
        return f"{folder}/pier-{self.number}.mp4"

    def scene(self, *, path=None, more=(), versions=(), **values):
        """Add a scene; Plex has its first file, with `versions` of it, but not `more` files."""
        path = path or self.path()
        values.setdefault("title", f"Pier {self.number}")
        scene = self.stash.add_scene(files=[path, *versions, *more], **values)
        self.in_plex(path, *versions)
        self.made.append(scene)
        return scene

    def in_plex(self, *paths):
        files = [path.replace("/data", "/media/library", 1) for path in paths]
        return self.stage.plex.add_item(self.stage.section, files=files)

    def moved_in_plex(self, old, new):
        old, new = (path.replace("/data", "/media/library", 1) for path in (old, new))
        item = next(one for one in self.stage.plex.all_items() if one.parts[0].path == old)
        self.stage.plex.move_file(item, new)

    def job(self, description, work):
        self.stash.queue_job(description, lambda _: work()).wait()

    @contextmanager
    def without_hooks(self):
        """Switch the plugin off for a while: what happens then reaches no hook."""
        plugin = "mutation P($on: BoolMap!) { setPluginsEnabled(enabledMap: $on) }"
        self.stage.graphql(plugin, on={"Stash2Plex": False})
        yield
        self.stage.graphql(plugin, on={"Stash2Plex": True})

    # -- the plugin -----------------------------------------------------------------------

    def look(self, days=0.0, *, foreground=True):
        """Let time pass, then drain until nothing is due."""
        self.clock.now += days * 86_400 + 700
        goal = Foreground("a test") if foreground else Background("a test", idle=1.0)
        self.app.drain(goal, Silent(), lambda: False)

    def settle(self):
        self.app.store.queue.add_many([("scene", scene.id) for scene in self.made])
        self.look()
        self.look()

    def is_right(self):
        """Whether Plex shows what Stash shows, and the records agree."""
        records = self.app.store.records
        change_filter = ChangeFilter(
            self.app.store.queue, records, self.app.settings(), self.app.store.scenes
        )
        found = self.app.stash.scenes(list({scene.id: 0 for scene in self.made}))
        for scene in self.made:
            if scene.id in found and change_filter.why_idle(found[scene.id]) is None:
                return False
            if scene.id not in found and records.get(scene.id) is not None:
                return False
        ids = {scene.id for scene in self.made}
        wrong = {int(present(re.search(r"\d+", text))[0]) for text in self.stage.wrong()}
        return not ids & wrong


def queued(shore):
    return {(kind, id_) for kind, id_ in shore.stage.rows("SELECT kind, id FROM queue")}
