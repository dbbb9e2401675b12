"""How a claim ends: in the queue, in memory, in the counts and in the log, through one door."""

from __future__ import annotations

import logging
from random import Random

import pytest

from stash2plex.app import open_store
from stash2plex.config import Settings
from stash2plex.errors import ITEM, SERVER, Refused, Rejected, Unavailable
from stash2plex.rules.matching import Level
from stash2plex.rules.pacing import Pacer
from stash2plex.rules.policy import Decision, Done, Verdict
from stash2plex.store.item_claims import Claimant
from stash2plex.store.key_state import find_standing
from stash2plex.store.progress import ProgressBook, Tally
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.in_hand import LEASE_RENEWAL, LEASE_SECONDS, KeysInHand
from stash2plex.sync.observer import Silent
from stash2plex.sync.showing import Showing
from tests.support import ManualClock, make_scene

DOWN = Unavailable("Plex", "It is away.")


class Bench:
    """A queue, and the hand over it."""

    def __init__(self, folder):
        self.clock = ManualClock()
        self.store = open_store(folder, self.clock, Random(1))
        self.tally = Tally("test", self.clock)
        clocks = {"clock": self.clock, "monotonic": self.clock}
        self.pacer = Pacer()
        self.evidence = Evidence(self.store, self.pacer, **clocks)
        self.hand = KeysInHand(self.store, self.tally, self.evidence, random=Random(1), **clocks)

    def claim(self, *keys):
        self.store.queue.add_many(keys, priority=0)
        return self.hand.claim(len(keys) or 9)

    def standing(self, key):
        return find_standing(self.store.connection, key)

    def rows(self, sql):
        return list(self.store.connection.execute(sql))


@pytest.fixture
def bench(tmp_path):
    bench = Bench(str(tmp_path))
    yield bench
    bench.store.connection.close()


def decision(verdict, delay=0.0):
    return Decision(verdict, delay, "transient", "An odd answer.")


@pytest.mark.parametrize(
    ("outcome", "standing", "counts", "line"),
    [
        (Done("written"), None, (1, 0, 0), "scene:1: written"),
        (
            decision(Verdict.HOLD),
            ("queue", "transient"),
            (0, 0, 0),
            "scene:1 goes back uncounted: An odd answer.",
        ),
        (
            decision(Verdict.RETRY, 9.0),
            ("queue", "transient"),
            (0, 0, 0),
            "scene:1 is tried again in 9 s: An odd answer.",
        ),
        (
            decision(Verdict.SNOOZE, 30.0),
            ("queue", "transient"),
            (0, 0, 1),
            "scene:1 waits 30 s: An odd answer.",
        ),
        (
            decision(Verdict.BURY),
            ("dead", "transient"),
            (0, 1, 0),
            "Given up on scene:1: An odd answer.",
        ),
    ],
)
def test_each_outcome_ends_a_claim_everywhere(bench, caplog, outcome, standing, counts, line):
    (key,) = bench.claim(("scene", 1))
    key.describe(make_scene(1))
    bench.hand.take_item(key.claim, "7", Claimant(1, "A harbour", Level.WHOLE_PATH))
    with caplog.at_level(logging.DEBUG):
        bench.hand.finish(key.claim, outcome)
    assert bench.standing(("scene", 1)) == standing
    assert not bench.hand.busy
    assert bench.hand.item_wishes() == []
    progress = bench.tally.now(0)
    assert (progress.done, progress.failed, progress.later) == counts
    assert [record.getMessage() for record in caplog.records] == [line]
    assert bench.rows("SELECT count(*) FROM queue WHERE lease_id IS NOT NULL") == [(0,)]
    assert {title for (title,) in bench.rows("SELECT title FROM failure")} <= {"A harbour"}


def test_an_entity_that_is_done_is_no_scene_in_sync(bench):
    (key,) = bench.claim(("studio", 1))
    bench.hand.finish(key.claim, Done("2 scenes show it"))
    assert bench.tally.handled == 0


def test_a_claim_whose_lease_was_lost_takes_nothing_from_the_later_one(bench, caplog):
    (lost,) = bench.claim(("scene", 1))
    bench.clock.step(LEASE_SECONDS + 1)
    (later,) = bench.claim()
    bench.hand.finish(lost.claim, Done("written"))
    assert "was taken over by another worker" in caplog.text
    assert len(bench.hand) == 1
    bench.hand.finish(later.claim, Done("written"))
    assert bench.standing(("scene", 1)) is None
    assert not bench.hand.busy


