"""Sweeps and polls, a request at a time: what they ask Stash, queue, count, store and log."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.errors import Transient
from stash2plex.model import Field, Record, StashFile
from stash2plex.namelist import NameList
from stash2plex.rules.desired import desired_state, without_fields
from stash2plex.servers.scenepages import ScenePage
from stash2plex.servers.stash import Stash
from stash2plex.store.undo_marks import Held
from stash2plex.sync.apply import files_mark
from stash2plex.sync.sweep import (
    ChangeFilter,
    Enqueued,
    Idle,
    find_vanished,
    full_sweep,
    poll,
    run_through,
)
from stash2plex.workqueue import BULK, HELD
from tests.support import ManualClock, make_scene, named

TEXT = Settings(skip_fields=frozenset({Field.POSTER, Field.BACKGROUND}))


class Pages(Stash):
    """A Stash that answers from a list, and keeps what it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []

    def scene_page(self, after, criteria=None):
        self.asked.append((after, criteria))
        return self.answers.pop(0)

    def studio_ids_changed(self, after):
        self.asked.append(("studios", after))
        return self.answers.pop(0)

    def entity_ids(self, kind):
        self.asked.append(("entities", kind))
        return self.answers.pop(0)


@pytest.fixture
def store(data_folder):
    opened = open_store(str(data_folder), ManualClock(), Random(1))
    yield opened
    opened.connection.close()


def make(store, settings=TEXT, **values):
    return ChangeFilter(store.queue, store.records, settings, store.scenes, **values)


def sync(store, scene, settings=TEXT, key="7"):
    """Record a scene as in sync."""
    desired = desired_state(scene, settings)
    store.records.put(
        Record(
            scene.id, key, "1", "/media/a.mp4", "the whole path", desired.fingerprint, {},
            cover_tag=scene.cover_tag, files=files_mark(scene),
        ),
        scene,
    )  # fmt: skip


def queued(store):
    return [tuple(row) for row in store.connection.execute("SELECT kind, id FROM queue ORDER BY 2")]


def standings(store):
    return dict(store.connection.execute("SELECT id, standing FROM scene").fetchall())


def bury(store, id_):
    store.queue.add("scene", id_)
    (claim,) = store.queue.claim(1, 60.0)
    store.queue.bury(claim, title="A pier", reason="rejected", error="No.", path="")


EXCLUDING = Settings(
    skip_fields=TEXT.skip_fields, only_organized=True, exclude_tags=NameList.of("Fog")
)


@pytest.mark.parametrize(
    ("values", "settings", "why"),
    [
        ({"details": "Fog."}, TEXT, None),
        ({"files": ()}, TEXT, Idle.NO_FILE),
        ({"title": "", "details": ""}, TEXT, Idle.NO_METADATA),
        ({"organized": False}, EXCLUDING, Idle.NOT_ORGANIZED),
        ({"organized": True, "tags": named("fog")}, EXCLUDING, Idle.EXCLUDED),
        ({"organized": False, "tags": named("fog")}, EXCLUDING, Idle.NOT_ORGANIZED),
        ({"organized": True, "tags": named("tide")}, EXCLUDING, None),
        ({"files": (), "organized": False}, EXCLUDING, Idle.NO_FILE),
    ],
)
def test_why_a_scene_needs_no_change(store, values, settings, why):
    assert make(store, settings).why_idle(make_scene(3, **values)) is why


def test_what_becomes_of_the_scenes_of_a_page(store):
    scenes = [
        make_scene(1), make_scene(2, files=()), make_scene(3), make_scene(4, title="", details=""),
        make_scene(5), make_scene(6, files=()),
    ]  # fmt: skip
    for scene in (scenes[2], scenes[4]):
        sync(store, scene)
    # The fifth is in sync, but its key is queued: it is claimed anyway.
    store.queue.add("scene", 5, priority=BULK)
    found = make(store).take(scenes, [9], {7: Transient("Stash", "Scene 7 cannot be read.")})
    assert found == Enqueued(3, 1, {Idle.IN_SYNC: 1, Idle.NO_FILE: 2, Idle.NO_METADATA: 1})
    assert queued(store) == [("scene", id_) for id_ in (1, 5, 7, 9)]
    assert standings(store) == {
        1: "", 2: "not_in_plex", 3: "in_sync", 4: "no_metadata", 5: "in_sync", 6: "not_in_plex",
        7: "", 9: "",
    }  # fmt: skip
    again = make(store).take(scenes[:1], [], None)
    assert again == Enqueued(0, 1, {})
    store.queue.add("scene", 3, priority=BULK)
    assert make(store).take([scenes[2], scenes[4], scenes[1]], [], None) == Enqueued(
        0, 2, {Idle.NO_FILE: 1}
    )


