"""A Stash that answers its settings and fails the work: it counts as away until work succeeds."""

from __future__ import annotations

import pytest

from stash2plex_testing.stash import Fault
from tests.harness.in_process import Desk, listen

LOCKED = "findScenes|SceneIds"
"""What needs Stash's database. It answers with its settings from a file."""


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


@pytest.mark.parametrize("kind", ["status", "graphql_error", "reset"])
@pytest.mark.parametrize("others", [0, 1, 3])
def test_a_tag_whose_scenes_cannot_be_listed_is_not_waited_for_without_end(tmp_path, kind, others):
    with Desk(str(tmp_path)) as desk:
        scenes = [desk.scene(f"quay-{number}.mp4") for number in range(others)]
        for number in range(others):
            desk.item(f"quay-{number}.mp4")
        desk.stash.faults.add(Fault(kind, operation=LOCKED, times=None))
        desk.app.store.queue.add_many([("tag", 5)], priority=0)
        begun = desk.clock()
        summary = desk.drain(*scenes)
        assert summary.progress.left == 1
        assert "run the task again later." in str(summary.gave_up)
        assert desk.clock() - begun < 400
        desk.stash.faults.clear()
        assert desk.drain().progress.left == 0


@pytest.mark.parametrize("kind", ["status", "graphql_error"])
def test_a_worker_outlives_an_hour_in_which_stash_fails_everything_but_its_settings(tmp_path, kind):
    with Desk(str(tmp_path)) as desk:
        tag = desk.stash.add_tag("Lantern")
        scene = desk.scene("pier.mp4", tags=[tag])
        item = desk.item("pier.mp4")
        desk.drain(scene)
        tag.name = "Beacon"
        desk.stash.faults.add(Fault(kind, operation=LOCKED, times=None))
        desk.app.store.queue.add_many([("tag", tag.id)], priority=0)
        said = listen(desk)
        asked = desk.stash.graphql_count
        assert desk.work(3600.0, grain=1.0).progress.left == 1
        # A minute between two tries, one line, one outage: a breaker that opens and closes fills
        # the log and the list of outages.
        assert desk.stash.graphql_count - asked < 600
        assert len([line for line in said if "Waiting for Stash" in line]) == 1
        assert desk.app.store.connection.execute("SELECT count(*) FROM outage").fetchone() == (1,)
        desk.stash.faults.clear()
        desk.work(120.0)
        assert item.tags["genre"] == ["Beacon"]
        assert [line for line in said if line.startswith("Stash is back after 1 h")]
