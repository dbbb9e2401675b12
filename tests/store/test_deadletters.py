"""Dead letters with their history, their groups, and what an outage was behind."""

from __future__ import annotations

from random import Random

import pytest

from stash2plex import errors
from stash2plex.db import connect
from stash2plex.errors import Unavailable
from stash2plex.operations.reasons import REASONS, groups_sentence, reason_of
from stash2plex.store.breaker import OUTAGES_LIMIT, Breaker
from stash2plex.store.dead_letters import DeadLetters, read_groups
from stash2plex.store.queue import Queue
from stash2plex.ui.lines.dead_letters import letter_lines
from tests.support import ManualClock


@pytest.fixture
def store(tmp_path):
    clock = ManualClock()
    connection = connect(str(tmp_path / "stash2plex.db"))
    yield connection, Queue(connection, clock), clock
    connection.close()


def bury(queue, id_, reason, error="x", times=1):
    queue.add("scene", id_)
    for _ in range(times - 1):
        (claim,) = queue.claim(1, 60.0)
        queue.nack(claim, delay=0.0, reason=reason, error=error)
    (claim,) = queue.claim(1, 60.0)
    queue.bury(claim, title=f"Pier {id_}", reason=reason, error=error, path=f"/data/{id_}.mp4")


def test_a_page_has_the_whole_history_and_the_path(store):
    connection, queue, _ = store
    bury(queue, 1, "rejected", "It does not accept what was sent.", times=4)
    (letter,) = DeadLetters(connection).page(10)
    assert (letter.path, letter.attempts, len(letter.history)) == ("/data/1.mp4", 4, 4)
    assert DeadLetters(connection).find("scene", 1) == letter
    assert DeadLetters(connection).find("scene", 2) is None
    lines = letter_lines(letter)
    assert lines[0] == "scene:1 “Pier 1”"
    assert "Given up because a server does not accept what was sent, after 4 attempts." in lines
    assert sum("It does not accept" in line for line in lines) == 4


def test_groups_and_pages_by_reason(store):
    connection, queue, clock = store
    for number, reason in enumerate(("ambiguous", "not_in_plex", "not_in_plex"), start=1):
        bury(queue, number, reason)
        clock.step(1)
    dead = DeadLetters(connection)
    assert [(group.reason, group.number) for group in read_groups(connection)] == [
        ("not_in_plex", 2),
        ("ambiguous", 1),
    ]
    assert groups_sentence(read_groups(connection)) == (
        "2 because Plex has no such file (scene 3 “Pier 3”, scene 2 “Pier 2”), "
        "1 because several Plex items fit (scene 1 “Pier 1”)"
    )
    assert [letter.id for letter in dead.page(10, reason="not_in_plex")] == [3, 2]
    assert [letter.id for letter in dead.page(1, 1)] == [2]
    assert (dead.total(), dead.total("ambiguous")) == (3, 1)
    assert [group.number for group in read_groups(connection, clock.now - 1.5)] == [1]


def test_an_outage_is_behind_what_was_unavailable_and_what_was_odd_meanwhile(store):
    connection, queue, clock = store
    bury(queue, 1, "unavailable")
    bury(queue, 2, "transient")
    clock.step(10)
    connection.execute(
        "INSERT INTO outage (server, started_at, ended_at, cause, waiting)"
        " VALUES ('plex', ?, ?, 'x', 0)",
        (clock.now, clock.now + 10),
    )
    clock.step(5)
    bury(queue, 3, "transient")
    bury(queue, 4, "ambiguous")
    clock.step(50)
    bury(queue, 5, "not_found")
    assert sorted(DeadLetters(connection).recoverable()) == [("scene", 1), ("scene", 3)]


def test_outages_are_bounded(store):
    connection, _, clock = store
    connection.executemany(
        "INSERT INTO outage (server, started_at, ended_at, cause, waiting)"
        " VALUES ('plex', ?, ?, '', 0)",
        [(number, number + 1) for number in range(OUTAGES_LIMIT + 50)],
    )
    breaker = Breaker(connection, "plex", clock, Random(1))
    breaker.failed(Unavailable("Plex", "busy", retry_after=90.0), 1)
    assert connection.execute("SELECT count(*) FROM outage").fetchone() == (OUTAGES_LIMIT,)


def test_every_reason_of_the_code_has_words():
    used = {"interrupted", "fault"} | {
        value.reason
        for value in vars(errors).values()
        if isinstance(value, type)
        and issubclass(value, (errors.ServerError, errors.NotInPlexYet, errors.Ambiguous))
    }
    # A refusal and the abstract parent never end in a dead letter.
    assert set(REASONS) == used - {"refused", "server"}
    assert reason_of("of_tomorrow").words == "of tomorrow"
