"""Which Plex item holds a scene's file, or why none."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.errors import Ambiguous, NotInPlexYet
from stash2plex.model import Match, StashFile
from stash2plex.rules.matching import Level, explain, folded_name, map_path
from tests.support import make_scene, plex_file, present


def match(paths, candidates, rules=(), loose=False):
    files = tuple(
        StashFile(path, size)
        for path, size in (p if isinstance(p, tuple) else (p, None) for p in paths)
    )
    found = explain(make_scene(files=files), candidates, rules, loose=loose).match_or_error
    if isinstance(found, Exception):
        raise found
    return found.file.rating_key, found.matched_by


@pytest.mark.parametrize(
    ("stash", "plex", "rules"),
    [
        ("/data/a/pier.mp4", "/data/a/pier.mp4", ()),
        ("/data/a/pier.mp4", "/media/a/pier.mp4", (("/data", "/media"),)),
        ("C:\\films\\a\\pier.mp4", "/media/a/pier.mp4", (("C:\\films", "/media"),)),
        ("/data/a/pier.mp4", "D:\\films\\a\\pier.mp4", (("/data/", "D:\\films\\"),)),
        ("/data/a/Pier.mp4", "/DATA/A/pier.MP4", ()),
        ("D:\\films\\a\\pier.mp4", "D:\\films\\a\\pier.mp4", (("D:\\films", "D:\\films"),)),
        ("/data/a/pier.mp4", "/a/pier.mp4", (("/data", "/"),)),
        ("/data/a/caf\u00e9.mp4", "/data/a/" + unicodedata.normalize("NFD", "café.mp4"), ()),
    ],
)
def test_the_whole_path(stash, plex, rules):
    assert match([stash], [plex_file(plex), plex_file("/x/y/z.mp4", "2")], rules) == (
        "1",
        "the whole path",
    )


def test_the_longest_rule_counts_and_only_at_folders():
    rules = (("/data", "/one"), ("/data/films", "/two"))
    assert map_path("/data/films/a.mp4", rules) == "/two/a.mp4"
    assert map_path("/database/a.mp4", rules) == "/database/a.mp4"


def test_the_longest_common_end():
    candidates = [plex_file("/media/x/b/pier.mp4", "1"), plex_file("/media/a/b/pier.mp4", "2")]
    assert match(["/data/a/b/pier.mp4"], candidates) == ("2", "the end of the path")


def test_files_that_differ_in_case_only_are_told_apart():
    twins = [plex_file("/data/Pier.mp4", "1"), plex_file("/data/pier.mp4", "2")]
    assert match(["/data/pier.mp4"], twins)[0] == "2"
    assert match(["/data/Pier.mp4"], twins)[0] == "1"


def test_a_root_that_is_the_end_of_another():
    candidates = [plex_file("/films/pier.mp4", "1"), plex_file("/mnt/films/old/pier.mp4", "2")]
    assert match(["/films/pier.mp4"], candidates)[0] == "1"
    assert match(["/data/films/old/pier.mp4"], candidates)[0] == "2"


def test_size_settles_equal_ends_and_equal_names():
    twins = [plex_file("/m/1/a/pier.mp4", "1", 10), plex_file("/m/2/a/pier.mp4", "2", 20)]
    assert match([("/data/a/pier.mp4", 20)], twins) == ("2", "the end of the path")
    apart = [plex_file("/m/x/pier.mp4", "1", 10), plex_file("/m/y/pier.mp4", "2", 20)]
    assert match([("/data/z/pier.mp4", 10)], apart) == ("1", "file name and size")


def test_a_name_alone_counts_only_where_a_size_is_not_known():
    assert match(["/data/z/pier.mp4"], [plex_file("/m/x/pier.mp4", "1", 10)]) == (
        "1",
        "the file name",
    )
    with pytest.raises(NotInPlexYet, match="another folder and size: “/m/x/pier.mp4”"):
        match([("/data/z/pier.mp4", 5)], [plex_file("/m/x/pier.mp4", "1", 10)])


def test_several_at_the_best_level_are_refused_with_their_paths_or_taken_loosely():
    twins = [plex_file("/m/1/a/pier.mp4", "1"), plex_file("/m/2/a/pier.mp4", "2")]
    with pytest.raises(Ambiguous, match="2 Plex items.*“/m/1/a/pier.mp4”, “/m/2/a/pier.mp4”"):
        match(["/data/a/pier.mp4"], twins)
    assert match(["/data/a/pier.mp4"], twins, loose=True)[0] == "1"


def test_an_explanation_of_a_tie_gives_every_one_of_it_the_same_reason():
    held = [
        plex_file("/m/1/a/pier.mp4", "1"),
        plex_file("/m/2/a/pier.mp4", "2"),
        plex_file("/attic/pier.mp4", "1"),
    ]
    scene = make_scene(files=(StashFile("/data/a/pier.mp4", 10),))
    found = explain(scene, held, [])
    assert (found.match, found.confidence, found.reason) == (None, "", "ambiguous")
    assert {one.file.path: one.why for one in found.candidates} == {
        "/m/1/a/pier.mp4": "it fits equally well",
        "/m/2/a/pier.mp4": "it fits equally well",
        "/attic/pier.mp4": "another file of the same item",
    }
    loosely = explain(scene, held, [], loose=True)
    assert (present(loosely.match).file, loosely.confidence) == (held[0], "low")


def test_one_file_in_several_libraries_is_followed_by_all_its_items():
    thrice = [plex_file("/m/a/pier.mp4", key, 9, key) for key in ("1", "2", "5")]
    scene = make_scene(files=(StashFile("/m/a/pier.mp4", 9),))
    explanation = explain(scene, thrice, ())
    found = explanation.match_or_error
    assert isinstance(found, Match)
    assert explanation.confidence == "certain"
    assert (found.file, found.also) == (thrice[0], (thrice[1], thrice[2]))
    second = found.led_by("2")
    assert (second.file, second.also) == (thrice[1], (thrice[0], thrice[2]))
    assert found.led_by("9") == found


@pytest.mark.parametrize(
    "files",
    [
        [plex_file("/m/a/pier.mp4", "1", 9), plex_file("/m/a/pier.mp4", "2", 9)],
        [plex_file("/m/a/pier.mp4", "1", 9), plex_file("/n/a/pier.mp4", "2", 9, "5")],
        [plex_file("/m/a/pier.mp4", "1", 9), plex_file("/m/a/pier.mp4", "2", 9, "5"),
         plex_file("/n/a/pier.mp4", "3", 9, "6")],
        [plex_file("/m/a/pier.mp4", "1", 9), plex_file("/m/A/pier.mp4", "2", 9, "5")],
    ],
    ids=["twice in one library", "two files", "and a copy", "another case"],
)  # fmt: skip
def test_what_is_not_one_file_in_several_libraries_is_refused(files):
    with pytest.raises(Ambiguous, match="Plex items .*Plex library"):
        match([("/x/a/pier.mp4", 9)], files)


def test_an_explanation_says_why_each_candidate_lost():
    held = [
        plex_file("/media/x/a/pier.mp4", "1", 10),
        plex_file("/other/a/pier.mp4", "2", 10),
        plex_file("/media/pier.mp4", "3"),
        plex_file("/more/a/pier.mp4", "4", 11),
        plex_file("/attic/pier.mp4", "1", 10),
    ]
    scene = make_scene(files=(StashFile("/data/x/a/pier.mp4", 10),))
    found = explain(scene, held, [])
    match = present(found.match)
    assert (match.file, match.matched_by) == (held[0], Level.PATH_END)
    assert (found.confidence, found.rule, found.refusal, found.reason) == ("high", None, "", "")
    assert {one.file.path: one.why for one in found.candidates} == {
        "/attic/pier.mp4": "another file of the same item",
        "/media/x/a/pier.mp4": "",
        "/other/a/pier.mp4": "the paths agree in fewer folders",
        "/media/pier.mp4": "another one fits better, by the end of the path",
        "/more/a/pier.mp4": "its size differs: 11 bytes, 10 in Stash",
    }


def test_an_inferred_rule_promotes_only_what_agrees_with_it():
    rule = [("/data", "/media")]
    scene = make_scene(files=(StashFile("/data/a/pier.mp4", 10),))
    twins = [plex_file("/media/a/pier.mp4", "1", 10), plex_file("/other/a/pier.mp4", "2", 10)]
    assert explain(scene, twins, []).reason == "ambiguous"
    found = explain(scene, twins, rule, inferred=True)
    assert (present(found.match).file, found.mapped_path) == (twins[0], "/media/a/pier.mp4")
    changed = [plex_file("/media/a/pier.mp4", "1", 11)]
    assert explain(scene, changed, rule, inferred=True).reason == "not_in_plex"
    assert present(explain(scene, changed, rule).match).matched_by is Level.WHOLE_PATH


def test_where_sizes_are_unknown_a_rule_tells_whose_a_file_is():
    rules = [("/data", "/media"), ("/more", "/extra")]
    scene = make_scene(files=(StashFile("/data/a/pier.mp4", 10),))
    found = explain(scene, [plex_file("/extra/a/pier.mp4")], rules)
    assert found.match is None
    assert found.candidates[0].why == "by the path map it is another file in Stash"
    assert explain(scene, [plex_file("/elsewhere/a/pier.mp4")], rules).match is not None


def test_versions_of_one_item_are_no_rivals():
    versions = [plex_file("/m/1/a/pier.mp4", "1"), plex_file("/m/2/a/pier.mp4", "1")]
    assert match(["/data/a/pier.mp4"], versions)[0] == "1"


def test_the_primary_file_goes_first_and_others_follow():
    candidates = [plex_file("/m/a/second.mp4", "2")]
    assert match(["/data/a/first.mp4", "/data/a/second.mp4"], candidates)[0] == "2"


def test_a_scene_without_files():
    with pytest.raises(NotInPlexYet, match="no file in Stash"):
        match([], [plex_file("/m/a.mp4")])


PART = st.sampled_from(["a", "b", "Films", "pier.mp4", "PIER.mp4"])
PATH = st.lists(PART, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(
    st.lists(st.tuples(PATH, st.none() | st.integers(0, 2)), max_size=3),
    st.lists(st.tuples(PATH, st.sampled_from("123"), st.none() | st.integers(0, 2)), max_size=6),
    st.booleans(),
)
def test_whatever_there_is_the_answer_is_a_candidate_or_a_refusal(files, held, loose):
    candidates = [plex_file(path, key, size) for path, key, size in held]
    scene = make_scene(files=tuple(StashFile(path, size) for path, size in files))
    found = explain(scene, candidates, (), loose=loose).match_or_error
    if isinstance(found, (NotInPlexYet, Ambiguous)):
        assert not (loose and isinstance(found, Ambiguous))
        return
    assert found.file in candidates
    names = {folded_name(path) for path, _ in files}
    assert folded_name(found.file.path) in names
