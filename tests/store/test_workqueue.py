"""The queue's promises, one by one, on a real SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from stash2plex.db import connect
from stash2plex.store.key_state import find_standing
from stash2plex.store.progress import Progress, ProgressBook
from stash2plex.workqueue import (
    BULK,
    CLAIM_SQL,
    URGENT,
    WorkQueue,
)
from tests.harness.queues import claim_one, counts


def test_a_key_is_stored_once_however_often_it_is_added(queue):
    for _ in range(5):
        queue.add("scene", 12)
    assert counts(queue) == (1, 0, 0, 0)
    assert claim_one(queue).key == ("scene", 12)
    assert queue.claim(5, 60.0) == []


def test_an_add_in_mid_run_makes_the_key_due_again_at_the_ack(queue):
    queue.add("scene", 12)
    claim = claim_one(queue)
    queue.add("scene", 12)
    assert queue.claim(1, 60.0) == []
    assert queue.ack(claim)
    assert counts(queue) == (1, 0, 0, 0)
    assert queue.ack(claim_one(queue))
    assert counts(queue) == (0, 0, 0, 0)


def test_a_lost_lease_changes_nothing(queue, clock):
    queue.add("scene", 12)
    late = claim_one(queue, 10.0)
    clock.step(11)
    fresh = claim_one(queue)
    assert fresh.interruptions == 1
    for end in (
        lambda: queue.ack(late),
        lambda: queue.nack(late, delay=1, reason="x", error="x"),
        lambda: queue.snooze(late, delay=1, reason="x", error="x"),
        lambda: queue.release(late),
        lambda: queue.bury(late, title="", reason="x", error="x"),
    ):
        assert not end()
    assert counts(queue) == (0, 1, 0, 0)
    assert queue.ack(fresh)


def test_an_extended_lease_lives_on(queue, clock):
    queue.add_many([("scene", 1), ("scene", 2)])
    claims = queue.claim(2, 10.0)
    clock.step(9)
    assert queue.extend(claims[0].lease_id, 10.0) == 2
    clock.step(9)
    assert queue.claim(2, 10.0) == []


def test_urgent_keys_go_first_then_the_oldest(queue, clock):
    queue.add_many([("scene", 1)], priority=BULK)
    clock.step(1)
    queue.add("scene", 2)
    clock.step(1)
    queue.add("scene", 3)
    assert [claim.id for claim in queue.claim(2, 60.0)] == [2, 3]
    assert [claim.id for claim in queue.claim(2, 60.0)] == [1]


def test_a_bulk_add_slows_no_edit_down_and_an_edit_hastens_a_bulk_key(queue):
    queue.add("scene", 1)
    queue.add_many([("scene", 1), ("scene", 2)], priority=BULK, delay=50.0)
    assert claim_one(queue).priority == URGENT
    queue.add("scene", 2)
    assert claim_one(queue).key == ("scene", 2)


def test_an_ack_leaves_a_clean_record_for_a_change_in_mid_run(queue, database):
    queue.add("scene", 1)
    queue.nack(claim_one(queue), delay=0.0, reason="transient", error="x")
    queue.snooze(claim_one(queue), delay=0.0, reason="not_in_plex", error="x")
    claim_one(queue)
    queue.take_over()
    claim = claim_one(queue)
    assert (claim.attempts, claim.snoozes, claim.interruptions) == (1, 1, 1)
    queue.add("scene", 1)
    assert queue.ack(claim)
    assert find_standing(database, ("scene", 1)) == ("queue", "")
    again = claim_one(queue)
    assert (again.attempts, again.snoozes, again.interruptions) == (0, 0, 0)
    assert database.execute("SELECT count(*) FROM failure").fetchone() == (0,)


def test_being_woken_costs_a_key_no_snooze(queue, clock):
    queue.add("scene", 1)
    for _ in range(2):
        queue.snooze(claim_one(queue), delay=600.0, reason="not_in_plex")
        clock.step(600)
    held = claim_one(queue)
    assert held.snoozes == 2
    # In hand it is looked at as it is: nothing is given back for it.
    queue.wake([("scene", 1)])
    queue.snooze(held, delay=600.0, reason="not_in_plex")
    waiting = claim_one(queue)
    assert waiting.snoozes == 3
    queue.snooze(waiting, delay=600.0, reason="not_in_plex")
    assert queue.wake([("scene", 1), ("scene", 2)]) == 2
    found = {claim.id: claim.snoozes for claim in queue.claim(5, 60.0)}
    # The look that follows counts one again, so this wake cost nothing; and none goes below 0.
    assert found == {1: 3, 2: 0}


def test_a_key_that_is_woken_is_due_now_dead_or_waiting(queue):
    queue.add("scene", 1)
    queue.bury(claim_one(queue), title="", reason="not_in_plex", error="x")
    queue.add("scene", 2, delay=500.0)
    queue.wake([("scene", 1), ("scene", 2)])
    assert counts(queue) == (2, 0, 0, 0)


def test_a_key_put_aside_lets_every_other_one_go_first(queue, clock):
    queue.add("scene", 1)
    queue.add_many([("scene", 2)], priority=BULK)
    clock.step(1)
    assert queue.release(claim_one(queue), aside=True)
    assert [claim_one(queue).id for _ in range(2)] == [2, 1]


def test_only_urgent_keys_where_asked_for(queue):
    queue.add_many([("scene", 1)], priority=BULK)
    assert not queue.urgent_due()
    assert queue.claim(5, 60.0, urgent_only=True) == []
    queue.add("scene", 2)
    assert queue.urgent_due()
    assert [claim.id for claim in queue.claim(5, 60.0, urgent_only=True)] == [2]


def test_a_release_costs_nothing(queue):
    queue.add("scene", 1)
    queue.release(claim_one(queue), reason="unavailable")
    claim = claim_one(queue)
    assert (claim.attempts, claim.snoozes, claim.interruptions) == (0, 0, 0)


def test_take_over_frees_what_the_dead_held(queue):
    queue.add_many([("scene", number) for number in range(1, 4)])
    held = queue.claim(3, 3600.0)
    assert queue.take_over() == 3
    assert not queue.ack(held[0])
    assert [claim.interruptions for claim in queue.claim(3, 60.0)] == [1, 1, 1]


def test_keys_of_one_id_and_another_kind_have_nothing_to_do_with_each_other(queue, database):
    kinds = ("scene", "performer", "studio", "tag", "group")
    for kind in kinds:
        queue.add(kind, 1)
    claims = {claim.kind: claim for claim in queue.claim(9, 60.0)}
    assert set(claims) == set(kinds)
    queue.bury(claims["scene"], title="", reason="ambiguous", error="two")
    queue.nack(claims["tag"], delay=9.0, reason="transient", error="x")
    queue.ack(claims["group"])
    assert counts(queue) == (0, 2, 1, 1)
    assert find_standing(database, ("scene", 1)) == ("dead", "ambiguous")
    assert find_standing(database, ("tag", 1)) == ("queue", "transient")
    assert find_standing(database, ("group", 1)) is None
    assert queue.discard([("group", 1), ("studio", 1)]) == 0
    assert database.execute("SELECT kind FROM failure ORDER BY kind").fetchall() == [
        ("scene",),
        ("tag",),
    ]


def test_due_times_follow_a_clock_that_was_set_back(queue, clock):
    queue.add("scene", 1)
    queue.add("scene", 2, delay=40.0)
    queue.add("scene", 3, delay=5_000.0)
    queue.add_many([("scene", 4)], priority=BULK)
    assert queue.newest_trace() == clock.now
    held = queue.claim(1, 60.0)
    clock.step(-100.0)
    assert queue.newest_trace() == clock.now + 100
    assert queue.clock_set_back(100.0) == 3
    assert queue.newest_trace() == clock.now
    assert [queue.due_within(seconds) for seconds in (0.0, 41.0, 5_001.0)] == [2, 3, 4]
    assert queue.ack(held[0])
    assert queue.clock_set_back(100.0) == 2


def test_the_newest_trace_is_of_a_drain_too(queue, database, clock):
    assert queue.newest_trace() == 0.0
    ProgressBook(database, clock).write(Progress(origin="a worker"))
    clock.step(-50.0)
    queue.add("scene", 1)
    assert queue.newest_trace() == clock.now + 50


def test_clear_removes_what_waits_and_not_what_is_in_hand(queue):
    queue.add_many([("scene", number) for number in range(1, 4)])
    claim = claim_one(queue)
    assert queue.clear_waiting() == 2
    assert counts(queue) == (0, 1, 0, 0)
    assert queue.ack(claim)


def test_next_due_and_due_within(queue, clock):
    assert queue.next_due_at() is None
    queue.add("scene", 1, delay=20.0)
    queue.add_many([("scene", 2)], delay=10.0)
    assert queue.next_due_at() == clock.now + 10
    assert [queue.due_within(seconds) for seconds in (0.0, 15.0, 25.0)] == [0, 1, 2]


@pytest.mark.parametrize(("kind", "id_"), [("image", 1), ("scene", 0), ("scene", -4)])
def test_a_key_that_cannot_be_one_is_refused_by_the_database(queue, kind, id_):

    with pytest.raises(sqlite3.IntegrityError):
        queue.add(kind, id_)
    assert counts(queue) == (0, 0, 0, 0)


def test_a_claim_reads_the_head_of_the_index(database):
    plan = list(database.execute("EXPLAIN QUERY PLAN " + CLAIM_SQL, (0, 0.0, 50)))
    text = " ".join(row[3] for row in plan)
    assert "USING INDEX queue_due (priority=? AND due_at<?)" in text
    assert "TEMP B-TREE" not in text
    assert "SCAN" not in text


def test_an_offer_leaves_what_waits_as_it_is(queue, database, clock):
    queue.add("scene", 1, delay=500.0)
    before = list(database.execute("SELECT * FROM queue"))
    clock.step(10)
    assert queue.offer([("scene", 1), ("scene", 2)]) == 1
    assert list(database.execute("SELECT * FROM queue WHERE id = 1")) == before
    assert [claim.key for claim in queue.claim(5, 60.0)] == [("scene", 2)]


def test_an_offer_has_what_is_in_hand_looked_at_once_more(queue):
    queue.add("scene", 1)
    claim = claim_one(queue)
    queue.offer([("scene", 1)])
    assert queue.ack(claim)
    assert counts(queue) == (1, 0, 0, 0)


def test_an_offer_wakes_no_dead_letter(queue):
    queue.add("scene", 1)
    queue.bury(claim_one(queue), title="", reason="ambiguous", error="two")
    assert queue.offer([("scene", 1)]) == 0
    assert counts(queue) == (0, 0, 0, 1)


def test_a_key_is_due_since_its_time_however_long_it_waited(queue, clock):
    assert queue.due_since() is None
    queue.add("scene", 1)
    (claim,) = queue.claim(1, 60.0)
    queue.snooze(claim, delay=5_400.0, reason="not_in_plex")
    assert queue.due_since() is None
    clock.step(5_400.0)
    became_due = clock.now
    assert queue.due_since() == became_due
    clock.step(30.0)
    queue.claim(1, 60.0)
    assert queue.due_since() == became_due


def test_a_claim_shows_no_title(tmp_path):

    with closing(connect(str(tmp_path / "a.db"))) as database:
        assert isinstance(database, sqlite3.Connection)
        queue = WorkQueue(database, lambda: 1_000.0)
        queue.add_many([("scene", 7)], priority=0)
        (claim,) = queue.claim(1, 60.0)
    assert repr(claim) == f"<Claim scene:7 lease {claim.lease_id} attempts {claim.attempts}>"
