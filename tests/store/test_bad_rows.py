"""Rows of our own that cannot be read: they count as missing, and stop nothing."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from attrs import asdict

from stash2plex.db import connect, get_meta, set_meta
from stash2plex.hookcost import read_cost
from stash2plex.model import Record, Scene
from stash2plex.rules.matching import LEVELS
from stash2plex.rules.sweep_schedule import KindMark, Marks
from stash2plex.store.item_claims import ItemClaims
from stash2plex.store.marks import asking_run, load_marks, marks_are_lost, save_marks
from stash2plex.store.meta import HOOK_COST, LOOK_ASKED, SWEEP_MARKS
from stash2plex.store.path_rules import inferred_rules
from stash2plex.store.plex_files import PlexFiles
from stash2plex.store.records import Records
from stash2plex.store.reports import ReportBook

NO_JSON = "{lantern"
DEEP = "[" * 100_000
MARKS = Marks(1.0, 2.0, {"scene": KindMark("2026", 4)}, jobs={7: "Scanning"})


@pytest.fixture
def database(tmp_path):
    with closing(connect(str(tmp_path / "stash2plex.db"))) as connection:
        yield connection


@pytest.mark.parametrize(
    "text",
    [
        NO_JSON,
        DEEP,
        "null",
        "[]",
        '"marks"',
        "{}",
        json.dumps({**asdict(MARKS), "looked_at": "once"}),
        json.dumps({**asdict(MARKS), "kinds": {"scene": 5}}),
        json.dumps({**asdict(MARKS), "jobs": {"first": "Scanning"}}),
    ],
)
def test_marks_that_cannot_be_read_are_lost(database, text):
    save_marks(database, MARKS)
    assert load_marks(database) == MARKS
    assert not marks_are_lost(database)
    set_meta(database, SWEEP_MARKS, text)
    assert load_marks(database) is None
    assert marks_are_lost(database)
    assert get_meta(database, SWEEP_MARKS) == text


def test_no_marks_yet_are_not_lost(database):
    assert load_marks(database) is None
    assert not marks_are_lost(database)


def test_a_wish_for_a_look_whose_run_is_no_number_is_of_no_run(database):
    set_meta(database, LOOK_ASKED, "first 12ab")
    assert asking_run(database) == 0


@pytest.mark.parametrize("text", [NO_JSON, "[]", "null", DEEP])
def test_a_report_that_cannot_be_read_is_passed_over(database, text):
    book = ReportBook(database)
    book.keep(1.0, {"scenes": 5})
    database.execute("INSERT INTO reconcile_report (started_at, report) VALUES (2, ?)", (text,))
    assert book.last() == {"scenes": 5}
    database.execute("DELETE FROM reconcile_report WHERE started_at = 1")
    assert book.last() is None


def scene(id_):
    return Scene(id_, "Pier", "", "", "", "", None, False, "", "", (), None, (), (), ())


@pytest.mark.parametrize("column", ["written", "removed"])
@pytest.mark.parametrize("text", [NO_JSON, "[]", "null"])
def test_a_record_that_cannot_be_read_is_none_until_the_next_sync(database, column, text):
    records = Records(database)
    record = Record(1, "10", "1", "/media/pier.mp4", "path", "print", {"title": "Pier"})
    records.put(record, scene(1))
    assert records.get(1) == record
    statement = {
        "written": "UPDATE scene_record SET written = ?",
        "removed": "UPDATE scene_record SET removed = ?",
    }[column]
    database.execute(statement, (text,))
    assert records.get(1) is None
    records.announce([record])
    records.put(record, scene(1))
    assert records.get(1) == record


def test_a_claimant_whose_record_cannot_be_read_still_claims(database):
    records = Records(database)
    record = Record(1, "10", "1", "/media/pier.mp4", LEVELS[0], "", {"title": "Pier"})
    records.put(record, scene(1))
    database.execute(
        "INSERT INTO plex_file (rating_key, path, section_id, name, folder, size, listing)"
        " VALUES ('10', '/media/pier.mp4', '1', 'pier.mp4', 'media', 1, 1)"
    )
    database.execute("UPDATE scene_record SET written = ?", (NO_JSON,))
    (claimant,) = ItemClaims(database, records).claimants("10", 2)
    assert (claimant.scene_id, claimant.label) == (1, "")


@pytest.mark.parametrize("text", [NO_JSON, "5", '{"a": 1}', "[1, null]"])
def test_folders_of_a_library_that_cannot_be_read_are_none(database, text):
    database.execute(
        "INSERT INTO plex_section (section_id, uuid, title, change_mark, newest_added_at,"
        " listed_at, listed_mark, locations) VALUES ('1', 'u', 'Films', '', 0, 0, '', ?)",
        (text,),
    )
    assert PlexFiles(database, Records(database)).locations() == {"1": []}


@pytest.mark.parametrize("text", [NO_JSON, "5", "[5]", '[["a"]]'])
def test_examples_of_a_path_rule_that_cannot_be_read_are_none(database, text):
    database.execute(
        "INSERT INTO path_rule (stash_root, plex_root, support, contradictions, examples)"
        " VALUES ('/data', '/media', 3, 0, ?)",
        (text,),
    )
    (rule,) = inferred_rules(database)
    assert (rule.support, rule.examples) == (3, ())


@pytest.mark.parametrize(
    "text",
    [
        "once",
        "0 " + NO_JSON,
        "0 [1]",
        "0 {}",
        '0 {"ms": 5, "start_ms": 5, "python": "p"}',
        '0 {"ms": ["5"], "start_ms": [5], "python": "p"}',
        '0 {"ms": [5], "start_ms": [5], "python": null}',
    ],
)
def test_costs_of_a_save_that_cannot_be_read_are_none(database, text):
    set_meta(database, HOOK_COST, text)
    assert read_cost(database) is None
