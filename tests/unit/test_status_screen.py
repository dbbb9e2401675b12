"""The parts of a status on a screen: colours, what happens now, the bar, Plex, scenes and names."""

from __future__ import annotations

import pytest

from stash2plex.ui.lines.status import scenes_line, status_lines
from stash2plex.ui.screens import status_screen
from tests.unit.test_whole_lines import AT, FULL, changed
from tests.unit.test_whole_screens import WORKS, coloured, drawn


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
