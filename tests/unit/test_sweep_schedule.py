"""What two glances mean, on a clock that the test turns, and the text of the watermark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as some

from stash2plex.config import Settings
from stash2plex.errors import Transient
from stash2plex.model import Glance, Mark, StashJob
from stash2plex.namelist import NameList
from stash2plex.rules.sweep_schedule import (
    BACK_SECONDS,
    MATCHING,
    OVERLAP,
    SETTINGS_CAUSE,
    SHOWING,
    WAKE_SECONDS,
    ask_for_sweep,
    first_look,
    is_stale,
    look,
    next_sweep,
    poll_start,
    settings_digest,
    sweep_cause,
    swept,
)
from stash2plex.servers.glance import KINDS

START, DAY = 1_000_000.0, 86_400.0
NOON = "2026-05-06T12:00:00+02:00"
LATER = "2026-05-06T12:00:05+02:00"


def glance(*jobs, **marks):
    held = {kind: Mark(NOON, 10) for kind in KINDS}
    held.update({kind: Mark(*value) for kind, value in marks.items()})
    return Glance(held, tuple(jobs), "{}")


def marks(*jobs, **values):
    return first_look(glance(*jobs, **values), START, "digest").marks


def seen(old, new, now=START + 60, digest="digest"):
    return look(old, new, now, digest)


def test_the_first_look_ever_asks_for_nothing_and_the_interval_counts_from_it():
    found = first_look(glance(), START, "digest")
    assert found.polls == {}
    assert found.vanished == ()
    assert sweep_cause(found.marks, "daily", START + DAY - 1, by_clock=True) is None
    assert sweep_cause(found.marks, "daily", START + DAY, by_clock=True) is not None


def test_an_equal_glance_asks_for_nothing():
    found = seen(marks(), glance())
    assert (found.polls, found.vanished, found.marks.sweep_at) == ({}, (), None)


@pytest.mark.parametrize("kind", KINDS)
def test_what_moved_is_polled_and_once_more_at_the_next_look(kind):
    first = seen(marks(), glance(**{kind: (LATER, 10)}))
    assert list(first.polls) == [kind]
    second = seen(first.marks, glance(**{kind: (LATER, 10)}))
    assert list(second.polls) == [kind]
    assert seen(second.marks, glance(**{kind: (LATER, 10)})).polls == {}


def test_a_poll_reaches_back_but_not_before_the_first_look():
    found = seen(marks(), glance(scene=(LATER, 11)))
    assert found.polls["scene"] == NOON
    much_later = seen(found.marks, glance(scene=("2026-05-06T18:00:00+02:00", 11))).marks
    next_one = seen(much_later, glance(scene=("2026-05-06T18:00:01+02:00", 11)))
    assert next_one.polls["scene"] == "2026-05-06T16:00:00"


@pytest.mark.parametrize("kind", ["performer", "studio", "tag", "group"])
def test_fewer_of_a_kind_means_that_something_vanished(kind):
    found = seen(marks(), glance(**{kind: (NOON, 9)}))
    assert found.vanished == (kind,)
    assert found.marks.sweep_at is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_newest_time_that_went_back_among_as_many_means_a_restored_backup(kind):
    found = seen(marks(), glance(**{kind: ("2026-05-01T12:00:00+02:00", 10)}))
    cause = sweep_cause(found.marks, "never", START + 60, by_clock=False)
    assert cause == "Stash shows an older state than before"


def test_a_gone_newest_scene_makes_a_sweep_due_at_most_once_an_hour():
    earlier = [f"2026-05-06T11:00:0{digit}+02:00" for digit in (9, 8, 7)]
    first = seen(marks(), glance(scene=(earlier[0], 9)))
    assert first.marks.sweep_at == START + 60
    done = swept(first.marks, START + 61)
    second = seen(done, glance(scene=(earlier[1], 8)), now=START + 120)
    assert second.marks.sweep_at == START + 60 + BACK_SECONDS
    assert sweep_cause(second.marks, "never", START + 120, by_clock=False) is None
    assert sweep_cause(second.marks, "never", second.marks.sweep_at, by_clock=False) is not None


def test_gone_files_and_performers_are_no_restored_backup():
    found = seen(
        marks(),
        glance(file=("2026-05-01T12:00:00Z", 9), performer=("2026-05-01T12:00:00Z", 9)),
    )
    assert found.marks.sweep_at is None


@pytest.mark.parametrize(
    ("interval", "seconds"), [("hourly", 3600), ("daily", DAY), ("weekly", 7 * DAY)]
)
def test_the_interval(interval, seconds):
    now = START + seconds
    assert sweep_cause(marks(), interval, now - 1, by_clock=True) is None
    assert sweep_cause(marks(), interval, now, by_clock=True) is not None
    assert sweep_cause(marks(), interval, now, by_clock=False) is None
    assert sweep_cause(marks(), "never", now * 2, by_clock=True) is None


def test_a_clock_that_was_set_back_does_not_put_the_sweep_off():
    assert sweep_cause(marks(), "daily", START - 3600, by_clock=True) is None
    assert sweep_cause(marks(), "daily", START - 30 * DAY, by_clock=True) is not None


def test_only_a_pass_that_began_after_the_cause_takes_it_away():
    asked = ask_for_sweep(marks(), START + 10, "the first cause")
    assert ask_for_sweep(asked, START + 20, "another").cause == "the first cause"
    assert swept(asked, START + 5).sweep_at == START + 10
    assert swept(asked, START + 10).sweep_at is None


def scan(number, status, name="Scanning..."):
    return StashJob(number, status, name)


@pytest.mark.parametrize(
    ("before", "after", "sweeps"),
    [
        ([scan(1, "RUNNING")], [scan(1, "RUNNING")], False),
        ([scan(1, "RUNNING")], [scan(1, "FINISHED")], True),
        ([scan(1, "READY")], [scan(1, "CANCELLED")], True),
        ([], [scan(1, "FINISHED")], True),
        ([scan(4, "FINISHED")], [scan(4, "FINISHED")], False),
        ([scan(4, "FINISHED")], [scan(4, "FINISHED"), scan(5, "FAILED")], True),
        ([], [scan(1, "FINISHED", "Auto-tagging...")], False),
        ([], [scan(1, "FINISHED", "Running plugin task: Process Queue")], False),
        # Stash was started anew in the middle of it.
        ([scan(7, "RUNNING")], [], True),
    ],
)
def test_a_scan_that_ended_makes_a_sweep_due(before, after, sweeps):
    found = seen(marks(*before), glance(*after))
    assert (found.marks.sweep_at is not None) is sweeps


def test_a_job_that_runs_is_remembered_while_it_does():
    running = seen(marks(), glance(scan(3, "RUNNING", "Identifying..."))).marks
    assert running.jobs == {3: "Identifying..."}
    assert seen(running, glance(scan(3, "FINISHED", "Identifying..."))).marks.jobs == {}


def test_a_job_that_goes_on_is_no_sign_of_a_new_start():
    before = marks(scan(3, "RUNNING"), scan(4, "FINISHED"))
    found = seen(before, glance(scan(3, "RUNNING"), scan(4, "FINISHED"), scan(5, "READY")))
    assert not found.renumbered
    assert found.marks.jobs == {3: "Scanning...", 5: "Scanning..."}
    # Number 4 is over already; one that runs under it is another.
    assert seen(found.marks, glance(scan(4, "RUNNING"), scan(9, "READY"))).renumbered


def test_numbers_of_jobs_that_start_anew_are_asked_for_from_one_on():
    found = seen(marks(scan(40, "FINISHED")), glance(scan(2, "RUNNING")))
    assert found.renumbered
    again = seen(
        evolve(marks(scan(40, "FINISHED")), last_job=0),
        glance(scan(1, "FINISHED"), scan(2, "RUNNING")),
    )
    assert not again.renumbered
    assert again.marks.sweep_at is not None
    assert again.marks.last_job == 2


def test_a_changed_setting_makes_a_sweep_due_before_all_other_causes():
    asked = ask_for_sweep(marks(), START, "another cause")
    found = seen(asked, glance(), digest="another")
    assert found.marks.cause == SETTINGS_CAUSE
    assert seen(found.marks, glance(), digest="another").marks.cause == SETTINGS_CAUSE


@pytest.mark.parametrize(
    ("changed", "touches"),
    [
        ({"max_tags": 5}, True),
        ({"only_organized": True}, True),
        ({"exclude_tags": NameList.of("Fog")}, True),
        ({"ignore_tags": NameList.of("Fog")}, True),
        ({"skip_fields": frozenset({"poster"})}, True),
        ({"path_map": (("/data", "/media"),)}, True),
        ({"plex_token": "other"}, False),
        ({"reconcile_interval": "hourly"}, False),
        ({"debug_logging": True}, False),
    ],
)
def test_which_settings_touch_scenes(changed, touches):
    assert (settings_digest(Settings(**changed)) != settings_digest(Settings())) is touches


def test_when_a_look_is_stale():
    assert is_stale(None, START)
    assert not is_stale(marks(), START)
    assert not is_stale(marks(), START + WAKE_SECONDS - 1)
    assert is_stale(marks(), START + WAKE_SECONDS)
    assert is_stale(marks(), START - 1)


# -- the watermark ------------------------------------------------------------------------

MOMENTS = some.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
OFFSETS = some.integers(-14 * 4, 14 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))


def stored(moment, offset):
    """Write a moment as Stash does in a zone."""
    text = moment.astimezone(timezone(offset)).isoformat()
    return text.replace("+00:00", "Z")


@given(MOMENTS, OFFSETS, some.integers(0, 600_000))
def test_nothing_newer_than_the_mark_is_missed_in_any_zone(moment, offset, seconds):
    start = poll_start(stored(moment, offset), "")
    assert stored(moment + timedelta(seconds=seconds), offset) > start


@given(MOMENTS, OFFSETS, some.integers(0, 3600))
def test_the_end_of_summer_time_hides_nothing(moment, offset, seconds):
    # The clock goes back an hour: what is written now sorts before the mark.
    start = poll_start(stored(moment, offset + timedelta(hours=1)), "")
    assert stored(moment + timedelta(seconds=seconds), offset) > start


@given(MOMENTS, OFFSETS)
def test_the_overlap_ends(moment, offset):
    start = poll_start(stored(moment, offset), "")
    before = moment - OVERLAP
    assert stored(before, offset) > start
    assert stored(before - timedelta(seconds=1), offset) < start
    assert start == stored(before, offset)[:19]


@given(MOMENTS, OFFSETS)
def test_what_was_there_at_the_first_look_is_not_asked_for(moment, offset):
    floor = stored(moment, offset)
    start = poll_start(floor, floor)
    assert not floor > start
    assert stored(moment + timedelta(seconds=1), offset) > start


def test_an_empty_library_is_polled_whole_when_it_fills():
    assert poll_start("", "") == ""


def test_a_text_that_is_no_time_is_said():
    with pytest.raises(Transient, match="cannot be read") as raised:
        poll_start("yesterday", "")
    assert raised.value.server == "Stash"


def test_the_next_sweep_is_the_earliest_that_is_planned():
    begun = marks()
    assert next_sweep(begun, "never") is None
    assert next_sweep(begun, "daily") == START + DAY
    asked = evolve(begun, sweep_at=START + 60)
    assert (next_sweep(asked, "never"), next_sweep(asked, "daily")) == (START + 60, START + 60)
    assert next_sweep(evolve(begun, sweep_at=START + 2 * DAY), "daily") == START + DAY


OF_NO_SCENE = {
    "plex_url", "plex_token", "tls_insecure", "skip_not_found", "background_worker",
    "reconcile_interval", "trigger_plex_scan", "max_retries", "connect_timeout", "read_timeout",
    "obfuscate_paths", "debug_logging", "enabled", "unusable",
}  # fmt: skip
"""Settings that change neither what Plex shows of a scene, nor whether it is found."""


def test_of_each_setting_it_is_known_whether_a_change_looks_at_the_library_again():
    known = {*SHOWING, *MATCHING}
    assert {one.name for one in fields(Settings)} - known == OF_NO_SCENE
