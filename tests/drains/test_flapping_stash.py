"""A Stash that answers everything but one scene: the task in front of the user still ends."""

from __future__ import annotations

from stash2plex_testing.stash import Fault
from tests.harness.in_process import Desk


def test_a_scene_that_is_always_locked_is_not_waited_for_without_end(tmp_path):
    with Desk(str(tmp_path)) as desk:
        locked = desk.scene("pier.mp4", size=1, title="Pier")
        other = desk.scene("quay.mp4", size=2, title="Quay")
        for path, size in (("pier.mp4", 1), ("quay.mp4", 2)):
            desk.item(path, size=size)
        desk.stash.faults.add(Fault("graphql_error", scene=locked, times=None))
        begun = desk.clock()
        summary = desk.drain(locked, other)
        assert (summary.progress.done, summary.progress.left) == (1, 1)
        assert summary.gave_up is not None
        assert "locked" in summary.gave_up
        assert desk.clock() - begun < 400
        # Nothing is lost: it goes out as soon as Stash shows it.
        desk.stash.faults.clear()
        assert desk.drain(locked).progress.done == 1
