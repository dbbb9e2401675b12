"""The fixtures of tests of FakeStash's library."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stash2plex_testing.stash import FakeStash
from tests.support import ManualClock

START = 1_750_000_000.0


Ask = Callable[..., Any]


def ids(ask: Ask, criteria: dict[str, Any] | None = None, **paging: Any) -> list[int]:
    data = ask(
        "query ($c: SceneFilterType, $f: FindFilterType) {"
        " findScenes(scene_filter: $c, filter: $f) { scenes { id } } }",
        {"c": criteria, "f": {"per_page": -1, "sort": "id", **paging}},
    )
    return [int(scene["id"]) for scene in data["findScenes"]["scenes"]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def stash(tmp_path: Path, clock: ManualClock) -> Iterator[FakeStash]:
    with FakeStash(root=str(tmp_path), clock=clock) as server:
        yield server


@pytest.fixture
def ask(stash: FakeStash) -> Ask:
    return stash.client().query
