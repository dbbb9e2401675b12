"""A save that comes while a drain has others in hand, or begins to wait: it is in Plex soon."""

from __future__ import annotations

import pytest

from stash2plex.sync import pipeline
from stash2plex.sync.observer import Silent
from tests.harness.in_process import fill


def test_a_save_does_not_wait_for_what_is_in_hand(make_desk, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 2)
    desk = make_desk()
    scenes = fill(desk, 12)
    queue = desk.app.store.queue
    queue.enqueue([("scene", one.id) for one in scenes[:-1]])
    claim = queue.claim

    def claim_and_save(*arguments, **options):
        queue.claim = claim
        claimed = claim(*arguments, **options)
        queue.add("scene", scenes[-1].id)
        return claimed

    queue.claim = claim_and_save
    desk.process(Silent())
    written = [one.query["id"][0] for one in desk.plex.requests if one.method == "PUT"]
    item = next(one for one in desk.plex.all_items() if one.title == scenes[-1].title)
    assert len(written) == 12
    assert written.index(str(item.rating_key)) < 11


@pytest.mark.parametrize("looks", range(4))
def test_a_save_that_comes_as_a_worker_begins_to_wait_is_not_waited_for(make_desk, looks):
    desk = make_desk()
    (scene,) = fill(desk, 1)
    queue = desk.app.store.queue
    next_due_at = queue.next_due_at

    left = iter(range(looks))

    def save_and_look():
        if next(left, None) is None:
            queue.next_due_at = next_due_at
            queue.add("scene", scene.id)
        return next_due_at()

    queue.next_due_at = save_and_look
    before = desk.clock()
    desk.work(0.2)
    assert desk.titles() == [scene.title]
    assert desk.clock() < before + 1