def test_a_scene_seen_for_the_first_time_makes_the_list_of_scenes_new(store):
    as_of = "SELECT value FROM meta WHERE name = 'scenes_as_of'"
    store.scenes.see({1: "in_sync"})
    assert store.connection.execute(as_of).fetchone() is None
    store.scenes.all_seen()
    first = store.connection.execute(as_of).fetchone()
    store.scenes.clock.step(10.0)
    store.scenes.see({1: "not_in_plex"})
    assert store.connection.execute(as_of).fetchone() == first
    store.scenes.see({1: "in_sync", 2: "in_sync"})
    assert float(store.connection.execute(as_of).fetchone()[0]) == float(first[0]) + 10.0


def test_a_filter_that_queues_nothing_stores_the_standings(store, heard):
    scenes = [make_scene(1), make_scene(2, files=()), make_scene(3)]
    unreadable = {7: Transient("Stash", "Scene 7 cannot be read.")}
    found = make(store, queues=False).take(scenes, (), unreadable)
    assert found == Enqueued(0, 0, {Idle.NO_FILE: 1})
    assert (queued(store), heard) == ([], [])
    assert standings(store) == {1: "", 2: "not_in_plex", 3: "", 7: ""}


def test_an_unreadable_scene_is_named_once_by_a_process(store, heard):
    named_so_far: set[int] = set()
    troubles = {
        id_: Transient("Stash", f"Scene {id_} cannot be read.", "Look at it.") for id_ in (7, 8)
    }
    for _ in range(2):
        make(store, named=named_so_far).take([], (), troubles)
    assert heard == [
        f"Scene {id_} cannot be read. All others go on; it is tried again." for id_ in (7, 8)
    ]
    full = set(range(100, 1_099))
    make(store, named=full).take([], (), troubles)
    assert len(heard) == 3
    assert make(store).named == set()


@pytest.mark.parametrize(
    ("revive", "run_id", "dead", "held"),
    [(False, 0, [1], 1), (True, 0, [], 1), (True, 4, [], 0), (False, 4, [1], 1)],
)
def test_what_the_user_asked_for_takes_up_held_keys_and_dead_letters(
    store, revive, run_id, dead, held
):
    bury(store, 1)
    store.queue.add("scene", 2, priority=BULK)
    store.connection.execute("UPDATE queue SET priority = 2 WHERE id = 2")
    options = {"revive": True} if revive else {}
    make(store, run_id=run_id, **options).take([make_scene(1), make_scene(2)])
    rows = store.connection.execute("SELECT id FROM dead_letter").fetchall()
    assert [id_ for (id_,) in rows] == dead
    (number,) = store.connection.execute("SELECT count(*) FROM queue WHERE priority = 2").fetchone()
    assert number == held


