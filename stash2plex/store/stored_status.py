"""Reads the status from the database alone, without asking a server.

It imports little more than the hook does, because the page asks for it again and again: a test
pins the list. It uses plain values for the same reason.
"""

import json
import sqlite3
import time
from collections.abc import Mapping

from stash2plex.datadir import prepare
from stash2plex.db import BACKGROUND_WORKER, HOLD, connect, get_meta, store_error
from stash2plex.lock import drain_runs
from stash2plex.store.meta import SCENES_AS_OF, get_number
from stash2plex.store.scene_counts import count_scenes
from stash2plex.text import span, utc
from stash2plex.version import VERSION
from stash2plex.workqueue import HELD_SQL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COUNTS_SQL = (
    "SELECT"
    " (SELECT count(*) FROM queue WHERE lease_id IS NULL AND priority IN (0, 1)"
    " AND due_at <= ?1),"
    " (SELECT count(*) FROM queue WHERE lease_id IS NOT NULL AND priority < 2),"
    " (SELECT count(*) FROM queue WHERE lease_id IS NULL AND priority IN (0, 1)"
    " AND due_at > ?1),"
    " (SELECT count(*) FROM dead_letter)"
)
"""Counts the keys: due now, in progress, due later (without the held ones), given up."""

SYNCED_SQL = (
    "SELECT (SELECT count(*) FROM scene_record)"
    " - (SELECT count(*) FROM scene_record WHERE synced_at <= 0),"
    " (SELECT max(synced_at) FROM scene_record WHERE synced_at > 0)"
)
"""Subtracts the few records that were announced but never written: counting the others is slow."""

DRAIN_SQL = (
    "SELECT done + failed + snoozed, rate, started_at, origin, pid, note FROM drain WHERE id = 1"
)
BREAKER_SQL = "SELECT state, since, reason, refused FROM breaker WHERE server = ?"
STOPPED_SQL = (
    "SELECT name, ended_at FROM run WHERE state = 'stopped' ORDER BY ended_at DESC LIMIT 1"
)


def read_stored_status(database: sqlite3.Connection, folder: str, now: float) -> "dict[str, Any]":
    """Return the stored status object (contract §5); writes nothing.

    All of it shows one moment, `now` in seconds since the epoch. What only Plex knows is as it
    was when Plex was last asked.
    """
    runs = drain_runs(folder)
    database.execute("BEGIN")
    try:
        return _read(database, now, runs=runs)
    finally:
        database.execute("COMMIT")


def open_and_read(folder: str) -> "dict[str, Any]":
    """Read the status of a data folder in a process that does nothing else.

    Raises what `connect` raises.
    """
    path = prepare(folder)
    database = connect(path)
    try:
        return read_stored_status(database, folder, time.time())
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    finally:
        database.close()


def is_stored(arguments: "Mapping[str, Any]") -> bool:
    """Whether a call of `status` asks for this; Stash may pass the argument as text."""
    return arguments.get("stored") in (True, "true")


def _read(database: sqlite3.Connection, now: float, *, runs: bool) -> "dict[str, Any]":
    pending, in_hand, later, dead = database.execute(COUNTS_SQL, (now,)).fetchone()
    (held,) = database.execute(HELD_SQL).fetchone()
    left = pending + in_hand
    if not runs:
        # Without a drain nothing is in progress; the next one takes it over.
        pending, in_hand = left, 0
    synced, last = database.execute(SYNCED_SQL).fetchone()
    choice = read_worker_choice(database)[0]
    stash, plex = read_breaker(database, "stash"), read_breaker(database, "plex")
    titles = [title for (title,) in database.execute("SELECT title FROM plex_section")]
    return {
        "queue": {
            "pending": pending,
            "in_progress": in_hand,
            "waiting": later + held,
            "dead": dead,
        },
        "synced": synced,
        "last_sync_at": None if last is None else utc(last),
        **pace_and_worker(database, left, runs=runs),
        "breaker": plex,
        "scenes": read_scenes(database, now, runs=runs),
        "held": read_held(database, pending, held, runs=runs),
        "stash": {"problem": stash["reason"] if stash["state"] != "closed" else None},
        "plex": {
            "reachable": bool(titles) and plex["state"] == "closed",
            "version": None,
            "library": ", ".join(titles) or None,
            "items": _items(database),
            "problem": plex["reason"] if plex["state"] != "closed" else None,
        },
        "background_worker": choice,
        "version": VERSION,
    }


