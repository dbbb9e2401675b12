"""Every way in which a scene's face changes, by the table of stash.md §10: how soon it is learnt.

“hook”: the save itself queued a key. “look”: the next glance at Stash, at most a minute later.
“sweep”: the next full sweep. “nothing”: Plex shows nothing of it, and nothing is sent.
"""

from __future__ import annotations

import time

import pytest

from stash2plex.lock import drain_lock
from tests.e2e import entity_changes, library_changes, scan_changes, scene_changes
from tests.e2e.shore import Shore, queued
from tests.harness.process import Stage
from tests.support import ManualClock

ROWS = [
    *scene_changes.row.rows,
    *scan_changes.row.rows,
    *entity_changes.row.rows,
    *library_changes.row.rows,
]


@pytest.fixture(scope="module")
def shore(tmp_path_factory):
    # Keys of hooks are stored by the time of this machine, and have to be due.
    clock = ManualClock(time.time())
    with Stage(str(tmp_path_factory.mktemp("stash")), clock=clock) as stage:
        stage.install()
        shore = Shore(stage, clock)
        # With the lock in this process, hooks start no worker.
        lock = drain_lock(stage.data_dir)
        assert lock.acquire()
        shore.look()
        yield shore
        lock.release()
        shore.app.close()


@pytest.mark.parametrize(("learnt", "steps"), ROWS)
def test_a_change_reaches_plex(shore, learnt, steps):
    shore.made.clear()
    running = steps(shore)
    next(running)
    if learnt == "sweep":
        # Long ago, with something newer beside it: the overlap of a poll must not find it.
        shore.clock.step(5 * 3600)
        shore.scene()
    shore.settle()
    assert shore.is_right()
    shore.stage.plex.clear_log()
    shore.clock.step(5)
    assert next(running, "ended") == "ended"
    if learnt == "nothing":
        shore.look(1.0, foreground=False)
        assert shore.stage.plex.count("PUT") + shore.stage.plex.count("POST") == 0
        assert shore.is_right()
        return
    assert bool(queued(shore)) is (learnt == "hook")
    assert not shore.is_right()
    shore.look()
    assert shore.is_right() is (learnt != "sweep")
    shore.look(1.0, foreground=False)
    assert shore.is_right()
    assert queued(shore) == set()
