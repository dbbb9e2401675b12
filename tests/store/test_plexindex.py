"""The path index over listed pages, and what its news wake."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.db import connect
from stash2plex.model import PlexFile, Record, Section, StashFile
from stash2plex.namelist import NameList
from stash2plex.rules.path_inference import PathPair
from stash2plex.servers.plex import Plex
from stash2plex.servers.plexlists import ListPage
from stash2plex.store.path_rules import PAIRS_A_ROOT, inferred_rules
from stash2plex.store.plex_files import MAX_CANDIDATES
from stash2plex.sync.indexing import PlexIndex
from tests.harness.old_database import A_RECORD_SQL, old_database
from tests.support import ManualClock, make_item, make_scene


def test_a_database_of_the_first_schema_keeps_its_records_and_lists_plex_again(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    with old_database(path, 1) as old:
        old.execute("INSERT INTO plex_file VALUES ('1', '/media/a.mp4', 'a.mp4', '7', 1, 1)")
        old.execute(A_RECORD_SQL)
    new = connect(path)
    assert new.execute("SELECT count(*) FROM plex_file").fetchone() == (0,)
    assert new.execute("SELECT fingerprint FROM scene_record").fetchall() == [("f",)]
    new.close()


class Listed(Plex):
    """A Plex that lists the files of a test."""

    def __init__(self):
        self.files = []
        self.added = []
        self.mark = 1

    def sections(self):
        mark = str(self.mark)
        return [Section("1", "u", "Films", "movie", mark, ("/media",), refreshing=False)]

    def list_files(self, _id, added_after=None):
        files = self.files if added_after is None else self.added
        yield ListPage(tuple(files), 1, len(files), len(files))


@pytest.fixture
def desk(tmp_path):
    clock = ManualClock()
    store = open_store(str(tmp_path), clock, Random(1))
    listed = Listed()
    yield store, listed, PlexIndex(store.plex_files, listed, clock), clock
    store.connection.close()


def row(key, path, size=None):
    return PlexFile("1", key, path, size)


def synced(store, scene_id, key, path):
    store.records.put(
        Record(scene_id, key, "1", path, "the whole path", "f", {}), make_scene(scene_id)
    )


def settled(store):
    return {
        id_ for (id_,) in store.connection.execute(
            "SELECT scene_id FROM scene_record WHERE fingerprint <> ''"
        )
    }  # fmt: skip


def test_a_file_that_was_added_again_is_the_newer_item_only(desk):
    store, listed, index, _ = desk
    listed.files = [row("1", "/media/a/pier.mp4"), row("2", "/media/a/quay.mp4")]
    index.refresh(NameList())
    synced(store, 1, "1", "/media/a/pier.mp4")
    synced(store, 2, "2", "/media/a/quay.mp4")
    listed.added, listed.mark = [row("9", "/media/a/pier.mp4")], 2
    assert index.refresh(NameList()).files == 1
    assert index.files.candidates(["/x/pier.mp4"]) == [row("9", "/media/a/pier.mp4")]
    assert settled(store) == {2}


def test_rows_that_are_gone_unsettle_their_scenes(desk):
    store, listed, index, clock = desk
    listed.files = [row("1", "/media/a/pier.mp4"), row("2", "/media/a/quay.mp4")]
    index.refresh(NameList())
    synced(store, 1, "1", "/media/a/pier.mp4")
    synced(store, 2, "2", "/media/a/quay.mp4")
    listed.files, listed.mark = [row("2", "/media/a/quay.mp4")], 2
    clock.step(90_000)
    assert index.refresh(NameList()).whole
    assert index.files.size() == 1
    assert settled(store) == {2}


def test_an_item_that_was_read_corrects_the_index_once(desk):
    store, listed, index, _ = desk
    listed.files = [row("7", "/media/a/pier.mp4")]
    index.refresh(NameList())
    item = make_item(paths=("/media/b/jetty.mp4",), sizes=(5,))
    index.files.learn(item)
    known = index.files.listing()
    index.files.learn(item)
    assert index.files.listing() == known
    assert index.files.candidates(["/x/pier.mp4"]) == []
    assert index.files.candidates(["/x/jetty.mp4"]) == [row("7", "/media/b/jetty.mp4", 5)]
    assert store.awaited_files.may_match(known) == []


def test_a_changed_library_is_listed_whole_for_a_miss_ten_minutes_after_the_last_time(desk):
    _, listed, index, clock = desk
    listed.files = [row("1", "/media/a/pier.mp4")]
    index.refresh(NameList())
    listed.mark = 2
    clock.step(700.0)
    assert not index.refresh(NameList()).whole
    clock.step(-700.0)
    wholes = []
    for seconds in (599.0, 1.0):
        clock.step(seconds)
        wholes.append(index.refresh(NameList(), missed=True).whole)
    assert wholes == [False, True]
    # That was all that changed.
    clock.step(600.0)
    assert not index.refresh(NameList(), missed=True).whole


def test_a_comparison_lists_whole_what_was_only_followed_and_nothing_twice(desk):
    _, listed, index, _ = desk
    listed.files = [row("1", "/media/a/pier.mp4")]
    assert index.refresh(NameList()).whole
    assert not index.refresh(NameList(), complete=True).whole
    listed.mark = 2
    assert not index.refresh(NameList()).whole
    # What was added since is known; what is gone is not.
    listed.files = []
    assert index.refresh(NameList(), complete=True).whole
    assert index.files.size() == 0
    assert not index.refresh(NameList(), complete=True).whole


def test_an_item_of_a_library_that_is_not_chosen_holds_nothing_for_us(desk):
    _, listed, index, _ = desk
    listed.files = [row("7", "/media/a/pier.mp4")]
    index.refresh(NameList())
    index.files.learn(make_item(rating_key="8", section_id="2", paths=("/films/a/quay.mp4",)))
    assert index.files.candidates(["/x/quay.mp4"]) == []
    assert index.files.candidates(["/x/pier.mp4"]) == listed.files
    # After a rebuild of Plex the id may be of an item elsewhere.
    index.files.learn(make_item(rating_key="7", section_id="2", paths=("/films/a/quay.mp4",)))
    assert index.files.size() == 0


def test_of_a_very_common_name_only_what_may_fit_is_compared(desk):
    _, listed, index, _ = desk
    listed.files = [
        row(str(n), f"/media/scene-{n}/film.mp4", n) for n in range(1, 2 * MAX_CANDIDATES)
    ]
    listed.files += [row("5000", "/media/film.mp4", 5000)]
    index.refresh(NameList())
    near = index.files.candidates(["/data/scene-700/film.mp4"])
    assert [one.rating_key for one in near] == ["700"]
    by_size = index.files.candidates(["/data/elsewhere/film.mp4"], sizes={800})
    assert [one.rating_key for one in by_size] == ["800"]
    top = index.files.candidates(["/data/film.mp4"], rules=[("/data", "/media")])
    assert [one.rating_key for one in top] == ["5000"]


def test_only_what_may_match_is_woken(desk):
    store, listed, index, _ = desk
    index.refresh(NameList())
    since = index.files.listing()
    for number in (1, 2, 3):
        file = StashFile(f"/data/scene-{number}/film.mp4", number)
        store.awaited_files.note(number, [file], [])
    listed.added = [row("1", "/media/scene-1/film.mp4", 99), row("2", "/media/x/film.mp4", 2)]
    listed.mark = 2
    index.refresh(NameList())
    assert sorted(store.awaited_files.may_match(since)) == [1, 2]
    assert store.awaited_files.may_match(index.files.listing()) == []


def test_pairs_are_bounded_and_go_with_their_file(desk):
    store, listed, index, clock = desk
    pairs = [
        (n, PathPair(f"/data/a/{n}.mp4", f"/media/a/{n}.mp4")) for n in range(PAIRS_A_ROOT + 50)
    ]
    store.path_rules.note(pairs, index.files.locations())
    (rule,) = inferred_rules(store.connection)
    assert (rule.rule, rule.support) == (("/data", "/media"), PAIRS_A_ROOT)
    assert store.path_rules.usable() == (rule.rule,)
    listed.files = [row(str(n), f"/media/a/{n}.mp4") for n in (1, 2, 3)]
    index.refresh(NameList())
    store.path_rules.check(index.files.locations())
    (rule,) = inferred_rules(store.connection)
    assert (rule.support, len(rule.examples)) == (3, 3)
    listed.files, listed.mark = listed.files[1:], 2
    clock.step(90_000)
    index.refresh(NameList())
    store.path_rules.check(index.files.locations())
    assert (inferred_rules(store.connection), store.path_rules.usable()) == ((), ())


def test_two_readings_at_once_lose_no_row(desk):
    _, listed, index, clock = desk
    other = PlexIndex(index.files, listed, clock)
    listed.files = [row("1", "/media/a/pier.mp4")]
    pages = listed.list_files

    def pages_while_another_lists(section_id, added_after=None):
        yield from pages(section_id, added_after)
        listed.list_files = pages
        other.refresh(NameList())
        yield from pages(section_id, added_after)

    listed.list_files = pages_while_another_lists
    index.refresh(NameList())
    assert index.files.candidates(["/x/pier.mp4"]) == listed.files
    clock.step(90_000)
    index.refresh(NameList())
    assert index.files.size() == 1
