"""Counts scenes by state, from stored places and index ranges, so that any number is fast.

Plain values: the stored status imports this module, and must cost little.
"""

import sqlite3

from stash2plex.rules.scene_states import (
    DEAD,
    FREE,
    GIVEN_UP,
    NOT_IN_PLEX,
    QUEUED,
    REASONS,
    SENDING,
    STATES,
    TO_SEND,
    WAITING,
    resting_state,
)

STANDINGS = "SELECT place, standing, count(*) FROM scene GROUP BY place, standing"
IN_HAND = (
    "SELECT count(*) FROM queue INDEXED BY queue_leased WHERE lease_id IS NOT NULL AND priority < 2"
    " AND kind = 'scene'"
)
HELD = (
    "SELECT (SELECT count(*) FROM queue INDEXED BY queue_due WHERE lease_id IS NULL"
    " AND priority = 2 AND kind = 'scene') + (SELECT count(*) FROM queue INDEXED BY queue_leased"
    " WHERE lease_id IS NOT NULL AND priority = 2 AND kind = 'scene')"
)
LATER = (
    "SELECT count(*) FROM queue INDEXED BY queue_due WHERE lease_id IS NULL"
    " AND priority IN (0, 1) AND due_at > ? AND kind = 'scene'"
)
MISSING = (
    "SELECT count(*) FROM queue INDEXED BY queue_missing WHERE lease_id IS NULL"
    " AND kind = 'scene' AND reason = 'not_in_plex' AND priority IN (0, 1) AND due_at > ?"
)


def count_scenes(
    database: sqlite3.Connection, now: float, *, worker_runs: bool
) -> tuple[dict[str, int], dict[str, int]]:
    """Count the scenes by state, and those left out by reason.

    Without a worker nothing is in progress: what was counts as to be sent. The caller opens a
    transaction if the numbers must add up.
    """
    states = dict.fromkeys(STATES, 0)
    reasons = {}
    queued = 0
    for place, standing, number in database.execute(STANDINGS):
        if place == FREE:
            states[resting_state(standing)] += number
            if standing in REASONS:
                reasons[standing] = number
        elif place == QUEUED:
            queued += number
        elif place == DEAD:
            states[GIVEN_UP] += number
    in_hand, held, later, missing = (
        int(database.execute(text, values).fetchone()[0])
        for text, values in ((IN_HAND, ()), (HELD, ()), (LATER, (now,)), (MISSING, (now,)))
    )
    sending = in_hand if worker_runs else 0
    states[SENDING] += sending
    states[WAITING] += held + later - missing
    states[NOT_IN_PLEX] += missing
    states[TO_SEND] += queued - sending - held - later
    return states, reasons
