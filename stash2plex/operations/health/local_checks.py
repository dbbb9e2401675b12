"""Checks what is on this machine: database, disk, worker, queue, dead letters."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from statistics import median

from stash2plex.app import App
from stash2plex.datadir import DATABASE_NAME, LOG_NAME
from stash2plex.errors import StoreError
from stash2plex.hookcost import SAMPLES_LIMIT, read_cost
from stash2plex.lock import drain_runs
from stash2plex.operations.health.checks import Check, blocked, failed, failed_with, passed
from stash2plex.operations.health.kept_checks import KEPT as KEPT_BY_PLEX
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.import_legacy import offered
from stash2plex.operations.reasons import groups_sentence, reason_of
from stash2plex.python_parts import PYTHON, has_tls
from stash2plex.rules.endpoints import BACKGROUNDS, COVERS, POSTERS
from stash2plex.start_trouble import read_trouble
from stash2plex.store.breaker import BreakerState
from stash2plex.store.dead_letters import read_groups
from stash2plex.store.holds import read_hold
from stash2plex.store.inspection import read_through, try_to_write
from stash2plex.store.marks import load_marks
from stash2plex.store.names import MAX_NAMED, names, read_waiting
from stash2plex.text import count, local, moment, span

DATABASE, DISK, WORKER = "database", "disk", "worker"
BREAKER, QUEUE, DEAD, SYNC = "circuit breaker", "queue", "dead letters", "last sync"
SAVES = "cost of a save"

INTEGRITY_SECONDS = 5.0
"""How many seconds the database is read; one with a million scenes takes longer."""

MIN_FREE = 100 * 2**20
"""Bytes that should be free: SQLite's log may take a third of that before a checkpoint."""

STUCK_SECONDS = 300.0
"""A drain writes its progress twice a second. After this many silent seconds it hangs."""

SHIM_MS, SHIM_TIMES = 40.0, 3.0
"""When a shim is suspected: milliseconds before Python starts, in the fastest save measured, and
how many times that is of a bare start of Python, because a busy machine is not a shim."""

STARTS, START_TIMEOUT = 3, 10.0
"""How often an interpreter is started to measure it, and the timeout in seconds."""

FAILING = {
    COVERS: "Stash has given no cover",
    POSTERS: "Plex has taken no poster",
    BACKGROUNDS: "Plex has taken no background",
}

OLD_SECONDS = 3600.0
"""Seconds after which a due key has waited too long."""


def check_local(
    app: App, free_bytes: Callable[[str], int], *, worker_off: bool | None
) -> list[Check]:
    """Check everything that needs no server.

    `worker_off` is whether the background worker is off, None if that could not be read now.
    """
    database = check_database(app)
    checks = [database, check_disk(app.folder, free_bytes)]
    if not database.ok:
        return [
            *checks,
            *(
                blocked(name, DATABASE)
                for name in (WORKER, BREAKER, QUEUE, DEAD, SYNC, KEPT_BY_PLEX, SAVES)
            ),
        ]
    return [
        *checks,
        check_worker(app, off=worker_off),
        check_breaker(app),
        check_queue(app),
        check_dead(app),
        check_sync(app),
        check_kept(app),
        check_saves(app),
    ]


def check_python() -> Check:
    """Report what the Python that runs lacks."""
    if not has_tls():
        return passed(PYTHON, "It was built without ssl: only http addresses can be used.")
    return passed(PYTHON, "It has every part that is needed.")


def check_database(app: App) -> Check:
    """Read the whole database, as far as time allows, and try to write to it."""
    path = os.path.join(app.folder, DATABASE_NAME)
    connection = app.store.connection
    deadline = app.monotonic() + INTEGRITY_SECONDS
    try:
        integrity = read_through(connection, path, lambda: app.monotonic() > deadline)
    except StoreError as error:
        return failed_with(DATABASE, error, "Check the disk.")
    if integrity.damage:
        return failed(
            DATABASE,
            f"“{path}” is damaged ({integrity.damage}).",
            "Run “Process Queue”: it sets the file aside and compares every scene again.",
        )
    try:
        try_to_write(connection, path)
    except StoreError as error:
        return failed_with(DATABASE, error, "Check the permissions of the folder.")
    words = "intact"
    if not integrity.complete:
        words = f"intact as far as {span(INTEGRITY_SECONDS)} of reading shows"
    size = os.path.getsize(path) / 2**20
    return passed(DATABASE, f"It is {words} and can be written, {size:.1f} MiB.")


