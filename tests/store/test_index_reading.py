"""What a refresh of the path index asks Plex, what it stores and logs, and what it makes due."""

from __future__ import annotations

from math import inf
from random import Random
from typing import Any

import pytest

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.errors import LibraryUnread, Refused, Transient, Unavailable
from stash2plex.model import PlexFile, Record, Section, StashFile
from stash2plex.namelist import NameList
from stash2plex.rules.path_inference import PathPair
from stash2plex.servers.plex import Plex
from stash2plex.servers.plexlists import ListPage
from stash2plex.servers.plexwire import OddRow
from stash2plex.sync.index_changes import read_index_changes
from stash2plex.sync.indexing import IndexChanges, PlexIndex
from stash2plex.sync.session import Session
from stash2plex.workqueue import BULK
from tests.support import ManualClock, make_scene

START = 1_000_000.0
NOBODY: Any = None  # no test of this file asks Stash
SPOILT = Transient("Plex", "Plex answered with an error.")


def section(id_="1", mark="a", title="Films", folders=("/media",), kind="movie"):
    return Section(id_, f"u{id_}", title, kind, mark, folders, refreshing=False)


def page(*files, newest=50, odd=(), blind=0):
    return ListPage(files, newest, len(files), len(files), odd, blind)


def row(key, path="/media/a.mp4", section_id="1"):
    return PlexFile(section_id, key, path, 9)


class Shelf(Plex):
    """A Plex with libraries of pages; it keeps what it is asked."""

    def __init__(self, *sections):
        self.libraries = list(sections)
        self.pages: dict[str, list[Any]] = {}
        self.fails: dict[str, Exception] = {}
        self.asked: list[tuple[Any, ...]] = []

    def sections(self):
        self.asked.append(("sections",))
        return list(self.libraries)

    def list_files(self, section_id, added_after=None):
        self.asked.append((section_id, added_after))
        for each in self.pages.get(section_id, [page(row("7", section_id=section_id))]):
            if isinstance(each, Exception):
                raise each
            yield each
        if section_id in self.fails:
            raise self.fails[section_id]

    def list_page(self, section_id, start, added_after=None, *, size=500, most_seconds=inf):
        self.asked.append(("probe", section_id, start, added_after, most_seconds))
        return page()

    def newly_asked(self):
        asked, self.asked = self.asked[1:], []
        return asked


@pytest.fixture
def clock():
    return ManualClock(START)


@pytest.fixture
def store(data_folder, clock):
    opened = open_store(str(data_folder), clock, Random(1))
    yield opened
    opened.connection.close()


@pytest.fixture
def make(store, clock):
    """Return a function that makes an index over libraries."""

    def made(*sections):
        shelf = Shelf(*sections)
        return shelf, PlexIndex(store.plex_files, shelf, clock)

    return made


EVERY = NameList()


def test_the_first_refresh_lists_every_movie_library_as_a_whole(make, store):
    libraries = [section(), section("2", "b", "Clips", ("/clips",)), section("3", kind="show")]
    shelf, index = make(*libraries)
    shelf.pages["1"] = [
        page(row("7"), row("8", "/media/b.mp4"), newest=40), page(row("9", "/media/c.mp4")),
    ]  # fmt: skip
    assert index.refresh(EVERY) == IndexChanges(4, True, tuple(libraries[:2]), (), "")
    assert len(store.plex_files.of_item("8") + store.plex_files.of_item("9")) == 2
    assert shelf.newly_asked() == [("1", None), ("2", None)]
    known = store.plex_files.known()
    assert {id_: (one.newest_added_at, one.listed_at, one.listed_mark, one.change_mark)
            for id_, one in known.items()} == {
        "1": (50, START, "a", "a"), "2": (50, START, "b", "b"),
    }  # fmt: skip
    # An unchanged Plex costs one request.
    assert index.refresh(EVERY) == IndexChanges(0, False, tuple(libraries[:2]), (), "")
    assert shelf.newly_asked() == []


