"""Reports and summaries, letter by letter: each part there, and each part left out."""

from __future__ import annotations

from typing import Any

import pytest

from stash2plex.errors import ConfigError, Unavailable
from stash2plex.rules.drift import Kind
from stash2plex.store.progress import Progress, Wait
from stash2plex.sync.gate import Closed
from stash2plex.sync.report import (
    EXAMPLES_SAID,
    Example,
    report_lines,
    summary_of,
    summary_sentence,
)
from stash2plex.sync.worker import Summary
from stash2plex.text import local
from tests.harness.words import reconciled

WHEN = 1_700_000_000.0


def pier(number: int) -> Example:
    return Example(number, f"Pier {number}", f"/data/{number}.mp4", str(number), ("title", "tags"))


def found(kind: Kind, number: int, *examples: Example, **values: Any) -> dict[str, Any]:
    """Return a report that found this kind alone."""
    counts = dict.fromkeys(Kind, 0) | {kind: number}
    shown = dict.fromkeys(Kind, ()) | {kind: examples}
    return reconciled(counts=counts, examples=shown, **values).as_dict()


def test_a_report_as_json_holds_everything():
    examples = dict.fromkeys(Kind, ()) | {
        Kind.STALE: (pier(1),),
        Kind.ORPHAN: (Example(None, "", "/media/b.mp4", "8", (), "was scene 9"),),
    }
    counts = dict.fromkeys(Kind, 0) | {Kind.STALE: 1, Kind.ORPHAN: None}
    report = reconciled(
        seconds=61.23456, left_out=3, requests={"stash": 4}, counts=counts, examples=examples,
        unread=("Quay",), dry_run=True,
    )  # fmt: skip
    nothing = {"count": 0, "examples": []}
    assert report.as_dict() == {
        "scope": "all",
        "dry_run": True,
        "started_at": "2023-11-14T22:13:20Z",
        "seconds": 61.23,
        "complete": True,
        "problem": None,
        "scenes": 1_200,
        "in_sync": 1_100,
        "left_out": 3,
        "queued": 5,
        "requests": {"stash": 4},
        "unread": ["Quay"],
        "kinds": {
            "missing_in_plex": nothing,
            "stale": {
                "count": 1,
                "examples": [
                    {
                        "scene_id": 1, "title": "Pier 1", "path": "/data/1.mp4",
                        "rating_key": "1", "fields": ["title", "tags"], "detail": "",
                    }
                ],
            },
            "drifted": nothing,
            "empty": nothing,
            "ambiguous": nothing,
            "orphan_in_plex": {
                "count": None,
                "examples": [
                    {
                        "scene_id": None, "title": "", "path": "/media/b.mp4",
                        "rating_key": "8", "fields": [], "detail": "was scene 9",
                    }
                ],
            },
        },
    }  # fmt: skip
    assert not reconciled(problem="Plex rests.").as_dict()["complete"]


def test_a_summary_keeps_what_the_status_shows():
    report = found(Kind.STALE, 2, pier(1), seconds=61.0)
    assert summary_of(report) == {
        "scope": "all",
        "started_at": "2023-11-14T22:13:20Z",
        "seconds": 61.0,
        "complete": True,
        "scenes": 1_200,
        "queued": 5,
        "counts": {
            "missing_in_plex": 0, "stale": 2, "drifted": 0, "empty": 0, "ambiguous": 0,
            "orphan_in_plex": 0,
        },
    }  # fmt: skip


def test_the_sentence_of_a_summary():
    several = dict.fromkeys(Kind, 0) | {Kind.MISSING: 1_300, Kind.ORPHAN: 1}
    full = summary_of(reconciled(counts=several, queued=2_500, problem="No.").as_dict())
    assert summary_sentence(full, "12:00") == (
        "Last reconcile (all) at 12:00, not complete: 1,200 scenes, 1,300 missing in Plex, "
        "1 orphan in Plex, 2,500 queued."
    )
    bare = summary_of(found(Kind.STALE, 0, scope="recent", scenes=1, queued=0))
    assert summary_sentence(bare, "12:00") == (
        "Last reconcile (recent) at 12:00: 1 scene, nothing differs, 0 queued."
    )


def test_the_first_line_of_a_report_has_only_the_parts_that_there_are():
    full = found(Kind.STALE, 0, seconds=61.0, in_sync=1_100, left_out=1_050, queued=5_000)
    assert report_lines(full) == [
        (
            "1,200 scenes compared in 1 min 01 s, 1,100 in sync, 1,050 left out: put back, by "
            "settings, or without metadata or file, 5,000 queued."
        )
    ]
    bare = found(Kind.STALE, 0, seconds=9.0, scenes=1, in_sync=None, queued=0, dry_run=True)
    assert report_lines(bare) == ["1 scene compared in 9 s, 0 would be queued."]
    none_in_sync = found(Kind.STALE, 0, seconds=9.0, scenes=1, in_sync=0, queued=0)
    assert report_lines(none_in_sync) == ["1 scene compared in 9 s, 0 in sync, 0 queued."]


