"""Whole lines, letter by letter: one of each kind that a user reads."""

from __future__ import annotations

import copy
import io
import logging
from typing import Any

import pytest

from stash2plex.errors import StashGone
from stash2plex.operations.dead_letters import Purged, Recovered, letter_json
from stash2plex.operations.health.checks import FAILED, PASSED, SKIPPED, Check
from stash2plex.operations.probe.run import Probed
from stash2plex.operations.reasons import REASONS
from stash2plex.store.dead_letters import DeadLetter, Group
from stash2plex.store.key_state import Failure
from stash2plex.store.progress import Progress, Wait
from stash2plex.store.runs import Begun, Source
from stash2plex.text import local, utc
from stash2plex.ui.lines.dead_letters import (
    cleared_sentence,
    letter_line,
    letter_lines,
    purged_sentence,
    recovered_sentence,
    retried_sentence,
)
from stash2plex.ui.lines.health import check_lines, health_lines, health_sentence
from stash2plex.ui.lines.outages import outage_lines, percent
from stash2plex.ui.lines.probe import left_lines, probe_lines
from stash2plex.ui.lines.runs import begun_lines
from stash2plex.ui.lines.scenes import value_words
from stash2plex.ui.lines.status import status_lines
from stash2plex.ui.progress import StashProgress, progress_sentence
from stash2plex.ui.terminal import bar_words
from tests.support import ManualClock

WHEN = 1_700_000_000.0
AT = local(WHEN)

QUAY = {"kind": "scene", "id": 3, "title": "Quay"}
FULL: dict[str, Any] = {
    "queue": {"pending": 1_200, "in_progress": 3, "waiting": 4, "dead": 5_000},
    "synced": 17,
    "last_sync_at": utc(WHEN),
    "rate_per_s": 2.5,
    "eta_s": 90,
    "breaker": {"state": "open", "since": utc(WHEN), "reason": "Plex rests.", "refused": False},
    "worker": {
        "running": True, "pid": 17, "origin": "service", "why": None, "outlook": None, "handled": 9,
    },
    "stash": {"problem": "Stash wants a log-in."},
    "plex": {
        "reachable": True, "version": "1.43", "library": "Harbour Films", "items": 1,
        "problem": None, "traits": [{"trait": "loses", "field": "studio"}],
    },
    "metrics": {
        "scenes": {"written": 8},
        "edit_seconds": {"count": 8, "mean": 0.2504, "p50_below": 0.025, "p95_below": 0.05},
    },
    "background_worker": "auto",
    "named": {
        "waiting": [
            {"reason": "not_in_plex", "number": 4, "first": [QUAY]},
            {"reason": "odd", "number": 1, "first": []},
            {"reason": "stopped", "number": 2, "first": []},
        ],
        "dead": [{"reason": "ambiguous", "number": 1, "first": [{**QUAY, "title": ""}]}],
    },
    "held": {"by": "stop", "task": "Sync All Scenes", "since": utc(WHEN), "scenes": 2},
    "scenes": {
        "as_of": utc(WHEN), "total": 1_220, "in_sync": 1_000, "to_send": 200, "sending": 3,
        "waiting": 4, "not_in_plex": 0, "given_up": 5, "left_out": 8,
        "left_out_because": {"no_metadata": 8},
    },
    "reconcile": {"last": None},
}  # fmt: skip


def changed(**parts):
    status = copy.deepcopy(FULL)
    for name, value in parts.items():
        status[name] = {**status[name], **value} if isinstance(value, dict) else value
    return status


def test_every_line_of_a_status():
    assert status_lines(FULL) == [
        "Queue: 1,200 due, 3 in progress, 4 waiting for later, 5,000 given up.",
        (
            "Scenes: 1,220 in Stash: 1,000 in sync, 200 to send, 3 being sent, 4 waiting, "
            "5 given up, 8 left out (8 without metadata)."
        ),
        "Waiting: 4 not in Plex yet (scene 3 “Quay” and 3 more).",
        "Waiting: 1 to be tried again.",
        "Given up: 1 because several Plex items fit (scene 3).",
        f"In sync: 17 scenes, the last at {AT}.",
        "So far: 8 scenes written, an edit takes 250 ms, 95 % below 0.05 s.",
        "Plex: 1.43, “Harbour Films”, 1 item known.",
        "Plex accepts these fields but does not keep them: studio.",
        "Stash: Stash wants a log-in.",
        (
            f"“Sync All Scenes” was stopped at {AT}; 2 scenes wait until you ask for them again: "
            "press “Sync All Scenes” or “Process Queue”."
        ),
        f"Waiting for Plex since {AT}: Plex rests.",
        "The service is running (process 17), 2.5 per second, about 1 min 30 s left.",
    ]


