"""An application over a data folder that was made once and is copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stash2plex.app import App
from tests.harness.in_process import make_app
from tests.support import ManualClock

NOBODY = "http://127.0.0.1:9"
NOW = 1_800_000_000.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(scope="session")
def ready_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder whose database has all tables: a copy costs a millisecond."""
    folder = tmp_path_factory.mktemp("ready") / "data"
    make_app(str(folder), NOBODY, ManualClock(NOW)).close()
    return folder


@pytest.fixture
def app(tmp_path: Path, ready_folder: Path, clock: ManualClock) -> Iterator[App]:
    """Open a new data folder; no server is there."""
    folder = shutil.copytree(ready_folder, tmp_path / "data")
    app = make_app(str(folder), NOBODY, clock)
    yield app
    app.close()