def test_keys_belong_to_the_run_that_asked(store):
    for id_, revive in ((1, False), (2, True)):
        make(store, run_id=4 + id_, revive=revive).take([make_scene(id_)])
    make(store).take([make_scene(3)])
    rows = store.connection.execute("SELECT id, run_id FROM queue ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(1, 5), (2, 6), (3, 0)]


def test_what_was_put_back_is_left_alone(store):
    scenes = [make_scene(id_) for id_ in (1, 2, 3)]
    change_filter = make(store)
    assert change_filter.why_idle(scenes[0], Held(whole=True)) is Idle.UNDONE
    store.connection.execute("INSERT INTO undo (scene_id, held) VALUES (2, 'all')")
    assert change_filter.take(scenes) == Enqueued(2, 0, {Idle.UNDONE: 1})
    assert (queued(store), standings(store)) == (
        [("scene", 1), ("scene", 3)],
        {1: "", 2: "undone", 3: ""},
    )


def test_a_scene_of_which_fields_are_held_is_in_sync_without_these(store):
    scene, held = make_scene(1), Held(fields=frozenset({Field.TITLE}))
    sync(store, scene)
    assert make(store).why_idle(scene) is Idle.IN_SYNC
    assert make(store).why_idle(scene, held) is None
    rest = without_fields(desired_state(scene, TEXT), held.fields)
    store.connection.execute("UPDATE scene_record SET fingerprint = ?", (rest.fingerprint,))
    assert make(store).why_idle(scene) is None
    assert make(store).why_idle(scene, held) is Idle.IN_SYNC


# -- sentences ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Enqueued(), "0 scenes queued."),
        (Enqueued(1), "1 scene queued."),
        (Enqueued(1_200, 1), "1,200 scenes queued; 1 was due already."),
        (Enqueued(0, 1_200), "0 scenes queued; 1,200 were due already."),
        (Enqueued(0, 0, {Idle.IN_SYNC: 3}), "0 scenes queued: 3 in sync already."),
        (Enqueued(2, 0, {Idle.NO_METADATA: 1}), "2 scenes queued; 1 has no metadata yet."),
        (Enqueued(0, 2, {Idle.NO_METADATA: 2}),
         "0 scenes queued; 2 were due already; 2 have no metadata yet."),
        (Enqueued(1, 0, {Idle.NO_FILE: 1, Idle.EXCLUDED: 2, Idle.NOT_ORGANIZED: 1_000,
                         Idle.UNDONE: 4, Idle.IN_SYNC: 5}),
         ("1 scene queued; 5 in sync already, 4 put back, and left out since, 1,000 not organized, "
          "2 with an excluded tag, 1 without a file.")),
    ],
)  # fmt: skip
def test_what_became_of_scenes_in_words(found, sentence):
    assert found.sentence() == sentence


def test_what_made_scenes_due_already_is_named():
    found = Enqueued(1, 2, {Idle.IN_SYNC: 3})
    assert found.sentence("saves and scans") == (
        "1 scene queued; 2 were due already (saves and scans); 3 in sync already."
    )


def test_counts_add_up():
    both = Enqueued(1, 2, {Idle.IN_SYNC: 3, Idle.NO_FILE: 1}) + Enqueued(
        10, 20, {Idle.IN_SYNC: 30, Idle.EXCLUDED: 0}
    )
    assert both == Enqueued(11, 22, {Idle.IN_SYNC: 33, Idle.NO_FILE: 1})
    assert Enqueued() + Enqueued() == Enqueued()


# -- a full sweep -------------------------------------------------------------------------


def test_a_full_sweep_reads_every_page_and_finds_what_is_gone(store):
    there = [make_scene(id_) for id_ in (2, 4, 6)]
    for scene in (*there, *(make_scene(id_) for id_ in (1, 3, 5, 9))):
        sync(store, scene, key=str(scene.id))
    store.scenes.see({8: "in_sync", 10: "in_sync"})
    store.queue.add("scene", 5, priority=BULK)
    store.connection.execute("UPDATE queue SET due_at = due_at + 1000")
    stash = Pages(
        ScenePage(tuple(there[:2]), 4, ended=False), ScenePage((there[2],), 6, ended=True)
    )
    assert not store.scenes.are_listed
    found = run_through(full_sweep(make(store), stash))
    assert stash.asked == [(0, None), (4, None)]
    assert found == Enqueued(3, 0, {Idle.IN_SYNC: 3})
    assert queued(store) == [("scene", id_) for id_ in (1, 3, 5, 9)]
    (due,) = store.connection.execute(
        "SELECT count(*) FROM queue WHERE due_at <= 1000000"
    ).fetchone()
    assert due == 4
    assert {*standings(store)}.isdisjoint({8, 10})
    assert store.scenes.are_listed


def test_a_page_without_a_scene_in_the_middle_ends_nothing(store):
    stash = Pages(
        ScenePage((), 4, ended=False, unreadable={3: Transient("Stash", "It is odd.")}),
        ScenePage((), 8, ended=False),
        ScenePage((make_scene(9),), 9, ended=True),
    )
    assert run_through(full_sweep(make(store), stash)) == Enqueued(2, 0, {})
    assert [after for after, _ in stash.asked] == [0, 4, 8]


