"""A comparison with Plex: what it reads, finds, counts, queues and reports, page by page."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from attrs import evolve

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.db import set_meta
from stash2plex.errors import ConfigError, Interrupted, Refused, Transient, Unavailable
from stash2plex.model import Field, PlexFile, PlexItem, Record, Section, StashFile
from stash2plex.namelist import NameList
from stash2plex.rules.desired import desired_state
from stash2plex.rules.drift import Kind
from stash2plex.rules.merge import plan_change, remember
from stash2plex.servers.apart import ReadItems, ReadScenes
from stash2plex.servers.plex import Plex, ServerIdentity
from stash2plex.servers.plexlists import ListPage
from stash2plex.servers.scenepages import ScenePage
from stash2plex.servers.stash import Stash
from stash2plex.store.meta import COMPARED_AT, get_number
from stash2plex.store.plex_comparisons import ComparisonMark
from stash2plex.store.progress import Progress
from stash2plex.sync import reconcile
from stash2plex.sync.apply import files_mark
from stash2plex.sync.indexing import PlexIndex
from stash2plex.sync.reconcile import Reconciliation, Scope
from stash2plex.sync.report import Example
from stash2plex.sync.scheduled_reconcile import ScheduledReconcile
from stash2plex.sync.session import Session
from tests.support import ManualClock, make_item, make_scene, present

START = 1_000_000.0
TEXT = Settings(skip_fields=frozenset({Field.POSTER, Field.BACKGROUND}))
FILMS = Section("1", "u1", "Films", "movie", "a", ("/media",), refreshing=False)


class Library(Stash):
    """A Stash of pages of scenes; each request takes half a second."""

    def __init__(self, clock):
        self.clock = clock
        self.pages: list[list[Any]] = []
        self.unreadable: dict[int, Transient] = {}
        self.error: Exception | None = None
        self.sent = 0
        self.since: list[float] = []
        self.read: list[list[int]] = []
        self.pace = 0.5
        self.fewer = 0

    @property
    def requests(self):
        return self.sent

    def _answer(self):
        self.sent += 1
        self.clock.step(self.pace)

    def count_scenes(self):
        self._answer()
        return sum(len(page) for page in self.pages) + len(self.unreadable) - self.fewer

    def all_scenes(self):
        for number, page in enumerate(self.pages):
            self._answer()
            odd = self.unreadable if number == 0 else {}
            yield ScenePage(tuple(page), page[-1].id, page is self.pages[-1], odd)
        if self.error is not None:
            raise self.error

    def scene_ids_changed_since(self, moment):
        self._answer()
        self.since.append(moment)
        for page in self.pages:
            yield [scene.id for scene in page]

    def scenes(self, ids):
        self._answer()
        self.read.append(list(ids))
        known = {scene.id: scene for page in self.pages for scene in page}
        odd = {id_: error for id_, error in self.unreadable.items() if id_ in ids}
        return ReadScenes({id_: known[id_] for id_ in ids if id_ not in odd}, odd)


class Shelf(Plex):
    """A Plex of one library; it keeps what it is asked."""

    def __init__(self):
        self.shown: dict[str, PlexItem] = {}
        self.unreadable: dict[str, Transient] = {}
        self.libraries = [FILMS]
        self.fails: set[str] = set()
        self.newest = 50
        self.changed: dict[str, list[list[str]]] = {}
        self.error: dict[str, Exception] = {}
        self.asked: list[tuple[Any, ...]] = []
        self.server = "machine"

    @property
    def requests(self):
        return len(self.asked)

    def _answer(self, *asked):
        self.asked.append(asked)
        if asked[0] in self.error:
            raise self.error[asked[0]]

    def check_token(self, most_seconds=0.0):
        self._answer("who")
        return ServerIdentity(self.server, "1")

    def sections(self):
        self._answer("sections")
        return list(self.libraries)

    def list_files(self, section_id, added_after=None):
        self._answer("list", section_id, added_after)
        if section_id in self.fails:
            raise Transient("Plex", "Plex answered with an error.")
        files = tuple(
            PlexFile(item.section_id, key, path, size)
            for key, item in self.shown.items()
            if item.section_id == section_id
            for path, size in zip(item.paths, item.sizes, strict=True)
        )
        yield ListPage(files, 40, len(files), len(files))

    def newest_update(self, section_id):
        self._answer("newest", section_id)
        return self.newest

    def changed_since(self, section_id, time_name, after):
        self._answer("changed", section_id, time_name, after)
        yield from self.changed.get(time_name, [])

    def items(self, rating_keys, witness=""):
        if rating_keys:
            self._answer("items", list(rating_keys), witness)
        there = {key: self.shown[key] for key in rating_keys if key in self.shown}
        odd = {key: error for key, error in self.unreadable.items() if key in rating_keys}
        for key in odd:
            there.pop(key, None)
        return ReadItems(there, odd)


class World:
    """Both servers, a store and a clock."""

    def __init__(self, folder):
        self.clock = ManualClock(START)
        self.store = open_store(folder, self.clock, Random(1))
        self.stash, self.plex = Library(self.clock), Shelf()
        self.drifted: list[tuple[Any, ...]] = []
        self.settings = TEXT

    def scene(self, id_, **values):
        given = {"title": f"Scene {id_}", "details": "Fog.", "rating100": 80, **values}
        files = values.get("files", (StashFile(f"/media/{id_}.mp4", id_),))
        return make_scene(id_, **{**given, "files": files})

    def item(self, scene, key="", **values):
        """Let Plex show a scene under the key 100 + its id."""
        desired = desired_state(scene, self.settings)
        item = make_item(
            rating_key=key or str(100 + scene.id),
            texts=desired.texts,
            lists=desired.lists,
            rating=desired.rating,
            locked=frozenset({*desired.texts, *desired.lists}),
            paths=tuple(file.path for file in scene.files),
            sizes=tuple(file.size for file in scene.files),
        )
        self.plex.shown[item.rating_key] = evolve(item, **values)
        return item

    def sync(self, scene, key=""):
        """Let a scene be in sync with its item."""
        item = self.item(scene, key)
        desired = desired_state(scene, self.settings)
        nothing = plan_change(desired, item, None, preserve=False)
        record = Record(
            scene.id, item.rating_key, "1", item.paths[0], "the whole path", desired.fingerprint,
            remember(desired, item, nothing, None)[0], cover_tag=scene.cover_tag,
            files=files_mark(scene),
        )  # fmt: skip
        self.store.records.put(record, scene)
        return scene

    def fill(self, *ids):
        """Add scenes in sync, on one page."""
        scenes = [self.sync(self.scene(id_)) for id_ in ids]
        self.stash.pages.append(scenes)
        return scenes

    def session(self):
        index = PlexIndex(self.store.plex_files, self.plex, self.clock)
        return Session(self.settings, self.stash, self.plex, index)

    def run(self, scope=Scope.ALL, run_id=0):
        return Reconciliation(
            self.store,
            self.session(),
            scope,
            clock=self.clock,
            monotonic=self.clock.monotonic,
            **({"run_id": run_id} if run_id else {}),
            drifted=lambda pair, item, fields: self.drifted.append(
                (pair.scene.id, item.rating_key, fields, pair.follows)
            ),
        )

    def compare(self, scope=Scope.ALL, run_id=0):
        """Compare; returns the report."""
        run = self.run(scope, run_id)
        list(run.pages())
        return run.report()

    def queued(self):
        rows = self.store.connection.execute("SELECT id, run_id FROM queue ORDER BY id")
        return [tuple(row) for row in rows]

    def bury(self, id_, reason):
        self.store.queue.add("scene", id_)
        (claim,) = self.store.queue.claim(1, 60.0)
        self.store.queue.bury(claim, title="A pier", reason=reason, error="No.", path="")

    def unsettled(self):
        rows = self.store.connection.execute(
            "SELECT scene_id FROM scene_record WHERE fingerprint = '' ORDER BY scene_id"
        )
        return [id_ for (id_,) in rows]

    def asked(self, *names):
        return [one for one in self.plex.asked if one[0] in names]


@pytest.fixture
def world(data_folder):
    made = World(str(data_folder))
    yield made
    made.store.connection.close()


def found(report):
    return {kind: number for kind, number in report.counts.items() if number}


NOTHING = dict.fromkeys(Kind, 0)


def test_the_whole_report_of_a_library_in_sync(world):
    world.fill(1, 2)
    world.fill(5)
    run = world.run()
    assert list(run.pages()) == [
        Progress(done=0, left=3, rate=0.0, started_at=START),
        Progress(done=0, left=3, rate=0.0, started_at=START),
        Progress(done=3, left=0, rate=2.0, started_at=START),
    ]
    report = run.report()
    assert (report.scope, report.dry_run, report.started_at, report.seconds) == (
        "all",
        False,
        START,
        1.5,
    )
    assert (report.problem, report.error, report.unread) == (None, None, ())
    assert (report.scenes, report.in_sync, report.left_out, report.queued) == (3, 3, 0, 0)
    assert report.counts == NOTHING
    assert report.examples == dict.fromkeys(Kind, ())
    assert report.requests == {"stash": 3, "plex": len(world.plex.asked)}
    assert world.plex.asked == [
        ("who",),
        ("sections",),
        ("list", "1", None),
        ("newest", "1"),
        ("items", ["101", "102", "105"], ""),
    ]
    assert world.store.plex_comparisons.get("1") == ComparisonMark(50, START, preserve=False)


def test_what_did_not_change_is_not_read_again(world):
    world.fill(1, 2, 3)
    world.compare()
    world.plex.asked.clear()
    world.clock.step(100.0)
    world.plex.newest = 66
    world.plex.changed = {"updatedAt": [["777"], ["102"]], "lastRatedAt": [["103"]]}
    run = world.run()
    first, *_ = list(run.pages())
    assert first.done == 1
    report = run.report()
    assert (report.scenes, report.in_sync) == (3, 3)
    assert world.asked("newest", "changed", "items") == [
        ("newest", "1"),
        ("changed", "1", "updatedAt", 0),
        ("changed", "1", "lastRatedAt", 0),
        ("items", ["102", "103"], "101"),
    ]
    # When everything was read last stays; a delta looks back a minute.
    assert world.store.plex_comparisons.get("1") == ComparisonMark(66, START, preserve=False)
    world.plex.asked.clear()
    world.compare()
    assert world.asked("changed") == [
        ("changed", "1", "updatedAt", 6),
        ("changed", "1", "lastRatedAt", 6),
    ]


@pytest.mark.parametrize(
    ("mark", "trusted"),
    [
        (ComparisonMark(50, START, preserve=False), True),
        (ComparisonMark(51, START, preserve=False), False),
        (ComparisonMark(50, START, preserve=True), False),
        (ComparisonMark(50, START + 1.0, preserve=False), False),
        (ComparisonMark(50, START - 604_799.0, preserve=False), True),
        (ComparisonMark(50, START - 604_800.0, preserve=False), False),
    ],
)
def test_when_a_delta_is_trusted(world, mark, trusted):
    world.fill(1)
    world.store.plex_comparisons.put({"1": mark})
    assert world.compare().in_sync == 1
    assert bool(world.asked("changed")) is trusted
    assert world.asked("items") == ([] if trusted else [("items", ["101"], "")])


@pytest.mark.parametrize("name", ["newest", "changed"])
def test_a_library_whose_times_cannot_be_read_is_read_item_by_item(world, name):
    world.fill(1, 2)
    mark = ComparisonMark(50, START, preserve=False)
    world.store.plex_comparisons.put({"1": mark})
    world.plex.error[name] = Transient("Plex", "Plex answered with an error.")
    world.clock.step(5.0)
    report = world.compare()
    assert (report.problem, report.in_sync) == (None, 2)
    assert world.asked("items")[0][1] == ["101", "102"]
    after = world.store.plex_comparisons.get("1")
    assert after == (mark if name == "newest" else evolve(mark, details_at=START + 5.0))
    world.plex.error[name] = Refused("Plex", "No.")
    assert world.compare().problem == "No."


def test_one_scene_of_each_kind_with_its_example(world):
    scenes = world.fill(1, 2, 3, 4, 5, 6, 7, 8)
    shown = world.plex.shown
    shown["102"] = evolve(shown["102"], rating=2.0)
    scenes[2] = evolve(scenes[2], details="Fog again.")
    shown["104"] = evolve(shown["104"], texts={Field.TITLE: "4"}, rating=None)
    del shown["105"]
    shown["106"] = evolve(shown["106"], paths=("/media/p/6.mp4",))
    shown["900"] = evolve(shown["106"], rating_key="900", paths=("/media/q/6.mp4",))
    shown["107"] = evolve(shown["107"], paths=("/media/other.mp4",))
    scenes[7] = evolve(scenes[7], files=())
    shown["950"] = make_item(
        rating_key="950", texts={Field.TITLE: "Nobody's"}, paths=("/media/z.mp4",), sizes=(5,)
    )
    world.stash.pages = [scenes]
    report = world.compare()
    assert report.counts == {
        Kind.MISSING: 2, Kind.STALE: 1, Kind.DRIFTED: 1, Kind.EMPTY: 1, Kind.AMBIGUOUS: 1,
        Kind.ORPHAN: 3,
    }  # fmt: skip
    assert (report.scenes, report.in_sync, report.left_out, report.queued) == (8, 1, 1, 6)
    assert world.queued() == [(id_, 0) for id_ in (2, 3, 4, 5, 6, 7)]
    assert world.unsettled() == [2, 3, 4, 5, 6, 7]
    assert report.examples[Kind.STALE] == (
        Example(3, "Scene 3", "/media/3.mp4", "103", (Field.SUMMARY,)),
    )
    assert report.examples[Kind.DRIFTED] == (
        Example(2, "Scene 2", "/media/2.mp4", "102", (Field.RATING,)),
    )
    (missing, other) = report.examples[Kind.MISSING]
    assert (missing.scene_id, missing.rating_key, missing.fields, missing.path) == (
        5,
        None,
        (),
        "/media/5.mp4",
    )
    assert missing.detail == ("“Scene 5” is not in Plex yet. No Plex file fits “/media/5.mp4”.")
    assert other.scene_id == 7
    (ambiguous,) = report.examples[Kind.AMBIGUOUS]
    assert ambiguous.scene_id == 6
    assert ambiguous.detail.startswith("“Scene 6” fits 2 Plex items equally well")
    assert [(one.title, one.path, one.rating_key) for one in report.examples[Kind.ORPHAN]] == [
        ("Scene 8", "/media/8.mp4", "108"),
        ("Scene 7", "/media/other.mp4", "107"),
        ("Nobody's", "/media/z.mp4", "950"),
    ]
    assert sorted(world.drifted) == [
        (2, "102", (Field.RATING,), False),
        (3, "103", (Field.SUMMARY,), False),
        (4, "104", (Field.TITLE, Field.SUMMARY, Field.RATING), False),
    ]


def test_an_item_that_is_gone_in_the_bin_or_of_another_file_since_the_list_is_missing(world):
    world.fill(1, 2, 3, 4)
    whole = dict(world.plex.shown)
    listed = world.plex.list_files

    def list_then_change(section_id, added_after=None):
        yield from listed(section_id, added_after)
        del world.plex.shown["101"]
        world.plex.shown["102"] = evolve(whole["102"], trashed=True)
        world.plex.shown["103"] = evolve(whole["103"], paths=("/media/x.mp4", "/media/y.mp4"))
        world.plex.shown["104"] = evolve(whole["104"], paths=("/media/x.mp4", "/media/4.mp4"))

    world.plex.list_files = list_then_change
    report = world.compare()
    assert found(report) == {Kind.MISSING: 3}
    assert [(one.scene_id, one.detail) for one in report.examples[Kind.MISSING]] == [
        (id_, f"Plex no longer lists “/media/{id_}.mp4”.") for id_ in (1, 2, 3)
    ]
    assert (report.in_sync, report.queued) == (1, 3)


def test_an_item_that_cannot_be_read_is_named_and_read_again_the_next_time(world):
    world.fill(1, 2, 3)
    world.plex.unreadable = {"102": Transient("Plex", "Item 102 cannot be read.")}
    report = world.compare()
    assert report.unread == ("Scene 2 “Scene 2”: Item 102 cannot be read.",)
    assert (report.problem, report.scenes, report.in_sync, report.queued) == (None, 3, 2, 0)
    assert world.store.plex_comparisons.get("1") is None


def test_a_scene_that_cannot_be_read_is_named_and_its_item_is_no_orphan(world):
    world.fill(1, 2, 3)
    world.stash.pages[0] = [scene for scene in world.stash.pages[0] if scene.id != 2]
    world.stash.unreadable = {
        id_: Transient("Stash", f"Scene {id_} cannot be read.") for id_ in (2, 9)
    }
    report = world.compare()
    assert report.unread == ("Scene 2 cannot be read.", "Scene 9 cannot be read.")
    assert (report.scenes, found(report)) == (2, {})


def test_up_to_ten_examples_of_a_kind_are_kept_and_the_orphans_name_their_former_scene(world):
    world.fill(*range(1, 13))
    for key in list(world.plex.shown):
        world.plex.shown[key] = evolve(world.plex.shown[key], rating=1.0)
    assert [one.scene_id for one in world.compare().examples[Kind.DRIFTED]] == list(range(1, 11))
    world.stash.pages = [[world.stash.pages[0][0]]]
    world.store.records.forget(3, START)
    report = world.compare()
    assert report.counts[Kind.ORPHAN] == 11
    assert len(report.examples[Kind.ORPHAN]) == 10
    details = {one.rating_key: one.detail for one in report.examples[Kind.ORPHAN]}
    assert details["103"] == "was scene 3"
    assert {*details.values()} == {"", "was scene 3"}


def test_a_stash_without_scenes_makes_no_orphans(world):
    world.item(world.scene(1))
    report = world.compare()
    assert (report.problem, report.counts[Kind.ORPHAN], report.scenes) == (None, None, 0)


@pytest.mark.parametrize(
    ("scope", "seconds"), [(Scope.RECENT, 86_400.0), (Scope.WEEK, 7 * 86_400.0)]
)
def test_what_changed_lately_is_compared_whatever_the_records_hold(world, scope, seconds):
    world.fill(1, 2)
    world.fill(5)
    world.stash.unreadable = {5: Transient("Stash", "Scene 5 cannot be read.")}
    run = world.run(scope)
    assert [(one.done, one.left) for one in run.pages()] == [(0, 3), (2, 0)]
    report = run.report()
    assert (report.scope, report.scenes, report.in_sync) == (scope.value, 2, 2)
    assert report.counts[Kind.ORPHAN] is None
    assert report.unread == ("Scene 5 cannot be read.",)
    assert world.stash.since == [START - seconds]
    assert world.stash.read == [[1, 2, 5]]
    assert world.asked("newest", "items") == [("items", ["101", "102"], "105")]
    assert world.store.plex_comparisons.get("1") is None


def test_a_look_for_empty_items_counts_and_queues_nothing_else(world):
    world.fill(1, 2, 3)
    shown = world.plex.shown
    shown["101"] = evolve(shown["101"], rating=2.0)
    shown["102"] = evolve(shown["102"], texts={Field.TITLE: "2"}, rating=None)
    del shown["103"]
    report = world.compare(Scope.MISSING_METADATA)
    assert report.counts == {**dict.fromkeys(Kind), Kind.EMPTY: 1}
    assert (report.in_sync, report.queued, world.queued()) == (None, 1, [(2, 0)])
    assert world.store.plex_comparisons.get("1") is None
    assert world.asked("newest")


@pytest.mark.parametrize(
    ("reason", "run_id", "left", "queued"),
    [
        ("not_in_plex", 0, [], [(1, 0)]),
        ("ambiguous", 4, [], [(1, 4)]),
        ("rejected", 4, [1], []),
    ],
)
def test_dead_letters_that_only_plex_lacked_are_healed(world, reason, run_id, left, queued):
    world.fill(1)
    world.bury(1, reason)
    world.plex.shown["101"] = evolve(world.plex.shown["101"], rating=2.0)
    report = world.compare(run_id=run_id)
    dead = world.store.connection.execute("SELECT id FROM dead_letter").fetchall()
    assert ([id_ for (id_,) in dead], world.queued()) == (left, queued)
    assert report.queued == len(queued)
    assert world.unsettled() == [1]


def test_a_scene_without_an_item_that_waits_or_was_given_up_stays_as_it_is(world):
    world.fill(1, 2, 3)
    world.plex.shown.clear()
    world.bury(1, "not_in_plex")
    world.store.queue.add("scene", 2)
    world.store.connection.execute("UPDATE queue SET due_at = due_at + 1000")
    report = world.compare()
    assert (report.counts[Kind.MISSING], report.queued) == (3, 1)
    due = world.store.connection.execute("SELECT id, due_at > 1000500 FROM queue ORDER BY id")
    assert [tuple(row) for row in due] == [(2, 1), (3, 0)]
    assert world.store.connection.execute("SELECT id FROM dead_letter").fetchall() == [(1,)]


@pytest.mark.parametrize(("run_id", "held"), [(0, 1), (4, 0)])
def test_a_held_scene_goes_on_only_if_the_user_asks(world, run_id, held):
    world.fill(1, 2)
    world.plex.shown["101"] = evolve(world.plex.shown["101"], rating=2.0)
    world.store.queue.add("scene", 1)
    world.store.connection.execute("UPDATE queue SET priority = 2")
    report = world.compare(run_id=run_id)
    (number,) = world.store.connection.execute(
        "SELECT count(*) FROM queue WHERE priority = 2"
    ).fetchone()
    assert (number, report.queued) == (held, 0)


def test_scenes_that_plex_lacks_are_counted_but_not_queued_where_the_user_wants_that(world):
    world.settings = evolve(TEXT, skip_not_found=True)
    world.fill(1, 2)
    del world.plex.shown["101"]
    world.plex.shown["102"] = evolve(world.plex.shown["102"], rating=2.0)
    report = world.compare()
    assert (found(report), report.queued) == ({Kind.MISSING: 1, Kind.DRIFTED: 1}, 1)
    assert (world.queued(), world.unsettled()) == ([(2, 0)], [2])


def test_scenes_left_out_are_counted_and_their_items_are_no_orphans(world):
    world.settings = evolve(TEXT, only_organized=True)
    scenes = world.fill(1, 2, 3)
    scenes[1] = evolve(scenes[1], organized=True)
    scenes[2] = evolve(scenes[2], title="", details="")
    world.stash.pages = [scenes]
    report = world.compare()
    assert (report.scenes, report.left_out, report.in_sync, found(report)) == (3, 2, 1, {})


def test_a_scene_of_a_library_that_is_not_chosen_is_left_out(world):
    other = Section("2", "u2", "Attic", "movie", "b", ("/attic",), refreshing=False)
    world.plex.libraries = [FILMS, other]
    world.settings = evolve(TEXT, plex_library=NameList.of("Films"))
    world.fill(1)
    attic = [world.scene(id_, files=(StashFile(f"/attic/{id_}.mp4", id_),)) for id_ in (2, 3)]
    world.stash.pages[0] += [*attic, world.scene(4)]
    report = world.compare()
    assert (report.left_out, report.in_sync, found(report)) == (2, 1, {Kind.MISSING: 1})


def test_a_library_that_plex_does_not_list_is_named_and_its_scenes_wait_for_it(world):
    other = Section("2", "u2", "Attic", "movie", "b", ("/attic",), refreshing=False)
    world.plex.libraries = [FILMS, other]
    world.fill(1)
    world.stash.pages[0].append(world.scene(2, files=(StashFile("/attic/2.mp4", 2),)))
    world.plex.fails = {"2"}
    report = world.compare()
    assert report.unread == ("Plex does not list “Attic”: Plex answered with an error.",)
    (missing,) = report.examples[Kind.MISSING]
    assert "Attic" in missing.detail
    assert world.asked("newest") == [("newest", "1")]


def test_each_file_of_a_scene_and_each_candidate_of_a_tie_keeps_its_item(world):
    files = tuple(StashFile(f"/media/{name}.mp4", 7) for name in ("a", "b", "c"))
    three = world.scene(1, files=files)
    for number, file in enumerate(files):
        key = str(101 + number)
        world.plex.shown[key] = make_item(rating_key=key, paths=(file.path,), sizes=(7,))
    tied = world.scene(2, files=(StashFile("/data/x/tie.mp4", 8),))
    for key in ("201", "202"):
        path = f"/media/{key}/x/tie.mp4"
        world.plex.shown[key] = make_item(rating_key=key, paths=(path,), sizes=(8,))
    world.stash.pages = [[three, tied]]
    report = world.compare()
    assert report.counts[Kind.ORPHAN] == 0
    assert report.counts[Kind.AMBIGUOUS] == 1


def test_an_item_that_follows_is_compared_with_its_own_record(world):
    other = Section("2", "u2", "All", "movie", "b", ("/media",), refreshing=False)
    world.plex.libraries = [FILMS, other]
    (scene, plain) = world.fill(1, 2)
    twin = evolve(world.plex.shown["101"], rating_key="301", section_id="2")
    world.plex.shown["301"] = twin
    report = world.compare()
    # It was never written: the scene as a whole is not in sync.
    assert (report.scenes, report.in_sync, found(report)) == (2, 1, {Kind.STALE: 1})
    assert world.drifted == [(scene.id, "301", (), True)]
    assert report.examples[Kind.STALE] == (Example(1, "Scene 1", "/media/1.mp4", "301", ()),)
    assert plain.id == 2


def test_items_are_read_in_full_batches_over_several_pages(world, monkeypatch):
    monkeypatch.setattr(reconcile, "IDS_PER_READ", 2)
    for id_ in (1, 2, 3):
        world.fill(id_)
    run = world.run()
    assert [one.done for one in run.pages()] == [0, 2, 2, 3]
    assert world.asked("items") == [
        ("items", ["101", "102"], "103"), ("items", ["103"], "101"),
    ]  # fmt: skip
    assert run.report().in_sync == 3


def test_the_progress_of_a_moment_and_of_a_stash_that_grew(world):
    world.settings = evolve(TEXT, only_organized=True)
    world.fill(1, 2)
    world.fill(3)
    world.stash.pace, world.stash.fewer = 0.0, 2
    assert [(one.done, one.left, one.rate) for one in world.run().pages()] == [
        (2, 0, 2_000.0), (3, 0, 3_000.0), (3, 0, 3_000.0),
    ]  # fmt: skip


def test_a_scene_that_was_put_back_is_left_out(world):
    world.fill(1, 2)
    world.plex.shown["101"] = evolve(world.plex.shown["101"], rating=2.0)
    world.store.connection.execute("INSERT INTO undo (scene_id, held) VALUES (1, 'all')")
    report = world.compare()
    assert (report.scenes, report.left_out, report.in_sync, found(report)) == (2, 1, 1, {})


def test_fields_that_were_put_back_are_not_compared(world):
    world.fill(1)
    world.plex.shown["101"] = evolve(world.plex.shown["101"], rating=2.0)
    world.store.connection.execute("INSERT INTO undo (scene_id, held) VALUES (1, '[\"rating\"]')")
    assert found(world.compare()).get(Kind.DRIFTED) is None


def test_orphans_without_a_title_and_orphans_that_are_gone_since(world):
    world.fill(1)
    shown = world.plex.shown
    for key in ("901", "902", "903"):
        shown[key] = make_item(rating_key=key, paths=(f"/media/{key}.mp4",), sizes=(5,))
    listed = world.plex.list_files

    def list_then_remove(section_id, added_after=None):
        yield from listed(section_id, added_after)
        del shown["902"]

    world.plex.list_files = list_then_remove
    report = world.compare()
    assert report.counts[Kind.ORPHAN] == 3
    assert report.examples[Kind.ORPHAN] == (
        Example(None, "", "/media/901.mp4", "901"), Example(None, "", "/media/903.mp4", "903"),
    )  # fmt: skip


def test_items_that_follow_or_hold_another_file_are_no_orphans(world):
    other = Section("2", "u2", "All", "movie", "b", ("/media",), refreshing=False)
    world.plex.libraries = [FILMS, other]
    shown = world.plex.shown
    files = (StashFile("/media/a.mp4", 7), StashFile("/media/b.mp4", 8))
    world.stash.pages = [[world.scene(1, files=files)]]
    for key, path, section_id in (
        ("101", "/media/a.mp4", "1"), ("102", "/media/b.mp4", "1"), ("202", "/media/b.mp4", "2"),
    ):  # fmt: skip
        size = 7 if path == "/media/a.mp4" else 8
        shown[key] = make_item(rating_key=key, paths=(path,), sizes=(size,), section_id=section_id)
    # Of a scene that cannot be read, everything that was written to is its own.
    odd = world.sync(world.scene(5))
    follower = Record(5, "305", "2", "/media/5.mp4", "the whole path", "f", {})
    world.store.followers.put(5, [follower])
    shown["305"] = evolve(shown["105"], rating_key="305", section_id="2")
    world.stash.unreadable = {odd.id: Transient("Stash", "Scene 5 cannot be read.")}
    assert world.compare().counts[Kind.ORPHAN] == 0


# -- ends ---------------------------------------------------------------------------------


def test_a_stash_that_fails_ends_the_run_after_what_was_found(world):
    world.fill(1, 2)
    world.plex.shown["101"] = evolve(world.plex.shown["101"], rating=2.0)
    world.plex.shown["950"] = make_item(rating_key="950", paths=("/media/z.mp4",), sizes=(5,))
    world.stash.error = Unavailable("Stash", "Stash is away.", scope="server")
    report = world.compare()
    assert (report.problem, report.error) == ("Stash is away.", world.stash.error)
    assert (report.scenes, report.in_sync, report.queued) == (2, 1, 1)
    assert report.counts[Kind.ORPHAN] is None
    assert world.store.plex_comparisons.get("1") is None


def test_a_plex_that_fails_too_changes_nothing_about_the_cause(world):
    world.fill(1, 2)
    world.stash.error = Unavailable("Stash", "Stash is away.", scope="server")
    world.plex.error["items"] = Unavailable("Plex", "Plex is away.", scope="server")
    assert world.compare().problem == "Stash is away."


def test_a_plex_that_fails_is_not_asked_again(world):
    world.fill(1, 2)
    world.plex.error["items"] = Unavailable("Plex", "Plex is away.", scope="server")
    report = world.compare()
    assert (report.problem, report.scenes) == ("Plex is away.", 0)
    assert len(world.asked("items")) == 1


def test_another_server_ends_the_run(world):
    world.fill(1)
    world.compare()
    world.plex.server = "another machine"
    assert world.compare().problem == (
        "A different Plex server answers at this address. Nothing is written. "
        "If that is intended, run the task “Rebuild Plex Index”."
    )


def test_a_run_that_was_stopped_or_has_not_ended_is_partial(world):
    world.fill(1)
    world.fill(2)
    run = world.run()
    assert run.report().problem == "It has not ended yet."
    pages = run.pages()
    next(pages)
    world.clock.step(7.0)
    first = Interrupted("It was stopped.")
    run.give_up(first)
    run.give_up(Interrupted("Once more."))
    pages.close()
    report = run.report()
    assert (report.problem, report.error) == ("It was stopped.", first)
    assert report.seconds == 8.0
    # The sets of keys are gone, so another run can begin.
    assert world.compare().in_sync == 2


def test_a_library_that_does_not_exist_is_an_error_of_the_settings(world):
    world.fill(1)
    world.settings = evolve(TEXT, plex_library=NameList.of("Nowhere"))
    with pytest.raises(ConfigError):
        world.compare()


# -- by the clock -------------------------------------------------------------------------


@pytest.fixture
def daily(world):
    """Return a comparison that the clock makes due each day, and its session."""
    world.settings = evolve(TEXT, reconcile_interval="daily")
    world.fill(1, 2)
    scheduled = ScheduledReconcile(world.store, lambda _: world.run(), clock=world.clock)
    yield scheduled, world.session()
    scheduled.rest()


def compared_at(world):
    return get_number(world.store.connection, COMPARED_AT)


def test_the_first_comparison_comes_a_day_after_the_first_step(world, daily, heard):
    scheduled, session = daily
    assert not scheduled.step(session)
    assert compared_at(world) == START
    world.clock.now = START + 86_399.0
    assert not scheduled.step(session)
    assert world.plex.asked == []
    world.clock.now = START + 86_400.0
    assert [scheduled.step(session) for _ in range(4)] == [True, True, True, False]
    assert heard == ["Comparing everything (daily): 2 scenes compared in 1 s, 2 in sync, 0 queued."]
    assert compared_at(world) == START + 86_400.0
    last = present(world.store.reports.last())
    assert (last["scenes"], last["complete"]) == (2, True)
    # The next one counts from when this one began.
    world.plex.asked.clear()
    world.clock.now = START + 2 * 86_400.0 - 1.0
    assert not scheduled.step(session)
    world.clock.now = START + 2 * 86_400.0
    assert scheduled.step(session)


def test_another_process_knows_when_the_last_comparison_began(world, daily):
    _, session = daily
    set_meta(world.store.connection, COMPARED_AT, repr(START - 86_400.0))
    other = ScheduledReconcile(world.store, lambda _: world.run(), clock=world.clock)
    assert other.step(session)
    other.rest()
    assert compared_at(world) == START - 86_400.0
    # A moment that is still to come is from a clock that was set back.
    set_meta(world.store.connection, COMPARED_AT, repr(START + 100.0))
    third = ScheduledReconcile(world.store, lambda _: world.run(), clock=world.clock)
    assert not third.step(session)
    assert compared_at(world) == world.clock()


def test_where_the_user_wants_no_comparison_there_is_none(world, daily):
    scheduled, _ = daily
    world.settings = evolve(TEXT, reconcile_interval="never")
    session = world.session()
    world.clock.step(30 * 86_400.0)
    assert not scheduled.step(session)
    assert (compared_at(world), world.plex.asked) == (None, [])


@pytest.mark.parametrize("server", ["stash", "plex"])
def test_while_a_server_is_away_no_comparison_begins(world, daily, server):
    scheduled, session = daily
    scheduled.step(session)
    world.clock.step(86_400.0)
    away = Refused("Plex", "No.")
    world.store.breakers[server].failed(away, 0)
    assert not scheduled.step(session)
    world.store.breakers[server].reset()
    assert scheduled.step(session)


def test_a_comparison_that_did_not_see_everything_is_tried_again_in_an_hour(world, daily, heard):
    scheduled, session = daily
    scheduled.step(session)
    world.clock.step(86_400.0)
    world.plex.error["who"] = Unavailable("Plex", "Plex is away.", scope="server")
    assert scheduled.step(session)
    began = world.clock()
    assert heard == ["Comparing everything did not see all: Plex is away."]
    assert (world.store.reports.last(), compared_at(world)) == (None, START)
    world.plex.error.clear()
    world.clock.now = began + 3_599.0
    assert not scheduled.step(session)
    world.clock.now = began + 3_600.0
    assert [scheduled.step(session) for _ in range(4)] == [True, True, True, False]


def test_an_hourly_comparison_that_was_interrupted_does_not_start_again_at_once(world):
    world.settings = evolve(TEXT, reconcile_interval="hourly")
    world.fill(1, 2)
    scheduled = ScheduledReconcile(world.store, lambda _: world.run(), clock=world.clock)
    session = world.session()
    scheduled.step(session)
    world.clock.step(3_600.0)
    assert scheduled.step(session)
    scheduled.rest()
    assert not scheduled.step(session)
    world.clock.step(3_600.0)
    assert scheduled.step(session)
    scheduled.rest()


def test_a_comparison_that_was_interrupted_starts_again_in_an_hour(world, daily):
    scheduled, session = daily
    scheduled.rest()
    scheduled.step(session)
    world.clock.step(86_400.0)
    assert scheduled.step(session)
    # A comparison that began under other settings no longer counts.
    other = world.session()
    assert not scheduled.step(other)
    began = world.clock()
    world.clock.now = began + 3_599.0
    assert not scheduled.step(other)
    world.clock.now = began + 3_600.0
    assert scheduled.step(other)


def test_a_clock_that_was_set_back_does_not_put_the_comparison_off(world, daily):
    scheduled, session = daily
    scheduled.step(session)
    world.clock.now = START - 86_400.0
    assert not scheduled.step(session)
    # It is due a day later than that.
    world.clock.now = START - 1.0
    assert not scheduled.step(session)
    world.clock.now = START
    assert scheduled.step(session)


@pytest.mark.parametrize(("interval", "seconds"), [("hourly", 3_600.0), ("weekly", 604_800.0)])
def test_a_clock_that_goes_a_little_back_changes_nothing(world, daily, interval, seconds):
    _, _ = daily
    world.settings = evolve(TEXT, reconcile_interval=interval)
    scheduled = ScheduledReconcile(world.store, lambda _: world.run(), clock=world.clock)
    session = world.session()
    scheduled.step(session)
    world.clock.now = START + seconds - 1.0
    assert not scheduled.step(session)
    world.clock.now = START
    assert not scheduled.step(session)
    world.clock.now = START + seconds
    assert scheduled.step(session)
    scheduled.rest()


def test_wrong_settings_end_a_comparison_without_a_report(world, daily, heard):
    scheduled, _ = daily
    world.settings = evolve(world.settings, plex_library=NameList.of("Nowhere"))
    session = world.session()
    scheduled.step(session)
    world.clock.step(86_400.0)
    assert not scheduled.step(session)
    assert not scheduled.step(session)
    assert (heard, world.store.reports.last()) == ([], None)
    assert len(world.asked("who")) == 1
    world.clock.step(3_600.0)
    scheduled.step(session)
    assert len(world.asked("who")) == 2
