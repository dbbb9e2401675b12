"""The whole row of a key, and what is kept of its failures, after each way a claim ends."""

from __future__ import annotations

import pytest

from stash2plex.workqueue import BULK, HELD, URGENT

KEY = ("scene", 7)
OTHERS = [("scene", 3), ("scene", 9)]
COLUMNS = (
    "generation, added_at, due_at, priority, attempts, snoozes, interruptions, reason,"
    " lease_id, lease_generation, lease_expires_at"
)


@pytest.fixture
def held(queue, database, clock):
    """Give three keys of which the middle one has counters and is claimed, ten seconds later."""
    queue.add_many([OTHERS[0], KEY, OTHERS[1]], priority=URGENT)
    database.execute(
        "UPDATE queue SET attempts = 2, snoozes = 3, interruptions = 1, due_at = due_at - 1"
        " WHERE id = 7"
    )
    (claim,) = queue.claim(1, 60.0)
    assert (claim.key, claim.attempts, claim.snoozes, claim.interruptions) == (KEY, 2, 3, 1)
    clock.step(10)
    return claim


def row(database):
    return database.execute(f"SELECT {COLUMNS} FROM queue WHERE id = 7").fetchone()


def others(database):
    return database.execute("SELECT count(*) FROM queue WHERE id <> 7 AND attempts = 0").fetchone()


def failures(database):
    return database.execute("SELECT kind, id, at, reason, error, title FROM failure").fetchall()


START = 1_000_000.0
FREE = (None, None, None)


@pytest.mark.parametrize("again", [False, True])
def test_a_key_that_is_done_leaves_unless_it_was_added_meanwhile(queue, database, held, again):
    database.execute(
        "INSERT INTO failure (kind, id, at, reason, error, title)"
        " VALUES ('scene', 7, 1, 'rejected', 'No.', 'Quay'),"
        " ('scene', 9, 1, 'rejected', 'No.', 'Pier')"
    )
    if again:
        queue.add(*KEY)
    assert queue.ack(held)
    assert held.finished is not again
    kept = (2, START, START - 1, URGENT, 0, 0, 0, "", *FREE)
    assert row(database) == (kept if again else None)
    assert failures(database) == [("scene", 9, 1, "rejected", "No.", "Pier")]
    assert others(database) == (2,)
    assert not queue.ack(held)


@pytest.mark.parametrize("again", [False, True])
def test_a_key_that_failed_waits_unless_it_was_added_meanwhile(queue, database, clock, held, again):
    if again:
        queue.add(*KEY)
    assert queue.nack(held, delay=30.0, reason="unavailable", error="No.", title="Quay")
    due, generation = (clock.now, 2) if again else (clock.now + 30, 1)
    assert row(database) == (generation, START, due, URGENT, 3, 3, 0, "unavailable", *FREE)
    assert failures(database) == [("scene", 7, clock.now, "unavailable", "No.", "Quay")]
    assert not queue.nack(held, delay=1.0, reason="unavailable", error="No.")
    assert len(failures(database)) == 1
    assert others(database) == (2,)


@pytest.mark.parametrize("counted", [False, True])
def test_a_key_that_is_put_off_costs_a_snooze_if_that_is_counted(
    queue, database, clock, held, counted
):
    assert queue.snooze(
        held, delay=30.0, reason="not_in_plex", error="No.", title="Quay", counted=counted
    )
    assert row(database) == (
        1, START, clock.now + 30, URGENT, 2, 3 + counted, 0, "not_in_plex", *FREE,
    )  # fmt: skip
    assert failures(database) == [("scene", 7, clock.now, "not_in_plex", "No.", "Quay")]
    news = database.execute("SELECT scene_id, title FROM missing_news").fetchall()
    assert news == ([(7, "Quay")] if counted else [])
    assert not queue.snooze(held, delay=30.0, reason="not_in_plex", error="No.")


def test_a_key_that_is_put_off_without_an_error_leaves_no_failure(queue, database, held):
    assert queue.snooze(held, delay=30.0, reason="busy")
    assert failures(database) == []
    assert database.execute("SELECT count(*) FROM missing_news").fetchone() == (0,)


@pytest.mark.parametrize(
    ("priority", "aside", "then"),
    [(URGENT, False, URGENT), (URGENT, True, BULK), (BULK, True, BULK), (HELD, True, HELD)],
)
def test_a_key_that_is_put_back_is_due_at_once(queue, database, clock, held, priority, aside, then):
    database.execute("UPDATE queue SET priority = ? WHERE id = 7", (priority,))
    assert queue.release(held, reason="library", aside=aside)
    assert row(database) == (1, START, clock.now, then, 2, 3, 0, "library", *FREE)
    urgent = database.execute("SELECT count(*) FROM queue WHERE priority = ?", (URGENT,))
    assert urgent.fetchone() == (3 if then == URGENT else 2,)
    assert not queue.release(held, aside=True)