@pytest.mark.parametrize(("newest", "after"), [(50, 0), (3_600, 0), (3_601, 1), (10_000, 6_400)])
def test_what_was_added_is_asked_for_from_an_hour_before_the_newest_item(
    make, store, newest, after
):
    shelf, index = make(section())
    shelf.pages["1"] = [page(row("7"), newest=newest)]
    index.refresh(EVERY)
    shelf.newly_asked()
    shelf.libraries = [section(mark="b")]
    shelf.pages["1"] = [page(row("8", "/media/b.mp4"), newest=newest - 1)]
    changes = index.refresh(EVERY)
    assert (changes.files, changes.whole) == (1, False)
    assert shelf.newly_asked() == [("1", after)]
    known = store.plex_files.known()["1"]
    assert (known.newest_added_at, known.change_mark, known.listed_mark) == (newest, "b", "a")
    assert store.plex_files.size() == 2


def test_changed_folders_are_stored_without_a_list(make, store):
    shelf, index = make(section())
    index.refresh(EVERY)
    shelf.newly_asked()
    before = store.plex_files.known()["1"]
    shelf.libraries = [section(folders=("/media", "/attic"))]
    assert index.refresh(EVERY).files == 0
    assert shelf.newly_asked() == []
    assert store.plex_files.locations() == {"1": ["/media", "/attic"]}
    after = store.plex_files.known()["1"]
    assert (after.newest_added_at, after.listed_at, after.listed_mark) == (
        before.newest_added_at,
        before.listed_at,
        before.listed_mark,
    )


@pytest.mark.parametrize(
    ("seconds", "options", "mark", "asks"),
    [
        (86_399.0, {}, "a", []),
        (86_400.0, {}, "a", [("1", None)]),
        (-1.0, {}, "a", [("1", None)]),
        (0.0, {"complete": True}, "b", [("1", None)]),
        (0.0, {"complete": True}, "a", []),
        (600.0, {"missed": True}, "b", [("1", None)]),
        (599.0, {"missed": True}, "b", [("1", 0)]),
        (600.0, {"missed": True}, "a", []),
        (600.0, {}, "b", [("1", 0)]),
    ],
)
def test_when_a_library_is_listed_as_a_whole_again(make, clock, seconds, options, mark, asks):
    shelf, index = make(section())
    index.refresh(EVERY)
    shelf.newly_asked()
    clock.step(seconds)
    shelf.libraries = [section(mark=mark)]
    assert index.refresh(EVERY, **options).whole is (asks == [("1", None)])
    assert shelf.newly_asked() == asks


def test_a_library_that_is_gone_or_not_chosen_is_dropped_and_its_folders_are_known(make, store):
    shelf, index = make(section(), section("2", "b", "Clips", ("/clips", "/more")), section("3"))
    index.refresh(EVERY)
    assert store.other_libraries.folders() == []
    shelf.libraries = shelf.libraries[:2]
    changes = index.refresh(NameList.of("Films", "Attic"))
    assert [one.id for one in changes.sections] == ["1"]
    assert changes.lost == (
        "Plex has no movie-type library named “Attic”. It has: “Films”, “Clips”."
    )
    assert store.plex_files.section_ids() == ["1"]
    assert [(one.title, one.path) for one in store.other_libraries.folders()] == [
        ("Clips", "/clips"),
        ("Clips", "/more"),
    ]


