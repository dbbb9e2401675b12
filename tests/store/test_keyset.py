"""Sets outside of memory, and where a key stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.db import connect, transaction
from stash2plex.store.key_set import KeySet
from stash2plex.store.key_state import find_standing
from stash2plex.workqueue import WorkQueue
from tests.support import ManualClock


@pytest.fixture
def database(tmp_path):
    connection = connect(str(tmp_path / "stash2plex.db"))
    yield connection
    connection.close()


@given(st.lists(st.lists(st.integers(1, 50), max_size=8), max_size=5), st.integers(1, 7))
def test_a_set_is_a_set(tmp_path_factory, parts, size):
    connection = connect(str(tmp_path_factory.mktemp("set") / "a.db"))
    keys = KeySet(connection, "some")
    for part in parts:
        keys.update(part)
    model = {key for part in parts for key in part}
    assert len(keys) == len(model)
    assert all((key in keys) == (key in model) for key in range(1, 51))
    batches = list(keys.batches(size))
    assert [key for batch in batches for key in batch] == sorted(model)
    assert all(len(batch) <= size for batch in batches)
    connection.close()


def test_a_set_leaves_nothing_and_holds_up_no_hook(tmp_path, database):
    other = connect(str(tmp_path / "stash2plex.db"))
    with transaction(other):
        # Another process is writing: a temporary set does not wait for it.
        keys = KeySet(database, "some")
        keys.update(["7", "8"])
        assert "7" in keys
        keys.close()
    assert len(KeySet(database, "some")) == 0
    other.close()


def test_sets_of_two_names_are_apart(database):
    first, second = KeySet(database, "first"), KeySet(database, "second")
    first.update([1, 2])
    second.update([2, 3])
    assert [1 in first, 1 in second, len(first), len(second)] == [True, False, 2, 2]
    first.close()
    assert (len(first), list(second.batches(5))) == (0, [[2, 3]])
    second.update([4])
    assert len(KeySet(database, "second")) == 0


def test_where_a_key_stands(database):
    queue = WorkQueue(database, ManualClock())
    key = ("scene", 1)
    assert find_standing(database, key) is None
    queue.add(*key)
    assert find_standing(database, key) == ("queue", "")
    (claim,) = queue.claim(1, 60.0)
    queue.snooze(claim, delay=5.0, reason="not_in_plex")
    assert find_standing(database, key) == ("queue", "not_in_plex")
    queue.add(*key)
    (claim,) = queue.claim(1, 60.0)
    queue.bury(claim, title="", reason="rejected", error="400")
    assert find_standing(database, key) == ("dead", "rejected")
