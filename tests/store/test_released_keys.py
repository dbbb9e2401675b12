"""Where a key stands that was put back."""

from __future__ import annotations

import pytest

from stash2plex.workqueue import URGENT


@pytest.mark.parametrize(("aside", "then"), [({}, 1), ({"aside": True}, 2)])
def test_a_key_that_is_put_back_keeps_its_turn_unless_it_steps_aside(queue, aside, then):
    queue.add_many([("scene", 1)], priority=URGENT)
    queue.add_many([("scene", 2)], priority=URGENT)
    (claim,) = queue.claim(1, 60.0)
    assert claim.key == ("scene", 1)
    assert queue.release(claim, **aside)
    (again,) = queue.claim(1, 60.0)
    assert again.key == ("scene", then)
