"""Whole answers of the matching: shares at their limit, examples, rules, odd paths."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from stash2plex.operations.health.checks import blocked, failed, passed
from stash2plex.operations.health.match_checks import Pair
from stash2plex.operations.health.report import read_health
from stash2plex_testing.patient import TiB
from tests.harness.in_process import Desk

SCAN = ". Scan the library in Plex, or enter the library that holds the same files in Plex library."
CLEAR = "Set Path map or Plex library, so that only one item fits."


@pytest.fixture
def desk(tmp_path):
    desk = Desk(str(tmp_path))
    desk.clock.now = float(int(time.time()))
    with desk:
        yield desk


def answers(desk: Desk) -> list[Any]:
    checks = {check.name: check for check in read_health(desk.app, lambda _: TiB)}
    return [checks["matches"], checks["path mapping"]]


def both(desk: Desk, *names: str) -> None:
    """Add a scene and an item of the same file for each name."""
    for name in names:
        desk.scene(name)
        desk.item(name)


def test_without_a_scene_with_a_file_there_is_nothing_to_match(desk):
    desk.item("a/1.mp4")
    why = "Nothing yet: Stash has no scene with a file."
    assert answers(desk) == [passed("matches", why), passed("path mapping", why)]
    desk.stash.add_scene(files=[])
    assert answers(desk) == [passed("matches", why), passed("path mapping", why)]


def test_half_of_the_scenes_is_enough_and_less_is_not(desk):
    both(desk, "a/1.mp4")
    desk.scene("a/2.mp4")
    matches, paths = answers(desk)
    assert matches == passed(
        "matches", "1 of 2 scenes looked at have a Plex item (50 %). Stash has 2 scenes."
    )
    assert paths == passed(
        "path mapping",
        "No rule is set, and matches need none: “/data” is “/media” in Plex (1 of 1).",
    )
    desk.scene("a/3.mp4")
    assert answers(desk)[0] == failed(
        "matches",
        "1 of 3 scenes looked at have a Plex item (33 %).",
        f"Stash has “/data/a/2.mp4”, Plex has files such as “/media/a/1.mp4”{SCAN}",
    )


def test_a_library_without_a_file_gives_no_example_and_no_mapping(desk):
    desk.scene("a/1.mp4")
    assert answers(desk) == [
        failed(
            "matches",
            "0 of 1 scene looked at have a Plex item (0 %).",
            f"Stash has “/data/a/1.mp4”{SCAN}",
        ),
        blocked("path mapping", "matches"),
    ]


@pytest.mark.parametrize(("missing", "fix"), [(0, CLEAR), (1, CLEAR), (2, None), (3, None)])
def test_what_helps_follows_from_what_is_more_often_the_cause(desk, missing, fix):
    for number in range(2):
        desk.scene(f"{number}.mp4")
        desk.item(f"x/{number}.mp4")
        desk.item(f"y/{number}.mp4")
    for number in range(missing):
        desk.scene(f"gone-{number}.mp4")
    found = answers(desk)[0]
    assert found.detail == (
        f"0 of {2 + missing} scenes looked at have a Plex item (0 %), 2 match several."
    )
    if fix is None:
        assert found.fix.startswith("Stash has “/data/gone-0.mp4”, Plex has files such as “/media/")
    else:
        assert found.fix == fix


def test_rules_that_are_set_are_shown_with_how_often_they_are_right(desk):
    both(desk, "a/1.mp4", "a/2.mp4", "b/3.mp4")
    desk.restart(path_map="/data/a=>/media/a; /data/b=>/films/b")
    assert answers(desk)[1] == passed(
        "path mapping",
        "“/data/a” is “/media/a” in Plex; “/data/b” is “/films/b” in Plex: right for 2 of 3 "
        "matches.",
    )
    desk.restart(path_map="/data=>/films")
    assert answers(desk)[1] == failed(
        "path mapping",
        "“/data” is “/films” in Plex: right for 0 of 3 matches.",
        "Correct Path map, such as “/data=>/media”, or empty it.",
        2,
    )


def test_rules_that_are_set_where_nothing_matches_are_no_fault_of_theirs(desk):
    desk.scene("a/1.mp4")
    desk.item("b/2.mp4")
    desk.restart(path_map="/data=>/media")
    assert answers(desk)[1] == passed(
        "path mapping", "“/data” is “/media” in Plex: right for 0 of 0 matches."
    )


def test_the_three_most_frequent_pairs_of_folders_are_shown(desk):
    for folder, number in (("a", 1), ("b", 4), ("c", 3), ("d", 2)):
        for name in range(number):
            file = f"{folder}-{name}.mp4"
            desk.stash.add_scene(files=[f"/{folder}/{file}"], sizes=[100], title=file)
            desk.plex.add_item(desk.films, f"/media/{folder.upper()}x/{file}", size=100)
    desk.stash.add_scene(files=["/root.mp4"], sizes=[5], title="Root")
    desk.plex.add_item(desk.films, "/media/root.mp4", size=5)
    assert answers(desk)[1] == passed(
        "path mapping",
        "No rule is set, and matches need none: “/b” is “/media/Bx” in Plex (4 of 11); “/c” is "
        "“/media/Cx” in Plex (3 of 11); “/d” is “/media/Dx” in Plex (2 of 11).",
    )


def test_rules_that_were_worked_out_are_shown_if_they_are_trusted(desk):
    both(desk, "a/1.mp4")
    desk.app.open_session().index.refresh(desk.app.settings().plex_library)
    for rule in (("/a", "/x", 1_000, 1), ("/b", "/y", 900, 0), ("/c", "/z", 1, 5)):
        desk.app.store.connection.execute(
            "INSERT INTO path_rule (stash_root, plex_root, support, contradictions, examples)"
            " VALUES (?, ?, ?, ?, ?)", (*rule, json.dumps([])),
        )  # fmt: skip
    assert answers(desk)[1] == passed(
        "path mapping",
        "Worked out: “/a” is “/x” in Plex (1,000 files for it, 1 against); “/b” is “/y” in Plex "
        "(900 files for it, 0 against).",
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "heads"),
    [
        ("/data/a/1.mp4", "/media/a/1.mp4", ("/data", "/media")),
        ("/data/A/1.MP4", "/data/a/1.mp4", ("/", "/")),
        ("/data/x/1.mp4", "/media/a/2.mp4", ("/data/x/1.mp4", "/media/a/2.mp4")),
        ("C:\\data\\1.mp4", "/media/1.mp4", ("C:\\data", "/media")),
        ("C:\\data/x\\1.mp4", "a/1.mp4", ("C:/data/x", "a")),
        ("\\\\nas\\data\\1.mp4", "/media/1.mp4", ("\\\\nas\\data", "/media")),
        ("/data/1.mp4", "//nas/data/films/1.mp4", ("/data", "//nas/data/films")),
        ("/1.mp4", "/media/1.mp4", ("/", "/media")),
        ("1.mp4", "media/1.mp4", ("", "media")),
    ],
)
def test_the_heads_of_two_paths(ours, theirs, heads):
    assert Pair(ours, theirs).heads() == heads
