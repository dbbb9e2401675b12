"""What a drain has in hand stays its own, however long it takes."""

from __future__ import annotations

from stash2plex.sync.in_hand import LEASE_RENEWAL
from tests.harness.in_process import fill


def test_leases_are_renewed_while_a_drain_takes_its_time(make_desk):
    desk = make_desk()
    queue = desk.app.store.queue
    ack, extend = queue.ack, queue.extend
    extended = []

    def slow_ack(claim):
        desk.clock.step(LEASE_RENEWAL)
        return ack(claim)

    def noted_extend(*arguments):
        extended.append(arguments)
        return extend(*arguments)

    queue.ack, queue.extend = slow_ack, noted_extend
    desk.drain(*fill(desk, 12))
    assert desk.app.store.records.summary()[0] == 12
    assert extended