def test_a_key_that_is_given_up_leaves_and_is_a_dead_letter(queue, database, clock, held):
    database.execute(
        "INSERT INTO failure (kind, id, at, reason, error) VALUES ('scene', 7, 5.0, 'a', 'b')"
    )
    assert queue.bury(held, title="Quay", reason="rejected", error="No." * 9_999, path="/a.mp4")
    assert (held.finished, row(database), others(database)) == (True, None, (2,))
    letters = database.execute(
        "SELECT kind, id, title, reason, attempts, first_failed_at, last_failed_at, path"
        " FROM dead_letter"
    ).fetchall()
    assert letters == [("scene", 7, "Quay", "rejected", 3, 5.0, clock.now, "/a.mp4")]
    (error,) = database.execute("SELECT error FROM dead_letter").fetchone()
    assert error == failures(database)[-1][4]
    assert 100 < len(error) < 29_997


def test_a_key_that_is_given_up_but_was_added_meanwhile_is_tried_again(
    queue, database, clock, held
):
    queue.add(*KEY)
    assert queue.bury(held, title="Quay", reason="rejected", error="No.")
    assert held.finished is False
    assert row(database) == (2, START, clock.now, URGENT, 2, 3, 0, "rejected", *FREE)
    assert database.execute("SELECT count(*) FROM dead_letter").fetchone() == (0,)
    assert failures(database) == []
    assert not queue.bury(held, title="Quay", reason="rejected", error="No.")


# -- adding -------------------------------------------------------------------------------


def place(database):
    return database.execute("SELECT id, priority, due_at FROM queue ORDER BY id").fetchall()


@pytest.mark.parametrize(("more", "then"), [({}, BULK), ({"take_up": False}, HELD)])
def test_a_held_key_is_taken_up_by_whoever_adds_it_unless_asked_otherwise(
    queue, database, clock, more, then
):
    queue.add_many([("scene", 1), ("scene", 2), ("scene", 3)], priority=BULK)
    database.execute("UPDATE queue SET priority = ? WHERE id = 2", (HELD,))
    assert queue.add_many([("scene", 1), ("scene", 2), ("scene", 4)], delay=5.0, **more) == 3
    assert place(database) == [
        (1, BULK, clock.now), (2, then, clock.now), (3, BULK, clock.now), (4, BULK, clock.now + 5),
    ]  # fmt: skip


def test_a_woken_key_is_due_now_and_costs_no_snooze(queue, database, clock):
    queue.add_many([("scene", 1), ("scene", 2), ("scene", 3)], delay=50.0)
    database.execute("UPDATE queue SET snoozes = id - 1")
    database.execute("UPDATE queue SET priority = ? WHERE id = 2", (HELD,))
    assert queue.wake([("scene", 1), ("scene", 2), ("scene", 3)]) == 3
    assert place(database) == [(1, BULK, clock.now), (2, HELD, clock.now), (3, BULK, clock.now)]
    snoozes = database.execute("SELECT snoozes FROM queue ORDER BY id").fetchall()
    assert snoozes == [(0,), (0,), (1,)]


def test_what_a_sweep_offers_leaves_waiting_and_dead_keys_alone(queue, database, clock):
    queue.add_many([("scene", 1), ("scene", 2), ("scene", 3)], delay=0.0)
    claims = {claim.id: claim for claim in queue.claim(3, 60.0)}
    queue.bury(claims[1], title="", reason="rejected", error="No.")
    queue.nack(claims[2], delay=30.0, reason="unavailable", error="No.")
    assert queue.offer([("scene", number) for number in (1, 2, 3, 4)]) == 1
    rows = database.execute("SELECT id, generation, due_at, priority FROM queue ORDER BY id")
    assert rows.fetchall() == [
        (2, 1, clock.now + 30, BULK), (3, 2, clock.now, BULK), (4, 1, clock.now, BULK),
    ]  # fmt: skip
    assert database.execute("SELECT id FROM dead_letter").fetchall() == [(1,)]


# -- careful claims -----------------------------------------------------------------------


def test_a_lease_that_ends_at_this_second_has_ended(queue, database, clock):
    queue.add_many([("scene", 1), ("scene", 2)])
    first = queue.claim(2, 60.0)
    clock.step(59.0)
    assert queue.claim(2, 60.0) == []
    assert queue.extend(first[0].lease_id, 60.0) == 2
    clock.step(59.0)
    assert queue.claim(2, 60.0) == []
    clock.step(1.0)
    assert [claim.interruptions for claim in queue.claim(2, 60.0)] == [1, 1]
    assert queue.extend(first[0].lease_id, 60.0) == 0
