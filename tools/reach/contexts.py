"""A pytest plugin that publishes the name of the running test, and records its time.

`S2P_REACH_STATE` names the folder that `probe` writes to; without it the plugin does nothing.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import coverage
import pytest

from tools.reach.trees import STATE_VARIABLE, TEST_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Put the test's name where this process and its children find it."""
    state = os.environ.get(STATE_VARIABLE)
    if not state:
        return (yield)
    mark = os.path.join(state, "tests", str(os.getpid()))
    with open(mark, "w", encoding="utf-8") as file:
        file.write(item.nodeid)
    os.environ[TEST_VARIABLE] = item.nodeid
    switch(item.nodeid)
    try:
        return (yield)
    finally:
        switch("")
        os.environ.pop(TEST_VARIABLE, None)
        os.remove(mark)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record outcome and seconds of each part of a test."""
    state = os.environ.get(STATE_VARIABLE)
    if not state:
        return
    line = json.dumps([report.nodeid, report.when, report.outcome, report.duration])
    with open(os.path.join(state, f"times-{os.getpid()}"), "a", encoding="utf-8") as file:
        file.write(line + "\n")


def switch(context: str) -> None:
    """From now on, count what runs in this process for a test."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.switch_context(context)
