"""The looks at Stash of a process that drains: when, what is asked, what is stored and logged."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from attrs import evolve

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.db import get_meta, set_meta
from stash2plex.errors import Refused, Transient, Unavailable
from stash2plex.model import Glance, Mark, Record, StashJob
from stash2plex.servers.scenepages import ScenePage
from stash2plex.servers.stash import Stash
from stash2plex.store.marks import ask_for_look, load_marks, look_is_asked, save_marks
from stash2plex.store.meta import REBUILD, SCENES_AS_OF, SWEEP_MARKS
from stash2plex.store.outages import read_outages
from stash2plex.store.repair import rebuild_mark
from stash2plex.sync.sweep import Enqueued
from stash2plex.sync.sweeper import LibrarySweeper
from stash2plex.workqueue import BULK
from tests.support import ManualClock, make_scene, named, present

START = 1_000_000.0
NOON, LATER = "2026-05-06T12:00:00+02:00", "2026-05-06T12:05:00+02:00"
DAY = 86_400.0


def glance(*jobs, configured="{}", **marks):
    held = {"scene": Mark(NOON, 3), "tag": Mark(NOON, 2), "studio": Mark(NOON, 1)}
    held.update({kind: Mark(*value) for kind, value in marks.items()})
    return Glance(held, tuple(jobs), configured)


class Harbour(Stash):
    """A Stash that shows what the test sets, and keeps what it is asked."""

    def __init__(self):
        self.shown = glance()
        self.scenes_there = [make_scene(id_, title=f"Scene {id_}") for id_ in (1, 2, 3)]
        self.studio_list = [1]
        self.tag_ids = [1, 2]
        self.errors: dict[str, Exception] = {}
        self.asked: list[tuple[Any, ...]] = []

    def _answer(self, *asked):
        self.asked.append(asked)
        if asked[0] in self.errors:
            raise self.errors[asked[0]]

    def glance(self, plugin_id, last_job):
        self._answer("glance", plugin_id, last_job)
        return self.shown

    def scene_page(self, after, criteria=None):
        kind = "all" if criteria is None else min(criteria)
        self._answer("page", after, kind)
        there = [scene for scene in self.scenes_there if scene.id > after]
        return ScenePage(tuple(there), there[-1].id if there else after, ended=True)

    def studio_ids_changed(self, after):
        self._answer("studios", after)
        return self.studio_list

    def entity_ids(self, kind):
        self._answer("entities", kind)
        return self.tag_ids


class Bridge:
    """A sweeper, its store, a Stash and a clock."""

    def __init__(self, folder):
        self.clock = ManualClock(START)
        self.store = open_store(folder, self.clock, Random(1))
        self.stash = Harbour()
        self.settings = Settings(reconcile_interval="never")
        self.sweeper = self.make()

    def make(self):
        return LibrarySweeper(
            self.store, "Stash2Plex", clock=self.clock, monotonic=self.clock.monotonic
        )

    def look(self, seconds=0.0, *, by_clock=False):
        """Let time go by and do all that is due; returns what Stash was asked."""
        self.clock.step(seconds)
        self.stash.asked.clear()
        while self.sweeper.step(self.settings, self.stash, by_clock=by_clock, seconds=30.0):
            pass
        return list(self.stash.asked)

    def queued(self):
        rows = self.store.connection.execute("SELECT kind, id, run_id FROM queue ORDER BY 1, 2")
        return [tuple(row) for row in rows]

    def empty(self):
        self.store.connection.execute("DELETE FROM queue")

    @property
    def marks(self):
        return present(load_marks(self.store.connection))


@pytest.fixture
def bridge(data_folder):
    made = Bridge(str(data_folder))
    yield made
    made.sweeper.rest()
    made.store.connection.close()


GLANCE = ("glance", "Stash2Plex", 0)
ALL = ("page", 0, "all")


def test_the_first_look_lists_the_scenes_and_queues_none(bridge, heard):
    assert bridge.look() == [GLANCE, ALL]
    assert (bridge.queued(), heard) == ([], [])
    assert bridge.store.scenes.are_listed
    marks = bridge.marks
    assert (marks.looked_at, marks.swept_at, marks.sweep_at, marks.cause) == (
        START,
        START,
        None,
        "",
    )
    assert {kind: (mark.newest, mark.count) for kind, mark in marks.kinds.items()} == {
        "scene": (NOON, 3), "tag": (NOON, 2), "studio": (NOON, 1),
    }  # fmt: skip
    assert not bridge.sweeper.settings_moved
    assert not bridge.sweeper.jobs_run


def test_a_look_comes_each_minute_or_when_it_is_asked_for(bridge):
    bridge.look()
    assert [len(bridge.look(seconds)) for seconds in (0.0, 59.9, 0.1, 59.9)] == [0, 0, 1, 0]
    ask_for_look(bridge.store.connection)
    assert bridge.look() == [GLANCE]
    assert not look_is_asked(bridge.store.connection)
    assert bridge.look() == []
    # Another process knows nothing of the last look.
    bridge.sweeper = bridge.make()
    assert bridge.look() == [GLANCE]


def test_what_moved_is_polled_and_what_vanished_is_looked_for(bridge, heard):
    bridge.look()
    bridge.stash.shown = glance(scene=(LATER, 3), studio=(LATER, 1))
    assert bridge.look(60.0) == [
        GLANCE,
        ("page", 0, "updated_at"),
        ("studios", NOON),
        ("page", 0, "studios"),
    ]
    assert bridge.queued() == [("scene", id_, 0) for id_ in (1, 2, 3)]
    assert heard == ["3 scenes queued: changed in Stash unseen."]
    assert bridge.marks.kinds["scene"].newest == LATER
    heard.clear()
    # Once more for what changed in the same second; what is queued already is not new.
    assert len(bridge.look(60.0)) == 4
    assert heard == []
    assert len(bridge.look(60.0)) == 1


def test_scenes_of_what_vanished_are_counted_with_those_that_changed(bridge, heard):
    bridge.look()
    shown = make_scene(9, tags=named("fog", "tide", "ebb"))
    bridge.store.records.put(Record(9, "7", "1", "/m.mp4", "the whole path", "f", {}), shown)
    bridge.stash.shown = glance(tag=(NOON, 1))
    bridge.stash.scenes_there = bridge.stash.scenes_there[:1]
    asked = bridge.look(60.0)
    assert asked[1:] == [("entities", "tag"), ("page", 0, "tags_filter")]
    assert bridge.queued() == [("scene", 1, 0), ("tag", 3, 0)]
    assert heard == ["2 scenes queued: changed in Stash unseen."]


def test_the_clock_makes_a_full_sweep_due_only_where_it_counts(bridge, heard):
    bridge.settings = Settings(reconcile_interval="daily")
    bridge.look()
    assert bridge.look(DAY) == [GLANCE]
    assert bridge.look(60.0, by_clock=True) == [GLANCE, ALL]
    assert heard == ["Every scene was compared, because that is done daily: 3 scenes queued."]
    assert bridge.queued() == [("scene", id_, 0) for id_ in (1, 2, 3)]
    assert bridge.marks.swept_at == START + DAY + 60.0
    assert bridge.look(60.0, by_clock=True) == [GLANCE]


def test_what_moved_is_not_polled_beside_a_full_sweep(bridge):
    bridge.settings = Settings(reconcile_interval="daily")
    bridge.look()
    bridge.stash.shown = glance(scene=(LATER, 3), tag=(NOON, 1))
    assert bridge.look(DAY, by_clock=True) == [GLANCE, ALL]
    assert bridge.marks.kinds["scene"].newest == LATER
    assert bridge.marks.kinds["tag"].count == 1


def bury(bridge, id_):
    queue = bridge.store.queue
    queue.add("scene", id_)
    (claim,) = queue.claim(1, 60.0)
    queue.bury(claim, title="A pier", reason="rejected", error="No.", path="")


def dead(bridge):
    rows = bridge.store.connection.execute("SELECT id FROM dead_letter ORDER BY id")
    return [id_ for (id_,) in rows]


@pytest.mark.parametrize("changed", [True, False])
def test_a_changed_setting_queues_dead_letters_again(bridge, heard, changed):
    bridge.look()
    bury(bridge, 2)
    if changed:
        bridge.settings = evolve(bridge.settings, max_tags=3)
    else:
        set_meta(bridge.store.connection, SWEEP_MARKS, "odd")
    assert bridge.look(60.0) == [GLANCE, ALL]
    assert dead(bridge) == ([] if changed else [2])
    cause = "a setting has changed" if changed else "what was last seen of Stash could not be read"
    assert heard[-1].startswith(f"Every scene was compared, because {cause}: ")
    assert (heard[0] == "What was last seen of Stash cannot be read; every scene is compared.") is (
        not changed
    )
    assert bridge.look(60.0) == [GLANCE]


def test_new_settings_are_looked_with_at_once(bridge):
    bridge.look()
    bridge.settings = evolve(bridge.settings, debug_logging=True)
    bridge.sweeper.settings_moved = True
    assert bridge.look() == [GLANCE]
    assert not bridge.sweeper.settings_moved


def test_the_stored_settings_have_moved_if_a_later_glance_shows_others(bridge):
    moved = []
    for text in ("{}", "{}", '{"a": 1}', '{"a": 1}'):
        bridge.stash.shown = glance(configured=text)
        bridge.look(60.0)
        moved.append(bridge.sweeper.settings_moved)
    assert moved == [False, False, True, False]


def test_jobs_of_stash_are_known_while_they_run_and_lead_to_a_sweep(bridge, heard):
    bridge.stash.shown = glance(StashJob(4, "RUNNING", "Scanning..."))
    bridge.look()
    assert bridge.sweeper.jobs_run
    bridge.stash.shown = glance(StashJob(4, "FINISHED", "Scanning..."))
    assert bridge.look(60.0) == [("glance", "Stash2Plex", 4), ALL]
    assert not bridge.sweeper.jobs_run
    assert heard == [
        (
            "Every scene was compared, because a scan, a clean or an import of Stash has ended: "
            "3 scenes queued."
        )
    ]


def test_after_a_restart_of_stash_its_jobs_are_asked_for_from_the_first(bridge):
    bridge.stash.shown = glance(StashJob(40, "FINISHED", "Scanning..."))
    bridge.look()
    bridge.stash.shown = glance(StashJob(2, "FINISHED", "Scanning..."))
    assert bridge.look(60.0) == [("glance", "Stash2Plex", 40), GLANCE, ALL]
    assert bridge.marks.last_job == 2


def test_the_cause_of_a_sweep_is_stored_before_the_sweep_and_kept_if_that_fails(bridge, heard):
    bridge.look()
    bridge.stash.shown = glance(scene=("2026-05-01T12:00:00+02:00", 3))
    bridge.stash.errors["page"] = Transient("Stash", "Half a page.")
    bridge.look(60.0)
    assert bridge.marks.cause == "Stash shows an older state than before"
    # What moved is seen again by the next look.
    assert bridge.marks.kinds["scene"].newest == NOON
    assert heard == ["Looking for changes in Stash failed; it is tried again: Half a page."]
    bridge.stash.errors.clear()
    assert bridge.look(60.0) == [GLANCE, ALL]
    assert bridge.marks.cause == ""


@pytest.mark.parametrize(
    ("error", "again", "failures"),
    [
        (Unavailable("Stash", "Stash is away."), 5.0, 1),
        (Refused("Stash", "Stash wants a log-in."), 5.0, 1),
        (Transient("Stash", "Half an answer."), 60.0, 0),
    ],
)
def test_a_look_that_failed_is_tried_again_and_logged_once(bridge, heard, error, again, failures):
    bridge.look()
    bridge.stash.errors["glance"] = error
    ask_for_look(bridge.store.connection)
    assert len(bridge.look()) == 1
    assert not look_is_asked(bridge.store.connection)
    assert bridge.store.breakers["stash"].read().failures == failures
    assert [len(bridge.look(again - 0.1)), len(bridge.look(0.1))] == [0, 1]
    assert heard == [f"Looking for changes in Stash failed; it is tried again: {error}"]
    bridge.stash.errors["glance"] = Transient("Stash", "Another cause.")
    bridge.look(60.0)
    assert len(heard) == 2
    bridge.stash.errors.clear()
    bridge.look(60.0)
    assert bridge.store.breakers["stash"].read().failures == 0


def test_an_outage_of_stash_knows_how_many_keys_wait(bridge):
    bridge.look()
    for id_ in (1, 2):
        bridge.store.queue.add("scene", id_)
    bridge.stash.errors["glance"] = Unavailable("Stash", "Stash is away.")
    for _ in range(3):
        bridge.look(60.0)
    (outage,) = read_outages(bridge.store.connection)
    assert (outage.server, outage.waiting) == ("stash", 2)


def test_a_database_that_was_set_aside_has_every_scene_compared(bridge, heard):
    bridge.look()
    connection = bridge.store.connection
    set_meta(connection, REBUILD, "old.db")
    assert bridge.look(60.0) == [GLANCE, ALL]
    assert heard == [
        (
            "Every scene was compared, because the database was damaged and set aside as old.db: "
            "3 scenes queued."
        )
    ]
    assert rebuild_mark(connection) is None
    assert bridge.look(60.0) == [GLANCE]


def test_more_studios_than_one_question_takes_are_left_to_a_sweep_at_once(bridge, heard):
    bridge.look()
    bridge.stash.shown = glance(studio=(LATER, 1), scene=(LATER, 3))
    bridge.stash.studio_list = list(range(1_000))
    assert bridge.look(60.0) == [
        GLANCE, ("page", 0, "updated_at"), ("studios", NOON), GLANCE, ALL,
    ]  # fmt: skip
    assert heard == [
        "3 scenes queued: changed in Stash unseen.",
        (
            "Every scene was compared, because many studios have changed: 0 scenes queued; "
            "3 were due already."
        ),
    ]


def test_keys_belong_to_the_run_of_the_process_or_to_the_one_that_asked(bridge):
    bridge.look()
    bridge.stash.shown = glance(scene=(LATER, 3))
    bridge.sweeper.run_id = 7
    ask_for_look(bridge.store.connection, 4)
    bridge.look()
    assert {run for _, _, run in bridge.queued()} == {7}
    bridge.empty()
    bridge.sweeper.run_id = 0
    ask_for_look(bridge.store.connection, 4)
    bridge.look()
    assert {run for _, _, run in bridge.queued()} == {4}
    bridge.empty()
    bridge.stash.shown = glance(scene=("2026-05-06T12:05:09+02:00", 3))
    bridge.look(60.0)
    assert {run for _, _, run in bridge.queued()} == {0}


def test_a_sweep_that_the_user_asked_for_queues_dead_letters_and_answers(bridge):
    bury(bridge, 2)
    bridge.store.queue.add("scene", 3, priority=BULK)
    bridge.sweeper.run_id = 7
    found = bridge.sweeper.sweep_all(bridge.settings, bridge.stash)
    assert found == Enqueued(2, 1, {})
    assert (dead(bridge), bridge.stash.asked) == ([], [GLANCE, ALL])
    assert bridge.marks.swept_at == START
    # That was a look, under these settings.
    assert [len(bridge.look(seconds)) for seconds in (0.0, 59.9, 0.1)] == [0, 0, 1]
    bridge.stash.errors["glance"] = Unavailable("Stash", "Stash is away.")
    with pytest.raises(Unavailable):
        bridge.sweeper.sweep_all(bridge.settings, bridge.stash)


def test_a_rest_in_the_middle_leaves_everything_due(bridge):
    bridge.look()
    bridge.stash.shown = glance(scene=(LATER, 3))
    bridge.clock.step(60.0)
    step = bridge.sweeper.step
    assert step(bridge.settings, bridge.stash, by_clock=False, seconds=30.0)
    bridge.sweeper.rest()
    bridge.sweeper.rest()
    assert bridge.marks.kinds["scene"].newest == NOON
    assert not step(bridge.settings, bridge.stash, by_clock=False, seconds=30.0)
    assert bridge.look(60.0)[1:] == [("page", 0, "updated_at")]


def test_as_many_scenes_as_are_known_means_that_all_are(bridge):
    bridge.look()
    as_of = get_meta(bridge.store.connection, SCENES_AS_OF)
    bridge.stash.shown = glance(scene=(NOON, 4))
    bridge.stash.scenes_there = []
    bridge.look(60.0)
    assert get_meta(bridge.store.connection, SCENES_AS_OF) == as_of
    bridge.stash.shown = glance(scene=(NOON, 3))
    bridge.look(60.0)
    assert get_meta(bridge.store.connection, SCENES_AS_OF) == f"{START + 120.0:.3f}"
    save_marks(bridge.store.connection, evolve(bridge.marks, sweep_at=0.0, cause="x"))
    assert bridge.look(60.0)[1:] == [ALL]