def read_held(
    database: sqlite3.Connection, pending: int, stopped: int, *, runs: bool
) -> "dict[str, Any] | None":
    """Return what holds keys back; None if nothing does.

    `pending` keys are due, and `stopped` ones wait since the user stopped a task. `runs` is whether
    a process sends.
    """
    by, _, since = (get_meta(database, HOLD) or "").partition(" ")
    if by:
        at = utc(float(since)) if since.isdigit() else None
        return {"by": by, "since": at, "task": None, "scenes": pending}
    choice, off_since = read_worker_choice(database)
    return held_by(
        _stopped(database, stopped),
        off_since=off_since,
        idle=pending if choice == "off" and not runs else 0,
    )


def read_worker_choice(database: sqlite3.Connection) -> tuple[str, str]:
    """Return the last known Background worker, and since when it is off (epoch seconds) or “”."""
    word, _, since = (get_meta(database, BACKGROUND_WORKER) or "").partition(" ")
    return ("off", since) if word == "off" else ("auto", "")


def held_by(
    stopped: "Mapping[str, Any] | None", *, off_since: str, idle: int
) -> "dict[str, Any] | None":
    """Return what holds keys back: a task that the user stopped, or a worker that is off.

    `idle` is how many keys are due while no process sends them.
    """
    if stopped is not None:
        return {"by": "stop", **stopped}
    if not idle:
        return None
    since = utc(float(off_since)) if off_since.isdigit() else None
    return {"by": "off", "since": since, "task": None, "scenes": idle}


def _stopped(database: sqlite3.Connection, held: int) -> "dict[str, Any] | None":
    if not held:
        return None
    name, since = database.execute(STOPPED_SQL).fetchone() or ("a task", 0.0)
    return {"since": utc(since), "task": name, "scenes": held}


def read_scenes(database: sqlite3.Connection, now: float, *, runs: bool) -> "dict[str, Any]":
    """Return how many scenes are in which state (contract §5)."""
    states, reasons = count_scenes(database, now, worker_runs=runs)
    as_of = get_number(database, SCENES_AS_OF)
    return {
        "total": sum(states.values()),
        **states,
        "as_of": None if as_of is None else utc(as_of),
        "left_out_because": reasons,
    }


def read_breaker(database: sqlite3.Connection, server: str) -> "dict[str, Any]":
    """Return the state of a server's breaker."""
    row = database.execute(BREAKER_SQL, (server,)).fetchone()
    state, since, reason, refused = row or ("closed", 0.0, "", 0)
    return {
        "state": state,
        "since": utc(since) if since else None,
        "reason": reason or None,
        "refused": bool(refused),
    }


def pace_and_worker(database: sqlite3.Connection, left: int, *, runs: bool) -> "dict[str, Any]":
    """Return the rate, the seconds left, and what the draining process does."""
    row = database.execute(DRAIN_SQL).fetchone()
    handled, rate, started_at, origin, pid, note = row or (0, 0.0, 0.0, "", 0, "")
    why, outlook = read_wait(note) if runs else (None, None)
    moving = runs and left > 0 and rate > 0.0 and why is None
    return {
        "rate_per_s": round(rate, 2) if moving else 0.0,
        "eta_s": round(left / rate) if moving else None,
        "worker": {
            "running": runs,
            "pid": pid if runs else None,
            "since": utc(started_at) if runs and started_at else None,
            "origin": origin if runs else None,
            "note": "\n".join(filter(None, (why, outlook))) if why else None,
            "why": why,
            "outlook": outlook,
            "handled": handled if runs else None,
        },
    }


def read_wait(note: str) -> tuple[str | None, str | None]:
    """Return why a drain is waiting and when it continues, from what `ProgressBook` wrote."""
    if not note:
        return None, None
    try:
        wait = json.loads(note)
        return wait["why"], wait_outlook(wait["server"], wait["next_try"], wait["gives_up"])
    except (ValueError, TypeError, KeyError):
        return note, None


def wait_outlook(server: str | None, next_try: float | None, gives_up: float | None) -> str | None:
    """Return when a drain continues or gives up, in words; None if neither is known.

    `next_try` and `gives_up` are in seconds from now.
    """
    parts = []
    if server is not None and next_try is not None:
        parts.append(f"Waiting for {server}, next try in {span(next_try)}.")
    if gives_up is not None:
        parts.append(f"Giving up in {span(gives_up)}.")
    return " ".join(parts) or None


def _items(database: sqlite3.Connection) -> int:
    (number,) = database.execute("SELECT count(DISTINCT rating_key) FROM plex_file").fetchone()
    return int(number)
