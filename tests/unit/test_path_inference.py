"""How folders of Stash read in Plex, worked out from files that are the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stash2plex.model import PlexFile, StashFile
from stash2plex.rules.matching import Level, explain, folded_parts, map_path
from stash2plex.rules.path_inference import PathPair, head, infer_rules, roots_of, same_file
from tests.support import make_scene, plex_file

FILES = ("a/pier.mp4", "a/quay.mp4", "b/lantern.mp4", "b/old/buoy.mp4")


def pairs(stash, plex, files=FILES):
    left, right = ("\\" if "\\" in root else "/" for root in (stash, plex))
    return [
        PathPair(
            stash.rstrip("\\/") + left + file.replace("/", left),
            plex.rstrip("\\/") + right + file.replace("/", right),
        )
        for file in files
    ]


def trusted(found, locations=()):
    return [one.rule for one in infer_rules(found, locations) if one.trusted]


@pytest.mark.parametrize(
    ("roots", "locations", "expected"),
    [
        ([("/data", "/data")], (), [("/", "/")]),
        ([("/data", "/data")], ("/data",), [("/data", "/data")]),
        ([("/data", "/media/library")], (), [("/data", "/media/library")]),
        ([("/data", "/media")], ("/media",), [("/data", "/media")]),
        (
            [("/data", "/media"), ("/more", "/extra"), ("/old", "/attic/old")],
            ("/media", "/extra", "/attic/old"),
            [("/data", "/media"), ("/more", "/extra"), ("/old", "/attic/old")],
        ),
        ([("D:\\films", "/mnt/films")], ("/mnt/films",), [("D:\\films", "/mnt/films")]),
        ([("D:\\films", "/mnt/films")], (), [("D:", "/mnt")]),
        ([("/data", "E:\\films")], (), [("/data", "E:\\films")]),
        ([("\\\\nas\\films", "/mnt")], (), [("\\\\nas\\films", "/mnt")]),
        (
            [("/films", "/mnt/films"), ("/data/films", "/films")],
            ("/mnt/films", "/films"),
            [("/data/films", "/films"), ("/films", "/mnt/films")],
        ),
        (
            [("/films", "/mnt/films"), ("/data/films", "/films")],
            (),
            [("/", "/mnt"), ("/data", "/")],
        ),
        (
            [("/data/films", "/one/films"), ("/data/clips", "/two/clips")],
            (),
            [("/data/clips", "/two/clips"), ("/data/films", "/one/films")],
        ),
        (
            [("/data", "/media"), ("/link", "/media")],
            (),
            [("/data", "/media"), ("/link", "/media")],
        ),
        (
            [("/data", "/media"), ("/data/x", "/other")],
            (),
            [("/data", "/media"), ("/data/x", "/other")],
        ),
    ],
)
def test_the_roots_are_found(roots, locations, expected):
    found = [pair for root in roots for pair in pairs(*root)]
    rules = trusted(found, locations)
    assert sorted(rules) == sorted(expected)
    for pair in found:
        assert map_path(pair.stash, rules) == pair.plex


def test_case_and_unicode_forms_are_the_same_folder():
    plex = [pair.plex.upper() for pair in pairs("/data/Caf\u00e9", "/media/Caf\u00e9")]
    stash = [
        unicodedata.normalize("NFD", pair.stash) for pair in pairs("/data/Café", "/media/Café")
    ]
    (rule,) = trusted([PathPair(*both) for both in zip(stash, plex, strict=True)], ("/media",))
    assert folded_parts(rule[0]) == ("data",)
    assert folded_parts(rule[1]) == ("media",)


def test_a_few_files_are_no_rule_and_moved_ones_count_against_it():
    assert trusted(pairs("/data", "/media", FILES[:2])) == []
    moved = [PathPair(f"/data/{n}.mp4", f"/media/moved/{n}.mp4") for n in range(2)]
    (rule,) = infer_rules([*pairs("/data", "/media"), *moved[:1]])
    assert (rule.support, rule.contradictions, rule.trusted) == (4, 1, True)
    (rule,) = infer_rules([*pairs("/data", "/media"), *moved])
    assert (rule.support, rule.contradictions, rule.trusted) == (4, 2, False)
    assert rule.examples == tuple(pairs("/data", "/media")[:3])


def test_only_what_is_beyond_doubt_is_a_pair():
    file = StashFile("/data/a/pier.mp4", 10)
    sure = plex_file("/media/z/pier.mp4", size=10)
    assert same_file(file, [sure]) == PathPair(file.path, sure.path)
    assert same_file(file, [sure, plex_file("/x/pier.mp4", "2", 11)]) is None
    assert same_file(file, [plex_file("/media/a/pier.mp4", size=11)]) is None
    assert same_file(file, [plex_file("/media/a/pier.mp4")]) is not None
    assert same_file(file, [plex_file("/media/z/pier.mp4")]) is None


@pytest.mark.parametrize(
    ("path", "parts", "expected"),
    [
        ("/data/a/x.mp4", 0, "/"),
        ("/data/a/x.mp4", 1, "/data"),
        ("D:\\a\\x.mp4", 1, "D:"),
        ("\\\\nas\\share\\x.mp4", 2, "\\\\nas\\share"),
        ("\\\\nas\\share\\x.mp4", 0, "\\"),
    ],
)
def test_a_path_is_cut_as_it_is_spelled(path, parts, expected):
    assert head(path, parts) == expected


PART = st.sampled_from(["a", "b", "Films", "old", "é"])
FOLDER = st.lists(PART, max_size=3)
NAME = st.sampled_from(["pier.mp4", "quay.mp4", "buoy.mp4"])
ROOTS = st.lists(
    st.tuples(st.lists(PART, min_size=1, max_size=3), FOLDER),
    min_size=1,
    max_size=3,
    unique_by=lambda roots: tuple(roots[0]),
)


@settings(deadline=None)
@given(ROOTS, st.lists(st.tuples(FOLDER, NAME), min_size=3, max_size=8, unique_by=str))
def test_whatever_the_roots_a_trusted_rule_is_right_about_most_of_what_it_covers(roots, files):
    found = [
        PathPair("/" + "/".join([*s, *folder, name]), "/" + "/".join([*p, *folder, name]))
        for s, p in roots
        for folder, name in files
    ]
    rules = infer_rules(found)
    for one in rules:
        assert one.support + one.contradictions <= len(found)
        for pair in one.examples:
            assert folded_parts(map_path(pair.stash, [one.rule])) == folded_parts(pair.plex)
    for pair in found:
        stash, plex = roots_of(pair)
        assert stash == () or plex == () or stash[-1] != plex[-1]


DISTINCT = st.lists(
    st.tuples(
        st.sampled_from([["data"], ["data", "x"], ["more"], ["a", "films"], ["b", "films"]]),
        st.sampled_from([["media"], ["media", "x"], ["mnt", "more"], ["films"], ["a", "films"]]),
    ),
    min_size=1,
    max_size=3,
    unique_by=(lambda one: str(one[0]), lambda one: str(one[1])),
)


@settings(deadline=None)
@given(DISTINCT, st.data())
def test_every_root_with_enough_files_reads_right(roots, data):
    for one, _ in roots:
        assume(all(one == other or one != other[: len(one)] for other, _ in roots))
    found = []
    for stash, plex in roots:
        names = data.draw(st.lists(st.integers(1, 30), min_size=3, max_size=12, unique=True))
        for name in names:
            tail = [f"{stash[0]}-{name % 2}", f"{name}.mp4"]
            found.append(PathPair("/" + "/".join([*stash, *tail]), "/" + "/".join([*plex, *tail])))
    locations = ["/" + "/".join(plex) for _, plex in roots]
    for known in ((), locations):
        rules = trusted(found, known)
        for pair in found:
            assert map_path(pair.stash, rules) == pair.plex


@st.composite
def libraries(draw):
    """Files on disk under two roots, what Plex lists of them, and the scenes of Stash.

    A file's size is what it holds: equal size means the same film. Some files were not scanned
    yet, some were moved on disk after Plex saw them, some are copies.
    """
    roots = [("/data", "/media"), ("/more", "/mnt/more")]
    disk = draw(
        st.lists(
            st.tuples(
                st.sampled_from(roots),
                st.sampled_from(["a", "b", "a/b", ""]),
                NAME,
                st.integers(1, 6),
                st.sampled_from(["seen", "seen", "seen", "new", "moved"]),
            ),
            min_size=1,
            max_size=16,
            unique_by=lambda one: (one[0], one[1], one[2]),
        )
    )
    listed, scenes = [], []
    for key, ((stash, plex), folder, name, size, state) in enumerate(disk, 1):
        path = "/".join(filter(None, [folder, name]))
        scenes.append(make_scene(key, files=(StashFile(f"{stash}/{path}", size),)))
        if state != "new":
            seen = f"before/{path}" if state == "moved" else path
            listed.append(PlexFile("1", str(key), f"{plex}/{seen}", size))
    return scenes, listed


@settings(deadline=None)
@given(libraries())
def test_a_match_is_the_same_film_or_refused(library):
    scenes, listed = library
    known = [same_file(file, listed) for scene in scenes for file in scene.files]
    rules = trusted([pair for pair in known if pair is not None], ("/media", "/mnt/more"))
    for scene in scenes:
        found = explain(scene, listed, rules, inferred=True)
        if found.match is None:
            assert found.refusal
            assert found.reason in ("not_in_plex", "ambiguous")
        else:
            assert found.match.file.size == scene.files[0].size
            assert found.match.matched_by != Level.NAME
            assert [one.file for one in found.candidates if not one.why] == [found.match.file]


@settings(deadline=None)
@given(libraries())
def test_without_sizes_the_path_map_alone_never_leads_to_another_file(library):
    scenes, listed = library
    rules = [("/data", "/media"), ("/more", "/mnt/more")]
    unsized = [PlexFile(one.section_id, one.rating_key, one.path, None) for one in listed]
    for scene in scenes:
        found = explain(scene, unsized, rules)
        if found.match is not None:
            assert found.match.matched_by is Level.WHOLE_PATH
            assert found.match.file.path == map_path(scene.files[0].path, rules)
