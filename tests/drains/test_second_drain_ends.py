"""How long a task took that watched another process, and what a sync tries once more."""

from __future__ import annotations

import pytest

from stash2plex.lock import drain_lock
from stash2plex.operations.enqueue import enqueue_recent
from stash2plex.operations.foreground import drain_here
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from tests.harness.in_process import fill

DAY = 86_400.0


@pytest.mark.parametrize("watches", [True, False])
@pytest.mark.parametrize("earlier", [None, 7.0])
def test_the_summary_has_the_seconds_since_the_run_began(make_desk, watches, earlier):
    desk = make_desk()
    other = drain_lock(desk.app.folder)
    if watches:
        assert other.acquire()
        desk.add(desk.scene("a.mp4"))
        desk.clock.at[desk.clock() + 2.0] = desk.app.store.queue.clear_waiting
    start = desk.clock()
    began = None if earlier is None else start - earlier
    summary = drain_here(desk.app, Foreground("a test"), Silent(), lambda: False, began)
    assert summary.seconds == desk.clock() - start + (earlier or 0.0)
    # An empty queue counts once the other process has had ten seconds for its look.
    assert summary.seconds >= (10.0 if watches else 0.0)
    other.release()


def test_a_sync_of_recent_scenes_tries_again_what_was_given_up(make_desk):
    desk = make_desk()
    first, second = fill(desk, 2)
    queue = desk.app.store.queue
    queue.add_many([("scene", first.id), ("scene", second.id)])
    for claim in queue.claim(2, 60.0):
        queue.bury(claim, title="Pier", reason="rejected", error="No.")
    begun = desk.app.store.runs.begin("Sync Recent Scenes", None, 20.0)
    desk.app.sweeper.run_id = begun.id
    assert enqueue_recent(desk.app, DAY).queued == 2
    assert desk.dead() == {}
    run = desk.app.store.runs.read(begun.id)
    assert run is not None
    assert run.queued == 2
