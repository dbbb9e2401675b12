"""One state a scene: the kept places and the counts against the rules, after any calls."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stash2plex.db import connect
from stash2plex.rules.scene_states import (
    DEAD,
    EXCLUDED,
    FREE,
    GIVEN_UP,
    IN_SYNC,
    LEFT_OUT,
    NO_METADATA,
    NOT_IN_PLEX,
    QUEUED,
    REASONS,
    STATES,
    TO_SEND,
    queued_state,
    resting_state,
)
from stash2plex.store import scene_counts
from stash2plex.store.queue import Queue
from stash2plex.store.runs import Runs
from stash2plex.store.scene_counts import count_scenes
from stash2plex.store.scenes import Scenes
from stash2plex.store.stored_status import read_stored_status
from tests.harness.old_database import old_database
from tests.support import ManualClock

IDS = st.integers(1, 6)
STANDINGS = st.sampled_from([IN_SYNC, NOT_IN_PLEX, EXCLUDED, NO_METADATA, ""])
REASON = st.sampled_from(["not_in_plex", "transient", ""])
DELAYS = st.sampled_from([0.0, 30.0])


class SceneStates(RuleBasedStateMachine):
    """Scenes that come, wait, fail, arrive and go, in any order."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.clock = ManualClock()
        self.db = connect(os.path.join(self.folder, "stash2plex.db"), relaxed=True)
        self.queue = Queue(self.db, self.clock)
        self.runs = Runs(self.db, self.clock)
        self.scenes = Scenes(self.db, self.clock)
        self.claims = []

    def teardown(self):
        self.db.close()
        shutil.rmtree(self.folder)

    @rule(id_=IDS, priority=st.sampled_from([0, 1]), delay=DELAYS, tag=st.booleans())
    def add(self, id_, priority, delay, tag):
        self.queue.add("tag" if tag else "scene", id_, priority=priority, delay=delay)

    @rule(ids=st.lists(IDS, max_size=4))
    def offer(self, ids):
        self.queue.offer([("scene", id_) for id_ in ids])

    @rule(limit=st.integers(1, 3))
    def claim(self, limit):
        self.claims += self.queue.claim(limit, 60.0)

    @rule(end=st.sampled_from(["ack", "nack", "snooze", "release", "bury"]), delay=DELAYS,
          standing=STANDINGS, reason=REASON)  # fmt: skip
    def end(self, end, delay, standing, reason):
        if not self.claims:
            return
        claim = self.claims.pop(0)
        match end:
            case "ack":
                if self.queue.ack(claim) and claim.kind == "scene":
                    self.scenes.stand(claim.id, standing)
            case "nack":
                self.queue.nack(claim, delay=delay, reason=reason, error="odd")
            case "snooze":
                self.queue.snooze(claim, delay=delay, reason=reason, error="odd")
            case "release":
                self.queue.release(claim)
            case _:
                self.queue.bury(claim, title="", reason=reason, error="odd")

    @rule(standings=st.dictionaries(IDS, STANDINGS))
    def see(self, standings):
        self.scenes.see(standings)

    @rule(there=st.sets(IDS))
    def sweep(self, there):
        free, dead = self.scenes.absent(0, 100, there)
        self.scenes.forget(free)
        self.queue.wake([("scene", id_) for id_ in dead])

    @rule(keys=st.lists(IDS, max_size=3))
    def redrive(self, keys):
        self.queue.redrive([("scene", id_) for id_ in keys])

    @rule(keys=st.lists(IDS, max_size=3))
    def discard(self, keys):
        self.queue.discard([("scene", id_) for id_ in keys])

    @rule()
    def clear_waiting(self):
        self.queue.clear_waiting()

    @rule()
    def clear_dead(self):
        self.queue.clear_dead()

    @rule()
    def take_over(self):
        self.queue.take_over()
        self.claims.clear()

    @rule(seconds=st.sampled_from([1.0, 30.0, 100.0]))
    def wait(self, seconds):
        self.clock.step(seconds)

    @rule()
    def stop(self):
        run = self.runs.begin("a task", None, 0.0)
        self.queue.enqueue([("scene", 1), ("scene", 7)], run_id=run.id)
        self.runs.stop(run.id)

    @invariant()
    def each_scene_is_in_one_state_and_the_counts_say_which(self):
        for runs in (True, False):
            states, reasons = count_scenes(self.db, self.clock(), worker_runs=runs)
            assert Counter(states) == Counter(dict.fromkeys(STATES, 0)) + self.expected(runs=runs)
            (total,) = self.db.execute("SELECT count(*) FROM scene").fetchone()
            assert sum(states.values()) == total
            assert sum(reasons.values()) == states[LEFT_OUT]

    def expected(self, *, runs):
        queue = {
            row[0]: row[1:]
            for row in self.db.execute(
                "SELECT id, priority, lease_id, due_at, reason FROM queue WHERE kind = 'scene'"
            )
        }
        dead = {
            id_ for (id_,) in self.db.execute("SELECT id FROM dead_letter WHERE kind = 'scene'")
        }
        found: Counter[str] = Counter()
        known = set()
        for id_, place, standing in self.db.execute("SELECT id, place, standing FROM scene"):
            known.add(id_)
            assert place == (QUEUED if id_ in queue else DEAD if id_ in dead else FREE)
            if id_ in queue:
                priority, lease, due, reason = queue[id_]
                in_hand = lease is not None
                state = queued_state(
                    priority=priority,
                    leased=in_hand and runs,
                    due=in_hand or due <= self.clock(),
                    reason=reason,
                )
            else:
                state = GIVEN_UP if id_ in dead else resting_state(standing)
            found[state] += 1
        assert known >= set(queue) | dead
        return found