def check_disk(folder: str, free_bytes: Callable[[str], int]) -> Check:
    """Check the free space where the database is."""
    free = free_bytes(folder)
    shown = f"{free / 2**30:,.1f} GiB" if free >= 2**30 else f"{free / 2**20:,.0f} MiB"
    if free < MIN_FREE:
        return failed(
            DISK,
            f"Only {shown} are free for “{folder}”.",
            "Free some disk space. Until then, saves may not be recorded.",
        )
    return passed(DISK, f"{shown} are free.")


def check_worker(app: App, *, off: bool | None) -> Check:
    """Check whether a process works on the queue, and why not."""
    due = app.store.queue.due_within(0.0)
    scenes = count(due, "scene")
    verb = "is" if due == 1 else "are"
    if drain_runs(app.folder):
        pulse = app.book.pulse()
        origin, pid = pulse.origin, pulse.pid
        silent = app.clock() - pulse.at
        if due and silent > STUCK_SECONDS:
            return failed(
                WORKER,
                f"The {origin} (process {pid}) has done nothing for {span(silent)}, and {scenes} "
                f"{verb} due.",
                f"End process {pid}; the next save starts a new worker. See “{LOG_NAME}” for more.",
            )
        return passed(WORKER, f"The {origin} is running (process {pid}), {scenes} due.")
    if off or (off is None and not app.settings_reader.worker_wanted()):
        if due:
            return failed(
                WORKER,
                f"Background worker is off, and {scenes} {verb} due.",
                "Run “Process Queue”, or set Background worker to auto.",
            )
        return passed(WORKER, "Background worker is off: only tasks send anything. Nothing is due.")
    trouble = read_trouble(app.folder)
    if trouble is not None:
        return failed(WORKER, trouble.what, trouble.fix)
    if due:
        return failed(
            WORKER,
            f"{scenes} {verb} due, and no worker is running.",
            f"Save any scene or run “Process Queue”. “{LOG_NAME}” shows why the worker ended.",
        )
    return passed(WORKER, "Not running: nothing is due. The next save starts it.")


def check_breaker(app: App) -> Check:
    """Check whether the drain waits for a server."""
    closed = BreakerState().state
    for server, breaker in app.store.breakers.items():
        state = breaker.read()
        if state.state != closed:
            wait = max(0.0, state.next_probe_at - app.clock())
            name = server.capitalize()
            words = f"{name} has refused access" if state.refused else f"Waiting for {name}"
            return failed(
                BREAKER,
                f"{words} since {local(state.since)}: {state.reason}",
                (
                    "Fix the cause; what waits is then sent."
                    if state.refused
                    else f"It is asked again in {span(wait)}; “Process Queue” asks at once."
                ),
                exit_code=2 if state.refused else 3,
            )
    return _check_endpoints(app) or passed(BREAKER, "Closed: nothing waits for a server.")


def _check_endpoints(app: App) -> Check | None:
    """Report pictures that wait while all else goes on; None where none does."""
    shut = [state for state in app.store.pictures.endpoints() if state.is_shut]
    number = sum(app.store.pictures.counts().values())
    if not shut or not number:
        return None
    words = " ".join(
        f"{FAILING[state.name]} since {local(state.since)}: {state.reason}" for state in shut
    )
    wait = max(0.0, min(state.next_try_at for state in shut) - app.clock())
    return failed(
        BREAKER,
        f"{words} The pictures of {count(number, 'scene')} wait; their texts are in Plex.",
        f"The pictures follow when it does, next try in {span(wait)}. Look at the server's log.",
    )


