"""What was counted and how long it took: every number, and where it lands."""

from __future__ import annotations

import pytest

from stash2plex.errors import Refused, Unavailable
from stash2plex.store.breaker import outage_kind
from stash2plex.store.metrics import (
    BUCKETS,
    DEAD,
    EDIT,
    PUT_OFF,
    RETRIED,
    Histogram,
    Meter,
    read_metrics,
)
from stash2plex.store.outages import outage_words


def test_what_was_counted_is_added_to_what_is_stored(store):
    connection, _, _ = store
    meter = Meter()
    meter.flush(connection)
    assert read_metrics(connection).scenes == {}
    meter.applied(("title", "rating"), 0.025)
    meter.applied(("title",), 0.0251)
    meter.applied((), 0.0)
    meter.pictures(("poster",))
    for name in (DEAD, RETRIED, PUT_OFF):
        meter.add(name, f"{name} 17")
    meter.flush(connection)
    meter.flush(connection)
    meter.applied((), 31.0)
    meter.flush(connection)
    known = read_metrics(connection)
    assert known.scenes == {"written": 2, "equal": 2}
    assert known.fields == {"title": 2, "rating": 1, "poster": 1}
    assert (known.dead, known.retried, known.put_off) == (
        {"dead 17": 1}, {"retried 17": 1}, {"put_off 17": 1},
    )  # fmt: skip
    assert known.edit.counts == (1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert known.edit.total == pytest.approx(31.0501)
    assert known.edit.number == 3
    assert connection.execute("SELECT count(*) FROM metric WHERE name = ?", (EDIT,)).fetchone() == (
        4,
    )


def test_the_share_that_stays_below_a_bound():
    none = Histogram((0,) * 11, 0.0)
    assert (none.number, none.mean(), none.below(0.5)) == (0, None, None)
    some = Histogram((5, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1), 20.0)
    assert (some.number, some.mean()) == (10, 2.0)
    assert [some.below(share) for share in (0.5, 0.51, 0.9, 0.95)] == [
        BUCKETS[0], BUCKETS[2], BUCKETS[2], None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("server", "error", "words"),
    [
        ("plex", Unavailable("Plex", "x"), ("Plex is out of reach", "Plex was out of reach")),
        ("stash", Unavailable("Stash", "x"), ("Stash is out of reach", "Stash was out of reach")),
        ("plex", Refused("Plex", "x"), ("Plex cannot be used", "Plex could not be used")),
    ],
)
def test_the_words_of_an_outage(server, error, words):
    assert outage_words(server, outage_kind(error)) == words


def test_the_words_of_a_refused_log_in_name_what_each_server_wants():
    assert outage_words("plex", "login") == (
        "Plex has refused the token", "Plex refused the token",
    )  # fmt: skip
    assert outage_words("stash", "login") == (
        "Stash has refused the log-in", "Stash refused the log-in",
    )  # fmt: skip