def test_leases_are_renewed_in_time(bench):
    bench.claim(("scene", 1))
    (before,) = bench.rows("SELECT lease_expires_at FROM queue")
    bench.hand.renew_leases()
    assert bench.rows("SELECT lease_expires_at FROM queue") == [before]
    bench.clock.step(LEASE_RENEWAL)
    bench.hand.renew_leases()
    assert bench.rows("SELECT lease_expires_at FROM queue") == [(before[0] + LEASE_RENEWAL,)]


def test_what_is_about_the_server_costs_no_attempt_and_what_is_about_the_item_no_outage(bench):
    (key,) = bench.claim(("scene", 1))
    bench.hand.fail([key.claim], DOWN, Settings(), SERVER)
    assert bench.rows("SELECT attempts FROM queue") == [(0,)]
    assert bench.store.breakers["plex"].read().failures == 1
    (key,) = bench.claim()
    bench.hand.fail([key.claim], DOWN, Settings(), ITEM)
    assert bench.rows("SELECT attempts FROM queue") == [(1,)]
    assert bench.store.breakers["plex"].read().failures == 1


def test_a_first_failure_of_one_item_slows_the_writes_down_and_a_second_does_not(bench):
    for _ in range(9):
        bench.pacer.succeeded(0.1)
    limits = [bench.pacer.limit]
    (key,) = bench.claim(("scene", 1))
    for _ in range(2):
        bench.hand.fail([key.claim], DOWN, Settings(), ITEM)
        limits.append(bench.pacer.limit)
        bench.clock.step(600.0)
        (key,) = bench.claim()
    bench.hand.fail([key.claim], Rejected("Plex", "It said no."), Settings(), ITEM)
    limits.append(bench.pacer.limit)
    # Plex may have too much to do; later it is about the item.
    assert limits == [4, 2, 2, 2]


def test_keys_that_fail_together_are_one_failure_of_the_server_and_keep_their_names(bench):
    keys = bench.claim(*[("scene", number) for number in range(1, 6)])
    for key in keys:
        key.describe(make_scene(key.claim.id, title=f"Pier {key.claim.id}"))
    bench.hand.fail([key.claim for key in keys], DOWN, Settings(), SERVER)
    breaker = bench.store.breakers["plex"].read()
    assert (breaker.state, breaker.failures) == ("closed", 1)
    keys = bench.claim()
    for key in keys:
        key.describe(make_scene(key.claim.id, title=f"Pier {key.claim.id}"))
    bench.hand.fail([key.claim for key in keys], DOWN, Settings(), ITEM)
    assert bench.rows("SELECT title FROM failure ORDER BY id") == [
        (f"Pier {number}",) for number in range(1, 6)
    ]


def test_a_key_that_failed_alone_at_a_half_open_breaker_steps_behind_the_others(bench):
    (key,) = bench.claim(("scene", 1))
    breaker = bench.store.breakers["plex"]
    breaker.failed(Refused("Plex", "no"), 1)
    breaker.probed()
    bench.hand.fail([key.claim], DOWN, Settings(), SERVER)
    assert bench.rows("SELECT priority FROM queue") == [(1,)]


@pytest.mark.parametrize("error", [RuntimeError("a secret"), DOWN])
def test_only_a_fault_of_ours_is_logged_with_its_trace(bench, caplog, error):
    (key,) = bench.claim(("scene", 1))
    bench.hand.fail([key.claim], error, Settings(), ITEM)
    traces = [record.getMessage() for record in caplog.records if record.exc_info]
    is_fault = isinstance(error, RuntimeError)
    assert traces == (["A fault in Stash2Plex:"] if is_fault else [])


def test_what_fails_for_good_is_counted_by_its_reason(bench):
    (key,) = bench.claim(("scene", 1))
    bench.hand.fail([key.claim], Rejected("Plex", "It said no."), Settings(), ITEM)
    bench.store.meter.flush(bench.store.connection)
    assert bench.standing(("scene", 1)) == ("dead", "rejected")
    assert ("dead", "rejected", 1.0) in bench.rows("SELECT name, label, value FROM metric")


def test_what_is_left_is_counted_anew_after_a_burst(bench, caplog):
    book = ProgressBook(bench.store.connection, bench.clock)
    showing = Showing(bench.store, book, Silent(), bench.tally, horizon=20.0, monotonic=bench.clock)
    bench.store.queue.add_many([("scene", number) for number in range(1, 6)])
    showing.begin()
    bench.tally.done()
    assert showing._now().left == 4
    with caplog.at_level(logging.INFO):
        showing.end_burst()
    assert [record.getMessage() for record in caplog.records] == ["1 scene in sync."]
    assert showing._now().left == 5
    showing.end_burst()
    assert len(caplog.records) == 1
