"""Whole explanations of a match: the item, the confidence, each candidate, the whole refusal."""

from __future__ import annotations

import pytest

from stash2plex.errors import Ambiguous, NotInPlexYet
from stash2plex.model import Match, StashFile
from stash2plex.rules.matching import (
    CONFIDENCE,
    Candidate,
    Explanation,
    Level,
    explain,
    folded_ends,
    folded_name,
    follow_choice,
    is_below,
    map_path,
    rule_for,
    split_path,
)
from tests.support import make_scene, plex_file

PIER = StashFile("/data/x/a/pier.mp4", 10)


def scene(*files):
    return make_scene(4, title="A pier", files=files)


def said(explanation):
    """Return each candidate in order: its item, level, common end, equal size, and reason."""
    return [
        (one.file.rating_key, one.level, one.tail, one.same_size, one.why)
        for one in explanation.candidates
    ]


@pytest.mark.parametrize(
    ("path", "parts", "name", "ends"),
    [
        ("", [], "", ("", "")),
        ("/", [], "", ("", "")),
        ("Pier.MP4", ["Pier.MP4"], "pier.mp4", ("pier.mp4", "")),
        ("/Pier.mp4", ["Pier.mp4"], "pier.mp4", ("pier.mp4", "")),
        ("A/Pier.mp4", ["A", "Pier.mp4"], "pier.mp4", ("pier.mp4", "a")),
        ("/data//A/pier.mp4", ["data", "A", "pier.mp4"], "pier.mp4", ("pier.mp4", "a")),
        ("C:\\x\\A\\pier.mp4", ["C:", "x", "A", "pier.mp4"], "pier.mp4", ("pier.mp4", "a")),
    ],
)
def test_the_parts_of_a_path(path, parts, name, ends):
    assert (split_path(path), folded_name(path), folded_ends(path)) == (parts, name, ends)


def test_a_file_is_below_a_folder_and_never_below_itself():
    assert is_below(("data", "a"), ("data",))
    assert is_below(["data"], [])
    assert not is_below(("data",), ("data",))
    assert not is_below(("data", "a"), ("more",))
    assert not is_below((), ())


@pytest.mark.parametrize(
    ("path", "rule", "mapped"),
    [
        ("/data/films/a.mp4", ("/data/films", "D:\\f"), "D:\\f\\a.mp4"),
        ("/data/b/c.mp4", ("/data", "/"), "/b/c.mp4"),
        ("/more/a.mp4", ("/more/", "/extra/"), "/extra/a.mp4"),
        ("/same/b\\c.mp4", ("/same", "/Same/"), "/same/b\\c.mp4"),
        ("/data", None, "/data"),
        ("/other/a.mp4", None, "/other/a.mp4"),
    ],
)
def test_the_rule_of_a_path_and_what_it_becomes(path, rule, mapped):
    rules = [("/data", "/"), ("/data/films", "D:\\f"), ("/more/", "/extra/"), ("/same", "/Same/")]
    assert (rule_for(path, rules), map_path(path, rules)) == (rule, mapped)
    assert rule_for(path, rules[::-1]) == rule


@pytest.mark.parametrize(
    ("level", "confidence"),
    [
        (Level.CHOSEN, "certain"),
        (Level.WHOLE_PATH, "certain"),
        (Level.PATH_END, "high"),
        (Level.NAME_AND_SIZE, "high"),
        (Level.NAME, "low"),
    ],
)
def test_how_certain_a_level_is(level, confidence):
    assert CONFIDENCE[level] == confidence


@pytest.mark.parametrize(
    ("file", "held", "level", "tail", "same_size"),
    [
        (PIER, plex_file("/data/x/a/pier.mp4", "1", 10), Level.WHOLE_PATH, 4, True),
        (PIER, plex_file("/data/x/a/pier.mp4", "1", 11), Level.WHOLE_PATH, 4, False),
        (PIER, plex_file("/data/x/a/pier.mp4", "1"), Level.WHOLE_PATH, 4, None),
        (PIER, plex_file("/data/x/a/pier.mp4", "1", 0), Level.WHOLE_PATH, 4, None),
        (PIER, plex_file("/media/x/a/pier.mp4", "1", 10), Level.PATH_END, 3, True),
        (PIER, plex_file("/media/a/pier.mp4", "1"), Level.PATH_END, 2, None),
        (PIER, plex_file("/media/pier.mp4", "1", 10), Level.NAME_AND_SIZE, 1, True),
        (PIER, plex_file("/media/pier.mp4", "1"), Level.NAME, 1, None),
        (StashFile("/data/x/a/pier.mp4"), plex_file("/media/pier.mp4", "1", 10), Level.NAME, 1,
         None),
        (StashFile("/data/x/a/pier.mp4", 0), plex_file("/media/pier.mp4", "1", 0), Level.NAME, 1,
         None),
    ],
)  # fmt: skip
def test_the_whole_explanation_of_one_item(file, held, level, tail, same_size):
    other_name = plex_file("/media/x/a/quay.mp4", "9", 10)
    found = explain(scene(file), [other_name, held, other_name], [])
    assert found == Explanation(
        4,
        "A pier",
        file=file,
        mapped_path=file.path,
        match=Match(held, level),
        confidence=CONFIDENCE[level],
        candidates=(Candidate(held, level, tail, same_size),),
    )
    assert found.match_or_error == found.match
    assert found.shared_with == ()