QUIET = {
    "queue": dict.fromkeys(FULL["queue"], 0),
    "named": {"waiting": [], "dead": []},
    "held": None,
    "last_sync_at": None,
    "stash": {"problem": None},
    "metrics": {"scenes": {}},
    "scenes": {"as_of": None},
    "plex": {"library": None, "traits": []},
    "breaker": {"state": "closed"},
}


def test_the_lines_of_a_status_without_a_past():
    assert status_lines(changed(**QUIET, worker={"running": False}, synced=0)) == [
        "Queue: 0 due, 0 in progress, 0 waiting for later, 0 given up.",
        "Scenes: Stash's library has not been read yet; the next sync does that.",
        "In sync: 0 scenes.",
        "Plex: 1.43, no library listed yet, 1 item known.",
        "No worker is running now; the next change in Stash starts one.",
    ]


def test_what_a_worker_that_waits_says_is_not_repeated_of_plex():
    away = {"reachable": False, "problem": "Plex rests.", "traits": []}
    waits = {"why": "Plex rests.", "outlook": "Next try in 8 s."}
    lines = status_lines(changed(**{**QUIET, "plex": away}, worker=waits, eta_s=None))
    assert lines[3:] == [
        "Plex: Plex rests.",
        "The service is running (process 17).",
        "It waits: Next try in 8 s.",
    ]
    other = status_lines(changed(**QUIET, worker={**waits, "why": "Stash rests."}, eta_s=None))
    assert other[-1] == "It waits: Stash rests. Next try in 8 s."
    refused = {"state": "open", "refused": True, "reason": "The token is wrong."}
    lines = status_lines(changed(**{**QUIET, "breaker": refused}, worker={"running": False}))
    assert f"Plex has refused access since {AT}: The token is wrong." in lines


def letter(**values):
    given = {
        "kind": "scene", "id": 4, "title": "Pier", "path": "/data/pier.mp4", "reason": "ambiguous",
        "error": "Two fit.", "attempts": 2, "first_failed_at": WHEN - 60, "last_failed_at": WHEN,
    }  # fmt: skip
    return DeadLetter(**{**given, **values})


def test_a_dead_letter_in_one_line_and_in_many():
    history = (
        Failure(WHEN - 60, "transient", "Plex rests."),
        Failure(WHEN, "ambiguous", "Two fit."),
    )
    known = letter(history=history)
    assert letter_line(known) == f"scene:4 (ambiguous, {AT}): Two fit."
    assert letter_lines(known) == [
        "scene:4 “Pier”",
        "File: “/data/pier.mp4”",
        "Given up because several Plex items fit, after 2 attempts.",
        (
            "What to do: Set Path map or Plex library, or turn on Loose matching; "
            "then run “Retry Dead Letters”."
        ),
        "History:",
        f"  {local(WHEN - 60)}  Plex rests.",
        f"  {AT}  Two fit.",
    ]


def test_a_dead_letter_for_machines():
    known = letter(history=(Failure(WHEN, "ambiguous", "Two fit."),))
    reason = REASONS["ambiguous"]
    assert letter_json(known) == {
        "scene_id": 4, "kind": "scene", "title": "Pier", "path": "/data/pier.mp4",
        "reason": "ambiguous", "words": reason.words, "fix": reason.fix, "error": "Two fit.",
        "attempts": 2, "first_failed_at": utc(WHEN - 60), "last_failed_at": utc(WHEN),
        "history": [{"at": utc(WHEN), "reason": "ambiguous", "error": "Two fit."}],
    }  # fmt: skip