def test_a_library_whose_list_fails_is_tried_again_by_a_probe_and_holds_up_no_other(
    make, store, clock, heard
):
    shelf, index = make(section(), section("2", "b", "Clips"), section("3", "c", "Attic"))
    shelf.fails["1"] = SPOILT
    changes = index.refresh(EVERY)
    assert (changes.files, changes.whole) == (2, True)
    assert [(one.section_id, one.words()) for one in changes.unlisted] == [
        ("1", "Plex does not list “Films”: Plex answered with an error.")
    ]
    (line,) = heard
    assert line == (
        "Plex does not list “Films”: Plex answered with an error. The other libraries go on; "
        "it is tried again."
    )
    shelf.newly_asked()
    # Its rows before the failure are stored, it is not tried too soon, and others come first.
    assert store.plex_files.size() == 1
    clock.step(9.0)
    assert [one.section_id for one in index.refresh(EVERY).unlisted] == ["1"]
    assert shelf.newly_asked() == []
    clock.step(1.0)
    shelf.libraries[1] = section("2", "bb", "Clips")
    index.refresh(EVERY)
    assert shelf.newly_asked() == [("2", 0), ("probe", "1", 0, None, 5.0), ("1", None)]
    assert store.library_troubles.all()["1"].failures == 2
    assert len(heard) == 1
    for options in ({"retry": True}, {"complete": True}):
        index.refresh(EVERY, **options)
        assert ("probe", "1", 0, None, 5.0) in shelf.newly_asked()
    shelf.fails.clear()
    clock.step(110.0)
    assert index.refresh(EVERY).unlisted == ()
    assert heard[1:] == ["Plex lists “Films” again, after 2 min 00 s."]
    assert store.library_troubles.all() == {}


def test_a_time_of_the_next_try_that_is_too_far_ahead_does_not_count(make, store, clock):
    shelf, index = make(section(), section("2", "b", "Clips"))
    shelf.fails["1"] = SPOILT
    clock.step(1_000.0)
    index.refresh(EVERY)
    for back, asks in ((290.0, False), (291.0, True)):
        shelf.newly_asked()
        clock.now = START + 1_000.0 - back
        index.refresh(EVERY)
        assert bool([one for one in shelf.newly_asked() if one[0] == "probe"]) is asks


def test_a_library_that_is_not_tried_yet_holds_up_no_later_one(make, store, clock):
    shelf, index = make(section(), section("2", "b", "Clips"), section("3", "c", "Attic"))
    shelf.fails = {"2": SPOILT}
    index.refresh(EVERY)
    clock.step(10.0)
    shelf.fails["3"] = SPOILT
    shelf.libraries[2] = section("3", "cc", "Attic")
    index.refresh(EVERY)
    shelf.newly_asked()
    # The third failed for the first time just now, the second for the second time.
    clock.step(10.0)
    index.refresh(EVERY)
    assert [one[:2] for one in shelf.newly_asked()] == [("probe", "3"), ("3", 0)]


def test_a_thousand_odd_rows_are_named_by_a_process(make, heard):
    shelf, index = make(section())
    odd = tuple(OddRow(str(number), f"Pier {number}") for number in range(1_002))
    shelf.pages["1"] = [page(odd=odd)]
    index.refresh(EVERY)
    assert len(heard) == 1_000


def test_the_trouble_of_a_library_that_is_gone_ends(make, store):
    shelf, index = make(section(), section("2", "b", "Clips"))
    shelf.fails["1"] = SPOILT
    index.refresh(EVERY)
    shelf.libraries = shelf.libraries[1:]
    assert index.refresh(EVERY).unlisted == ()
    assert store.library_troubles.all() == {}


def test_where_no_library_was_ever_listed_the_server_is_the_cause(make, store):
    shelf, index = make(section(), section("2", "b", "Clips"))
    shelf.fails = {"1": Transient("Plex", "It is odd.", "Look at it."), "2": SPOILT}
    with pytest.raises(Transient) as raised:
        index.refresh(EVERY)
    assert (raised.value.what, raised.value.fix) == (
        "Plex does not list “Films”: It is odd.",
        "Look at it.",
    )
    assert store.library_troubles.all() == {}


@pytest.mark.parametrize(
    "error", [Unavailable("Plex", "It is down.", scope="server"), Refused("Plex", "No.")]
)
def test_a_server_that_is_down_or_lets_nobody_in_ends_the_refresh(make, error):
    shelf, index = make(section("1"), section("2", "b", "Clips"))
    shelf.fails["1"] = error
    with pytest.raises(type(error)) as raised:
        index.refresh(EVERY)
    assert raised.value is error
    assert [one[0] for one in shelf.newly_asked()] == ["1"]


