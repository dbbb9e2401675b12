"""A tag that was renamed: which of the scenes that show it are taken along."""

from __future__ import annotations

import pytest

from stash2plex.workqueue import BULK, HELD, URGENT
from tests.harness.in_process import fill


@pytest.mark.parametrize(("priority", "taken"), [(URGENT, True), (BULK, False)])
def test_a_change_of_a_tag_takes_held_scenes_along_if_the_user_made_it_now(
    make_desk, priority, taken
):
    desk = make_desk()
    tag = desk.stash.add_tag("Fog")
    (scene,) = fill(desk, 1)
    scene.tags = [tag]
    desk.drain(scene)
    queue = desk.app.store.queue
    queue.add_many([("scene", scene.id)], priority=1)
    desk.app.store.connection.execute("UPDATE queue SET priority = ?", (HELD,))
    tag.name = "Thick Fog"
    queue.add_many([("tag", tag.id)], priority=priority)
    desk.drain()
    assert (desk.plex.all_items()[0].tags["genre"] == ["Thick Fog"]) is taken
    assert (desk.rows("SELECT priority FROM queue") == [(HELD,)]) is not taken
