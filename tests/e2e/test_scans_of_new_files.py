"""A scan beside a living worker: new scenes are left to it, and none is lost."""

from __future__ import annotations

import os
import threading
from typing import Any

from stash2plex_testing.stash.jobs import Job
from tests.harness.process import Stage

TEXT_ONLY = {"skip_fields": "poster background"}


def promised(stage: Stage) -> list[str]:
    return [name for name in os.listdir(stage.data_dir) if name.startswith("new-scenes-")]


def shown(stage: Stage) -> set[str]:
    return {item.title for item in stage.plex.all_items()}


class Scan:
    """A scan of Stash that finds a file whenever the test wants."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._over = threading.Event()
        self._job = stage.stash.queue_job("Scanning...", self._scan)
        self._number = 0

    def _scan(self, _job: Job) -> None:
        self._over.wait(120)

    def find(self) -> str:
        """Find a new file, which Plex has too; returns the scene's title."""
        self._number += 1
        name = f"Mole {self._number}"
        self._stage.plex.add_item(
            self._stage.section, file=f"/media/library/{name}.mp4", size=1_000_000
        )
        scene = self._stage.stash.scan_new_file(f"/data/{name}.mp4")
        scene.title = name
        return name

    def end(self) -> None:
        self._over.set()
        self._job.wait()


def test_a_scan_starts_no_python_while_a_worker_finds_its_scenes(make_stage: Any) -> None:
    stage = make_stage(3, settings=TEXT_ONLY)
    scan = Scan(stage)
    try:
        wanted = {scan.find()}
        stage.until(lambda: promised(stage))
        stage.stash.clear_log()
        wanted |= {scan.find() for _ in range(5)}
        assert stage.stash.processes == []
        assert [run.error for run in stage.stash.hook_runs] == [None] * 5
        stage.until(lambda: wanted <= shown(stage))
    finally:
        scan.end()
    stage.until(lambda: not promised(stage))
    stage.stash.clear_log()
    after = Scan(stage)
    wanted.add(after.find())
    after.end()
    assert [doing for _, doing in stage.stash.processes] == ["record"]
    stage.until(lambda: wanted <= shown(stage))


def test_without_a_worker_each_new_file_is_recorded(make_stage: Any) -> None:
    stage = make_stage(3, settings={"background_worker": "off"})
    stage.operation("wake")
    stage.stash.clear_log()
    scan = Scan(stage)
    for _ in range(3):
        scan.find()
    scan.end()
    assert [doing for _, doing in stage.stash.processes] == ["record"] * 3
    assert len(stage.rows("SELECT 1 FROM queue")) == 3