def test_rows_that_cannot_be_read_are_named_once_and_nothing_of_theirs_is_dropped(
    make, store, heard, clock
):
    shelf, index = make(section())
    index.refresh(EVERY)
    clock.step(90_000.0)
    odd = (OddRow("8", "Pier"), OddRow("9", "Quay"), OddRow("8", "Pier"))
    shelf.pages["1"] = [page(odd=odd[:1]), page(row("6", "/media/b.mp4"), odd=odd[1:])]
    index.refresh(EVERY)
    assert heard == [
        "Plex's list of “Films” holds item 8 “Pier”, which cannot be read. All others go on.",
        "Plex's list of “Films” holds item 9 “Quay”, which cannot be read. All others go on.",
    ]
    assert store.plex_files.known()["1"].listed_mark == ""
    assert [one.rating_key for one in store.plex_files.at("/media/a.mp4")] == []
    clock.step(600.0)
    shelf.pages["1"] = [page(odd=(OddRow("", "Buoy"),))]
    index.refresh(EVERY, missed=True)
    assert len(heard) == 3
    assert store.plex_files.size() == 1


def test_a_token_that_is_shown_no_file_names_is_refused(make):
    shelf, index = make(section())
    shelf.pages["1"] = [page(blind=2), page(row("7"), blind=1)]
    assert index.refresh(EVERY).files == 1
    shelf, index = make(section("2", "b", "Clips"))
    shelf.pages["2"] = [page(blind=1), page()]
    with pytest.raises(Refused) as raised:
        index.refresh(EVERY)
    assert raised.value.server == "Plex"
    assert raised.value.what == (
        "The Plex token belongs to a user who is not shown file names, so no scene can be found."
    )
    assert raised.value.fix == "Put an X-Plex-Token of the server's owner into Plex token."


def test_the_files_belong_to_one_server(make, store):
    _, index = make()
    index.check_server("one")
    assert store.plex_files.server() is None
    index.adopt_server("one")
    index.adopt_server("one")
    for call in (index.check_server, index.adopt_server):
        with pytest.raises(Refused) as raised:
            call("two")
        assert raised.value.server == "Plex"
        assert raised.value.what == (
            "A different Plex server answers at this address. Nothing is written."
        )
        assert raised.value.fix == "If that is intended, run the task “Rebuild Plex Index”."
    assert store.plex_files.server() == "one"


def test_a_library_that_failed_elsewhere_is_recorded_if_plex_has_it(make, store, heard):
    _, index = make(section(), section("2", "b", "Clips"), section("3"))
    assert index.note_trouble("9", SPOILT) is None
    trouble = index.note_trouble("2", SPOILT)
    assert trouble == store.library_troubles.all()["2"]
    assert (trouble.title, trouble.failures, trouble.locations) == ("Clips", 1, ["/media"])
    assert len(heard) == 1


# -- what a reading makes due -------------------------------------------------------------


@pytest.fixture
def reads(make, store):
    """Return a function that reads Plex's changes, and its libraries."""
    shelf, index = make(section(), section("2", "b", "Clips", ("/clips",)))
    session = Session(Settings(), NOBODY, shelf, index)

    def read(**options):
        return read_index_changes(store, session, **options)

    return read, shelf


def test_a_reading_is_as_thorough_as_it_is_asked_to_be(reads, store, clock):
    read, shelf = reads
    read()
    clock.step(600.0)
    for mark, options, whole in (
        ("c", {}, False), ("d", {"missed": True}, True), ("e", {}, False),
        ("f", {"complete": True}, True),
    ):  # fmt: skip
        shelf.libraries[0] = section(mark=mark)
        assert read(**options).whole is whole
    shelf.libraries[0] = section(mark="g")
    shelf.fails["1"] = SPOILT
    read()
    for options, probes in (({}, 0), ({"retry": True}, 1)):
        shelf.newly_asked()
        read(**options)
        assert len([one for one in shelf.newly_asked() if one[0] == "probe"]) == probes


