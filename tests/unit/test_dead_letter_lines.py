"""Dead letters as the user reads them: on a screen, in lines, and after old ones were removed."""

from __future__ import annotations

import pytest

from stash2plex.operations.dead_letters import Purged
from stash2plex.store.dead_letters import DeadLetter, Group
from stash2plex.ui.lines.dead_letters import letter_lines, purged_sentence
from stash2plex.ui.screens import letters_screen
from tests.unit.test_whole_lines import AT, WHEN
from tests.unit.test_whole_screens import coloured, drawn


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


@pytest.mark.parametrize(
    ("purged", "expected"),
    [
        (Purged(0, 0), "There were no dead letters older than 3 days."),
        (Purged(2, 0), "Removed 2 dead letters older than 3 days."),
        (Purged(1, 1), "Removed 1 dead letter older than 3 days. 1 newer stays."),
        (Purged(0, 4), "There were no dead letters older than 3 days. 4 newer stay."),
    ],
)
def test_what_a_purge_reports(purged, expected):
    assert purged_sentence(purged, 3) == expected
