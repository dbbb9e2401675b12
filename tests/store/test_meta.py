"""The named rows: one module names them all, and a bad value is as none."""

from __future__ import annotations

import ast
import os
from contextlib import closing

import pytest

import stash2plex
from stash2plex.db import connect, drop_meta, get_meta, meta_beginning, set_meta
from stash2plex.hook import NOTICES_SQL, last_notified
from stash2plex.store import meta
from stash2plex.store.identity import alias_key, client_id, make_identity
from stash2plex.store.meta import CLIENT_ID, PSEUDONYM_KEY
from stash2plex.store.worker_choice import read_choice

FOLDER = os.path.dirname(stash2plex.__file__)


@pytest.fixture
def database(tmp_path):
    with closing(connect(str(tmp_path / "stash2plex.db"))) as connection:
        yield connection


def named_by_hand():
    """List calls of `get_meta` and `set_meta` whose name is not one of the listed ones."""
    known = {name for name in vars(meta) if name.isupper()}
    for folder, _, files in os.walk(FOLDER):
        for file in files:
            if not file.endswith(".py"):
                continue
            with open(os.path.join(folder, file), encoding="utf-8") as source:
                tree = ast.parse(source.read())
            for node in ast.walk(tree):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                if node.func.id in ("get_meta", "set_meta", "get_number"):
                    name = node.args[1]
                    prefix = name.left if isinstance(name, ast.BinOp) else name
                    if not isinstance(prefix, ast.Name) or prefix.id not in {*known, "name"}:
                        yield file, ast.unparse(node)


def test_every_name_is_one_of_the_list():
    assert list(named_by_hand()) == []
    names = [value for name, value in vars(meta).items() if name.isupper()]
    assert len(names) == len(set(names))
    assert f"name = '{meta.TROUBLE}'" in NOTICES_SQL


@pytest.mark.parametrize("value", ["once", "", "nan", "inf", "1 2"])
def test_a_number_that_is_none_counts_as_missing(database, value):
    set_meta(database, meta.COMPARED_AT, value)
    assert meta.get_number(database, meta.COMPARED_AT) is None
    set_meta(database, meta.COMPARED_AT, "12.5")
    assert meta.get_number(database, meta.COMPARED_AT) == 12.5


def test_a_last_time_that_is_none_counts_from_a_day_ago():
    assert last_notified("once", 100_000.0) == last_notified(None, 100_000.0) == 13_600.0
    assert last_notified("99.5", 100_000.0) == 99.5


def test_dropped_values_are_gone(database):
    set_meta(database, meta.TROUBLE, "a")
    set_meta(database, meta.TROUBLE_NOTIFIED, "b")
    drop_meta(database, meta.TROUBLE, meta.TROUBLE_NOTIFIED)
    assert get_meta(database, meta.TROUBLE) is None
    assert get_meta(database, meta.TROUBLE_NOTIFIED) is None


def test_values_are_listed_by_the_beginning_of_their_names(database):
    for name in ("handover", "handover b", "handover a", "handover!", "Handover c"):
        set_meta(database, name, name[-1])
    assert meta_beginning(database, meta.HANDOVER_KEY) == [
        ("handover a", "a"),
        ("handover b", "b"),
    ]


def test_the_identity_is_made_once(database):
    make_identity(database)
    first = (client_id(database), alias_key(database))
    assert all(first)
    make_identity(database)
    assert (client_id(database), alias_key(database)) == first


@pytest.mark.parametrize("missing", [CLIENT_ID, PSEUDONYM_KEY])
def test_what_is_missing_of_the_identity_is_made_and_the_rest_stays(database, missing):
    make_identity(database)
    before = {name: get_meta(database, name) for name in (CLIENT_ID, PSEUDONYM_KEY)}
    make_identity(database)
    assert {name: get_meta(database, name) for name in before} == before
    database.execute("DELETE FROM meta WHERE name = ?", (missing,))
    make_identity(database)
    after = {name: get_meta(database, name) for name in before}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {missing}
    assert len(client_id(database)) == 36
    assert len(alias_key(database)) == 16


def test_the_choice_of_a_worker_is_read_whatever_is_stored(database):
    for value, off, since in (
        ("auto", False, None),
        ("off 1700", True, 1700.0),
        ("off", True, None),
        ("off once", True, None),
        ("lanterns", False, None),
    ):
        set_meta(database, meta.BACKGROUND_WORKER, value)
        choice = read_choice(database)
        assert (choice.off, choice.since) == (off, since)
