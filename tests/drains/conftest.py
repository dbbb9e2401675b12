"""Desks, closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest

from tests.harness.in_process import Desk
from tests.harness.lanes import Pier


@pytest.fixture
def make_desk(tmp_path: Any) -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Desk(str(tmp_path), **settings))


@pytest.fixture
def make_pier(make_desk):
    made = []

    def make(number, random=None, **settings):
        desk = make_desk(skip_fields="poster background", **settings)
        made.append(Pier(desk, number, random or Random(1)))
        return made[-1]

    yield make
    for pier in made:
        pier.desk.plex.faults.clear()
        pier.finish()
        pier.flight.close()
