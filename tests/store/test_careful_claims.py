"""After a worker ended, the keys that it had are claimed in smaller batches, and alone at last."""

from __future__ import annotations

import pytest


def fill(queue, interruptions):
    """Add a key for each number of interruptions, oldest first."""
    for id_, number in enumerate(interruptions, 1):
        queue.add("scene", id_)
        queue._db.execute("UPDATE queue SET interruptions = ? WHERE id = ?", (number, id_))


@pytest.mark.parametrize(
    ("limit", "interruptions", "beside", "claimed"),
    [
        (8, [0] * 6, False, [1, 2, 3, 4, 5, 6]),
        (8, [0] * 6, True, [1, 2, 3, 4, 5, 6]),
        (8, [1] * 6, False, [1, 2, 3, 4]),
        (8, [0, 0, 2, 0], False, [1, 2]),
        (8, [3, 0, 0, 0], False, [1]),
        (8, [3, 3], True, [1]),
        (8, [4, 0, 1, 0], False, [2, 3, 4]),
        (8, [4, 0, 1, 0], True, [2, 3, 4]),
        (8, [4, 9], False, [1]),
        (8, [4, 9], True, []),
        (1, [1], False, [1]),
        (1, [1], True, []),
        (8, [], False, []),
    ],
)
def test_what_a_careful_claim_takes(queue, limit, interruptions, beside, claimed):
    fill(queue, interruptions)
    claims = queue.claim(limit, 60.0, careful=True, beside=beside)
    assert [claim.id for claim in claims] == claimed
    assert queue.counts().in_progress == len(claimed)
    rest = queue.claim(limit, 60.0)
    assert len(rest) == len(interruptions) - len(claimed), "a plain claim takes whatever is due"
