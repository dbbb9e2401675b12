"""The harness by processes: both stand-ins with the built archive installed.

Stash's stand-in starts hooks, tasks and operations as processes; no worker is left behind. Use the
fixture `make_stage`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from plexapi.server import PlexServer

from stash2plex.app import App
from stash2plex_testing.plex import Latency
from stash2plex_testing.world import ARCHIVE, World, differences
from tests.harness.compiled import write_compiled
from tests.harness.in_process import make_app
from tests.support import PATIENCE, ManualClock, until


class Stage(World):
    """A world with the questions that tests ask."""

    @property
    def database(self) -> str:
        return os.path.join(self.data_dir, "stash2plex.db")

    def rows(self, sql: str, *values: Any) -> list[Any]:
        connection = sqlite3.connect(self.database)
        try:
            return list(connection.execute(sql, values))
        finally:
            connection.close()

    def request(self, **arguments: Any) -> dict[str, Any]:
        """Return what Stash writes to the standard input of a plugin."""
        connection = {
            "Scheme": "http",
            "Host": "127.0.0.1",
            "Port": self.stash.port,
            "Dir": self.stash.config_dir,
        }
        return {"server_connection": connection, "args": arguments}

    def run_task(self, name: str) -> Any:
        """Press a task's button and wait for its end; returns the job."""
        job = self.job(self.task(name))
        job.wait(PATIENCE * 2)
        return job

    def job(self, number: int) -> Any:
        return self.stash.jobs.find(number)

    def said(self, mode: str, **arguments: Any) -> str:
        """Call an operation; returns its answer, which may be an error."""
        try:
            return str(self.operation(mode, **arguments))
        except RuntimeError as error:
            return str(error)

    def log_text(self) -> str:
        return "\n".join(text for _, text in self.stash.plugin_log)

    def items(self) -> dict[str, Any]:
        """Every Plex item by its files, read by python-plexapi."""
        reader = PlexServer(self.plex.url, self.plex.token)
        try:
            keys = [int(item.ratingKey) for item in reader.library.section("Harbour Films").all()]
            held: dict[str, Any] = {}
            for start in range(0, len(keys), 200):
                for item in reader.fetchItems(keys[start : start + 200]):
                    held.update(dict.fromkeys(item.locations, item))
            return held
        finally:
            reader._session.close()

    def item_of(self, scene: dict[str, Any], held: dict[str, Any]) -> Any:
        return held[scene["files"][0]["path"].replace("/data", "/media/library", 1)]

    def wrong(self) -> list[str]:
        """Name every difference between Stash and Plex."""
        held = self.items()
        return [
            f"scene {scene['id']}: {found}"
            for scene in self.read_scenes()
            if scene["files"]
            for found in differences(scene, self.item_of(scene, held))
        ]

    def until(self, wish: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait until `wish` returns something true; both logs are shown if it never does."""
        return until(wish, seconds, self._logs)

    def _logs(self) -> str:
        """Return the ends of both logs: of Stash's, and of the worker's."""
        path = os.path.join(self.data_dir, "worker.log")
        worker = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                worker = file.read()[-1500:]
        return f"{self.log_text()[-1400:]}\n-- worker.log --\n{worker}"

    def queue(self) -> dict[str, int]:
        return self.operation("status", stored=True)["queue"]


def open_stage(stage: Stage, clock: ManualClock) -> App:
    """Open the plugin's data folder in this process, on a clock that the test moves."""
    return make_app(stage.data_dir, stage.stash.url, clock)


@pytest.fixture
def open_beside() -> Iterator[Callable[[Stage, ManualClock], App]]:
    """Open the data folder of a stage in this process; closed at the end."""
    with ExitStack() as stack:

        def opened(stage: Stage, clock: ManualClock) -> App:
            app = open_stage(stage, clock)
            stack.callback(app.close)
            return app

        yield opened


def workers(folder: str) -> tuple[list[int], list[int]]:
    """List the processes that work on a data folder, and those that nobody has reaped."""
    found, zombies = [], []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            if b"worker" in words and folder.encode() in words:
                found.append(int(pid))
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            if fields[0] == b"Z" and int(fields[1]) == os.getpid():
                zombies.append(int(pid))
    return found, zombies


@pytest.fixture
def make_stage(tmp_path: Any) -> Iterator[Callable[..., Stage]]:
    assert os.path.exists(ARCHIVE), "run make plugin first: the archive is what is tested"
    stages: list[Stage] = []

    def make(
        scenes: int = 12,
        *,
        latency: Latency | None = None,
        settings: Any = None,
        folder_name: str = "stash",
        cold: bool = False,
        **stash: Any,
    ) -> Stage:
        folder = tmp_path / f"{folder_name}{len(stages)}"
        folder.mkdir()
        stage = Stage(str(folder), latency=latency, **stash)
        stage.__enter__()
        stages.append(stage)
        stage.fill(scenes)
        stage.install(**(settings or {}))
        if not cold:
            write_compiled(
                ARCHIVE, os.path.join(stage.stash.plugins_dir, "Stash2Plex"), stage.data_dir
            )
        return stage

    yield make
    for stage in stages:
        stage.plex.faults.clear()
        stage.__exit__()