def check_queue(app: App) -> Check:
    """Check how long the oldest due key has waited."""
    counts = app.store.queue.counts()
    since = app.store.queue.due_since()
    words = f"{counts.pending + counts.in_progress:,} due, {counts.waiting:,} waiting for later"
    if counts.waiting:
        first = [
            key
            for waiting in read_waiting(app.store.connection, app.clock())
            for key in waiting.first
        ]
        words += names(first[:MAX_NAMED], counts.waiting)
    if hold := read_hold(app.store.connection):
        return failed(QUEUE, f"{words}. {hold.what}", hold.fix)
    if old := offered(app):
        return failed(
            QUEUE,
            f"{words}. Stash2Plex 1.x left {count(len(old.scene_ids), 'scene')} unfinished in "
            f"“{old.folder}”.",
            "Press “Queue them” under Trouble on the page of Stash2Plex, or run “stash2plex "
            "import-legacy” with that folder; if you do not want them, delete the folder.",
        )
    if since is None:
        return passed(QUEUE, f"{words}.")
    age = max(0.0, app.clock() - since)
    if age > OLD_SECONDS:
        return failed(
            QUEUE,
            f"{words}; the oldest has been due since {local(since)} ({span(age)}).",
            "Run “Process Queue” and watch its bar; the checks above show what holds it up.",
        )
    return passed(QUEUE, f"{words}; the oldest has been due for {span(age)}.")


def check_dead(app: App) -> Check:
    """Report how many scenes were given up, and why."""
    groups = read_groups(app.store.connection)
    if not groups:
        return passed(DEAD, "None.")
    number = sum(group.number for group in groups)
    return failed(
        DEAD,
        f"{count(number, 'scene')} given up: {groups_sentence(groups)}.",
        reason_of(groups[0].reason).fix,
    )


def check_sync(app: App) -> Check:
    """Report when a scene was last synced, and when everything was last compared."""
    synced, last = app.store.records.summary()
    if last is None:
        return passed(SYNC, "Nothing yet: “Sync All Scenes” sends what is there.")
    words = f"{count(synced, 'scene')} in sync, the last at {local(last)}."
    if (marks := load_marks(app.store.connection)) is not None:
        words += f" Last full sweep at {local(marks.swept_at)}."
    report = app.store.reports.last()
    if report is not None:
        words += f" Last compared with Plex at {local(moment(report['started_at']))}."
    return passed(SYNC, words)


def check_saves(app: App, start_seconds: Callable[[str], float | None] | None = None) -> Check:
    """Report how long a save waits for us, and whether a shim stands between Stash and Python.

    `start_seconds` measures how long an interpreter takes to start.
    """
    cost = read_cost(app.store.connection)
    if cost is None:
        return passed(SAVES, "Nothing yet: no save was measured.")
    words = f"A save waits {median(cost['ms']):.0f} ms for Stash2Plex"
    before = min(cost["start_ms"])
    if len(cost["ms"]) < SAMPLES_LIMIT or before < SHIM_MS:
        return passed(SAVES, f"{words}.")
    alone = (start_seconds or measure_start)(cost["python"])
    if alone is None or before - 1000 * alone < SHIM_MS or before < SHIM_TIMES * 1000 * alone:
        return passed(SAVES, f"{words}.")
    return failed(
        SAVES,
        f"{words}; about {before - 1000 * alone:.0f} ms of that pass before Python starts, because "
        "Stash finds Python through another program, such as a version manager.",
        f"Put “{cost['python']}” into Settings > System > Python Executable Path.",
    )


def measure_start(python: str) -> float | None:
    """Return the seconds that an interpreter takes to start and end; None if it fails."""
    best = None
    for _ in range(STARTS):
        begin = time.perf_counter()
        try:
            subprocess.run(
                [python, "-IS", "-c", "pass"],
                check=True,
                timeout=START_TIMEOUT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        seconds = time.perf_counter() - begin
        best = seconds if best is None else min(best, seconds)
    return best
