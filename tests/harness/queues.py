"""What tests of the queue ask of it."""

from __future__ import annotations


def claim_one(queue, seconds=60.0):
    (claim,) = queue.claim(1, seconds)
    return claim


def counts(queue):
    found = queue.counts()
    return (found.pending, found.in_progress, found.waiting, found.dead)