def test_what_became_of_dead_letters():
    assert retried_sentence(1_000) == "Put 1,000 dead letters back into the queue."
    assert cleared_sentence(0) == "There were no dead letters."
    assert cleared_sentence(1) == "Removed 1 dead letter."
    assert purged_sentence(Purged(0, 0), 1) == "There were no dead letters older than 1 day."
    assert purged_sentence(Purged(2, 1), 30) == (
        "Removed 2 dead letters older than 30 days. 1 newer stays."
    )
    assert purged_sentence(Purged(0, 1_002), 30) == (
        "There were no dead letters older than 30 days. 1,002 newer stay."
    )
    group = Group("ambiguous", 1, WHEN)
    assert recovered_sentence(Recovered(0, ()), "") == "No dead letter comes from an outage."
    assert recovered_sentence(Recovered(2, (group,)), "The worker sends them.") == (
        "Put 2 dead letters from outages back into the queue. The worker sends them. "
        "1 stays: 1 because several Plex items fit."
    )
    assert recovered_sentence(Recovered(0, (Group("ambiguous", 2, WHEN),)), "") == (
        "No dead letter comes from an outage. 2 stay: 2 because several Plex items fit."
    )


CHECKS = [
    Check("stash", PASSED, "Stash answers.", ""),
    Check("plex", FAILED, "Plex rests.", "Start Plex."),
    Check("token", SKIPPED, "Plex is needed for this.", ""),
]


def test_the_health_report():
    assert check_lines(CHECKS) == [
        "pass stash: Stash answers.",
        "FAIL plex: Plex rests. → Start Plex.",
        "skip token: Plex is needed for this.",
    ]
    assert health_lines(CHECKS) == ["1 of 1: plex: Plex rests. → Start Plex."]
    assert health_sentence(CHECKS) == (
        "1 of 3 checks needs you: plex. 1 can only be checked after that."
    )
    assert health_sentence(CHECKS[:1]) == "All 1 checks pass."
    assert health_sentence([CHECKS[1], CHECKS[1]]) == "2 of 2 checks need you: plex, plex."


def test_the_whole_outage_report():
    now = {
        "server": "plex", "kind": "unavailable", "started_at": utc(WHEN), "seconds": 90,
        "waiting": 7, "next_probe_at": utc(WHEN), "cause": "Plex rests.",
    }  # fmt: skip
    window = {
        "server": "plex", "days": 7, "outages": 1, "mttr_s": 60, "mtbf_s": 3_600,
        "availability": 0.99999,
    }  # fmt: skip
    quiet = {**window, "server": "stash", "outages": 0, "mttr_s": None, "mtbf_s": None}
    past = {**now, "ended_at": utc(WHEN), "waiting": 1}
    report = {
        "current": [now], "total": 1, "windows": [window, quiet], "outages": [past],
        "watched_since": utc(WHEN),
    }  # fmt: skip
    head = (
        f"Plex is out of reach since {AT} (1 min 30 s), 7 scenes waiting, "
        f"next try at {AT}: Plex rests."
    )
    assert outage_lines(report) == [
        head,
        (
            "Plex, last 7 days: 99.99 % available, 1 outage, 1 min 00 s each on average (MTTR), "
            "1 h 00 min without trouble between them (MTBF)."
        ),
        f"Plex: {AT}, 1 min 30 s, 1 scene waited: Plex rests.",
    ]
    assert outage_lines({**report, "total": 0}) == [head, f"No outage since {AT}."]
    assert [percent(share) for share in (1.0, 0.999999, 0.5)] == ["100.00 %", "99.99 %", "50.00 %"]


def test_what_a_run_finds_when_it_begins():
    assert begun_lines(Begun(1, (), 0)) == []
    sources = (Source("Sync All Scenes", WHEN, 1_000), Source("", 0.0, 2))
    assert begun_lines(Begun(1, sources, 2)) == [
        f"1,002 scenes are due already (from “Sync All Scenes” at {AT} and saves).",
        "Off hold again: 2 scenes that waited since a task was stopped.",
    ]
    assert begun_lines(Begun(1, (Source("", 0.0, 1),), 0)) == [
        "1 scene is due already (from saves)."
    ]


def test_the_value_of_a_field():
    values = (None, "", (), ("Fog", "Ebb"), 8.0, 7.5, "two\n lines")
    assert [value_words(value) for value in values] == [
        "–", "–", "–", "Fog, Ebb", "8", "7.5", "two lines",
    ]  # fmt: skip


def test_the_answers_of_a_probe_beside_those_of_the_stand_in():
    found = Probed("1.43", "Linux", 1, {"edits_lists": "yes", "rates": "no"})
    head, first = "Plex 1.43, 1 item:", "edits_lists  yes"
    assert probe_lines(found, None) == [head, first, "rates        no"]
    assert probe_lines(found, {"edits_lists": "yes", "rates": "yes"}) == [
        head,
        first,
        "rates        no  (the stand-in: yes)",
        "The stand-in answers 1 question differently.",
    ]


