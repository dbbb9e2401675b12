"""Reads what the queue knows about one key: its state, what it waits for, and its failures."""

from __future__ import annotations

import sqlite3

from attrs import frozen

from stash2plex.workqueue import HELD, STOPPED, Key


@frozen
class Failure:
    """One failure of a key. `at` is in seconds since the epoch."""

    at: float
    reason: str
    error: str


@frozen
class KeyState:
    """A key in the queue or among the dead letters. Times are in seconds since the epoch.

    `state` is “none”, “due”, “waiting”, “held”, “in_progress” or “dead”. `attempts` are the
    failures that count, `snoozes` those that do not. `history` is newest first.
    """

    state: str
    added_at: float | None = None
    due_at: float | None = None
    attempts: int = 0
    snoozes: int = 0
    reason: str = ""
    error: str = ""
    history: tuple[Failure, ...] = ()


def read_key_state(connection: sqlite3.Connection, key: Key, now: float) -> KeyState:
    """Look a key up. Changes nothing."""
    history = tuple(
        Failure(*row)
        for row in connection.execute(
            "SELECT at, reason, error FROM failure WHERE kind = ? AND id = ? ORDER BY seq DESC", key
        )
    )
    dead = connection.execute(
        "SELECT attempts, reason, error, last_failed_at FROM dead_letter WHERE kind = ? AND id = ?",
        key,
    ).fetchone()
    if dead is not None:
        attempts, reason, error, _ = dead
        return KeyState("dead", None, None, attempts, 0, reason, error, history)
    row = connection.execute(
        "SELECT added_at, due_at, attempts, snoozes, reason, lease_id, priority FROM queue"
        " WHERE kind = ? AND id = ?",
        key,
    ).fetchone()
    if row is None:
        return KeyState("none", history=history)
    added_at, due_at, attempts, snoozes, reason, lease_id, priority = row
    state = "due" if due_at <= now else "waiting"
    if priority == HELD:
        state, reason = "held", STOPPED
    if lease_id is not None:
        state = "in_progress"
    error = history[0].error if history else ""
    return KeyState(state, added_at, due_at, attempts, snoozes, reason, error, history)


def find_standing(connection: sqlite3.Connection, key: Key) -> tuple[str, str] | None:
    """Return where a key is, "queue" or "dead", and the reason; None if it is in neither."""
    row = connection.execute(
        "SELECT 'queue', reason FROM queue WHERE kind = ?1 AND id = ?2"
        " UNION ALL SELECT 'dead', reason FROM dead_letter WHERE kind = ?1 AND id = ?2",
        key,
    ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))
