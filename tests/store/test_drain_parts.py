"""The parts of a drain that need no server: claims, evidence, threads, figures and libraries."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from attrs import evolve

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.errors import (
    ITEM,
    SERVER,
    LibraryUnread,
    NotInPlexYet,
    Refused,
    Transient,
    Unavailable,
)
from stash2plex.model import PlexFile, Record, Section, StashFile
from stash2plex.rules.endpoints import BACKGROUNDS, COVERS, POSTERS, EndpointState
from stash2plex.rules.pacing import Pacer
from stash2plex.rules.policy import Decision, Done, Verdict
from stash2plex.store.item_claims import Claimant
from stash2plex.store.other_items import other_items
from stash2plex.store.progress import Progress, ProgressBook, Tally, Wait
from stash2plex.sync.evidence import EDITS, ENTITIES, ITEMS, SCENES, Evidence
from stash2plex.sync.in_flight import InFlight, Step, Writes
from stash2plex.sync.in_hand import LEASE_RENEWAL, LEASE_SECONDS, KeysInHand
from stash2plex.sync.showing import Showing
from stash2plex.sync.whose_library import library_not_chosen, library_unread
from stash2plex.workqueue import BULK, URGENT
from tests.support import Edge, ManualClock, make_scene

DOWN = Unavailable("Plex", "It is away.")
AWAY = Unavailable("Stash", "Stash is away.")


class Bench:
    """A queue, the hand over it, and what the servers showed. `seen` is what an observer saw."""

    def __init__(self, folder):
        self.clock = ManualClock()
        self.store = open_store(folder, self.clock, Edge(high=True))
        self.tally = Tally("test", self.clock)
        clocks: dict[str, Any] = {"clock": self.clock, "monotonic": self.clock.monotonic}
        self.pacer = Pacer()
        self.evidence = Evidence(self.store, self.pacer, **clocks)
        edge = Edge(high=True)
        self.hand = KeysInHand(self.store, self.tally, self.evidence, random=edge, **clocks)
        self.seen: list[Progress] = []

    def progress(self, progress):
        self.seen.append(progress)

    def claim(self, *keys, priority=URGENT):
        self.store.queue.add_many(keys, priority=priority)
        return self.hand.claim(len(keys) or 9)

    def rows(self, sql, *values):
        return list(self.store.connection.execute(sql, values))

    def metrics(self):
        self.store.meter.flush(self.store.connection)
        return self.rows("SELECT name, label, value FROM metric ORDER BY name, label")

    def trip(self, server="plex", error=DOWN):
        for _ in range(3):
            self.store.breakers[server].failed(error, 1)


@pytest.fixture
def bench(tmp_path):
    bench = Bench(str(tmp_path))
    yield bench
    bench.store.connection.close()


# -- keys in hand -------------------------------------------------------------------------


def test_what_is_known_of_the_claimed_keys(bench):
    hand = bench.hand
    assert (len(hand), hand.busy, hand.urgent, hand.interruptions) == (0, False, 0, 0)
    bench.claim(("scene", 1), priority=BULK)
    assert (len(hand), hand.busy, hand.urgent) == (1, True, 0)
    bench.claim(("scene", 2), ("tag", 3))
    assert (len(hand), hand.busy, hand.urgent) == (3, True, 2)
    held = [hand.holds(key) for key in (("scene", 1), ("tag", 3), ("tag", 1), ("scene", 9))]
    assert held == [True, True, False, False]


def test_the_most_interrupted_of_the_claimed_keys_counts(bench):
    keys = [("scene", number) for number in (1, 2, 3)]
    bench.store.queue.add_many(keys, priority=URGENT)
    for number, times in ((1, 1), (2, 3), (3, 0)):
        bench.rows("UPDATE queue SET interruptions = ? WHERE id = ?", times, number)
    taken = []
    for _ in range(3):
        taken += [(key.claim.id, bench.hand.interruptions) for key in bench.hand.claim(1)]
        for key in list(bench.hand._keys.values()):
            bench.hand.finish(key.claim, Done("written"))
    assert sorted(taken) == [(1, 1), (2, 3), (3, 0)]


def test_only_urgent_keys_are_claimed_if_they_are_asked_for(bench):
    bench.store.queue.add_many([("scene", 1)], priority=BULK)
    bench.store.queue.add_many([("scene", 2)], priority=URGENT)
    assert [key.claim.id for key in bench.hand.claim(9, urgent_only=True)] == [2]
    assert [key.claim.id for key in bench.hand.claim(9)] == [1]


@pytest.mark.parametrize(
    ("step", "offset", "is_renewed"),
    [
        (LEASE_RENEWAL - 0.5, 0.0, False),
        (LEASE_RENEWAL, 0.0, True),
        # The clock on the wall was set.
        (1.0, LEASE_RENEWAL - 1.5, False),
        (1.0, LEASE_RENEWAL - 1.0, True),
        (1.0, -0.5, False),
        (1.0, -2.0, True),
        (LEASE_RENEWAL, -LEASE_RENEWAL, True),
    ],
)
def test_when_leases_are_renewed(bench, step, offset, is_renewed):
    bench.claim(("scene", 1))
    bench.claim(("scene", 2))
    before = bench.rows("SELECT id, lease_expires_at FROM queue ORDER BY id")
    bench.clock.step(step)
    bench.clock.offset = offset
    bench.hand.renew_leases()
    now = bench.clock() + LEASE_SECONDS
    expected = [(1, now), (2, now)] if is_renewed else before
    assert bench.rows("SELECT id, lease_expires_at FROM queue ORDER BY id") == expected
    bench.clock.step(0.25)
    bench.hand.renew_leases()
    # The next renewal counts from this one, by both clocks.
    assert bench.rows("SELECT id, lease_expires_at FROM queue ORDER BY id") == expected


def test_the_keys_of_a_stopped_run_are_marked_and_no_others(bench):
    assert not bench.hand.mark_stopped()
    runs, queue = bench.store.runs, bench.store.queue
    run = runs.begin("Sync All Scenes", None, 20.0)
    queue.enqueue([("scene", 1), ("scene", 2)], run_id=run.id)
    queue.enqueue([("scene", 3)], priority=URGENT)
    keys = {key.claim.id: key.claim for key in bench.hand.claim(9)}
    assert not bench.hand.mark_stopped()
    runs.stop(run.id)
    assert bench.hand.mark_stopped()
    assert {id_: bench.hand.is_stopped(claim) for id_, claim in keys.items()} == {
        1: True, 2: True, 3: False,
    }  # fmt: skip
    runs.release_held()
    assert not bench.hand.mark_stopped()
    assert not bench.hand.is_stopped(keys[1])


def test_the_items_that_claimed_scenes_want(bench):
    one, two, three = bench.claim(*[("scene", number) for number in (1, 2, 3)])
    for key in (one, two, three):
        claimant = Claimant(key.claim.id, "A harbour", "whole path")  # type: ignore[arg-type]  # any level
        bench.hand.take_item(key.claim, f"{key.claim.id}0", claimant)
    bench.hand.leave_item(two.claim)
    wishes = [(wish.rating_key, wish.claimant.scene_id) for wish in bench.hand.item_wishes()]
    assert wishes == [("10", 1), ("30", 3)]


def test_a_dead_letter_has_title_and_path_of_its_scene(bench):
    one, two, three = bench.claim(*[("scene", number) for number in (1, 2, 3)])
    one.describe(make_scene(1, title="", files=(StashFile("/data/pier.mp4", 1), StashFile("/b"))))
    two.describe(make_scene(2, files=()))
    for key in (one, two, three):
        bench.hand.finish(key.claim, Decision(Verdict.BURY, 0.0, "rejected", "No."))
    assert bench.rows("SELECT id, title, path, reason, error FROM dead_letter ORDER BY id") == [
        (1, "pier.mp4", "/data/pier.mp4", "rejected", "No."),
        (2, "A harbour", "", "rejected", "No."),
        (3, "", "", "rejected", "No."),
    ]


def test_how_a_scene_stands_is_kept_once_its_key_is_done(bench):
    one, two, three = bench.claim(*[("scene", number) for number in (1, 2, 3)])
    bench.store.scenes.stand(2, "in_sync")
    bench.hand.finish(one.claim, Done("written", "in_sync"))
    bench.hand.finish(two.claim, Done("gone"))
    bench.hand.finish(three.claim, Done("left out", "excluded"))
    assert bench.rows("SELECT id, standing FROM scene ORDER BY id") == [
        (1, "in_sync"), (2, "in_sync"), (3, "excluded"),
    ]  # fmt: skip


def test_a_key_that_was_added_meanwhile_stays_and_counts_for_nothing(bench, caplog):
    (key,) = bench.claim(("scene", 1))
    bench.store.queue.add("scene", 1)
    with caplog.at_level(logging.DEBUG):
        bench.hand.finish(key.claim, Decision(Verdict.BURY, 0.0, "rejected", "No."))
    assert [(line.levelname, line.getMessage()) for line in caplog.records] == [
        ("DEBUG", "scene:1 was added meanwhile: No.")
    ]
    (key,) = bench.claim()
    bench.store.queue.add("scene", 1)
    bench.hand.finish(key.claim, Done("written"))
    assert (bench.tally.handled, bench.metrics()) == (0, [])
    assert bench.rows("SELECT id, lease_id, attempts FROM queue") == [(1, None, 0)]
    assert bench.rows("SELECT * FROM dead_letter") == []


LIBRARY = LibraryUnread("“A harbour” waits for “Films”.")


@pytest.mark.parametrize(
    ("error", "row", "metric", "later", "line"),
    [
        (
            Transient("Plex", "Half a page."), (1, 0, "transient", 5.0),
            ("retried", "transient", 1.0), 0, "scene:1 is tried again in 5 s: Half a page.",
        ),
        (
            NotInPlexYet("Not there."), (0, 1, "not_in_plex", 30.0),
            ("put_off", "not_in_plex", 1.0), 1, "scene:1 waits 30 s: Not there.",
        ),
        (
            LIBRARY, (0, 0, "library", 300.0),
            ("put_off", "library", 1.0), 1, f"scene:1 waits 5 min 00 s: {LIBRARY}",
        ),
        (
            Refused("Plex", "No token."), (0, 0, "refused", 0.0),
            None, 0, "scene:1 goes back uncounted: No token.",
        ),
    ],
)  # fmt: skip
def test_what_each_failure_leaves(bench, caplog, error, row, metric, later, line):
    (key,) = bench.claim(("scene", 1))
    key.describe(make_scene(1))
    with caplog.at_level(logging.DEBUG, "stash2plex.sync.in_hand"):
        bench.hand.fail([key.claim], error, Settings(), ITEM)
    (found,) = bench.rows("SELECT attempts, snoozes, reason, due_at FROM queue")
    assert (*found[:3], found[3] - bench.clock()) == row
    assert bench.metrics() == ([metric] if metric else [])
    assert bench.tally.now(0).later == later
    lines = [one.getMessage() for one in caplog.records if one.name.endswith("in_hand")]
    assert lines == [line]
    kept = [] if row[3] == 0.0 else [(str(error), "A harbour")]
    assert bench.rows("SELECT error, title FROM failure") == kept


@pytest.mark.parametrize(
    ("error", "state", "scope", "priority"),
    [
        (DOWN, "half_open", SERVER, BULK),
        (DOWN, "closed", SERVER, URGENT),
        # The user must act: no other key would fare better.
        (Refused("Plex", "No token."), "half_open", SERVER, URGENT),
        (AWAY, "half_open", SERVER, URGENT),
    ],
)
def test_only_a_key_that_went_alone_at_its_own_server_steps_aside(
    bench, error, state, scope, priority
):
    (key,) = bench.claim(("scene", 1))
    if state == "half_open":
        bench.trip()
        bench.store.breakers["plex"].probed()
    bench.hand.fail([key.claim], error, Settings(), scope)
    assert bench.rows("SELECT priority FROM queue") == [(priority,)]


def test_one_first_failure_among_others_slows_the_writes_down(bench):
    for _ in range(9):
        bench.pacer.succeeded(0.1)
    bench.store.queue.add_many([("scene", 1), ("scene", 2)])
    bench.rows("UPDATE queue SET attempts = 1 WHERE id = 1")
    claims = [key.claim for key in bench.hand.claim(9)]
    assert sorted(claim.attempts for claim in claims) == [0, 1]
    bench.hand.fail(claims, DOWN, Settings(), ITEM)
    assert bench.pacer.limit == 2
    assert bench.store.breakers["plex"].read().failures == 0


# -- evidence -----------------------------------------------------------------------------


def test_what_was_done_since_a_moment(bench):
    evidence = bench.evidence
    evidence.did(SCENES)
    mark = evidence.mark(SCENES)
    assert not evidence.since(SCENES, mark)
    evidence.did(ENTITIES)
    assert not evidence.since(SCENES, mark)
    evidence.did(SCENES)
    assert evidence.since(SCENES, mark)
    assert not evidence.since(ITEMS, evidence.mark(ITEMS))


@pytest.mark.parametrize(
    ("deed", "closed"),
    [
        (EDITS, ["plex"]),
        # Plex may read well and fail every write.
        (ITEMS, []),
        (SCENES, ["stash"]),
        (ENTITIES, ["stash"]),
    ],
)
def test_which_deed_ends_an_outage(bench, deed, closed):
    for server, error in (("plex", DOWN), ("stash", AWAY)):
        bench.trip(server, error)
    before = bench.evidence.answered_at
    bench.clock.step(9.0)
    bench.evidence.did(deed)
    states = {name: breaker.read().state for name, breaker in bench.store.breakers.items()}
    assert [name for name, state in states.items() if state == "closed"] == closed
    assert (bench.evidence.answered_at - before) == (9.0 if closed else 0.0)


@pytest.mark.parametrize(
    ("server", "error", "line", "due"),
    [
        ("plex", DOWN, "Plex is back after 1 min 30 s.", [BACKGROUNDS, POSTERS]),
        ("stash", AWAY, "Stash is back after 1 min 30 s.", [COVERS]),
        (
            "plex", Refused("Plex", "No token."), "Plex lets us in again after 1 min 30 s.",
            [BACKGROUNDS, POSTERS],
        ),
    ],
)  # fmt: skip
def test_the_end_of_an_outage_is_reported_and_makes_its_pictures_due(
    bench, caplog, server, error, line, due
):
    bench.trip(server, error)
    for name in (COVERS, POSTERS, BACKGROUNDS):
        bench.store.pictures.set_endpoint(EndpointState(name, 3, 1.0, 1, 9e9, "No."))
    bench.clock.step(90.0)
    with caplog.at_level(logging.INFO):
        bench.evidence.answered(server)
        bench.evidence.answered(server)
    assert [record.getMessage() for record in caplog.records] == [line]
    now = bench.clock()
    assert [one.name for one in bench.store.pictures.endpoints() if one.next_try_at <= now] == due


def test_the_beginning_of_an_outage_is_reported_once_with_what_waits(bench, caplog):
    for _ in range(9):
        bench.pacer.succeeded(0.1)
    bench.claim(("scene", 1))
    bench.store.queue.add_many([("scene", 2), ("scene", 3)])
    bench.store.queue.add("scene", 4, delay=99.0)
    limits = []
    for _ in range(5):
        bench.evidence.failed(DOWN)
        limits.append(bench.pacer.limit)
    assert limits == [2, 1, 1, 1, 1]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "It is away. Waiting for Plex; nothing is lost.")
    ]
    assert bench.rows("SELECT server, waiting, cause FROM outage") == [("plex", 3, "It is away.")]
    assert bench.evidence.breaker(AWAY) is bench.store.breakers["stash"]


@pytest.mark.parametrize("edited", [True, False])
def test_a_scene_that_plex_holds_is_a_success_and_evidence_only_if_it_was_edited(bench, edited):
    bench.trip()
    mark = bench.evidence.mark(EDITS)
    for _ in range(9):
        bench.evidence.wrote(0.1, edited=edited)
    assert bench.store.breakers["plex"].read().state == "closed"
    assert bench.evidence.since(EDITS, mark) is edited
    assert bench.pacer.limit == 4


# -- requests in threads ------------------------------------------------------------------


@pytest.fixture
def flight():
    made = InFlight(1, 1)
    yield made
    made.close()


def test_what_follows_a_request_depends_on_how_it_ended(flight):
    ends: list[object] = []
    step = Step(ends.append, lambda error: ends.append(("failed", str(error))))

    def fails():
        raise ValueError("no lantern")

    flight.collect(0.0)
    assert not flight
    futures = [flight.start(lambda: 7, step), flight.start(fails, step)]
    assert flight
    assert all(future in flight for future in futures)
    while flight:
        flight.collect(10.0)
    assert ends == [7, ("failed", "no lantern")]
    assert not any(future in flight for future in futures)


def test_a_picture_that_hangs_takes_no_thread_from_a_text_and_no_text_from_a_picture(flight):
    ends: list[str] = []
    gates = {"text": threading.Event(), "picture": threading.Event()}
    step = Step(ends.append, lambda _: None)

    def hang(name):
        assert gates[name].wait(60)
        return name

    flight.start_picture(lambda: hang("picture"), step)
    flight.start(lambda: "quay", step)
    while len(ends) < 1:
        flight.collect(10.0)
    flight.start(lambda: hang("text"), step)
    gates["picture"].set()
    while len(ends) < 2:
        flight.collect(10.0)
    flight.start_picture(lambda: "lantern", step)
    while len(ends) < 3:
        flight.collect(10.0)
    flight.start(lambda: "behind", step)
    # One thread: what comes later waits.
    flight.collect(0.0)
    assert ends == ["quay", "picture", "lantern"]
    gates["text"].set()
    while flight:
        flight.collect(10.0)
    assert sorted(ends[3:]) == ["behind", "text"]


def test_two_writes_that_hang_take_no_place_and_a_third_does(flight):
    clock = ManualClock(50.0)
    writes = Writes(flight, clock)
    gate = threading.Event()
    step = Step(lambda _: None, lambda _: None)
    crowds = []
    for _ in range(4):
        writes.add(flight.start(lambda: gate.wait(60), step))
        crowds.append((len(writes), writes.crowd()))
        clock.step(0.5)
    clock.step(-0.5)
    # At 1.5, 1.0, 0.5 and 0 seconds: a second is enough to hang.
    assert crowds == [(1, 1), (2, 2), (3, 2), (4, 2)]
    clock.step(5.0)
    assert writes.crowd() == 2
    gate.set()
    while flight:
        flight.collect(10.0)
    assert (len(writes), writes.crowd()) == (0, 0)


# -- what is shown ------------------------------------------------------------------------


def make_showing(bench, horizon=20.0):
    book = ProgressBook(bench.store.connection, bench.clock)
    return Showing(
        bench.store, book, bench, bench.tally, horizon=horizon, monotonic=bench.clock.monotonic
    )


def test_the_row_for_all_processes_is_written_twice_a_second_and_the_observer_sees_all(bench):
    showing = make_showing(bench)
    showing.begin()
    assert bench.rows("SELECT origin, done, ended_at FROM drain") == [("test", 0, None)]
    booked = []
    for seconds in (1.0, 0.25, 0.2, 0.05, 0.25):
        bench.clock.step(seconds)
        bench.tally.done()
        showing.show()
        booked += bench.rows("SELECT done FROM drain")
    assert booked == [(1,), (1,), (1,), (4,), (4,)]
    assert [progress.done for progress in bench.seen] == [1, 2, 3, 4, 5]
    bench.store.meter.add("scenes", "written")
    wait = Wait("Plex rests.", server="Plex", next_try=3.0)
    bench.clock.step(1.0)
    showing.show(wait)
    assert (bench.seen[-1].wait, bench.seen[-1].ended) == (wait, False)
    # The counters go with the row.
    assert bench.rows("SELECT name, label, value FROM metric") == [("scenes", "written", 1.0)]
    final = showing.end()
    assert (final, bench.seen[-1].ended) == (bench.seen[-1], True)
    assert bench.rows("SELECT done, ended_at FROM drain") == [(5, bench.clock())]


def test_what_is_left_is_counted_every_other_second_and_estimated_in_between(bench):
    queue = bench.store.queue
    queue.add_many([("scene", number) for number in range(1, 6)])
    queue.add("scene", 7, delay=20.0)
    queue.add("scene", 8, delay=21.0)
    showing = make_showing(bench)
    showing.begin()
    left = []
    for seconds in (0.5, 0.5, 0.9, 0.1, 1.0):
        bench.clock.step(seconds)
        bench.tally.done()
        showing.show()
        left.append(bench.seen[-1].left)
    # By then the key of in 21 seconds counts too; nothing really left the queue.
    assert left == [5, 4, 3, 7, 6]
    assert showing.handled == 5
    for _ in range(9):
        bench.tally.failed()
    bench.clock.step(0.5)
    showing.show()
    assert bench.seen[-1].left == 0


def test_a_burst_ends_with_one_sentence_and_the_next_counts_from_zero(bench, caplog):
    showing = make_showing(bench)
    showing.begin()
    with caplog.at_level(logging.INFO):
        showing.end_burst()
        for times, count in ((1_200, bench.tally.done), (2, bench.tally.failed)):
            for _ in range(times):
                count()
        for _ in range(3):
            bench.tally.later()
        showing.end_burst()
        showing.end_burst()
        bench.tally.later()
        showing.end_burst()
    assert [record.getMessage() for record in caplog.records] == [
        "1,200 scenes in sync, 2 given up, 3 put off.",
        "0 scenes in sync, 1 put off.",
    ]
    assert showing.handled == 0
    assert bench.rows("SELECT done, failed, snoozed, ended_at FROM drain") == [
        (0, 0, 1, bench.clock())
    ]
    # An observer sees the end of the drain only.
    assert bench.seen == []
    bench.store.queue.add_many([("scene", 1), ("scene", 2)])
    bench.clock.step(2.0)
    bench.tally.done()
    showing.show()
    assert (bench.seen[-1].done, bench.seen[-1].left) == (1, 2)


def test_an_outage_is_left_out_of_the_rate(bench):
    showing = make_showing(bench)
    showing.begin()
    for _ in range(4):
        bench.tally.done()
    bench.clock.step(100.0)
    showing.restart_rate()
    bench.clock.step(2.0)
    bench.tally.done()
    showing.show()
    assert bench.seen[-1].rate == 0.5


# -- libraries ----------------------------------------------------------------------------


def section(id_, title, *folders):
    return Section(id_, f"uuid-{id_}", title, "movie", "1", folders, refreshing=False)


def scene_at(*paths):
    return make_scene(1, files=tuple(StashFile(path, 1) for path in paths))


@pytest.fixture
def libraries(bench):
    """Let Plex list harbours and quays, but neither piers nor docks."""
    files = bench.store.plex_files
    for one in (section("1", "Harbours", "/media/a"), section("2", "Quays", "/media/b")):
        files.put_section(one, 0, 1.0, "1")
    return bench.store


def fail_library(store, *sections):
    for one in sections:
        store.library_troubles.failed(one, Unavailable("Plex", "It is away."), 5.0)


@pytest.mark.parametrize(
    ("paths", "waits_for"),
    [
        (["/media/c/1.mp4"], "Piers"),
        (["/media/a/1.mp4", "/media/c/1.mp4"], "Piers"),
        (["/media/d/1.mp4"], "Docks"),
        # It is nowhere that Plex lists, so it may be in any of the others.
        (["/data/1.mp4"], "Piers"),
        (["/media/a/1.mp4", "/data/1.mp4"], "Piers"),
        (["/media/a/1.mp4", "/media/b/2.mp4"], None),
        (["/media/b/2.mp4"], None),
    ],
)
def test_a_missed_scene_waits_for_a_library_that_it_may_be_in(libraries, paths, waits_for):
    settings = Settings()
    assert library_unread(libraries, settings, scene_at(*paths)) is None
    fail_library(libraries, section("3", "Piers", "/media/c"), section("4", "Docks", "/media/d"))
    error = library_unread(libraries, settings, scene_at(*paths))
    words = f"“A harbour” waits for “{waits_for}”, which Plex does not list: It is away."
    assert (error and str(error)) == (words if waits_for else None)


def test_a_library_that_failed_after_it_was_listed_holds_nothing_for_sure(libraries):
    fail_library(libraries, section("2", "Quays", "/media/z"))
    unread = library_unread(libraries, Settings(), scene_at("/media/b/2.mp4"))
    assert "waits for “Quays”" in str(unread)
    assert library_unread(libraries, Settings(), scene_at("/media/a/2.mp4")) is None


def test_the_path_rules_of_the_user_lead_to_the_library(libraries):
    fail_library(libraries, section("3", "Piers", "/media/c"))
    settings = Settings(path_map=(("/data/a", "/media/a"),))
    assert library_unread(libraries, settings, scene_at("/data/a/1.mp4")) is None
    assert library_unread(libraries, settings, scene_at("/data/b/1.mp4")) is not None


NOT_CHOSEN = "its file is in “Piers”, a Plex library that is not chosen"


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["/media/c/1.mp4"], NOT_CHOSEN),
        (["/media/c/1.mp4", "/media/d/1.mp4"], NOT_CHOSEN),
        # One file may be in a chosen library, listed or not.
        (["/media/c/1.mp4", "/media/a/1.mp4"], ""),
        (["/media/c/1.mp4", "/media/e/1.mp4"], ""),
        # Nobody knows where that one is.
        (["/media/c/1.mp4", "/data/1.mp4"], ""),
        ([], ""),
    ],
)
def test_a_missed_scene_in_a_library_that_is_not_chosen_needs_no_item(libraries, paths, words):
    fail_library(libraries, section("5", "Jetties", "/media/e"))
    scene = scene_at(*paths)
    assert library_not_chosen(libraries, Settings(), scene, None) == ""
    others = [section("3", "Piers", "/media/c"), section("4", "Docks", "/media/d")]
    libraries.other_libraries.keep(others)
    assert library_not_chosen(libraries, Settings(), scene, None) == words


@pytest.mark.parametrize(
    ("plex_path", "words"),
    [("/media/c/PIER.mp4", NOT_CHOSEN), ("/media/c/quay.mp4", ""), ("/media/a/pier.mp4", "")],
)
def test_where_a_file_was_found_before_shows_its_library(libraries, plex_path, words):
    libraries.other_libraries.keep([section("3", "Piers", "/media/c")])
    record = Record(1, "7", "3", plex_path, "the whole path", "f", {})
    scene = scene_at("/data/pier.mp4")
    assert library_not_chosen(libraries, Settings(), scene, record) == words


def test_the_witnesses_of_what_plex_can_do(bench):
    store = bench.store
    for number in range(1, 7):
        record = Record(number, f"{number}0", "1", f"/m/{number}.mp4", "the whole path", "f", {})
        synced = 0.0 if number == 6 else 100.0 + number
        store.records.put(evolve(record, synced_at=synced), make_scene(number))
        bench.rows(
            "UPDATE scene_record SET synced_at = ? WHERE scene_id = ?", synced, number
        )  # fmt: skip
    files = [PlexFile("1", key, f"/m/{key}.mp4", 1) for key in ("10", "20", "30", "70", "80")]
    store.plex_files.add(files, 1)
    store.queue.add_many([("scene", 5)])
    (key,) = bench.claim(("scene", 4))
    bench.hand.finish(key.claim, Decision(Verdict.BURY, 0.0, "rejected", "No."))
    ask = store.connection
    # Latest first; none that is queued (5), was given up (4) or never synced (6).
    assert other_items(ask, [], 2) == ["30", "20"]
    assert other_items(ask, ["30"], 2) == ["20", "10"]
    assert other_items(ask, ["30", "20"], 2) == ["10", "70"]
    assert sorted(other_items(ask, ["30"], 9)) == ["10", "20", "70", "80"]
    assert other_items(ask, ["10", "20", "30", "70", "80"], 2) == []
