"""Makes the health report: every check in its order, whatever fails on the way."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable

from stash2plex.app import App
from stash2plex.db import store_error
from stash2plex.errors import ServerError, StoreError
from stash2plex.operations.health.checks import SKIPPED, Check, blocked, failed_with, follows
from stash2plex.operations.health.hook_checks import HOOKS
from stash2plex.operations.health.kept_checks import KEPT
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
    check_python,
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
from stash2plex.python_parts import PYTHON

NAMES = (
    STASH,
    LOGIN,
    HOOKS,
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
    PYTHON,
    DATABASE,
    DISK,
    WORKER,
    BREAKER,
    QUEUE,
    DEAD,
    SYNC,
    KEPT,
    SAVES,
)
"""Every check in the order of the report."""

NOTHING_SENT = (DATABASE, DISK, STASH, LOGIN, SETTINGS, PLEX, TOKEN, SERVER, LIBRARY, RIGHTS)
CAUSES = {
    BREAKER: (STASH, LOGIN, SETTINGS, PLEX, TOKEN, RIGHTS),
    WORKER: NOTHING_SENT,
    QUEUE: (*NOTHING_SENT, BREAKER, WORKER),
}
"""For each check, those whose failure may be the cause of its own."""


def free_bytes(folder: str) -> int:
    """Return how many bytes this user may still write where `folder` is."""
    return shutil.disk_usage(folder).free


def read_health(app: App, free: Callable[[str], int] = free_bytes) -> list[Check]:
    """Run every check. Never fails because a server is down."""
    servers = ServerChecks(app, seed=app.random.randrange(10**8))
    try:
        checks = servers.run()
    except sqlite3.Error as error:
        # The settings and the identity are kept there; the database's line shows the same error.
        checks = servers.checks
        database = failed_with(DATABASE, store_error(error, app.folder), "Check the folder.")
        return _ordered([check_python(), *checks, database])
    return _ordered(
        [check_python(), *checks, *check_local(app, free, worker_off=servers.worker_off)]
    )


def health_without_store(error: StoreError) -> list[Check]:
    """Report a database that cannot even be opened; every other check needs it."""
    return _ordered([check_python(), failed_with(DATABASE, error, "Check the folder.")])


def health_without_stash(error: ServerError) -> list[Check]:
    """Report a Stash that does not answer, which the command line needs to find the data folder."""
    fix = f"{STASH_FIX} Or name the folder with --data-dir."
    return _ordered([check_python(), failed_with(STASH, error, fix)], STASH)


def _ordered(checks: list[Check], missing: str = DATABASE) -> list[Check]:
    by_name = {check.name: check for check in checks}
    return once_each([by_name.get(name) or blocked(name, missing) for name in NAMES])


def once_each(checks: list[Check]) -> list[Check]:
    """Count each cause once: a check whose failure follows from another one is skipped."""
    wrong = {check.name for check in checks if not check.ok}
    if any(check.name == SETTINGS and check.state != SKIPPED for check in checks):
        # A log-in that will expire has let us in this time.
        wrong.discard(LOGIN)
    return [
        follows(check, cause)
        if not check.ok
        and (cause := next((name for name in CAUSES.get(check.name, ()) if name in wrong), None))
        else check
        for check in checks
    ]