def test_what_a_probe_could_not_restore():
    assert left_lines([], "x.json") == []
    assert left_lines(["title", "rating"], "x.json") == [
        "Not restored: title, rating.",
        "“x.json” still has the old values. Run “stash2plex probe-plex --restore” again.",
    ]


# -- progress -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(), "0/0"),
        (Progress(done=1_000, later=1, left=9), "1,001/1,010"),
        (Progress(done=1, failed=2, left=3), "3/6 [red]2 failed[/]"),
        (Progress(done=1, left=3, rate=1.5), "1/4 1.5/s 2 s"),
        (Progress(done=1, left=0, rate=1.5), "1/1 1.5/s"),
        (
            Progress(left=3, rate=1.5, wait=Wait("[b]Plex rests.")),
            r"0/3 [yellow]\[b]Plex rests.[/]",
        ),
    ],
)
def test_the_words_beside_the_bar(progress, words):
    assert bar_words(progress) == words


def test_a_sentence_of_progress_while_it_waits():
    waits = Progress(left=1, rate=2.0, wait=Wait("Plex rests."))
    assert progress_sentence(waits) == "1 scene left. Plex rests."


class Heard(logging.Logger):
    """Keeps each line and the second in which it comes."""

    def __init__(self, clock):
        super().__init__("bar")
        self.clock, self.started, self.lines = clock, clock(), []

    def handle(self, record):
        self.lines.append((self.clock() - self.started, record.getMessage()))


class Bar:
    """Stash's bar and log, as a task writes them."""

    def __init__(self, part=(0.0, 1.0)):
        clock = ManualClock()
        self.clock, self.stream, self.log = clock, io.StringIO(), Heard(clock)
        self.shown = StashProgress(self.stream, self.log, "Sync", clock.monotonic, part)

    def show(self, after, **values):
        self.clock.step(after)
        self.shown.progress(Progress(**values))
        return self.stream.getvalue().split("\x01p\x02")[1:]


def values_of(written):
    return [float(text) for text in written]


def test_the_bar_moves_at_most_five_times_a_second_and_never_goes_back():
    bar = Bar()
    assert values_of(bar.show(0.0, done=1, left=9)) == [0.1]
    assert values_of(bar.show(0.125, done=2, left=8)) == [0.1]
    assert values_of(bar.show(0.125, done=3, left=7)) == [0.1, 0.3]
    # The queue grows: the bar stays, and is repeated every other second.
    assert values_of(bar.show(1.0, done=3, left=97)) == [0.1, 0.3]
    assert values_of(bar.show(1.0, done=3, left=97)) == [0.1, 0.3, 0.3]
    assert values_of(bar.show(2.0, done=10)) == [0.1, 0.3, 0.3, 0.999]
    assert values_of(bar.show(0.0, done=10, ended=True)) == [0.1, 0.3, 0.3, 0.999, 1.0]
    assert bar.log.lines == []


def test_a_bar_that_ends_with_work_left_is_not_full():
    bar = Bar()
    assert values_of(bar.show(0.0, done=1, left=1, ended=True)) == [0.5]


def test_each_half_of_a_task_has_its_part_of_the_bar():
    bar = Bar(part=(0.5, 0.75))
    assert values_of(bar.show(0.0, left=9)) == [0.5]
    assert values_of(bar.show(1.0, done=1, left=1)) == [0.5, 0.625]
    assert values_of(bar.show(1.0, done=2, ended=True)) == [0.5, 0.625, 0.75]


def test_the_lines_about_progress_come_ever_more_seldom():
    bar = Bar()
    for second in range(1, 2_000):
        bar.show(1.0, done=second, left=1)
    assert [at for at, _ in bar.log.lines] == [10, 30, 70, 150, 310, 630, 1_230, 1_830]
    assert bar.log.lines[0][1] == "Sync: 10 done, 1 left, 0 failed."
    bar.show(3_600.0, done=1, ended=True)
    assert len(bar.log.lines) == 8


class Closed(io.StringIO):
    """A pipe that nobody reads."""

    def write(self, _):
        raise BrokenPipeError


def test_a_stash_that_reads_no_more_is_gone():
    shown = StashProgress(Closed(), Heard(ManualClock()), "Sync")
    with pytest.raises(StashGone):
        shown.repeat()