TestSceneStates = SceneStates.TestCase


@pytest.fixture
def database(tmp_path):
    connection = connect(str(tmp_path / "stash2plex.db"))
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("STANDINGS", "COVERING INDEX scene_place"),
        ("IN_HAND", "INDEX queue_leased"),
        ("HELD", "COVERING INDEX queue_due (priority=?)"),
        ("LATER", "COVERING INDEX queue_due (priority=? AND due_at>?)"),
        ("MISSING", "COVERING INDEX queue_missing (priority=? AND due_at>?)"),
    ],
)
def test_counts_read_indexes_alone(database, name, index):
    """A hundred thousand scenes are counted in some milliseconds."""
    text = getattr(scene_counts, name)
    plan = [
        row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", (0.0,) * text.count("?"))
    ]
    assert any(line.endswith(f"USING {index}") for line in plan), plan
    assert not any(line.startswith("SCAN queue USING PRIMARY") for line in plan)


def test_a_record_that_is_doubted_says_nothing_of_its_scene(database):
    scenes = Scenes(database, ManualClock())
    scenes.see({1: IN_SYNC, 2: EXCLUDED})
    database.executemany(
        "INSERT INTO scene_record (scene_id, rating_key, section_id, plex_path, matched_by,"
        " fingerprint, written, synced_at) VALUES (?, '', '', '', '', 'a', '{}', 1)", [(1,), (2,)]
    )  # fmt: skip
    database.execute("UPDATE scene_record SET fingerprint = ''")
    states, _ = count_scenes(database, 0.0, worker_runs=False)
    assert (states[TO_SEND], states[LEFT_OUT], states[IN_SYNC]) == (1, 1, 0)


def test_what_an_older_database_holds_has_its_states(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    with old_database(path, 10) as old:
        for id_, fingerprint in ((1, "a"), (2, ""), (3, "a")):
            old.execute(
                "INSERT INTO scene_record (scene_id, rating_key, section_id, plex_path,"
                " matched_by, fingerprint, written, synced_at)"
                " VALUES (?, '', '', '', '', ?, '{}', 1)", (id_, fingerprint)
            )  # fmt: skip
        old.execute(
            "INSERT INTO queue (kind, id, priority, added_at, due_at) VALUES ('scene', 3, 0, 1, 1)"
        )
        old.execute(
            "INSERT INTO dead_letter (kind, id, reason, error, attempts, first_failed_at,"
            " last_failed_at) VALUES ('scene', 4, 'rejected', '', 1, 1, 1)"
        )
    database = connect(path)
    scenes = read_stored_status(database, str(tmp_path), 5.0)["scenes"]
    database.close()
    assert {name: number for name, number in scenes.items() if number} == {
        "total": 4,
        "in_sync": 1,
        "to_send": 2,
        "given_up": 1,
    }
    assert set(REASONS) >= {EXCLUDED, NO_METADATA}
