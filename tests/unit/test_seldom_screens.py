"""Screens and lines in seldom states: colours, narrow terminals, what is empty or not known."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from stash2plex.operations.explain import SceneExplanation
from stash2plex.operations.health.checks import Check, failed, passed
from stash2plex.operations.history import HistoryPage, RunPage, SeenWrite
from stash2plex.operations.report import Report
from stash2plex.rules.matching import Candidate, Explanation
from stash2plex.store.dead_letters import DeadLetter, Group
from stash2plex.store.history import Write, WriteRun
from stash2plex.store.key_state import Failure, KeyState
from stash2plex.store.metrics import Histogram, Metrics
from stash2plex.store.progress import Progress, Wait
from stash2plex.ui.lines.dead_letters import letter_lines
from stash2plex.ui.lines.history import history_lines, run_lines
from stash2plex.ui.lines.report import report_lines
from stash2plex.ui.lines.scenes import explanation_lines, value_words
from stash2plex.ui.lines.status import scenes_line, status_lines
from stash2plex.ui.progress import progress_sentence
from stash2plex.ui.prometheus import prometheus_text
from stash2plex.ui.screens import health_screen, letters_screen, outages_screen, status_screen
from tests.support import plex_file
from tests.unit.test_whole_lines import AT, CHECKS, FULL, QUIET, WHEN, changed
from tests.unit.test_whole_screens import drawn

WORKS = {"state": "closed", "since": None, "reason": "", "refused": False}


def coloured(renderable, width=100):
    """Return what has a style, as the style and the words in it."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system="standard",
        legacy_windows=False,
    )  # fmt: skip
    return [
        (str(segment.style), segment.text.strip())
        for segment in console.render(renderable, console.options)
        if segment.text.strip() and segment.style and str(segment.style) != "none"
    ]


# -- the status ---------------------------------------------------------------------------


def test_colours_repeat_what_the_words_of_a_status_mean():
    shown = coloured(status_screen(changed(breaker=WORKS), str))
    assert ("green", "the service is running (process 17), 2.5/s, about 1 min 30 s left") in shown
    assert ("red", ", 5,000 given up") in shown
    assert ("red", "Stash wants a log-in.") in shown
    assert ("yellow", "Plex accepts these fields but does not keep them: studio.") in shown
    assert {words for style, words in shown if style == "bold"} == {
        "Now", "Queue", "Scenes", "On hold", "Waiting", "Given up", "Plex", "Not kept", "Stash",
        "In sync", "So far",
    }  # fmt: skip
    held = " ".join(words for style, words in shown if style == "yellow")
    assert held.startswith(f"“Sync All Scenes” was stopped at {AT}; 2 scenes wait")
    waits = coloured(status_screen(FULL, str))
    assert ("yellow", f"waiting for Plex since {AT}: Plex rests.") in waits


@pytest.mark.parametrize(
    ("parts", "now"),
    [
        ({"worker": {"running": False}}, "idle"),
        (
            {"worker": {"running": False}, "background_worker": "off"},
            "idle; only tasks send anything",
        ),
        ({"eta_s": None}, "the service is running (process 17)"),
        (
            {"worker": {"why": "Plex is busy.", "outlook": "It is asked again in 5 s."}},
            "Plex is busy. It is asked again in 5 s.",
        ),
        ({"worker": {"why": "Plex is busy."}}, "Plex is busy."),
    ],
)
def test_what_happens_now(parts, now):
    lines = drawn(status_screen(changed(breaker=WORKS, **parts), str))
    (shown,) = [line for line in lines if line.startswith("Now ")]
    assert shown.removeprefix("Now").strip() == now


@pytest.mark.parametrize(
    ("queue", "handled", "running", "bar"),
    [
        ({"pending": 1, "in_progress": 1}, 2, True, 20),
        ({"pending": 1, "in_progress": 1}, None, True, 0),
        ({"pending": 0, "in_progress": 1}, 3, True, 30),
        ({"pending": 0, "in_progress": 0}, 3, True, None),
        ({"pending": 1, "in_progress": 0}, 3, False, None),
    ],
)
def test_the_bar_is_there_while_something_is_being_sent(queue, handled, running, bar):
    status = changed(queue=queue, worker={"handled": handled, "running": running})
    first = drawn(status_screen(status, str), 40)[0]
    assert (None if first.startswith("Now") else first.count("━")) == bar


