"""Keys that fail: dead letters, their history, and what brings them back."""

from __future__ import annotations

from stash2plex.store.dead_letters import DeadLetters
from stash2plex.workqueue import (
    ERROR_LIMIT,
    HISTORY_LIMIT,
)
from tests.harness.queues import claim_one, counts


def test_a_nack_counts_and_waits_and_a_snooze_does_not_count(queue, clock):
    queue.add("scene", 1)
    assert queue.nack(claim_one(queue), delay=30.0, reason="transient", error="half an answer")
    assert counts(queue) == (0, 0, 1, 0)
    assert queue.waiting_reasons() == [("transient", 1, clock.now + 30)]
    clock.step(31)
    claim = claim_one(queue)
    assert (claim.attempts, claim.snoozes) == (1, 0)
    assert queue.snooze(claim, delay=30.0, reason="not_in_plex")
    clock.step(31)
    claim = claim_one(queue)
    assert (claim.attempts, claim.snoozes) == (1, 1)


def test_a_change_that_comes_while_a_key_fails_is_due_at_once(queue):
    queue.add("scene", 1)
    claim = claim_one(queue)
    queue.add("scene", 1)
    queue.nack(claim, delay=600.0, reason="transient", error="x")
    assert counts(queue) == (1, 0, 0, 0)


def test_a_fresh_edit_overtakes_a_backoff(queue):
    queue.add("scene", 1)
    queue.nack(claim_one(queue), delay=600.0, reason="transient", error="x")
    queue.add("scene", 1)
    assert counts(queue) == (1, 0, 0, 0)


def test_a_dead_letter_keeps_its_history_and_comes_back(queue, clock, database):
    queue.add("scene", 1)
    for number in range(3):
        queue.nack(claim_one(queue), delay=0.0, reason="transient", error=f"failure {number}")
        clock.step(1)
    assert queue.bury(claim_one(queue), title="A pier", reason="rejected", error="no")
    assert counts(queue) == (0, 0, 0, 1)
    (letter,) = DeadLetters(database).page(10)
    kind, id_, title, reason, error = (
        letter.kind, letter.id, letter.title, letter.reason, letter.error
    )  # fmt: skip
    attempts, first, last = letter.attempts, letter.first_failed_at, letter.last_failed_at
    assert (kind, id_, title, reason, error, attempts) == (
        "scene",
        1,
        "A pier",
        "rejected",
        "no",
        4,
    )
    assert last - first == 3
    assert database.execute("SELECT count(*) FROM failure").fetchone() == (4,)
    assert queue.redrive() == 1
    assert claim_one(queue).attempts == 0
    assert counts(queue) == (0, 1, 0, 0)


def test_a_key_that_changed_meanwhile_is_tried_afresh_instead_of_buried(queue):
    queue.add("scene", 1)
    claim = claim_one(queue)
    queue.add("scene", 1)
    assert queue.bury(claim, title="", reason="rejected", error="no")
    assert counts(queue) == (1, 0, 0, 0)


def test_a_scene_that_is_queued_again_is_not_given_up_for_its_pictures(queue, database):
    given = {"title": "Pier", "reason": "bug", "error": "why", "attempts": 3}
    assert queue.bury_done(("scene", 1), **given)
    queue.add("scene", 2)
    assert not queue.bury_done(("scene", 2), **given)
    rows = database.execute("SELECT id, title, reason, error, attempts FROM dead_letter")
    assert list(rows) == [(1, "Pier", "bug", "why", 3)]
    assert list(database.execute("SELECT DISTINCT id FROM failure")) == [(1,)]


def test_an_edit_revives_a_dead_letter_and_a_sweep_need_not(queue):
    for number in (1, 2):
        queue.add("scene", number)
        queue.bury(claim_one(queue), title="", reason="ambiguous", error="two fit")
    assert queue.add_many([("scene", 1)], revive=False) == 0
    assert counts(queue) == (0, 0, 0, 2)
    queue.add("scene", 2)
    assert counts(queue) == (1, 0, 0, 1)


def test_redrive_by_reason_discard_and_purge(queue, clock):
    for number, reason in ((1, "ambiguous"), (2, "not_in_plex"), (3, "rejected")):
        queue.add("scene", number)
        queue.bury(claim_one(queue), title="", reason=reason, error="x")
        clock.step(100)
    assert queue.redrive(reason="not_in_plex") == 1
    assert queue.redrive([("scene", 77)]) == 0
    assert queue.discard([("scene", 3), ("scene", 77)]) == 1
    assert queue.clear_dead(before=clock.now - 1_000) == 0
    assert queue.clear_dead(before=clock.now - 50) == 1
    assert counts(queue) == (1, 0, 0, 0)


def test_the_history_of_a_key_is_bounded(queue, database):
    queue.add("scene", 1)
    for _ in range(HISTORY_LIMIT + 5):
        queue.nack(claim_one(queue), delay=0.0, reason="transient", error="x")
    assert database.execute("SELECT count(*) FROM failure").fetchone() == (HISTORY_LIMIT,)
    queue.ack(claim_one(queue))
    assert database.execute("SELECT count(*) FROM failure").fetchone() == (0,)


def test_a_failure_is_kept_up_to_a_length(queue, database):
    queue.add("scene", 1)
    queue.nack(claim_one(queue), delay=0.0, reason="transient", error="x" * 2 * ERROR_LIMIT)
    queue.bury(claim_one(queue), title="", reason="rejected", error="y" * 2 * ERROR_LIMIT)
    kept = database.execute("SELECT error FROM failure UNION ALL SELECT error FROM dead_letter")
    assert [len(error) for (error,) in kept] == [ERROR_LIMIT] * 3
