"""The stored files of Plex: whole answers, and which rows each of its news leaves."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from stash2plex.app import open_store
from stash2plex.db import get_meta
from stash2plex.model import PlexFile, Record, Section
from stash2plex.rules.path_inference import InferredRule, PathPair
from stash2plex.store.key_set import KeySet
from stash2plex.store.meta import CLEARED_MACHINE_ID
from stash2plex.store.path_rules import PAIRS_A_ROOT, inferred_rules
from stash2plex.store.plex_files import KnownSection
from tests.support import ManualClock, make_item, make_scene

FILMS = Section("1", "u1", "Films", "movie", "mark 1", ("/media", "/höhe"), refreshing=False)
CLIPS = Section("2", "u2", "Clips", "movie", "mark 2", (), refreshing=False)


@pytest.fixture
def store(data_folder):
    opened = open_store(str(data_folder), ManualClock(), Random(1))
    yield opened
    opened.connection.close()


@pytest.fixture
def files(store):
    return store.plex_files


def row(key, path, size=None, section="1"):
    return PlexFile(section, key, path, size)


PIER, QUAY, BUOY = (
    row("10", "/media/A/Pier.mp4", 9),
    row("9", "/media/a/quay.mp4", 8, "2"),
    row("9", "/media/a/Buoy.mp4", None, "2"),
)


def sync(store, scene_id, file):
    """Record a scene as in sync with the item of a file."""
    store.records.put(
        Record(scene_id, file.rating_key, "1", file.path, "the whole path", "f", {}),
        make_scene(scene_id),
    )


def settled(store):
    rows = store.connection.execute(
        "SELECT scene_id FROM scene_record WHERE fingerprint <> '' ORDER BY scene_id"
    )
    return [scene_id for (scene_id,) in rows]


def held(store):
    rows = store.connection.execute(
        "SELECT rating_key, path, section_id, name, folder, size, listing FROM plex_file"
        " ORDER BY path"
    )
    return [tuple(row) for row in rows]


def test_an_empty_index(files, store):
    assert (files.server(), files.size(), files.section_ids(), files.titles()) == (None, 0, [], [])
    assert (files.titles_by_id(), files.locations(), files.known()) == ({}, {}, {})
    assert (files.listing(), files.some_path(), files.section_of("9")) == (0, None, "")
    assert (files.other_item([]), files.at("/x"), files.of_item("9")) == ("", [], [])
    assert (files.candidates([]), files.candidates(["/x/pier.mp4"])) == ([], [])
    assert files.outside(KeySet(store.connection, "some"), 9) == (0, [])


def test_every_answer_about_stored_files(files, store):
    files.add([PIER, QUAY, BUOY], 4)
    assert held(store) == [
        ("10", "/media/A/Pier.mp4", "1", "pier.mp4", "a", 9, 4),
        ("9", "/media/a/Buoy.mp4", "2", "buoy.mp4", "a", None, 4),
        ("9", "/media/a/quay.mp4", "2", "quay.mp4", "a", 8, 4),
    ]
    assert files.size() == 2
    assert files.of_item("9") == [BUOY, QUAY]
    assert (files.section_of("9"), files.section_of("8")) == ("2", "")
    assert files.at("/media/a/quay.mp4") == [QUAY]
    assert files.at("/media/a/pier.mp4") == []
    assert files.some_path() in {PIER.path, QUAY.path, BUOY.path}
    assert files.other_item(["9"]) == "10"
    assert files.other_item(["10", "8"]) == "9"
    assert files.other_item(["9", "10"]) == ""
    assert files.candidates(["/x/PIER.mp4", "/y/none.mp4", "/y/buoy.mp4", "/z/pier.mp4"]) == [
        PIER,
        BUOY,
    ]


def test_the_items_at_one_path_are_listed_by_their_numbers(files):
    thrice = [row(key, "/media/a/pier.mp4", 9, key) for key in ("10", "9", "8")]
    files.add(thrice, 1)
    assert files.at("/media/a/pier.mp4") == thrice[::-1]


def test_what_is_outside_of_a_set_is_counted_and_the_first_are_named_by_path(files, store):
    owned = KeySet(store.connection, "owned")
    other = KeySet(store.connection, "other")
    files.add([PIER, QUAY, BUOY, row("7", "/media/z.mp4"), row("6", "/media/y.mp4")], 1)
    owned.update(["10"])
    other.update(["7"])
    assert files.outside(owned, 2) == (3, [("9", "/media/a/Buoy.mp4"), ("6", "/media/y.mp4")])
    assert files.outside(other, 9) == (
        3,
        [("10", "/media/A/Pier.mp4"), ("9", "/media/a/Buoy.mp4"), ("6", "/media/y.mp4")],
    )


def test_a_row_that_is_read_again_keeps_the_newest_reading(files, store):
    files.add([PIER], 4)
    files.add([row("10", PIER.path, 11, "2")], 3)
    assert held(store) == [("10", "/media/A/Pier.mp4", "2", "pier.mp4", "a", 11, 4)]
    files.add([PIER], 5)
    assert held(store) == [("10", "/media/A/Pier.mp4", "1", "pier.mp4", "a", 9, 5)]
    assert [files.next_listing(), files.next_listing(), files.listing()] == [1, 2, 2]


@pytest.mark.parametrize(
    "readings",
    [
        [(row("10", "/m/a/pier.mp4"), 1), (row("9", "/m/a/pier.mp4"), 2)],
        [(row("9", "/m/a/pier.mp4"), 2), (row("10", "/m/a/pier.mp4"), 1)],
        [(row("8", "/m/a/pier.mp4"), 1), (row("9", "/m/a/pier.mp4"), 1)],
    ],
)
def test_of_two_items_with_one_file_the_newer_reading_counts_then_the_higher_number(
    files, readings
):
    for file, listing in readings:
        files.add([file], listing)
    assert files.candidates(["/x/pier.mp4"]) == [row("9", "/m/a/pier.mp4")]


def test_of_two_items_of_one_reading_the_higher_number_counts(files):
    files.add([row("10", "/m/a/pier.mp4"), row("9", "/m/a/pier.mp4")], 1)
    assert files.candidates(["/x/pier.mp4"]) == [row("10", "/m/a/pier.mp4")]


def test_what_is_known_of_libraries(files):
    files.put_section(FILMS, 77, 5.0, "listed")
    files.put_section(CLIPS, 0, 6.0, "")
    known = files.known()
    assert known == {
        "1": KnownSection("1", "mark 1", 77, 5.0, "listed", '["/media", "/höhe"]'),
        "2": KnownSection("2", "mark 2", 0, 6.0, "", "[]"),
    }
    assert [known["1"].has_folders(FILMS), known["1"].has_folders(CLIPS)] == [True, False]
    assert files.locations() == {"1": ["/media", "/höhe"], "2": []}
    assert files.titles_by_id() == {"1": "Films", "2": "Clips"}
    assert (sorted(files.titles()), sorted(files.section_ids())) == (["Clips", "Films"], ["1", "2"])
    files.connection.execute(
        "UPDATE plex_section SET locations = '[3, \"/media\", null]' WHERE section_id = '1'"
    )
    assert files.locations() == {"1": ["/media"], "2": []}


def test_a_full_listing_drops_what_was_not_seen_and_unsettles_its_scenes(files, store):
    other = row("12", "/clips/z.mp4", 1, "2")
    gone, odd = row("5", "/media/gone.mp4"), row("6", "/media/odd.mp4")
    files.add([PIER, gone, odd, other], 1)
    for scene_id, file in enumerate([PIER, gone, odd, other], 1):
        sync(store, scene_id, file)
    files.add([PIER], 2)
    files.end_full_listing(FILMS, 2, 70, 9.0, ["", "6"])
    assert (files.size(), settled(store)) == (4, [1, 2, 3, 4])
    assert files.known()["1"].listed_mark == ""
    files.end_full_listing(FILMS, 2, 71, 10.0, ["6"])
    assert (files.size(), settled(store)) == (3, [1, 3, 4])
    assert files.known() == {"1": KnownSection("1", "mark 1", 71, 10.0, "", '["/media", "/höhe"]')}
    files.end_full_listing(FILMS, 2, 72, 11.0)
    assert (files.size(), settled(store)) == (2, [1, 4])
    assert files.known()["1"].listed_mark == "mark 1"


def test_a_listing_of_what_was_added_drops_the_old_item_of_the_same_file_and_library(files, store):
    old = row("5", PIER.path)
    elsewhere = row("6", PIER.path, None, "2")
    files.add([old, elsewhere, QUAY], 1)
    for scene_id, file in enumerate([old, elsewhere, QUAY], 1):
        sync(store, scene_id, file)
    files.add([PIER], 2)
    before = KnownSection("1", "mark 0", 60, 3.0, "listed before", "[]")
    files.end_added_listing(FILMS, 2, 77, before)
    assert [file.rating_key for file in files.at(PIER.path)] == ["6", "10"]
    assert settled(store) == [2, 3]
    assert files.known() == {
        "1": KnownSection("1", "mark 1", 77, 3.0, "listed before", '["/media", "/höhe"]')
    }


def test_dropped_libraries_take_their_files_along_and_no_others(files, store):
    third = Section("3", "u3", "Attic", "movie", "m", (), refreshing=False)
    for section in (FILMS, CLIPS, third):
        files.put_section(section, 0, 1.0, "")
    attic = row("12", "/attic/z.mp4", 1, "3")
    files.add([PIER, QUAY, attic], 1)
    for scene_id, file in enumerate([PIER, QUAY, attic], 1):
        sync(store, scene_id, file)
    files.drop_sections([])
    assert files.size() == 3
    files.drop_sections({"1", "3"})
    assert (files.section_ids(), held(store)) == (
        ["2"],
        [("9", "/media/a/quay.mp4", "2", "quay.mp4", "a", 8, 1)],
    )
    assert settled(store) == [2]


def test_a_forgotten_item_has_its_library_listed_again(files, store):
    files.put_section(FILMS, 0, 1.0, "mark 1")
    files.put_section(CLIPS, 0, 1.0, "mark 2")
    files.add([PIER, QUAY, BUOY], 1)
    for scene_id, file in enumerate([PIER, QUAY, BUOY], 1):
        sync(store, scene_id, file)
    files.forget_item("9")
    assert [file[0] for file in held(store)] == ["10"]
    assert settled(store) == [1]
    assert {id_: one.listed_mark for id_, one in files.known().items()} == {"1": "mark 1", "2": ""}


def test_an_item_that_was_read_replaces_its_rows_once(files, store):
    files.put_section(FILMS, 0, 1.0, "")
    files.put_section(CLIPS, 0, 1.0, "")
    files.add([PIER, QUAY, BUOY], 1)
    item: dict[str, Any] = {"rating_key": "9", "section_id": ""}
    files.learn(make_item(**item, paths=("/media/a/quay.mp4", "/media/a/Buoy.mp4"), sizes=(8,)))
    assert files.listing() == 0
    files.learn(make_item(**item, paths=("/media/new.mp4", "/media/b.mp4"), sizes=(1, 2, 3)))
    assert files.of_item("9") == [
        row("9", "/media/b.mp4", 2, "2"),
        row("9", "/media/new.mp4", 1, "2"),
    ]
    assert (files.listing(), {file[6] for file in held(store)}) == (1, {1})
    assert files.of_item("10") == [PIER]
    files.learn(make_item(rating_key="9", section_id="3", paths=("/media/new.mp4",), sizes=(1,)))
    assert files.of_item("9") == []
    files.learn(make_item(rating_key="9", section_id="1", paths=("/media/new.mp4",), sizes=()))
    assert files.of_item("9") == [row("9", "/media/new.mp4")]


def test_a_cleared_index_keeps_nothing_but_whose_it_was(files, store):
    files.adopt_server("one")
    files.put_section(FILMS, 0, 1.0, "")
    files.add([PIER], 1)
    sync(store, 1, PIER)
    files.clear()
    assert (files.server(), files.size(), files.known(), settled(store)) == (None, 0, {}, [])
    assert get_meta(store.connection, CLEARED_MACHINE_ID) == "one"
    files.clear()
    assert get_meta(store.connection, CLEARED_MACHINE_ID) == "one"

    def attached():
        return store.connection.execute("SELECT rating_key FROM scene_record").fetchone()[0]

    files.adopt_server("one")
    assert (files.server(), attached()) == ("one", "10")
    files.clear()
    files.adopt_server("two")
    assert (files.server(), attached()) == ("two", "")


def test_files_are_cleared_before_any_server_is_known(store):
    store.plex_files.clear()
    assert store.plex_files.server() is None
    store.plex_files.adopt_server("machine")
    assert store.plex_files.server() == "machine"


def test_of_a_very_common_name_five_hundred_are_compared_then_the_folder_decides(files):
    rows = [row(str(n), f"/media/{n % 2}/{n}/film.mp4", n) for n in range(1, 500)]
    files.add(rows, 1)
    assert len(files.candidates(["/x/film.mp4"])) == 499
    files.add([row("500", "/media/last/film.mp4", 500)], 1)
    assert files.candidates(["/x/film.mp4"]) == []
    assert files.candidates(["/data/last/film.mp4"]) == [row("500", "/media/last/film.mp4", 500)]
    assert files.candidates(["/data/film.mp4"], rules=[("/data", "/media/last")]) == [
        row("500", "/media/last/film.mp4", 500)
    ]
    # The mapped folder goes before the file's own.
    assert files.candidates(["/7/film.mp4"], rules=[("/7", "/media/last")]) == [
        row("500", "/media/last/film.mp4", 500)
    ]
    assert files.candidates(["/x/film.mp4"], sizes=[7, 500, 9_999, 7]) == [rows[6], row(
        "500", "/media/last/film.mp4", 500
    )]  # fmt: skip


# -- path rules ---------------------------------------------------------------------------

LIBRARIES = {"1": ["/media"], "2": ["/extra", "/attic"]}


def pairs(stash, plex, number, first=1):
    return [(first + n, PathPair(f"{stash}/a/{n}.mp4", f"{plex}/a/{n}.mp4")) for n in range(number)]


def test_the_rules_that_pairs_lead_to_with_their_examples(store):
    rules = store.path_rules
    rules.note([], LIBRARIES)
    assert (rules.usable(), inferred_rules(store.connection)) == ((), ())
    data = pairs("/data", "/media", 4)
    more = pairs("/more", "/extra", 4, first=10)
    moved = [(30 + n, PathPair(f"/more/b/{n}.mp4", f"/extra/x{n}/y.mp4")) for n in range(2)]
    old = pairs("/old", "/attic", 3, first=20)
    rules.note([*more, *data, *old, *moved], LIBRARIES)
    assert inferred_rules(store.connection) == (
        InferredRule(("/data", "/media"), 4, 0, tuple(pair for _, pair in data[:3])),
        InferredRule(("/more", "/extra"), 4, 2, tuple(pair for _, pair in more[:3])),
        InferredRule(("/old", "/attic"), 3, 0, tuple(pair for _, pair in old)),
    )
    assert rules.usable() == (("/data", "/media"), ("/old", "/attic"))
    # A scene whose file moved has one pair, the newer.
    rules.note([(1, PathPair("/data/b/1.mp4", "/media/b/1.mp4"))], LIBRARIES)
    assert store.connection.execute("SELECT count(*) FROM path_pair").fetchone() == (13,)
    store.connection.execute('UPDATE path_rule SET examples = \'[["a"], 3, ["a", "b"]]\'')
    assert {rule.examples for rule in inferred_rules(store.connection)} == {(PathPair("a", "b"),)}


def test_a_check_drops_the_pairs_that_plex_lists_no_more(store):
    rules = store.path_rules
    noted = pairs("/data", "/media", 5)
    rules.note(noted, LIBRARIES)
    listed = [row(str(id_), pair.plex) for id_, pair in noted]
    store.plex_files.add(listed[1:], 1)
    rules.check(LIBRARIES)
    (rule,) = inferred_rules(store.connection)
    assert (rule.rule, rule.support) == (("/data", "/media"), 4)
    assert rule.examples == tuple(pair for _, pair in noted[1:4])


def test_known_pairs_and_pairs_beyond_the_limit_work_nothing_out(store):
    rules = store.path_rules
    rules.note(pairs("/data", "/media", 200), LIBRARIES)
    store.connection.execute("DELETE FROM path_rule")
    rules.note(pairs("/data", "/media", 200), LIBRARIES)
    rules.note(pairs("/data", "/media", 1, first=900), LIBRARIES)
    assert rules.usable() == ()
    rules.note(pairs("/more", "/extra", 3, first=901), LIBRARIES)
    assert rules.usable() == (("/data", "/media"), ("/more", "/extra"))


def test_pairs_beyond_what_a_root_may_keep_are_left_out(store):
    def pair(number):
        return number, PathPair(f"/data/{number}/quay.mp4", f"/media/{number}/quay.mp4")

    store.path_rules.note(map(pair, range(PAIRS_A_ROOT)), {"1": ["/media"]})
    before = list(store.connection.execute("SELECT * FROM path_pair"))
    store.path_rules.note([pair(PAIRS_A_ROOT)], {"1": ["/media"]})
    assert len(before) == PAIRS_A_ROOT
    assert list(store.connection.execute("SELECT * FROM path_pair")) == before
