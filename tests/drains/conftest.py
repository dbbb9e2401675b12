"""Desks, closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.harness.in_process import Desk


@pytest.fixture
def make_desk(tmp_path: Any) -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Desk(str(tmp_path), **settings))