@pytest.mark.parametrize("known", [True, False])
def test_from_a_stash_without_a_scene_follows_nothing(store, known):
    if known:
        sync(store, make_scene(3))
        store.scenes.see({3: "in_sync"})
    found = run_through(full_sweep(make(store), Pages(ScenePage((), 0, ended=True))))
    assert (found, queued(store)) == (Enqueued(), [])
    assert store.scenes.are_listed is not known


# -- polls --------------------------------------------------------------------------------

AFTER = "2026-05-06T12:00:00"
CHANGED = {"updated_at": {"value": AFTER, "modifier": "GREATER_THAN"}}


@pytest.mark.parametrize(
    ("kind", "criteria"),
    [
        ("scene", CHANGED),
        ("performer", {"performers_filter": CHANGED}),
        ("tag", {"tags_filter": CHANGED}),
        ("group", {"movies_filter": CHANGED}),
        ("file", {"files_filter": CHANGED}),
    ],
)
def test_a_poll_asks_for_what_shows_something_that_changed(store, kind, criteria):
    scenes = [make_scene(id_) for id_ in (2, 4, 6)]
    sync(store, scenes[1])
    odd = {5: Transient("Stash", "It is odd.")}
    stash = Pages(
        ScenePage(tuple(scenes[:2]), 4, ended=False, unreadable=odd),
        ScenePage((scenes[2],), 6, ended=True),
    )
    found = run_through(poll(make(store), stash, kind, AFTER))
    assert found == Enqueued(3, 0, {Idle.IN_SYNC: 1})
    assert stash.asked == [(0, criteria), (4, criteria)]
    assert queued(store) == [("scene", id_) for id_ in (2, 5, 6)]


def test_a_poll_of_studios_asks_for_the_scenes_of_each_and_of_those_below(store):
    stash = Pages([3, 8], ScenePage((make_scene(2),), 2, ended=True))
    assert run_through(poll(make(store), stash, "studio", AFTER)) == Enqueued(1, 0, {})
    criteria = {"studios": {"value": ["3", "8"], "modifier": "INCLUDES", "depth": -1}}
    assert stash.asked == [("studios", AFTER), (0, criteria)]
    none = Pages([])
    assert run_through(poll(make(store), none, "studio", AFTER)) == Enqueued()
    many = Pages(list(range(1_000)))
    assert run_through(poll(make(store), many, "studio", AFTER)) is None
    assert (len(none.asked), len(many.asked)) == (1, 1)
    fewer = Pages(list(range(999)), ScenePage((), 0, ended=True))
    assert run_through(poll(make(store), fewer, "studio", AFTER)) == Enqueued()


def test_entities_that_are_gone_are_queued_once(store):
    shown = make_scene(1, tags=named("fog", "tide", "ebb"), performers=named("Performer 17"))
    sync(store, shown)
    stash = Pages([2], [2], [])
    assert run_through(find_vanished(make(store, run_id=5), stash, "tag")) == 2
    assert queued(store) == [("tag", 1), ("tag", 3)]
    rows = store.connection.execute("SELECT DISTINCT run_id FROM queue").fetchall()
    assert [run for (run,) in rows] == [5]
    assert run_through(find_vanished(make(store), stash, "tag")) == 0
    assert run_through(find_vanished(make(store), stash, "performer")) == 1
    assert stash.asked == [("entities", "tag"), ("entities", "tag"), ("entities", "performer")]


def test_the_file_of_a_scene_counts_for_its_sync(store):
    scene = make_scene(1)
    sync(store, scene)
    moved = make_scene(1, files=(StashFile("/data/quay/a.mp4", 100),))
    assert make(store).why_idle(scene) is Idle.IN_SYNC
    assert make(store).why_idle(moved) is None


@pytest.mark.parametrize(("run_id", "priority"), [(0, HELD), (1, BULK), (2, BULK)])
def test_what_a_run_wants_takes_held_keys_up_and_what_no_run_wants_leaves_them(
    store, run_id, priority
):
    store.queue.add("scene", 5)
    store.connection.execute("UPDATE queue SET priority = ?", (HELD,))
    make(store, revive=True, run_id=run_id).take([make_scene(5)])
    assert [row[0] for row in store.connection.execute("SELECT priority FROM queue")] == [priority]