@pytest.mark.parametrize("inferred", [True, False])
def test_a_rule_is_in_the_explanation_with_the_path_that_it_makes(inferred):
    held = plex_file("/media/x/a/pier.mp4", "1", 10)
    rules = [("/more", "/extra"), ("/data", "/media"), ("/old", "/attic")]
    assert explain(scene(PIER), [held], rules, inferred=inferred) == Explanation(
        4,
        "A pier",
        file=PIER,
        mapped_path="/media/x/a/pier.mp4",
        rule=("/data", "/media"),
        rule_inferred=inferred,
        match=Match(held, Level.WHOLE_PATH),
        confidence="certain",
        candidates=(Candidate(held, Level.WHOLE_PATH, 4, same_size=True),),
    )
    elsewhere = StashFile("/elsewhere/a/pier.mp4", 10)
    unruled = explain(scene(elsewhere), [held], rules, inferred=inferred)
    assert (unruled.rule, unruled.rule_inferred) == (None, False)
    assert unruled.mapped_path == elsewhere.path


@pytest.mark.parametrize(
    ("size", "inferred", "level"),
    [
        (10, True, Level.WHOLE_PATH),
        (None, True, Level.WHOLE_PATH),
        (11, True, None),
        (11, False, Level.WHOLE_PATH),
    ],
)
def test_an_inferred_rule_needs_a_size_that_does_not_contradict(size, inferred, level):
    held = plex_file("/media/x/a/pier.mp4", "1", size)
    found = explain(scene(PIER), [held], [("/data", "/media")], inferred=inferred)
    assert found.candidates[0].level is level


def test_the_same_path_on_both_sides_needs_no_size_even_by_an_inferred_rule():
    held = plex_file(PIER.path, "1", 11)
    found = explain(scene(PIER), [held], [("/data", "/data")], inferred=True)
    assert found.match == Match(held, Level.WHOLE_PATH)


def test_a_longer_end_counts_whether_the_rule_or_the_path_itself_has_it():
    by_path = plex_file("/m/data/x/a/pier.mp4", "1", 10)
    by_rule = plex_file("/m/media/x/a/pier.mp4", "2", 10)
    rules = [("/data", "/media")]
    found = explain(scene(PIER), [by_path, by_rule], rules)
    assert [(one.file.rating_key, one.tail) for one in found.candidates] == [("1", 4), ("2", 4)]
    assert found.reason == "ambiguous"


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ("/media/a/pier.mp4", ""),
        ("/media/deep/x/a/pier.mp4", "by the path map it is another file in Stash"),
        ("/media/other/a/pier.mp4", ""),
        ("/extra/x/a/pier.mp4", "by the path map it is another file in Stash"),
    ],
)
def test_without_sizes_the_deepest_rules_name_the_file_that_a_plex_file_is(held, why):
    # “/media/deep” is a folder of two rules: its files are one of “/deep”, or of “/also”.
    rules = [
        ("/data/x", "/media"), ("/link/x", "/media/other"), ("/data/x", "/media/other"),
        ("/deep", "/media/deep"), ("/also", "/media/deep"), ("/more", "/extra"),
    ]  # fmt: skip
    file = StashFile("/data/x/a/pier.mp4")
    (candidate,) = explain(scene(file), [plex_file(held, "1")], rules).candidates
    assert candidate.why == why
    assert (candidate.level is None) == bool(why)


