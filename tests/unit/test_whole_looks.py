"""Whole looks: all that follows from one glance, and the seconds at which each thing is due."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.errors import Transient
from stash2plex.model import Glance, Mark, StashJob
from stash2plex.namelist import NameList
from stash2plex.rules.sweep_schedule import (
    KindMark,
    Look,
    Marks,
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

START = 1_000_000.0
NOON, FIVE_PAST = "2026-05-06T12:00:00+02:00", "2026-05-06T12:05:00+02:00"
EARLY = "2026-05-06T03:00:00+02:00"


def scanning(number, status="RUNNING", words="Scanning..."):
    return StashJob(number, status, words)


def glance(*jobs, **marks):
    held = {"scene": (NOON, 10), "performer": (NOON, 5), "file": (NOON, 12), **marks}
    return Glance({kind: Mark(*value) for kind, value in held.items()}, tuple(jobs), "{}")


def begun(*jobs):
    return first_look(glance(*jobs), START, "digest").marks


def test_the_whole_first_look():
    found = first_look(glance(scanning(3), scanning(7, "FINISHED")), START, "digest")
    assert found == Look(
        Marks(
            looked_at=START,
            swept_at=START,
            kinds={
                "scene": KindMark(NOON, 10, NOON, again=False),
                "performer": KindMark(NOON, 5, NOON, again=False),
                "file": KindMark(NOON, 12, NOON, again=False),
            },
            sweep_at=None,
            cause="",
            back_at=0.0,
            last_job=7,
            jobs={3: "Scanning..."},
            settings="digest",
        ),
        {},
        (),
        renumbered=False,
    )
    assert first_look(Glance({}, (), "{}"), START, "").marks == Marks(START, START)


def test_the_whole_look_at_what_moved_vanished_and_came():
    old = evolve(begun(scanning(3)), swept_at=START - 5, back_at=START - 7)
    new = glance(
        scanning(4), scanning(3), scene=(FIVE_PAST, 11), performer=(NOON, 4), tag=(EARLY, 1)
    )
    assert look(old, new, START + 60, "digest") == Look(
        Marks(
            looked_at=START + 60,
            swept_at=START - 5,
            kinds={
                "scene": KindMark(FIVE_PAST, 11, NOON, again=True),
                "performer": KindMark(NOON, 4, NOON, again=True),
                "file": KindMark(NOON, 12, NOON, again=False),
                "tag": KindMark(EARLY, 1, "", again=True),
            },
            back_at=START - 7,
            last_job=4,
            jobs={3: "Scanning...", 4: "Scanning..."},
            settings="digest",
        ),
        # Of a kind that was never seen, everything is asked for.
        {"scene": NOON, "performer": NOON, "tag": ""},
        ("performer",),
        renumbered=False,
    )


@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        ("2026-05-06T20:00:00+02:00", "2026-05-06T21:00:00+02:00", "2026-05-06T18:00:00"),
        ("2026-05-06T21:00:00+02:00", "2026-05-06T20:00:00+02:00", "2026-05-06T18:00:00"),
        ("2026-05-06T13:00:00+02:00", "2026-05-06T13:00:01+02:00", NOON),
    ],
)
def test_a_poll_begins_two_hours_before_the_older_of_both_times_but_not_before_the_first_look(
    old, new, after
):
    marks = evolve(begun(), kinds={"scene": KindMark(old, 10, NOON)})
    found = look(marks, Glance({"scene": Mark(new, 10)}, (), "{}"), START, "digest")
    assert found.polls == {"scene": after}


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "floor"),
        ("2026-05-06T12:00:00+02:00", "2026-05-06T10:00:00"),
        ("2026-05-06T12:00:00.999999+02:00", "2026-05-06T10:00:00"),
        ("2026-01-01T01:59:59Z", "2025-12-31T23:59:59"),
    ],
)
def test_where_a_poll_begins(text, start):
    assert poll_start(text, "floor" if not text else "") == start


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("yesterday", "'yesterday'"),
        ("0001-01-01T00:00:00Z", "'0001-01-01T00:00:00Z'"),
        ("x" * 41, "'" + "x" * 40 + "'"),
    ],
)
def test_a_time_that_cannot_be_read_is_shown_up_to_forty_letters(text, shown):
    with pytest.raises(Transient) as raised:
        poll_start(text, "")
    assert raised.value.what == f"Stash sent a time that cannot be read: {shown}."


RESTORED = "Stash shows an older state than before"
ENDED = "a scan, a clean or an import of Stash has ended"


@pytest.mark.parametrize(
    ("given", "now", "digest", "sweep"),
    [
        # An older time among as many, or more, is a restored backup.
        ({"performer": (EARLY, 5)}, 60, "digest", (START + 60, RESTORED, START + 60)),
        ({"performer": (EARLY, 6)}, 60, "digest", (START + 60, RESTORED, START + 60)),
        ({"performer": (EARLY, 4)}, 60, "digest", (None, "", START)),
        ({"performer": (EARLY, 5), "file": (EARLY, 11)}, 9, "digest",
         (START + 9, RESTORED, START + 9)),
        ({"scene": (EARLY, 10), "performer": (NOON, 5)}, 9, "digest",
         (START + 9, RESTORED, START + 9)),
        # The newest scene is gone: at most one sweep an hour, counted from the last.
        ({"scene": (EARLY, 9)}, 3_600, "digest", (START + 3_600, RESTORED, START + 3_600)),
        ({"scene": (EARLY, 9)}, 3_599, "digest", (START + 3_600, "a scene is gone", START)),
        ({"scene": (EARLY, 9)}, 0, "digest", (START + 3_600, "a scene is gone", START)),
        ({"scene": (EARLY, 9)}, -1, "digest", (START - 1, RESTORED, START - 1)),
        ({"scene": (NOON, 9)}, 60, "digest", (None, "", START)),
        # A changed setting goes before anything else.
        ({"scene": (EARLY, 10)}, 60, "other", (START + 60, "a setting has changed", START)),
        ({}, 60, "other", (START + 60, "a setting has changed", START)),
    ],
)  # fmt: skip
def test_what_makes_a_sweep_due_why_and_when(given, now, digest, sweep):
    marks = evolve(begun(), back_at=START)
    found = look(marks, glance(**given), START + now, digest).marks
    assert (found.sweep_at, found.cause, found.back_at) == sweep
    assert found.settings == digest


def test_a_gone_scene_goes_after_a_scan_that_ended():
    marks = evolve(begun(scanning(3)), back_at=START)
    found = look(marks, glance(scanning(3, "FINISHED"), scene=(EARLY, 9)), START + 60, "digest")
    assert (found.marks.sweep_at, found.marks.cause) == (START + 60, ENDED)


@pytest.mark.parametrize(
    ("words", "is_kept", "sweeps"),
    [
        ("Scanning /data", True, True),
        ("Cleaning...", True, True),
        ("Importing...", True, True),
        ("Auto-tagging...", True, False),
        ("Identifying...", True, False),
        ("Generating...", True, False),
        ("Batch stash-box tag", True, False),
        ("Exporting...", False, False),
        ("Done: Scanning...", False, False),
    ],
)
def test_which_jobs_are_watched_and_which_lead_to_a_sweep(words, is_kept, sweeps):
    others = (scanning(2, "RUNNING", "Exporting..."), scanning(9, "READY", "Exporting..."))
    running = look(begun(), glance(*others, scanning(5, "RUNNING", words)), START, "digest")
    assert running.marks.jobs == ({5: words} if is_kept else {})
    assert running.marks.last_job == 9
    ended = look(
        running.marks, glance(*others, scanning(5, "FINISHED", words)), START + 60, "digest"
    ).marks
    assert (ended.jobs, ended.last_job) == ({}, 9)
    assert (ended.sweep_at, ended.cause) == ((START + 60, ENDED) if sweeps else (None, ""))


@pytest.mark.parametrize(
    ("last", "known", "jobs", "renumbered"),
    [
        (0, {}, [scanning(1)], False),
        (5, {}, [scanning(5, "FINISHED")], False),
        (5, {}, [scanning(4, "FINISHED")], True),
        (5, {}, [], True),
        (1, {}, [], True),
        (0, {}, [], False),
        (5, {5: "Scanning..."}, [scanning(5), scanning(6)], False),
        (5, {}, [scanning(5), scanning(6)], True),
        (5, {}, [scanning(6), scanning(7)], False),
        (5, {}, [scanning(5, "FINISHED"), scanning(6)], False),
        (5, {}, [scanning(5, "RUNNING", "Exporting..."), scanning(6)], False),
        (5, {}, [scanning(9, "FINISHED"), scanning(4), scanning(8)], True),
    ],
)
def test_when_the_numbers_of_jobs_have_started_over(last, known, jobs, renumbered):
    marks = evolve(begun(), last_job=last, jobs=known)
    assert look(marks, glance(*jobs), START, "digest").renumbered is renumbered


def test_where_the_numbers_started_over_only_jobs_that_were_known_have_ended():
    marks = evolve(begun(), last_job=5, jobs={})
    found = look(marks, glance(scanning(4), scanning(6, "FINISHED")), START, "digest")
    assert found.renumbered
    assert found.marks.sweep_at is None
    known = evolve(begun(), last_job=5, jobs={5: "Identifying...", 3: "Scanning..."})
    assert look(known, glance(), START, "digest").marks.cause == ENDED


def test_a_cause_is_kept_until_a_pass_that_began_after_it():
    plain = begun()
    asked = ask_for_sweep(plain, START + 10, "first")
    assert asked == evolve(plain, sweep_at=START + 10, cause="first")
    assert ask_for_sweep(asked, START + 10, "second") == asked
    assert ask_for_sweep(asked, START + 11, "second") == asked
    sooner = ask_for_sweep(asked, START + 9, "second")
    assert (sooner.sweep_at, sooner.cause) == (START + 9, "second")
    assert swept(asked, START + 9) == evolve(asked, swept_at=START + 9)
    assert swept(asked, START + 10) == evolve(plain, swept_at=START + 10)
    assert swept(plain, START + 10) == evolve(plain, swept_at=START + 10)


@pytest.mark.parametrize(
    ("interval", "seconds"), [("hourly", 3_600), ("daily", 86_400), ("weekly", 604_800)]
)
def test_the_sentence_of_the_clock_and_when_it_comes(interval, seconds):
    marks = begun()
    assert (
        sweep_cause(marks, interval, START + seconds, by_clock=True) == f"that is done {interval}"
    )
    assert sweep_cause(marks, interval, START + seconds - 1, by_clock=True) is None
    assert (
        sweep_cause(marks, interval, START - seconds, by_clock=True) == f"that is done {interval}"
    )
    assert next_sweep(marks, interval) == START + seconds
    asked = ask_for_sweep(marks, START, "a cause")
    assert sweep_cause(asked, interval, START + seconds, by_clock=True) == "a cause"
    assert sweep_cause(asked, interval, START, by_clock=False) == "a cause"
    assert sweep_cause(asked, interval, START - 1, by_clock=False) is None


def test_a_page_that_opens_starts_a_worker_ten_minutes_after_the_last_glance():
    marks = begun()
    assert [is_stale(marks, START + after) for after in (-1, 0, 599, 600)] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"skip_fields": frozenset({"poster"})},
        {"only_organized": True},
        {"exclude_tags": NameList.of("Fog")},
        {"ignore_tags": NameList.of("Fog")},
        {"max_tags": 5},
        {"preserve_plex_edits": True},
        {"plex_library": NameList.of("Harbour Films")},
        {"path_map": (("/data", "/media"),)},
        {"loose_matching": True},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_each_setting_that_affects_scenes_makes_another_digest(changed):
    plain = settings_digest(Settings())
    assert settings_digest(Settings(**changed)) != plain
    assert settings_digest(Settings(debug_logging=True)) == plain