@pytest.mark.parametrize(
    ("plex", "words"),
    [
        ({"reachable": False, "problem": None}, "not reachable"),
        ({"reachable": False, "problem": "Plex rests."}, "Plex rests."),
        ({"items": 2}, "1.43, “Harbour Films”, 2 items"),
    ],
)
def test_plex_in_a_status(plex, words):
    lines = drawn(status_screen(changed(plex=plex), str))
    assert f"Plex      {words}" in lines
    if not plex.get("reachable", True):
        assert ("red", words) in coloured(status_screen(changed(plex=plex), str))
        problem = plex["problem"] or "not reachable now."
        assert f"Plex: {problem}" in status_lines(changed(plex=plex))


def test_the_scenes_of_a_library_in_words():
    scenes = FULL["scenes"]
    none = dict.fromkeys(("in_sync", "to_send", "sending", "waiting", "given_up", "left_out"), 0)
    empty = {**scenes, **none, "total": 0, "left_out_because": {}}
    assert scenes_line(empty) == "Scenes: 0 in Stash."
    assert scenes_line({**empty, "total": 7, "not_in_plex": 7}) == (
        "Scenes: 7 in Stash: 7 not in Plex."
    )
    assert scenes_line({**scenes, "as_of": None}) == (
        "Scenes: Stash's library has not been read yet; the next sync does that."
    )


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        ({"scenes": {"written": 1, "equal": 2, "skipped": 1_000}},
         "1 scene written, 1,002 needed no change; an edit takes 250 ms"),
        ({"scenes": {}, "edit_seconds": {"mean": None}},
         "0 scenes written, 0 needed no change"),
        ({"scenes": {"skipped": 4}, "edit_seconds": {"mean": 0.0014}},
         "0 scenes written, 4 needed no change; an edit takes 1 ms"),
    ],
)  # fmt: skip
def test_what_was_done_so_far(metrics, text):
    assert drawn(status_screen(changed(metrics=metrics), str))[-1] == f"So far    {text}"


def test_names_are_hidden_wherever_a_status_shows_one():
    hidden = drawn(status_screen(changed(breaker=WORKS, eta_s=None), lambda _: "hidden"))
    heads = [line.split("  ")[0] for line in hidden if line.endswith(" hidden")]
    assert heads == ["On hold", "Waiting", "Waiting", "Given up", "Stash"]
    assert "Plex      1.43, hidden, 1 item" in hidden
    away = changed(plex={"reachable": False, "problem": "Plex at “quay” rests."})
    lines = drawn(status_screen(away, lambda _: "hidden"))
    assert [line.split("  ")[0] for line in lines if line.endswith(" hidden")] == [
        "Now", "On hold", "Waiting", "Waiting", "Given up", "Plex", "Stash",
    ]  # fmt: skip


def test_a_breaker_that_is_closed_and_a_worker_that_rests_for_prometheus():
    status = changed(
        breaker=WORKS, worker={"running": False}, plex={"reachable": False, "items": 0},
        rate_per_s=0.0,
    )  # fmt: skip
    metrics = Metrics({}, {}, {}, {}, {}, Histogram((0,) * 11, 0.0))
    lines = prometheus_text({**status, "version": "3"}, metrics, [], 0.0).splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    names = ("breaker_open", "worker_running", "plex_up", "plex_items", "rate_scenes_per_second")
    assert {values[f"stash2plex_{name}"] for name in names} == {"0"}
    assert values['stash2plex_outages_total{server="stash"}'] == "0"


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(), "0 done, 0 left, 0 failed."),
        (
            Progress(done=1_000, left=3, failed=2, later=4, rate=1.5),
            "1,000 done, 3 left, 2 failed, 4 put off, 1.5 per second, about 2 s left.",
        ),
        (Progress(left=1, wait=Wait("Plex rests.")), "1 scene left. Plex rests."),
    ],
)
def test_a_progress_in_a_sentence(progress, words):
    assert progress_sentence(progress) == words


# -- checks, outages, dead letters --------------------------------------------------------


