"""The health report: every check in its order, whatever fails on the way."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable

from stash2plex.app import App
from stash2plex.db import store_error
from stash2plex.errors import ServerError, StoreError
from stash2plex.operations.health.checks import SKIPPED, Check, blocked, failed_with, follows
from stash2plex.operations.health.local_checks import (
    BREAKER,
    DATABASE,
    DEAD,
    DISK,
    QUEUE,
    SAVES,
    SYNC,
    WORKER,
    check_local,
)
from stash2plex.operations.health.match_checks import MATCHES, PATHS
from stash2plex.operations.health.server_checks import (
    CLOCKS,
    LIBRARY,
    LOGIN,
    PLEX,
    RIGHTS,
    SERVER,
    SETTINGS,
    STASH,
    STASH_FIX,
    TAGS,
    TOKEN,
    ServerChecks,
)

NAMES = (
    STASH,
    LOGIN,
    SETTINGS,
    TAGS,
    PLEX,
    TOKEN,
    SERVER,
    LIBRARY,
    RIGHTS,
    MATCHES,
    PATHS,
    CLOCKS,
    DATABASE,
    DISK,
    WORKER,
    BREAKER,
    QUEUE,
    DEAD,
    SYNC,
    SAVES,
)
"""Every check in the order of the report."""

NOTHING_SENT = (DATABASE, DISK, STASH, LOGIN, SETTINGS, PLEX, TOKEN, SERVER, LIBRARY, RIGHTS)
CAUSES = {
    BREAKER: (STASH, LOGIN, SETTINGS, PLEX, TOKEN, RIGHTS),
    WORKER: NOTHING_SENT,
    QUEUE: (*NOTHING_SENT, BREAKER, WORKER),
}
"""What may have gone wrong because of which other checks."""


def free_bytes(folder: str) -> int:
    """Say how much this user may still write where a folder is."""
    return shutil.disk_usage(folder).free


def read_health(app: App, free: Callable[[str], int] = free_bytes) -> list[Check]:
    """Run every check. Never fails because a server is down."""
    servers = ServerChecks(app, seed=app.random.randrange(10**8))
    try:
        found = servers.run()
    except sqlite3.Error as error:
        # The settings and the identity are kept there; the line of the database says the same.
        found = servers.checks
        database = failed_with(DATABASE, store_error(error, app.folder), "Look at the folder.")
        return _ordered([*found, database])
    return _ordered([*found, *check_local(app, free, worker_off=servers.worker_off)])


def health_without_store(error: StoreError) -> list[Check]:
    """Report a database that cannot even be opened; nothing else can be said without it."""
    return _ordered([failed_with(DATABASE, error, "Look at the folder.")])


def health_without_stash(error: ServerError) -> list[Check]:
    """Report a Stash that a command line needs to find the data folder."""
    fix = f"{STASH_FIX} Or name the folder with --data-dir."
    return _ordered([failed_with(STASH, error, fix)], STASH)


def _ordered(found: list[Check], missing: str = DATABASE) -> list[Check]:
    by_name = {check.name: check for check in found}
    checks = [by_name.get(name) or blocked(name, missing) for name in NAMES]
    return once_each(checks)


def once_each(checks: list[Check]) -> list[Check]:
    """Count each cause once: what follows from a failed check is skipped."""
    wrong = {check.name for check in checks if not check.ok}
    if any(check.name == SETTINGS and check.state != SKIPPED for check in checks):
        # A log-in that will expire has let us in this time.
        wrong.discard(LOGIN)
    return [
        follows(check, cause)
        if not check.ok
        and (cause := next((one for one in CAUSES.get(check.name, ()) if one in wrong), None))
        else check
        for check in checks
    ]
