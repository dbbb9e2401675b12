"""How far Stash's progress bar has come in a task of two stages."""

from __future__ import annotations

import re

import pytest

from tests.drains.test_buttons_here import Buttons
from tests.harness.in_process import fill


@pytest.fixture
def buttons(make_desk, monkeypatch):
    return Buttons(make_desk(), monkeypatch)


def bar(buttons):
    """Return the values that Stash was sent, without repeats."""
    values = [float(one) for one in re.findall(r"\x01p\x02([\d.]+)", buttons.stderr.getvalue())]
    return list(dict.fromkeys(values))


def test_a_comparison_fills_the_first_half_and_what_it_sends_the_other(buttons):
    fill(buttons.desk, 3)
    buttons.press("reconcile_all")
    values = bar(buttons)
    assert values == sorted(values)
    assert values[0] <= 0.5
    assert 0.5 in values
    assert values[-1] == 1.0


def test_a_comparison_that_finds_nothing_fills_the_bar(buttons):
    scenes = fill(buttons.desk, 2)
    buttons.desk.drain(*scenes)
    buttons.press("reconcile_all")
    assert bar(buttons)[-1] == 1.0
    assert buttons.started == []


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("reconcile_all", "Reconcile Library (All)"),
        ("reconcile_recent", "Reconcile Library (Recent)"),
        ("reconcile_7days", "Reconcile Library (Last 7 Days)"),
        ("reconcile_missing_metadata", "Reconcile Missing Metadata Only"),
    ],
)
def test_each_line_of_a_comparison_begins_with_the_name_of_its_task(buttons, mode, name):
    fill(buttons.desk, 1)
    value = buttons.press(mode)
    own = [line for line in buttons.lines if line.startswith("Reconcile")]
    assert len(own) >= 2
    assert {line.startswith(f"{name}: ") for line in own} == {True}
    assert (value["scenes"], value["queued"], value["dry_run"]) == (1, 1, False)
    assert buttons.desk.titles() == ["About 0.mp4"]