def test_checks_in_colours_and_at_the_width_that_parts_a_table_from_a_list():
    assert coloured(health_screen(CHECKS, 100, str)) == [
        ("green", "pass"), ("bold", "stash"), ("bold red", "FAIL"), ("bold", "plex"),
        ("bold", "→ Start Plex."), ("yellow", "skip"), ("bold", "token"),
    ]  # fmt: skip
    checks: list[Check] = [passed("disk", "5 GiB."), failed("queue", "“Quay”.", "See “Pier”.")]
    assert drawn(health_screen(checks, 70, str.upper), 70) == [
        "pass  disk   5 GIB.", "FAIL  queue  “QUAY”.", "             → SEE “PIER”.",
    ]  # fmt: skip
    assert drawn(health_screen(checks, 69, str), 69)[:2] == ["pass disk", "     5 GiB."]


OUTAGE = {
    "server": "plex", "kind": "unavailable", "started_at": "2023-11-14T22:13:20Z", "seconds": 90,
    "waiting": 1, "next_probe_at": "2023-11-14T22:13:20Z", "cause": "Plex rests.",
    "ended_at": None,
}  # fmt: skip


def test_a_whole_screen_of_outages():
    window = {"server": "plex", "days": 7, "outages": 12, "mttr_s": 60, "mtbf_s": 3_600,
              "availability": 0.5}  # fmt: skip
    quiet = {**window, "server": "stash", "outages": 0, "mttr_s": None, "mtbf_s": None,
             "availability": 1.0}  # fmt: skip
    past = {**OUTAGE, "ended_at": "2023-11-14T22:14:50Z", "waiting": 3, "cause": "“Quay”."}
    report = {"current": [OUTAGE, {**OUTAGE, "waiting": 2}], "total": 2,
              "windows": [window, quiet], "outages": [OUTAGE, past],
              "watched_since": OUTAGE["started_at"]}  # fmt: skip
    now = f"Plex is out of reach since {AT} (1 min 30 s), 1 scene waiting, next try at {AT}"
    lines = drawn(outages_screen(report, 110, str.upper), 110)
    assert [line.split() for line in lines[2:5]] == [
        ["Server", "Days", "Outages", "Available", "MTTR", "MTBF"],
        ["Plex", "7", "12", "50.00", "%", "1", "min", "00", "s", "1", "h", "00", "min"],
        ["Stash", "7", "0", "100.00", "%", "–", "–"],
    ]
    assert lines[:2] == [now, now.replace("1 scene", "2 scenes")]
    began = AT.split()
    assert [line.split() for line in lines[5:]] == [
        [], ["Began", "Length", "Waited", "Cause"],
        [*began, "1", "min", "30", "s", "so", "far", "1", "PLEX", "RESTS."],
        [*began, "1", "min", "30", "s", "3", "“QUAY”."],
    ]  # fmt: skip
    assert ("red", now) in coloured(outages_screen(report, 110, str), 110)
    narrow = drawn(outages_screen(report, 69, str), 69)
    assert not any("Began" in line for line in narrow)
    assert any("Began" in line for line in drawn(outages_screen(report, 70, str), 70))
    assert drawn(outages_screen({**report, "current": [], "total": 0}, 100, str)) == [
        f"No outage since {AT}."
    ]


def dead(id_, reason="ambiguous", title="Pier", path="/data/pier.mp4"):
    return DeadLetter("scene", id_, title, path, reason, "Two fit.", 1, WHEN, WHEN)


def test_dead_letters_under_their_reasons():
    groups = [Group("ambiguous", 1_002, WHEN), Group("odd_thing", 1, WHEN)]
    letters = [dead(4), dead(5, title=""), dead(6, "odd_thing", "Quay")]
    assert drawn(letters_screen(letters, groups, 80, str.upper), 80) == [
        "1,002 because several Plex items fit (ambiguous)",
        "→ Set Path map or Plex library, or turn on Loose matching; then run “Retry Dead",
        "Letters”.",
        f"scene:4     “PIER”  {AT}",
        f"scene:5             {AT}",
        "",
        "1 because odd thing (odd_thing)",
        "→ Read the error.",
        f"scene:6     “QUAY”  {AT}",
        "",
    ]
    assert ("bold", "1 because odd thing (odd_thing)") in coloured(
        letters_screen(letters, groups, 80, str), 80
    )
    narrow = drawn(letters_screen(letters[2:], groups[1:], 69, str), 69)
    assert narrow == ["1 because odd thing (odd_thing)", "→ Read the error.",
                      "scene:6     “Quay”", ""]  # fmt: skip
    assert drawn(letters_screen(letters[2:], groups[1:], 70, str), 70)[2].endswith(AT)
    assert drawn(letters_screen([], [], 80, str)) == ["No dead letters."]


