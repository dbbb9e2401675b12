"""Reports what the background worker met once, in Stash's log, with the next save or task.

The worker has its own log, which users open only when something is wrong. Outages, scenes that
were given up and settings that cannot be used are in the database. Here they become sentences,
each logged by one process only.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import time
from io import TextIOWrapper
from itertools import product

from stash2plex.db import connect, transaction
from stash2plex.logs.handlers import Logs
from stash2plex.operations.reasons import groups_sentence
from stash2plex.start_trouble import take_trouble as take_worker_trouble
from stash2plex.store.breaker import LOGIN, REFUSED, UNAVAILABLE
from stash2plex.store.dead_letters import read_groups
from stash2plex.store.identity import key_in_use
from stash2plex.store.names import names, read_missing
from stash2plex.store.notices import mark_notified, notified_at, take_trouble
from stash2plex.store.outages import Outage, read_outages
from stash2plex.store.runs import Held, read_held
from stash2plex.text import count, local, span

MAX_OUTAGE_LINES = 3
"""Up to this many outages get a line each; more are summed up."""


def notify_stash(path: str) -> None:
    """Log the notifications of a database on standard error, for a hook, which has no log open."""
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    logs = Logs(sys.stderr)
    database = connect(path)
    try:
        logs.redactor.enable(key_in_use(database))
        log_notifications(database, logs.logger, time.time(), folder=os.path.dirname(path))
    finally:
        logs.close()
        database.close()


def log_notifications(
    database: sqlite3.Connection,
    logger: logging.Logger,
    now: float,
    *,
    folder: str,
    trouble: bool = True,
) -> None:
    """Log the notifications as warnings, and remember that they were logged.

    Without `trouble`, a setting that cannot be used counts as logged: the caller reports it.
    """
    with transaction(database):
        since = notified_at(database, now)
        text = take_trouble(database)
        missing = missing_line(database)
        mark_notified(database, now)
    worker_trouble = take_worker_trouble(folder)
    if worker_trouble is not None:
        logger.warning("%s %s", worker_trouble.what, worker_trouble.fix)
    for line in notification_lines(database, since, now):
        logger.warning("%s", line)
    if missing:
        logger.info("%s", missing)
    if trouble and text is not None:
        logger.error("%s", text)


def notification_lines(database: sqlite3.Connection, since: float, now: float) -> list[str]:
    """Return what happened after `since` (epoch seconds), one line each."""
    new = [outage for outage in read_outages(database) if _is_new(outage, since)]
    lines = []
    for server, kind in product(("plex", "stash"), (UNAVAILABLE, LOGIN, REFUSED)):
        alike = [
            outage for outage in reversed(new) if (outage.server, outage.kind) == (server, kind)
        ]
        if len(alike) > MAX_OUTAGE_LINES:
            down = sum(outage.seconds(now) for outage in alike)
            lines.append(
                f"{alike[0].then} {len(alike)} times since {local(alike[0].started_at)}, "
                f"{span(down)} in all; the last time: {alike[-1].cause}"
            )
        else:
            lines += [_sentence(outage, now) for outage in alike]
    groups = read_groups(database, since)
    if groups:
        number = sum(group.number for group in groups)
        lines.append(
            f"{count(number, 'scene')} given up since {local(since)}: {groups_sentence(groups)}. "
            "“Health Check” shows what to do."
        )
    held = read_held(database)
    if held is not None and held.since > since:
        lines.append(held_sentence(held))
    return lines


def held_sentence(held: Held) -> str:
    """Return which task was stopped, how many scenes wait, and what lets them go on."""
    waits = "waits" if held.number == 1 else "wait"
    buttons = " or ".join(f"“{name}”" for name in dict.fromkeys((held.name, "Process Queue")))
    return (
        f"“{held.name}” was stopped at {local(held.since)}; {count(held.number, 'scene')} {waits} "
        f"until you ask for them again: press {buttons}."
    )


def missing_line(database: sqlite3.Connection) -> str | None:
    """Return which scenes were newly found missing in Plex; None for none."""
    number, first = read_missing(database)
    if not number:
        return None
    verb = "is" if number == 1 else "are"
    return (
        f"{count(number, 'scene')} {verb} not in Plex yet{names(first, number)}. Scan the library "
        "in Plex, or turn on Trigger Plex scan; what Plex then has is sent."
    )


def _is_new(outage: Outage, since: float) -> bool:
    """Whether an outage began or ended since. One that a changed setting cured is left out."""
    return not outage.cured and (outage.started_at > since or (outage.ended_at or 0.0) > since)


def _sentence(outage: Outage, now: float) -> str:
    start = local(outage.started_at)
    if outage.ended_at is None:
        return f"{outage.now} since {start}. Nothing is lost. {outage.cause}"
    return (
        f"{outage.then} from {start} for {span(outage.seconds(now))}. What waited is sent now. "
        f"{outage.cause}"
    )
