"""The background worker: one process per data folder, detached from the save that started it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from stash2plex.app import App, open_app, store_errors_mapped
from stash2plex.codestamp import read_stamp
from stash2plex.datadir import DATABASE_NAME
from stash2plex.db import BACKGROUND_WORKER, HOLD, SETTINGS_FILE, connect, get_meta
from stash2plex.errors import Stash2PlexError, UsageError
from stash2plex.hook import may_start, settings_changed, worker_request
from stash2plex.lock import FileLock, drain_lock, drain_runs, show_presence
from stash2plex.model import Clock, Sleep
from stash2plex.operations.disabled import DisabledWatch
from stash2plex.servers.stash_address import read_server_connection
from stash2plex.start_trouble import Trouble, end_trouble, fault_trouble, record_trouble
from stash2plex.starter import SUCCESSOR, start_worker
from stash2plex.sync.goals import Background
from stash2plex.sync.observer import Silent
from stash2plex.sync.worker import SWITCHED_OFF

CODE_CHECK_SECONDS = 3.0
"""How often the plugin's files are looked at. They are gone for two looks in a row before the
plugin counts as uninstalled, which is known within ten seconds."""

Stamp = tuple[int, int, int]

SUCCESSION_SECONDS = 60.0
"""How long a successor waits: a worker that Stash refuses ends once its writes have ended."""


def run_worker(arguments: list[str], plugin_dir: str, stamp: Stamp | None = None) -> int:
    """Run as the worker.

    `arguments` are the data folder and how the lock is obtained: the descriptor of an inherited
    one, `SUCCESSOR` if another worker still holds it, or nothing. The connection to Stash comes on
    standard input. `stamp` is that of the plugin's files before the first of them was imported.
    """
    folder, how = arguments[0], arguments[1] if len(arguments) > 1 else ""
    _detach()
    lock = drain_lock(folder)
    if how == SUCCESSOR:
        taken = await_end(folder, lock, time.monotonic, time.sleep)
    else:
        # On a network file system the lock may not be inherited; then it is free by now.
        taken = (bool(how) and lock.adopt(int(how))) or lock.acquire()
    if not taken:
        return 0
    try:
        request = json.loads(sys.stdin.buffer.read() or b"{}")
        info = request.get("server_connection") if isinstance(request, dict) else None
        if not isinstance(info, dict):
            raise UsageError("The worker was started without Stash's connection.")
        _close_stdin()
        app = open_app(folder, read_server_connection(info), stash_dir=str(info.get("Dir") or ""))
    except Stash2PlexError as error:
        print(error, file=sys.stderr)
        record_trouble(folder, _ended_by(error))
        lock.release()
        return error.exit_code
    try:
        with store_errors_mapped(app):
            return _work(app, lock, info, _StopSignal(app, plugin_dir, stamp))
    except Stash2PlexError as error:
        app.logs.logger.error("%s", error)
        record_trouble(folder, _ended_by(error))
        return error.exit_code
    except Exception as error:
        app.logs.logger.error("A fault in Stash2Plex:", exc_info=error)
        record_trouble(folder, fault_trouble(error))
        return 1
    finally:
        app.close()
        lock.release()


def _ended_by(error: Stash2PlexError) -> Trouble:
    return Trouble(f"The background worker has ended: {error.what}", error.fix or "")


def await_end(folder: str, lock: FileLock, monotonic: Clock, sleep: Sleep) -> bool:
    """Wait up to `SUCCESSION_SECONDS` for the end of the worker that holds the lock.

    Returns whether the lock was taken. A successor is not needed any more once that worker has read
    the changed settings, which shows that Stash still lets it in, or if no worker is wanted.
    """
    database = connect(os.path.join(folder, DATABASE_NAME))
    give_up = monotonic() + SUCCESSION_SECONDS
    try:
        while not lock.acquire():
            has_read = settings_changed(get_meta(database, SETTINGS_FILE)) is False
            if monotonic() >= give_up or (has_read and drain_runs(folder)):
                return False
            sleep(0.05)
        changed = settings_changed(get_meta(database, SETTINGS_FILE))
        is_held = get_meta(database, HOLD) is not None
        if is_held or not may_start(get_meta(database, BACKGROUND_WORKER), time.time(), changed):
            lock.release()
    finally:
        database.close()
    return lock.held


def _work(app: App, lock: FileLock, info: dict[str, Any], stop: _StopSignal) -> int:
    logger = app.logs.logger
    logger.info("The background worker has started (process %d).", os.getpid())
    while True:
        presence = show_presence(app.folder, app.sleep)
        summary = app.drain(Background(), Silent(), stop.wanted)
        end_trouble(app.folder)
        presence.release()
        lock.release()
        if stop.outdated:
            logger.info("The plugin was updated; the new version carries on.")
            start_worker(app.folder, stop.plugin_dir, worker_request(info))
            return 0
        due = app.store.queue.next_due_at()
        # A hook that saw the lock held just before it was released has started no worker.
        if summary.gave_up or due is None or due > app.clock() or not lock.acquire():
            break
    if stop.homeless:
        logger.warning("The background worker ends: its data folder was removed or replaced.")
    elif stop.uninstalled:
        remove_empty_folders(stop.plugin_dir)
        logger.info("The background worker ends: the plugin was uninstalled.")
    elif stop.disabled:
        logger.info("The background worker ends: the plugin was disabled in Stash.")
    elif stop.asked:
        logger.info("The background worker ends: it was asked to.")
    elif summary.gave_up == SWITCHED_OFF:
        logger.info("The background worker ends: %s", summary.gave_up)
    elif summary.gave_up:
        logger.warning("The background worker ends: %s", summary.gave_up)
    else:
        logger.info("The background worker ends: nothing is left to do.")
    return 0


def remove_empty_folders(plugin_dir: str) -> None:
    """Remove what Stash leaves behind of an uninstalled plugin: folders and compiled files.

    A folder that holds anything else stays, with the folders above it.
    """
    for folder, _, names in os.walk(plugin_dir, topdown=False):
        with suppress(OSError):
            if os.path.basename(folder) == "__pycache__":
                for name in names:
                    os.remove(os.path.join(folder, name))
            os.rmdir(folder)


def _detach() -> None:
    """Leave Stash's process group, so that a Ctrl-C at Stash's terminal does not reach us."""
    if hasattr(os, "setsid"):  # pragma: no branch - Windows has none
        try:
            os.setsid()
        except PermissionError:
            # It leads a session of its own already.
            return


def _close_stdin() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


class _StopSignal:
    """Whether the worker should end: asked by a signal, disabled, or its files were replaced."""

    def __init__(self, app: App, plugin_dir: str, stamp: Stamp | None) -> None:
        self._app = app
        self.asked = False
        self.plugin_dir = plugin_dir
        self._stamp = stamp or read_stamp(plugin_dir)
        self._checked_at = app.monotonic()
        self.outdated = False
        self._missing = 0
        self._database = os.path.join(app.folder, DATABASE_NAME)
        self._identity = self._read_identity()
        self.homeless = False
        self.disabled = False
        self._entry = DisabledWatch(app)
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True

    def _read_identity(self) -> tuple[int, int] | None:
        """Return what distinguishes the database file from another one put in its place."""
        try:
            status = os.stat(self._database)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    @property
    def uninstalled(self) -> bool:
        """Whether the plugin's files are gone: missing at two checks in a row, so not an update."""
        return self._missing > 1

    def wanted(self) -> bool:
        """Return whether to end now."""
        now = self._app.monotonic()
        if now - self._checked_at >= CODE_CHECK_SECONDS:
            self._checked_at = now
            stamp = read_stamp(self.plugin_dir)
            self.outdated = stamp is not None and stamp != self._stamp
            self._missing = self._missing + 1 if stamp is None else 0
            # Nothing reads what this process still has open: a save makes a new folder and starts
            # another worker there.
            self.homeless = self._read_identity() != self._identity
            self.disabled = self._entry.disabled()
        ended = self.homeless or self.disabled or self.outdated or self.uninstalled
        return self.asked or ended