def test_every_reason_why_a_candidate_was_not_chosen():
    held = [
        plex_file("/m/a/pier.mp4", "7"),
        plex_file("/m/x/a/pier.mp4", "12", 10),
        plex_file("/n/x/a/pier.mp4", "3"),
        plex_file("/attic/pier.mp4", "12"),
        plex_file("/cellar/pier.mp4", "5", 1_234_567),
        plex_file("/loft/pier.mp4", "6", 10),
    ]
    found = explain(scene(StashFile(PIER.path, 10)), held, [])
    assert found.match == Match(held[1], Level.PATH_END)
    assert found.confidence == "high"
    assert said(found) == [
        ("12", Level.PATH_END, 3, True, ""),
        ("3", Level.PATH_END, 3, None, "its size is not known"),
        ("7", Level.PATH_END, 2, None, "the paths agree in fewer folders"),
        ("6", Level.NAME_AND_SIZE, 1, True, "another one fits better, by the end of the path"),
        ("12", Level.NAME, 1, None, "another file of the same item"),
        ("5", None, 1, False, "its size differs: 1,234,567 bytes, 10 in Stash"),
    ]


def test_of_equal_candidates_the_item_with_the_lowest_number_and_then_path_comes_first():
    held = [
        plex_file("/m/2/a/pier.mp4", "10", 10),
        plex_file("/m/3/a/pier.mp4", "9", 10),
        plex_file("/m/1/a/pier.mp4", "9", 10),
    ]
    found = explain(scene(PIER), held, [], loose=True)
    assert said(found) == [
        ("9", Level.PATH_END, 2, True, ""),
        ("9", Level.PATH_END, 2, True, "another file of the same item"),
        ("10", Level.PATH_END, 2, True, "it fits equally well"),
    ]
    assert found.match == Match(held[2], Level.PATH_END)
    assert (found.confidence, found.reason, found.refusal) == ("low", "", "")


def test_two_files_of_one_item_are_no_doubt():
    held = [plex_file("/m/1/a/pier.mp4", "9", 10), plex_file("/m/2/a/pier.mp4", "9", 10)]
    found = explain(scene(PIER), held, [])
    assert (found.match, found.confidence) == (Match(held[0], Level.PATH_END), "high")
    assert [one.why for one in found.candidates] == ["", "another file of the same item"]


def test_names_alone_and_equal_sizes_do_not_count_folders():
    held = [plex_file("/m/pier.mp4", "1", 10), plex_file("/n/pier.mp4", "2", 10)]
    found = explain(scene(PIER), held, [])
    assert found.reason == "ambiguous"
    assert said(found) == [
        ("1", Level.NAME_AND_SIZE, 1, True, "it fits equally well"),
        ("2", Level.NAME_AND_SIZE, 1, True, "it fits equally well"),
    ]


def test_one_file_in_several_libraries_names_the_items_that_follow():
    held = [plex_file("/m/x/a/pier.mp4", key, 10, section=key) for key in ("3", "1", "2")]
    found = explain(scene(PIER), [*held, plex_file("/m/pier.mp4", "4", 10)], [])
    assert found.match == Match(held[1], Level.PATH_END, (held[2], held[0]))
    assert (found.confidence, found.reason, found.refusal) == ("high", "", "")
    assert said(found) == [
        ("1", Level.PATH_END, 3, True, ""),
        ("2", Level.PATH_END, 3, True, "the same file in another library, which follows"),
        ("3", Level.PATH_END, 3, True, "the same file in another library, which follows"),
        ("4", Level.NAME_AND_SIZE, 1, True, "another one fits better, by the end of the path"),
    ]


def test_the_whole_refusal_of_a_tie_with_its_libraries():
    held = [
        plex_file("/m/1/a/pier.mp4", "1", section="3"),
        plex_file("/m/2/a/pier.mp4", "2", section="4"),
        plex_file("/m/3/a/pier.mp4", "3", section="5"),
    ]
    titles = {"3": "Harbour Films", "4": "All Films", "6": "Attic"}
    found = explain(scene(StashFile("/data/a/pier.mp4")), held, [], titles=titles)
    assert found.match is None
    assert (found.confidence, found.reason) == ("", "ambiguous")
    assert found.refusal == (
        "“A pier” fits 3 Plex items equally well by the end of the path: “/m/1/a/pier.mp4” in "
        "“Harbour Films”, “/m/2/a/pier.mp4” in “All Films”, “/m/3/a/pier.mp4”. Set Path map, "
        "enter the right library in Plex library, or turn on Loose matching."
    )
    error = found.match_or_error
    assert isinstance(error, Ambiguous)
    assert str(error) == found.refusal


