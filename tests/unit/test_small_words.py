"""Sentences and small decisions that only a rare case shows."""

from __future__ import annotations

import os

import pytest
from attrs import evolve

from stash2plex.cli.restore import restored_lines
from stash2plex.config import Settings
from stash2plex.db import SCHEMA_NUMBER
from stash2plex.model import Field, Record
from stash2plex.namelist import read_names
from stash2plex.operations.outages import PICTURE_DAYS, _days
from stash2plex.operations.reasons import groups_sentence
from stash2plex.operations.undo import Forecast, UndoReport
from stash2plex.rules.desired import desired_state
from stash2plex.rules.drift import MEANINGS, Kind
from stash2plex.rules.memory import Base, Version
from stash2plex.rules.path_inference import PathPair, _spelled, head
from stash2plex.rules.way_back import ChosenPictures, Goal, plan_way_back
from stash2plex.servers.plex import ServerIdentity
from stash2plex.servers.plexwire import WireRow, read_item
from stash2plex.servers.wire import make_converter, structure
from stash2plex.start_trouble import (
    Trouble,
    end_trouble,
    read_trouble,
    record_trouble,
    take_trouble,
)
from stash2plex.store.dead_letters import Group
from stash2plex.store.outages import Outage
from stash2plex.store.progress import RateWindow, _is_enough
from stash2plex.store.restore import Restored
from stash2plex.sync.pictures import _known_etag
from stash2plex.sync.sweep import Enqueued, Idle
from stash2plex.ui.lines.undo import forecast_lines, report_lines
from tests.support import make_item, make_scene

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
        "1 value stays: changed since Stash2Plex wrote them.",
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


def test_the_etag_of_a_cover_is_known_only_where_every_place_has_the_same():
    desired = desired_state(make_scene(), Settings())
    record = Record(1, "7", "1", "/a", "the whole path", "f", {}, cover_etag="e")
    known = evolve(record, poster_hash="a", background_hash="a")
    assert _known_etag(desired, known) == "e"
    assert _known_etag(desired, evolve(known, background_hash="b")) == ""
    assert _known_etag(desired, evolve(known, background_hash="")) == ""
    assert _known_etag(desired, record) == _known_etag(desired, None) == ""
    one = desired_state(make_scene(), Settings(skip_fields=frozenset({Field.BACKGROUND})))
    assert _known_etag(one, evolve(record, poster_hash="a")) == "e"


@pytest.mark.parametrize(
    ("first", "rating", "clears"), [(4.0, 4.0, False), (0.0, None, True), (None, None, True)]
)
def test_a_rating_goes_back_to_the_first_or_is_taken_away(first, rating, clears):
    item = make_item(rating=8.0)
    base = Base((Version({"rating": 8.0}),))
    goals = {Field.RATING: Goal(first, False)}
    back = plan_way_back(goals, item, base, ChosenPictures())
    assert (back.change.rating, back.change.clear_rating) == (rating, clears)


def test_a_worker_that_works_again_ends_a_trouble_that_was_shown(tmp_path):
    folder = str(tmp_path)
    record_trouble(folder, Trouble("It ended.", ""))
    take_trouble(folder)
    end_trouble(folder)
    assert read_trouble(folder) is None
    assert os.listdir(folder) == []


def test_a_rate_needs_time_to_be_one_and_follows_the_last_forty():
    window = RateWindow(100.0)
    assert window.rate(100.0, 5) == 0.0
    assert window.rate(101.0, 5) == 5.0
    window = RateWindow(0.0)
    # One a second, then ten a second: what is old is left out once there is enough.
    for second in range(1, 101):
        window.rate(float(second), second)
    for second in range(101, 141):
        rate = window.rate(float(second), 100 + 10 * (second - 100))
    assert rate == 10.0
    assert [_is_enough(20.0, 40, 0.0, base) for base in (0, 1)] == [True, False]
    assert [_is_enough(now, 0, 0.0, 0) for now in (299.0, 300.0)] == [False, True]


def test_the_separators_of_names_are_no_letters():
    assert read_names("XXL Films, Boats，Fog、Ebb", ()).unknown == (
        "XXL Films", "Boats", "Fog", "Ebb",
    )  # fmt: skip


def test_what_a_row_of_plex_does_not_hold_is_empty():
    row = structure(make_converter(), {"ratingKey": "7"}, WireRow, "Plex", "an item")
    item = read_item(row, "1")
    assert set(item.texts.values()) == {""}
    assert ServerIdentity("m", "1").name == ""


def test_why_scenes_were_given_up_or_left_out_or_differ():
    groups = [Group("unavailable", 2, 0.0), Group("transient", 1, 0.0)]
    assert groups_sentence(groups) == (
        "2 because a server kept failing, 1 because a server sent answers that make no sense"
    )
    assert Enqueued(1, 0, {Idle.NO_FILE: 2}).sentence() == "1 scene queued; 2 without a file."
    assert MEANINGS[Kind.AMBIGUOUS] == "several Plex items fit equally well"
