"""What the user reads: the facts are in the words, and what is not there is not named."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from attrs import evolve
from rich.console import Console

from stash2plex.model import Field
from stash2plex.operations.preview import FieldPreview, Preview, ScenePreview, Unmatched
from stash2plex.operations.reasons import REASONS
from stash2plex.rules.drift import Kind
from stash2plex.store.dead_letters import DeadLetter, Group
from stash2plex.store.progress import Progress
from stash2plex.sync.report import report_lines, summary_of, summary_sentence
from stash2plex.sync.sweep import Enqueued, Idle
from stash2plex.sync.worker import Summary
from stash2plex.text import count, span, utc
from stash2plex.ui.lines.dead_letters import letter_lines
from stash2plex.ui.lines.outages import outage_lines
from stash2plex.ui.lines.preview import preview_lines, scene_line
from stash2plex.ui.progress import progress_sentence
from stash2plex.ui.screens import letters_screen, outages_screen
from stash2plex.ui.terminal import TerminalProgress
from tests.harness.words import WHEN, drawn, hidden, reconciled
from tests.support import ManualClock

# -- counts and times ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 s"),
        (59.4, "59 s"),
        (60, "1 min 00 s"),
        (599, "9 min 59 s"),
        (600, "10 min"),
        (3600, "1 h 00 min"),
        (2 * 86_400 - 1, "47 h 59 min"),
        (2 * 86_400, "2 d 00 h"),
        (3 * 86_400 + 5 * 3600, "3 d 05 h"),
    ],
)
def test_a_length_of_time_from_seconds_to_days(seconds, said):
    assert span(seconds) == said


def test_one_is_no_plural_and_thousands_are_grouped():
    assert [count(number, "key") for number in (0, 1, 2, 12_345)] == [
        "0 keys", "1 key", "2 keys", "12,345 keys",
    ]  # fmt: skip


def test_what_ends_a_drain_is_told_with_what_is_left_and_without_it_alone():
    refused = "Plex does not accept the token."
    assert Summary(Progress(), 0.0, (), refused).sentence() == f"nothing was due. {refused}"
    assert Summary(Progress(done=2), 9.0, (), refused, wanted=2).sentence() == (
        f"2 scenes in sync after 9 s. {refused}"
    )
    assert Summary(Progress(left=1), 0.0, (), refused, wanted=1).sentence() == (
        f"0 scenes in sync after 0 s. Stopped with 1 left, nothing is lost: {refused}"
    )
    assert Summary(Progress(), 0.0, ()).sentence() == "nothing was due."
    waiting = (("not_in_plex", 1, None),)
    assert Summary(Progress(), 0.0, waiting, "it was asked to stop.").sentence() == (
        "0 scenes in sync after 0 s. 1 not in Plex yet. It was asked to stop."
    )


def test_what_was_queued_is_told_apart_from_what_needs_nothing():
    assert Enqueued(12).sentence() == "12 scenes queued."
    settled = Enqueued(1, idle={Idle.IN_SYNC: 1_011})
    assert settled.sentence() == "1 scene queued; 1,011 in sync already."
    assert Enqueued(0, 2).sentence("saves") == "0 scenes queued; 2 were due already (saves)."


def test_progress_says_what_there_is_to_say():
    assert progress_sentence(Progress(done=1, left=2)) == "1 done, 2 left, 0 failed."
    moving = Progress(done=1_000, failed=3, later=4, left=90, rate=1.0)
    assert progress_sentence(moving) == (
        "1,000 done, 90 left, 3 failed, 4 put off, 1.0 per second, about 1 min 30 s left."
    )


def test_off_a_terminal_progress_is_a_line_each_ten_seconds():
    clock = ManualClock()
    screen = io.StringIO()
    console = Console(file=screen, width=200)
    with TerminalProgress(console, clock) as shown:
        for second in range(1, 26):
            clock.step(1)
            shown.progress(Progress(done=second, left=25 - second))
        clock.step(60)
        shown.progress(Progress(done=25, ended=True))
    assert [line.split(",")[0] for line in screen.getvalue().splitlines()] == [
        "10 done", "20 done",
    ]  # fmt: skip


def test_on_a_terminal_the_bar_does_not_go_back_when_the_queue_grows():
    screen = io.StringIO()
    console = Console(file=screen, width=100, force_terminal=True)
    with TerminalProgress(console, ManualClock()) as shown:
        for progress in (Progress(done=5, left=5), Progress(done=6, left=94)):
            shown.progress(progress)
    last = screen.getvalue().rpartition("Plex")[2]
    assert " 50%" in last
    assert "6/100" in last


# -- outages ------------------------------------------------------------------------------

WINDOW = {
    "server": "plex", "days": 7, "outages": 2, "down_s": 7_200, "mttr_s": 3_600, "mtbf_s": 90_000,
    "availability": 0.98,
}  # fmt: skip
QUIET = {**WINDOW, "server": "stash", "outages": 0, "mttr_s": None, "mtbf_s": None,
         "availability": 1.0}  # fmt: skip
NOW = {
    "server": "plex", "started_at": utc(WHEN), "seconds": 90, "cause": "“secret” is away.",
    "waiting": 7, "next_probe_at": utc(WHEN + 3_600), "kind": "unavailable",
}  # fmt: skip
PAST = {
    "server": "stash", "started_at": utc(WHEN - 9_000), "ended_at": utc(WHEN), "seconds": 9_000,
    "cause": "Stash refuses the connection.", "waiting": 1, "kind": "unavailable",
    "cured": False,
}  # fmt: skip
OUTAGES = {
    "watched_since": utc(WHEN - 86_400), "current": [NOW], "total": 2,
    "outages": [{**PAST, "server": "plex", "ended_at": None, "seconds": 90}, PAST],
    "windows": [WINDOW, QUIET],
}  # fmt: skip
NONE = {**OUTAGES, "current": [], "total": 0, "outages": []}


def test_the_outages_in_words():
    now, week, open_one, past = outage_lines(OUTAGES)
    for fact in ("Plex is out of reach", "(1 min 30 s)", "7 scenes waiting", "“secret” is away."):
        assert fact in now
    means = "1 h 00 min each on average (MTTR)", "25 h 00 min without trouble between them (MTBF)"
    for fact in ("last 7 days", "98.00 % available", "2 outages", *means):
        assert fact in week
    assert "1 min 30 s so far, " in open_one
    assert past.startswith("Stash: ")
    assert "2 h 30 min, 1 scene waited: Stash refuses" in past
    assert "so far" not in past


def test_a_server_that_was_always_there_is_spoken_of_only_where_nothing_else_is():
    quiet = {**OUTAGES, "current": [], "outages": [], "windows": [QUIET]}
    assert outage_lines(quiet) == ["Stash, last 7 days: 100.00 % available, 0 outages."]
    (line,) = outage_lines(NONE)
    assert line.startswith("No outage since ")


def test_the_outages_on_a_screen():
    wide, narrow = (drawn(outages_screen(OUTAGES, width, hidden), width) for width in (200, 60))
    for fact in (
        "Plex is out of reach",
        "7 scenes waiting",
        "98.00 %",
        "1 h 00 min",
        "25 h 00 min",
    ):
        assert fact in wide
        assert fact in narrow
    assert "Stash 7 0 100.00 % – –" in wide
    assert "1 min 30 s so far 1 " in wide
    assert "2 h 30 min 1 Stash refuses the connection." in wide
    assert "refuses the connection" not in narrow
    assert drawn(outages_screen(NONE, 200, hidden)).startswith("No outage since ")
    secret = {**OUTAGES, "outages": [{**PAST, "cause": "“secret”"}]}
    assert "secret" not in drawn(outages_screen(secret, 200, hidden))


# -- dead letters -------------------------------------------------------------------------


def letter(id_, reason, title="Pier 17", kind="scene"):
    return DeadLetter(kind, id_, title, "", reason, "It failed.", 5, WHEN, WHEN)


def test_dead_letters_on_a_screen_stand_below_their_reason():
    letters = [letter(1, "ambiguous"), letter(2, "not_in_plex", ""), letter(3, "ambiguous")]
    groups = [Group("ambiguous", 2_000, WHEN), Group("not_in_plex", 1, WHEN)]
    shown = drawn(letters_screen(letters, groups, 200, str))
    first, second = shown.split("1 because ")
    assert first.startswith("2,000 because several Plex items fit (ambiguous) → Set Path map")
    assert ("scene:1" in first, "scene:3" in first, "“Pier 17”" in first) == (True, True, True)
    assert "scene:2" in second
    assert "“" not in second.partition("scene:2")[2]
    narrow = drawn(letters_screen(letters, groups, 60, hidden), 60)
    assert ("scene:1 HIDDEN" in narrow, "Pier" in narrow) == (True, False)
    assert len(narrow) < len(drawn(letters_screen(letters, groups, 200, hidden)))
    assert drawn(letters_screen([], [], 200, str)) == "No dead letters."
    assert REASONS["ambiguous"].fix.split()[0] in shown


def test_a_dead_letter_without_a_file_names_none():
    known = letter(1, "ambiguous")
    assert not any(line.startswith("File:") for line in letter_lines(known))
    assert "File: “/data/quay.mp4”" in letter_lines(evolve(known, path="/data/quay.mp4"))


def test_a_report_names_three_of_each_kind_and_counts_the_rest():
    first, drifted, orphan = report_lines(reconciled().as_dict())
    assert first == "1,200 scenes compared in 1 min 01 s, 1,100 in sync, 5 queued."
    assert drifted.startswith("5 drifted (")
    assert "scene 3 “Pier 3” (title, tags); and 2 more." in drifted
    assert "Pier 4" not in drifted
    assert orphan.endswith(": “/media/b.mp4” (was scene 9).")


def test_a_report_of_a_part_of_it():
    partial = reconciled(dry_run=True, in_sync=None, left_out=3, problem="Plex is away.")
    lines = report_lines(partial.as_dict())
    assert "in sync" not in lines[0]
    assert "3 left out" in lines[0]
    assert lines[0].endswith("5 would be queued.")
    assert lines[-1].startswith("Not complete: Plex is away.")
    said = summary_sentence(summary_of(partial.as_dict()), "12:00")
    assert said == (
        "Last reconcile (all) at 12:00, not complete: 1,200 scenes, 5 drifted, 1 orphan in Plex, "
        "5 queued."
    )
    well = reconciled(counts=dict.fromkeys(Kind, 0), scenes=1, queued=0)
    said = summary_sentence(summary_of(well.as_dict()), "12:00")
    assert said == "Last reconcile (all) at 12:00: 1 scene, nothing differs, 0 queued."


# -- preview ------------------------------------------------------------------------------


def test_a_preview_says_each_field_from_what_to_what():
    fields = (
        FieldPreview(Field.TITLE, "pier", "A\npier"),
        FieldPreview(Field.SUMMARY, "", "x" * 61),
        FieldPreview(Field.RATING, 8.0, None),
        FieldPreview(Field.TAGS, ("Ebb",), ("Fog",), ("Fog",), ("Ebb",)),
    )
    one = ScenePreview(
        4, "A pier", "7", "the file name", fields, (Field.POSTER, Field.BACKGROUND),
        (Field.STUDIO,), (Field.DATE,),
    )  # fmt: skip
    words = scene_line(one)
    for fact in (
        "Scene 4 “A pier”: ", "title “pier” → “A pier”; ", f"summary (nothing) → “{'x' * 59}…”; ",
        "rating 8 → (nothing); ", "tags + “Fog”, − “Ebb”; ", "new poster and background; ",
        "a lock on studio; ", "kept as you edited it in Plex: date.",
    ):  # fmt: skip
        assert fact in words
    bare = ScenePreview(4, "A pier", "7", "the file name", fields[:1], (), (), ())
    assert scene_line(bare) == "Scene 4 “A pier”: title “pier” → “A pier”."


def test_a_preview_counts_all_and_says_that_not_all_are_shown():
    seen = Preview(seen=1_000, settled=900, unchanged=20, changing=60, left_out=5, not_matched=15)
    seen.problems.append(Unmatched(9, "Quay", "not_in_plex", "“Quay” is not in Plex yet."))
    seen.fields = Counter({Field.TITLE: 60, Field.TAGS: 2})
    problem, total = preview_lines(seen)
    assert problem == "Scene 9: “Quay” is not in Plex yet."
    assert total == (
        "60 scenes of 1,000 would change (the first 0 are shown): title of 60, tags of 2. 920 "
        "without a change, 5 left out: put back, by settings, or without metadata, 15 "
        "without a Plex item. Nothing was written."
    )
    assert preview_lines(Preview(seen=1, settled=1)) == [
        "0 scenes of 1 would change. 1 without a change. Nothing was written."
    ]
    found = seen.as_json()
    assert (found["unchanged"], found["fields"]) == (920, {"title": 60, "tags": 2})