@pytest.mark.parametrize(
    ("number", "more"), [(1, ""), (5, ""), (6, " and 1 more"), (7, " and 2 more")]
)
def test_a_refusal_names_up_to_five_candidates(number, more):
    held = [plex_file(f"/m/{n}/pier.mp4", str(n), 10 + n) for n in range(1, number + 1)]
    found = explain(scene(PIER), [*held, held[0]], [])
    shown = ", ".join(f"“/m/{n}/pier.mp4”" for n in range(1, number + 1)[:5])
    assert found.refusal == (
        "“A pier” is not in Plex yet. No Plex file fits “/data/x/a/pier.mp4”. Of the same name "
        f"but another folder and size: {shown}{more}."
    )
    error = found.match_or_error
    assert isinstance(error, NotInPlexYet)
    assert str(error) == found.refusal


def test_the_whole_explanation_of_a_scene_of_several_files_that_plex_lacks():
    files = (StashFile("/data/a/first.mp4", 1), StashFile("/data/a/second.mp4", 2))
    near = [plex_file("/m/second.mp4", "2", 20), plex_file("/m/first.mp4", "1", 10)]
    found = explain(scene(*files), near, [("/data", "/media")], inferred=True)
    assert found == Explanation(
        4,
        "A pier",
        file=files[0],
        mapped_path="/media/a/first.mp4",
        rule=("/data", "/media"),
        rule_inferred=True,
        candidates=(
            Candidate(near[1], None, 1, same_size=False,
                      why="its size differs: 10 bytes, 1 in Stash"),
            Candidate(near[0], None, 1, same_size=False,
                      why="its size differs: 20 bytes, 2 in Stash"),
        ),
        reason="not_in_plex",
        refusal="“A pier” is not in Plex yet. No Plex file fits “/data/a/first.mp4”. Of the same "
        "name but another folder and size: “/m/first.mp4”, “/m/second.mp4”.",
    )  # fmt: skip
    alone = explain(scene(*files), [], [])
    assert (alone.candidates, alone.refusal) == (
        (),
        "“A pier” is not in Plex yet. No Plex file fits “/data/a/first.mp4”.",
    )


def test_a_tie_of_the_first_file_is_not_settled_by_the_second():
    held = [
        plex_file("/m/1/a/first.mp4", "1"), plex_file("/m/2/a/first.mp4", "2"),
        plex_file("/m/a/second.mp4", "3"),
    ]  # fmt: skip
    files = (StashFile("/data/a/first.mp4"), StashFile("/data/a/second.mp4"))
    assert explain(scene(*files), held, []).reason == "ambiguous"
    found = explain(scene(*files), held[2:], [], loose=True)
    assert (found.file, found.match) == (files[1], Match(held[2], Level.PATH_END))


def test_the_whole_explanation_of_a_scene_without_a_file():
    found = explain(scene(), [plex_file("/m/pier.mp4")], [("/data", "/m")], inferred=True)
    assert found == Explanation(
        4,
        "A pier",
        reason="not_in_plex",
        refusal="“A pier” has no file in Stash, so Plex cannot have it.",
    )
    assert (found.file, found.mapped_path, found.rule_inferred) == (None, "", False)


def test_of_files_that_differ_in_case_only_the_one_that_is_spelled_alike_is_sure():
    twins = [plex_file("/data/X/a/pier.mp4", "1"), plex_file("/data/x/a/pier.mp4", "2")]
    found = explain(scene(PIER), twins, [])
    assert found.match == Match(twins[1], Level.WHOLE_PATH)
    assert (found.confidence, [one.file for one in found.candidates]) == ("certain", twins[::-1])
    whys = [one.why for one in found.candidates]
    assert whys == ["", "its path has other upper and lower case"]
    neither = explain(scene(StashFile("/DATA/x/a/pier.mp4", 10)), twins, [])
    assert (neither.reason, len(neither.candidates)) == ("ambiguous", 2)


def test_what_the_user_chose_outweighs_everything_and_keeps_the_candidates():
    held = [
        plex_file("/m/x/a/pier.mp4", "1", 10),
        plex_file("/n/x/a/pier.mp4", "2", 10),
        plex_file("/attic/pier.mp4", "3", 99),
    ]
    plain = explain(scene(PIER), held, [])
    again = plex_file("/attic/pier.mp4", "8", 99, "2")
    second = StashFile("/data/second.mp4", 5)
    found = follow_choice(plain, second, [held[2], again])
    assert found == Explanation(
        4,
        "A pier",
        file=second,
        mapped_path=PIER.path,
        match=Match(held[2], Level.CHOSEN, (again,)),
        confidence="certain",
        candidates=(
            Candidate(held[0], Level.PATH_END, 3, same_size=True, why="it fits equally well"),
            Candidate(held[1], Level.PATH_END, 3, same_size=True, why="it fits equally well"),
            Candidate(held[2], Level.CHOSEN, 1, same_size=False),
        ),
    )
    assert follow_choice(plain, second, []) == plain