def test_a_dead_letter_without_a_title_a_file_and_a_past():
    assert letter_lines(dead(7, "odd_thing", "", "")) == [
        "scene:7",
        "Given up because odd thing, after 1 attempt.",
        "What to do: Read the error.",
        "History:",
    ]


# -- a scene, the history, the report -----------------------------------------------------


def explained(look=None, **values):
    history = tuple(values.pop("history", ()))
    key = KeyState(state="none", history=history)
    return SceneExplanation(7, key, look=look, why="It waits.", **values)


def test_a_scene_of_which_little_is_known():
    known = explained(
        history=[Failure(WHEN, "a", "Plex rests."), Failure(WHEN + 60, "b", "Two fit.")],
        unknown=["Stash rests.", "Plex rests."],
    )
    lines = explanation_lines(known)
    assert lines[0] == "Scene 7 “scene 7”: It waits."
    assert lines[1].endswith(": Plex rests.")
    assert lines[2].endswith(": Two fit.")
    assert lines[3:] == [
        "Unknown at the moment. Stash rests.", "Unknown at the moment. Plex rests.",
    ]  # fmt: skip


def test_a_scene_with_several_candidates():
    candidates = tuple(
        Candidate(plex_file(f"/media/{key}.mp4", key), None, 1, None, why)
        for key, why in (("1", "Its size differs."), ("2", ""), ("3", "Its folder differs."))
    )
    look = Explanation(7, "Quay", candidates=candidates, refusal="Two fit.")
    assert explanation_lines(explained(look)) == [
        "Scene 7 “scene 7”: It waits.",
        "Candidate 1: “/media/1.mp4”. Its size differs.",
        "Candidate 2: “/media/2.mp4”.",
        "Candidate 3: “/media/3.mp4”. Its folder differs.",
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), ("", "–"), ((), "–"), ([], "–"), (["Fog", 7], "Fog, 7"), (7.5, "7.5"),
     (8.0, "8"), (7, "7"), (" a \n b ", "a b")],
)  # fmt: skip
def test_the_value_of_a_field_in_words(value, words):
    assert value_words(value) == words


def test_the_history_in_lines():
    fields = {
        "title": (None, "Quay"), "genre": (["Fog", "Ebb"], []), "rating": (7.0, 7.5),
        "summary": ("", "x" * 61), "studio": ("y" * 60, ""),
    }  # fmt: skip
    write = Write(1, 2, WHEN, 7, "9", fields, {}, has_ended=True, cause="task", name="Sync")
    shown = {"title": "Quay", "genre": ["Tide"], "rating": 7.5, "studio": ""}
    page = HistoryPage((SeenWrite(write, shown, "Quay"),), 1)
    assert history_lines(page) == [
        f"{AT}, scene 7, Plex item 9, task (run 2):",
        "  title: nothing → “Quay”",
        "  genre: “Fog”, “Ebb” → nothing; Plex shows “Tide”",
        "  rating: 7 → 7.5",
        f"  summary: nothing → “{'x' * 59}…”; not read back yet",
        f"  studio: “{'y' * 60}” → nothing",
        "1 write in all.",
    ]
    runs = (
        WriteRun(2, "task", "Sync", WHEN, WHEN, 3, 1),
        WriteRun(1, "save", "", WHEN, WHEN, 1, 2),
    )
    assert run_lines(RunPage(runs, 2)) == [
        f"Run 2, {AT}: task (Sync), 1 scene.",
        f"Run 1, {AT}: save, 2 scenes.",
        "2 runs in all; “history --run ID” shows the writes of one.",
    ]


def test_a_report_has_a_blank_line_between_its_parts_and_no_secret():
    report = Report(
        versions={"Stash2Plex": "3", "Python": "3.12"}, settings=[], health=CHECKS,
        status=changed(**QUIET), log=["The token is lantern-7."], secrets=("lantern-7",),
    )  # fmt: skip
    lines = report_lines(report)
    assert lines[:7] == [
        "== Versions ==", "Stash2Plex: 3", "Python: 3.12", "",
        "== Settings that are not the default ==", "(nothing)", "",
    ]  # fmt: skip
    start = lines.index("== Status ==")
    assert lines[start - 1] == ""
    assert lines[start + 1] == ("Queue: 0 due, 0 in progress, 0 waiting for later, 0 given up.")
    assert lines[-3:] == ["", "== Last lines of worker.log ==", "The token is (token)."]
