"""A scene in lines: what is known of it, its candidates, and the values of fields."""

from __future__ import annotations

import pytest

from stash2plex.operations.explain import SceneExplanation
from stash2plex.rules.matching import Candidate, Explanation
from stash2plex.store.key_state import Failure, KeyState
from stash2plex.ui.lines.scenes import explanation_lines, value_words
from tests.support import plex_file
from tests.unit.test_whole_lines import WHEN


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
