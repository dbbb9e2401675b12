"""What the worker met is reported once, by one process, in few lines."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from stash2plex.db import connect
from stash2plex.errors import Refused, Unavailable
from stash2plex.hook import NOTICES_SQL
from stash2plex.operations.notifications import log_notifications, notification_lines
from stash2plex.store.metrics import SCENES, Meter, read_metrics
from stash2plex.store.names import Named, names, read_waiting, summary_names
from stash2plex.store.notices import end_trouble, mark_notified, note_trouble, notified_at
from stash2plex.store.queue import Queue


class Heard(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append((record.levelname, record.getMessage()))


def heard(connection, clock):
    logger = logging.getLogger("heard")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    handler = Heard()
    logger.addHandler(handler)
    log_notifications(connection, logger, clock.now, folder="")
    logger.removeHandler(handler)
    return handler.lines


def goes(breaker):
    breaker.failed(Unavailable("Plex", "Plex is busy.", retry_after=60.0), 5)


def has_news(connection, clock):
    return bool(
        connection.execute(NOTICES_SQL, (notified_at(connection, clock.now),)).fetchone()[0]
    )


def test_an_outage_is_told_when_it_begins_and_when_it_ends(store):
    connection, clock, breaker = store
    assert heard(connection, clock) == []
    clock.step(10)
    goes(breaker)
    clock.step(5)
    assert has_news(connection, clock)
    ((level, text),) = heard(connection, clock)
    assert level == "WARNING"
    assert text.startswith("Plex is out of reach since")
    assert text.endswith("Nothing is lost. Plex is busy.")
    assert not has_news(connection, clock)
    clock.step(600)
    breaker.succeeded()
    clock.step(1)
    assert has_news(connection, clock)
    ((_, text),) = heard(connection, clock)
    assert "for 10 min. What waited is sent now. Plex is busy." in text
    clock.step(1)
    assert heard(connection, clock) == []


def test_many_outages_are_one_line(store):
    connection, clock, breaker = store
    mark_notified(connection, clock.now)
    for _ in range(6):
        clock.step(100)
        goes(breaker)
        clock.step(30)
        breaker.succeeded()
    ((_, text),) = heard(connection, clock)
    assert "was out of reach 6 times since" in text
    assert "3 min 00 s in all" in text


def test_a_refusal_is_told_as_one_and_a_cured_one_not_at_all(store):
    connection, clock, breaker = store
    error = Refused("Plex", "Plex does not accept the token.", wants_login=True)
    clock.step(10)
    breaker.failed(error, 5)
    clock.step(5)
    ((_, text),) = heard(connection, clock)
    assert text.startswith("Plex has refused the token since")
    clock.step(60)
    breaker.succeeded()
    clock.step(1)
    ((_, text),) = heard(connection, clock)
    assert text.startswith("Plex refused the token from")
    clock.step(60)
    breaker.failed(error, 5)
    clock.step(1)
    breaker.reset()
    clock.step(1)
    assert not has_news(connection, clock)
    assert heard(connection, clock) == []


def test_what_was_given_up_is_told_with_counts(store):
    connection, clock, _ = store
    mark_notified(connection, clock.now)
    clock.step(5)
    queue = Queue(connection, clock)
    queue.add_many([("scene", number) for number in range(1, 6)])
    for claim in queue.claim(5, 60.0):
        queue.bury(claim, title="A pier", reason="ambiguous", error="Two fit.")
    ((_, text),) = heard(connection, clock)
    assert "5 scenes given up since" in text
    assert (
        "5 because several Plex items fit (scene 1 “A pier”, scene 2 “A pier”, scene 3 “A pier” "
        "and 2 more)" in text
    )


def put_off(connection, clock, ids):
    queue = Queue(connection, clock)
    queue.add_many([("scene", number) for number in ids])
    for claim in queue.claim(len(ids), 60.0):
        queue.snooze(
            claim, delay=30.0, reason="not_in_plex", error="No.", title=f"Lantern {claim.id}"
        )


def test_scenes_that_plex_does_not_have_are_told_once_with_the_first_names(store):
    connection, clock, _ = store
    put_off(connection, clock, [2, 3, 4, 5, 6])
    assert has_news(connection, clock)
    ((level, text),) = heard(connection, clock)
    assert level == "INFO"
    assert text.startswith(
        "5 scenes are not in Plex yet (scene 2 “Lantern 2”, scene 3 “Lantern 3”, scene 4 “Lantern "
        "4” and 2 more). Scan"
    )
    clock.step(60)
    put_off(connection, clock, [2, 3, 4, 5, 6, 7])
    ((_, text),) = heard(connection, clock)
    assert text.startswith("1 scene is not in Plex yet (scene 7 “Lantern 7”).")
    assert not has_news(connection, clock)


def test_a_scene_that_was_found_meanwhile_is_not_told(store):
    connection, clock, _ = store
    put_off(connection, clock, [2, 3])
    clock.step(60)
    queue = Queue(connection, clock)
    (claim, *_) = queue.claim(1, 60.0)
    queue.ack(claim)
    ((_, text),) = heard(connection, clock)
    assert "scene 3" in text
    assert "scene 2" not in text
    put_off(connection, clock, [2, 3])
    assert has_news(connection, clock)
    clock.step(60)
    queue.clear_waiting()
    assert heard(connection, clock) == []


def test_what_waits_and_what_was_given_up_is_named_by_its_last_title(store):
    connection, clock, _ = store
    put_off(connection, clock, [4, 5])
    queue = Queue(connection, clock)
    queue.add("performer", 7)
    (claim,) = queue.claim(1, 60.0)
    queue.nack(claim, delay=9.0, reason="transient", error="Odd.")
    waiting = {one.reason: one for one in read_waiting(connection, clock.now)}
    assert names(waiting["not_in_plex"].first, 2) == " (scene 4 “Lantern 4”, scene 5 “Lantern 5”)"
    assert names(waiting["transient"].first, 1) == " (performer 7)"
    assert summary_names(connection, clock.now, 0.0)["dead"] == ""
    long = Named("scene", 1, "Harbour " * 20)
    assert Named("scene", 1, "L" * 60).words() == f"scene 1 “{'L' * 60}”"
    assert Named("scene", 1, "L" * 61).words() == f"scene 1 “{'L' * 59}…”"
    assert names([long], 1_001).endswith("…” and 1,000 more)")


def test_the_look_for_news_reads_no_more_than_the_heads_of_tables(store):
    connection, _, _ = store
    plan = list(connection.execute(f"EXPLAIN QUERY PLAN {NOTICES_SQL}", (0.0,)))
    assert not [
        row[3]
        for row in plan
        if row[3].startswith("SCAN")
        and "missing_news" not in row[3]
        # The newest few, from the end of the table.
        and row[3] not in ("SCAN outage", "SCAN run")
        and "CONSTANT" not in row[3]
        and "subquery" not in row[3]
    ]


def test_a_clock_that_was_set_back_tells_once_more_and_is_quiet_again(store):
    connection, clock, breaker = store
    goes(breaker)
    clock.step(5)
    assert len(heard(connection, clock)) == 1
    clock.step(-3600)
    assert len(heard(connection, clock)) == 1
    mark_notified(connection, clock.now + 7200)
    assert (
        notification_lines(connection, notified_at(connection, clock.now + 7200), clock.now + 7200)
        == []
    )


def test_trouble_is_told_once_until_it_ends(store):
    connection, clock, _ = store
    note_trouble(connection, "Plex has no such library.")
    assert has_news(connection, clock)
    assert heard(connection, clock) == [("ERROR", "Plex has no such library.")]
    note_trouble(connection, "Plex has no such library.")
    assert not has_news(connection, clock)
    assert heard(connection, clock) == []
    end_trouble(connection)
    note_trouble(connection, "Plex has no such library.")
    assert len(heard(connection, clock)) == 1


def test_of_many_who_look_at_once_one_tells(store, tmp_path):
    connection, clock, breaker = store
    mark_notified(connection, clock.now)
    clock.step(1)
    goes(breaker)
    clock.step(1)
    logger = logging.getLogger("heard by many")
    logger.propagate = False
    handler = Heard()
    logger.addHandler(handler)

    def look(_):
        own = connect(str(tmp_path / "stash2plex.db"))
        log_notifications(own, logger, clock.now, folder="")
        own.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(look, range(12)))
    logger.removeHandler(handler)
    assert len(handler.lines) == 1


def test_counters_add_up_and_cost_nothing_where_nothing_was_counted(store):
    connection, _, _ = store
    meter = Meter()
    meter.flush(connection)
    for seconds in (0.01, 0.02, 0.3, 99.0):
        meter.applied(("title", "tags"), seconds)
    meter.applied((), 0.0)
    meter.flush(connection)
    meter.add(SCENES, "written")
    meter.flush(connection)
    meter.flush(connection)
    found = read_metrics(connection)
    assert found.scenes == {"equal": 1, "written": 5}
    assert found.fields == {"tags": 4, "title": 4}
    assert found.edit.number == 4
    assert found.edit.mean() == pytest.approx(99.33 / 4)
    assert (found.edit.below(0.5), found.edit.below(0.75)) == (0.025, 0.5)
    assert found.edit.below(0.95) is None