def due(store, clock):
    rows = store.connection.execute(
        "SELECT id FROM queue WHERE due_at <= ? ORDER BY id", (clock(),)
    )
    return [id_ for (id_,) in rows]


def put_off(store, *ids, reason="not_in_plex", seconds=1_000.0):
    """Let scenes wait."""
    for id_ in ids:
        store.queue.add("scene", id_, priority=BULK)
        store.connection.execute(
            "UPDATE queue SET due_at = due_at + ?, reason = ? WHERE id = ?", (seconds, reason, id_)
        )


def test_scenes_that_wait_for_a_file_that_was_read_now_become_due(reads, store, clock, heard):
    read, shelf = reads
    read()
    put_off(store, 1, 2, 3)
    for id_, name in ((1, "pier"), (2, "none"), (3, "quay")):
        store.awaited_files.note(id_, [StashFile(f"/data/{name}.mp4", 9)], [])
    heard.clear()
    assert read().files == 0
    assert (due(store, clock), heard) == ([], [])
    shelf.libraries[0] = section(mark="c")
    shelf.pages["1"] = [page(row("8", "/media/pier.mp4"), row("9", "/media/quay.mp4"))]
    assert read().files == 2
    assert (due(store, clock), heard) == ([1, 3], ["Plex changed: 2 scenes due."])
    put_off(store, 1, 3)
    heard.clear()
    read()
    assert (due(store, clock), heard) == ([], [])


def test_a_scene_whose_file_is_in_another_library_too_now_is_compared_again(reads, store, clock):
    read, shelf = reads
    shelf.pages["2"] = [page(row("20", "/clips/z.mp4", "2"))]
    read()
    for scene_id, key, path in ((1, "7", "/media/a.mp4"), (2, "20", "/clips/z.mp4")):
        record = Record(scene_id, key, "1", path, "the whole path", "f", {})
        store.records.put(record, make_scene(scene_id))
    shelf.libraries[1] = section("2", "d", "Clips", ("/clips",))
    shelf.pages["2"] = [page(row("21", "/media/a.mp4", "2"))]
    read()
    assert due(store, clock) == [1]
    assert store.connection.execute(
        "SELECT scene_id, fingerprint FROM scene_record ORDER BY scene_id"
    ).fetchall() == [(1, ""), (2, "f")]


def test_the_path_rules_are_checked_only_when_a_library_was_listed_as_a_whole(reads, store, clock):
    read, shelf = reads
    shelf.pages["1"] = [page(*(row(str(n), f"/media/a/{n}.mp4") for n in range(1, 4)))]
    pairs = [(n, PathPair(f"/data/a/{n}.mp4", f"/media/a/{n}.mp4")) for n in range(1, 5)]
    store.path_rules.note(pairs, {"1": ["/media"]})

    def known():
        return store.connection.execute("SELECT count(*) FROM path_pair").fetchone()[0]

    read()
    assert known() == 3
    shelf.libraries[0] = section(mark="c")
    store.path_rules.note(pairs[3:], {"1": ["/media"]})
    read()
    assert known() == 4
    clock.step(90_000.0)
    shelf.pages["1"] = [page(row("1", "/media/a/1.mp4"))]
    read()
    assert known() == 1


def test_what_waits_for_a_library_is_due_when_that_is_listed_again(reads, store, clock):
    read, shelf = reads
    shelf.fails["1"] = SPOILT
    read()
    put_off(store, 1, 3, reason=LibraryUnread.reason)
    put_off(store, 2)
    read(retry=True)
    assert due(store, clock) == []
    shelf.fails.clear()
    read(retry=True)
    assert due(store, clock) == [1, 3]
