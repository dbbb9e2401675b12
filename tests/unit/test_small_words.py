"""Sentences and small decisions that only a rare case shows."""

from __future__ import annotations

import pytest

from stash2plex.cli.restore import restored_lines
from stash2plex.db import SCHEMA_NUMBER
from stash2plex.operations.outages import PICTURE_DAYS, _days
from stash2plex.operations.undo import Forecast, UndoReport
from stash2plex.rules.path_inference import PathPair, _spelled, head
from stash2plex.store.outages import Outage
from stash2plex.store.restore import Restored
from stash2plex.ui.lines.undo import forecast_lines, report_lines

DAY = 86_400.0


@pytest.mark.parametrize(("schema", "number"), [(SCHEMA_NUMBER, 3), (SCHEMA_NUMBER - 1, 4)])
def test_a_copy_of_an_older_version_needs_that_version(schema, number):
    lines = restored_lines(Restored("one.db", schema, "other.db", 1_200, 3))
    assert lines[:3] == [
        "one.db was taken back. The database that it replaced is kept as other.db.",
        "Changes that were queued and are carried over: 1,200.",
        "Scenes that were written since the copy, and are compared again: 3.",
    ]
    assert len(lines) == number
    assert [line.startswith("Install the older version") for line in lines[3:]] == [True] * (
        number - 3
    )


FULL = Forecast(2, 3, 1, 4, 1, 5, ((7, "title", "theirs"), (8, "tags", "Plex is older.")))


def test_all_that_an_undo_would_do_and_did():
    rest = [
        "4 values cannot come back.",
        "1 item gone from Plex, or of another Plex server.",
    ]
    left = ["  scene 7, title: changed since, so it stays", "  scene 8, tags: Plex is older."]
    pictures = "5 pictures that Stash2Plex sent {} in Plex, unused: Plex cannot delete uploads."
    assert forecast_lines(FULL) == [
        "2 scenes would be put back.",
        "1 value would stay: changed since Stash2Plex wrote them.",
        *rest,
        pictures.format("would stay"),
        *left,
    ]
    assert report_lines(UndoReport(FULL, 2, 1)) == [
        "2 scenes put back: 3 values.",
        "1 value stay: changed since Stash2Plex wrote them.",
        *rest,
        pictures.format("stay"),
        *left,
        "2 scenes still to be put back; nothing is lost.",
        "1 scene given up; “dlq list” shows why, and “dlq retry” tries again.",
    ]
    assert forecast_lines(Forecast()) == ["Nothing in Plex is left to put back."]
    assert report_lines(UndoReport()) == ["0 scenes put back: 0 values."]


def test_the_picture_of_the_outages_ends_today_and_counts_what_began():
    now = 1_800_000_000.0
    outages = [Outage("plex", now - 3 * DAY, now - 3 * DAY + 60.0, "x", 1)]
    days = _days(outages, now, now - 9 * DAY)
    assert len(days) == PICTURE_DAYS
    assert [day["date"] for day in days[-4:]] == [
        "2027-01-12", "2027-01-13", "2027-01-14", "2027-01-15",
    ]  # fmt: skip
    assert days[0]["date"] == "2026-10-18"
    assert [day["outages"] for day in days[-5:]] == [0, 1, 0, 0, 0]


def test_a_root_is_spelled_as_most_paths_spell_it():
    pairs = [
        PathPair("/Data/a.mp4", "/media/a.mp4"),
        PathPair("/data/b.mp4", "/media/b.mp4"),
        PathPair("/data/c.mp4", "/media/c.mp4"),
    ]
    assert _spelled(pairs, 1, 1) == ("/data", "/media")
    # Where it is even, the order of the alphabet decides.
    assert _spelled(pairs[:2], 1, 1) == ("/Data", "/media")
    assert [head(path, 0) for path in ("/data/a.mp4", "\\\\nas\\a.mp4")] == ["/", "\\"]
