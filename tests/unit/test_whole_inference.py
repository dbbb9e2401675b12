"""Whole rules that are worked out from pairs of paths, and folders as libraries spell them."""

from __future__ import annotations

import pytest

from stash2plex.model import StashFile
from stash2plex.rules.path_inference import (
    InferredRule,
    PathPair,
    head,
    infer_rules,
    roots_of,
    same_file,
)
from stash2plex.rules.scanning import folder_above, holds, is_shared, scan_targets
from tests.support import plex_file


def pairs(stash, plex, *names):
    return [PathPair(f"{stash}/{name}", f"{plex}/{name}") for name in names]


A = ("a/1.mp4", "a/2.mp4", "b/3.mp4", "b/4.mp4")


def test_a_pair_that_no_rule_covers_hides_no_later_one():
    odd = [PathPair("/elsewhere/x.mp4", "/far/y.mp4"), PathPair("/", "/")]
    good = pairs("/data", "/media", *A)
    assert infer_rules([odd[0], *good[:2], odd[1], *good[2:]]) == (
        InferredRule(("/data", "/media"), 4, 0, tuple(good[:3])),
    )
    assert infer_rules([]) == infer_rules(odd) == ()


def test_rules_are_listed_by_their_support_and_then_by_their_folders():
    found = [
        *pairs("/more", "/extra", *A[:3]),
        *pairs("/data", "/media", *A),
        *pairs("/also", "/films", *A[:3]),
    ]
    assert [(rule.rule, rule.support) for rule in infer_rules([*found, *found])] == [
        (("/data", "/media"), 4),
        (("/also", "/films"), 3),
        (("/more", "/extra"), 3),
    ]


def test_two_pairs_are_no_rule_and_three_are_one():
    assert infer_rules(pairs("/data", "/media", *A[:2])) == ()
    (rule,) = infer_rules(pairs("/data", "/media", *A[:3]))
    assert (rule.support, rule.trusted) == (3, True)


@pytest.mark.parametrize(
    ("support", "contradictions", "trusted"),
    [
        (2, 0, False), (3, 0, True), (3, 1, False), (4, 1, True), (7, 2, False), (8, 2, True),
    ],
)  # fmt: skip
def test_a_rule_needs_three_files_and_four_for_each_that_contradicts(
    support, contradictions, trusted
):
    assert InferredRule(("/a", "/b"), support, contradictions, ()).trusted is trusted


def test_files_that_lie_in_the_folder_itself_do_not_part_it():
    here = [f"{number}.mp4" for number in range(6)]
    found = [*pairs("/data", "/media", *here[:3]), *pairs("/data", "/extra", *here[3:])]
    (rule,) = infer_rules(found)
    assert (rule.rule, rule.support, rule.contradictions) == (("/data", "/extra"), 3, 3)
    assert rule.examples == tuple(found[3:])


def test_a_folder_that_is_several_in_plex_is_parted_below():
    found = [
        *pairs("/data/x", "/media/x", "1.mp4", "2.mp4", "3.mp4"),
        *pairs("/data/y", "/extra/y", "1.mp4", "2.mp4", "3.mp4"),
    ]
    assert [rule.rule for rule in infer_rules(found)] == [
        ("/data/x", "/media/x"),
        ("/data/y", "/extra/y"),
    ]


def test_the_spelling_that_most_paths_use_is_that_of_the_rule():
    found = [
        *pairs("/Data", "/media", "a/1.mp4"),
        *pairs("/data", "/media", "a/2.mp4", "a/3.mp4"),
    ]
    assert [rule.rule for rule in infer_rules(found)] == [("/data", "/media")]
    even = [*pairs("/data", "/Media", *A[:2]), *pairs("/data", "/media", *A[2:])]
    assert [rule.rule for rule in infer_rules(even)] == [("/data", "/Media")]


@pytest.mark.parametrize(
    ("size", "held", "path", "same"),
    [
        (10, 10, "/media/z/pier.mp4", True),
        (10, 11, "/media/a/pier.mp4", False),
        (10, None, "/media/a/pier.mp4", True),
        (None, 10, "/media/a/PIER.mp4", True),
        (None, None, "/media/pier.mp4", False),
        (0, 0, "/media/z/pier.mp4", False),
        (10, 10, "/media/a/quay.mp4", False),
    ],
)
def test_when_a_file_of_plex_is_surely_that_of_stash(size, held, path, same):
    file = StashFile("/data/a/pier.mp4", size)
    other = plex_file("/media/a/quay.mp4", "9", 10)
    found = same_file(file, [other, plex_file(path, "1", held), other])
    assert found == (PathPair(file.path, path) if same else None)


def test_two_namesakes_are_never_sure():
    file = StashFile("/data/a/pier.mp4", 10)
    twins = [plex_file("/m/1/pier.mp4", "1", 10), plex_file("/m/2/pier.mp4", "2", 10)]
    assert same_file(file, twins) is None
    assert same_file(file, []) is None


@pytest.mark.parametrize(
    ("pair", "roots"),
    [
        (PathPair("/data/a/x.mp4", "/media/a/x.mp4"), (("data",), ("media",))),
        (PathPair("/data/a/x.mp4", "/x.mp4"), (("data", "a"), ())),
        (PathPair("/a/x.mp4", "/a/x.mp4"), ((), ())),
        (PathPair("/a/x.mp4", "/b/y.mp4"), (("a", "x.mp4"), ("b", "y.mp4"))),
    ],
)
def test_the_roots_of_a_pair(pair, roots):
    assert roots_of(pair) == roots


@pytest.mark.parametrize(
    ("path", "parts", "expected"),
    [
        ("/data//a/x.mp4", 1, "/data"),
        ("/data//a/x.mp4", 2, "/data//a"),
        ("data/a/x.mp4", 1, "data"),
        ("x.mp4", 1, "x.mp4"),
        ("x.mp4", 0, "/"),
        ("\\\\nas\\a\\x.mp4", 1, "\\\\nas"),
        ("C:/a\\x.mp4", 2, "C:/a"),
    ],
)
def test_the_first_parts_of_a_path(path, parts, expected):
    assert head(path, parts) == expected


def test_which_folders_hold_a_file_and_which_libraries_share_one():
    assert holds(["/attic", "/Media"], "/media/a.mp4")
    assert not holds(["/attic", "/media/a"], "/media/a.mp4")
    assert not holds(["/media/a.mp4"], "/media/a.mp4")
    assert not holds([], "/media/a.mp4")
    libraries = {"1": ["/attic", "/media"], "2": ["/media/films"], "3": ["/other"]}
    assert is_shared("/media/films", libraries)
    assert is_shared("/media/films/x", libraries)
    assert not is_shared("/media", libraries)
    assert not is_shared("/far", libraries)


def test_the_deepest_location_spells_a_folder():
    locations = ["/media", "/MEDIA/Films/", "/media/films/x/y"]
    assert scan_targets("/media/films/x/a.mp4", [], {"1": locations}) == [("1", "/MEDIA/Films/x")]
    assert folder_above("/media/films/x", locations) == "/MEDIA/Films/"
    assert folder_above("/media/films", locations) == "/media"
    assert folder_above("/media", locations) == ""
    assert scan_targets("a.mp4", [], {"1": ["/"], "2": ["/media"]}) == [("1", "/")]