def test_what_was_found_is_shown_by_its_first_examples():
    bare = Example(4, "", "/data/4.mp4")
    first = "scene 1 “Pier 1” (title, tags); scene 2 “Pier 2” (title, tags)"
    for examples, number, words in (
        (
            (pier(1), pier(2)), 2,
            f"2 stale (Stash holds something that was not written yet): {first}.",
        ),
        (
            (pier(1), pier(2), bare, pier(5)), 1_204,
            ("1,204 stale (Stash holds something that was not written yet): "
            f"{first}; scene 4 “/data/4.mp4”; and 1,201 more."),
        ),
    ):  # fmt: skip
        assert report_lines(found(Kind.STALE, number, *examples))[1:] == [words]
    orphans = (Example(None, "", "/media/b.mp4"), Example(None, "Q", "/q", "8", (), "was scene 9"))
    assert report_lines(found(Kind.ORPHAN, 2, *orphans))[1:] == [
        (
            "2 orphan in Plex (no scene has a file of the Plex item): "
            "“/media/b.mp4”; “Q” (was scene 9)."
        )
    ]


@pytest.mark.parametrize("more", [0, 1, 1_200])
def test_what_could_not_be_compared_is_named_up_to_a_point(more):
    unread = tuple(f"Library {number}" for number in range(EXAMPLES_SAID + more))
    lines = report_lines(found(Kind.STALE, 0, unread=unread, problem="Plex rests."))[1:]
    said = [f"Not compared: Library {number}" for number in range(EXAMPLES_SAID)]
    rest = [f"Not compared: {more:,} more."] if more else []
    assert lines == [
        *said,
        *rest,
        "Not complete: Plex rests. What was found until then counts; no item is called an orphan.",
    ]


def test_a_report_of_an_earlier_version_names_nothing_that_was_not_compared():
    report = found(Kind.STALE, 0)
    del report["unread"]
    assert len(report_lines(report)) == 1


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        (Summary(Progress(), 9.0, ()), "nothing was due."),
        (
            Summary(Progress(), 9.0, (), gave_up="plex rests. Try later."),
            "nothing was due. Plex rests. Try later.",
        ),
        (Summary(Progress(left=1), 9.0, ()), "0 scenes in sync after 9 s."),
        (Summary(Progress(later=1), 9.0, ()), "0 scenes in sync after 9 s."),
        (Summary(Progress(), 9.0, (), wanted=1), "0 scenes in sync after 9 s."),
        (
            Summary(Progress(), 9.0, (("", 2, None), ("not_in_plex", 1, None))),
            "0 scenes in sync after 9 s. 2 waiting for a moment. 1 not in Plex yet.",
        ),
        (
            Summary(Progress(), 9.0, (("library", 1_500, None),)),
            ("0 scenes in sync after 9 s. "
            "1,500 waiting for a library that Plex does not list."),
        ),
        (
            Summary(
                Progress(done=1_200, failed=3, left=4_000),
                61.0,
                (("unavailable", 2, WHEN), ("odd", 1, None)),
                gave_up="Plex rests.",
                removed=1,
                names={"dead": " (scene 3)", "unavailable": " (scene 4)"},
            ),
            ("1,200 scenes in sync after 1 min 01 s, 3 given up (scene 3), "
            "1 removed from the queue meanwhile. "
            f"2 waiting for a server (scene 4), next at {local(WHEN)}. 1 to be tried again. "
            "Stopped with 4,000 left, nothing is lost: Plex rests."),
        ),
        (
            Summary(Progress(done=1), 9.0, (), gave_up="it was asked to stop."),
            "1 scene in sync after 9 s. It was asked to stop.",
        ),
    ],
)  # fmt: skip
def test_the_one_sentence_about_a_drain(summary, words):
    assert summary.sentence() == words


def test_why_a_drain_waits_at_a_closed_gate():
    setting = Closed(ConfigError("No library."), 50.0)
    assert setting.wait(10.0) == Wait("No library.")
    away = Closed(Unavailable("Plex", "Plex rests."), 50.0, "plex")
    assert away.wait(20.0) == Wait("Plex rests.", server="Plex", next_try=30.0)
    assert away.wait(60.0) == Wait("Plex rests.", server="Plex", next_try=0.0)
