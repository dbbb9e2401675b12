"""Stash's tasks and operations: one entry a mode, and the short text or object it answers."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from typing import Any, TextIO

from attrs import frozen

from stash2plex.app import (
    App,
    encode_request,
    open_app,
    read_server_connection,
    store_errors_mapped,
)
from stash2plex.datadir import locate
from stash2plex.enqueue import enqueue_all, enqueue_recent, rebuild_if_asked
from stash2plex.errors import UsageError
from stash2plex.foreground import drain_here
from stash2plex.observe import StashProgress, count, log_to_stash, utc
from stash2plex.starter import start_worker
from stash2plex.status import read_status, status_lines
from stash2plex.worker import PATIENCE, Goal
from stash2plex.workqueue import Key

DAY = 86_400.0
MOST_IDS = 10_000
MOST_ROWS = 1_000


@frozen
class Context:
    """What a mode may use. `arguments` come from outside: every one is checked."""

    app: App
    arguments: Mapping[str, Any]
    server_connection: Mapping[str, Any]
    plugin_dir: str
    logger: logging.Logger
    stderr: TextIO

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Read a whole number; Stash sends those of a task's yml as text."""
        value = self.arguments.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value) if not isinstance(value, (bool, float)) else None
        except (TypeError, ValueError):
            number = None
        if number is None or not low <= number <= high:
            raise UsageError(f"“{name}” is {str(value)[:40]!r}; allowed: {low} to {high}.")
        return number

    def scene_keys(self) -> list[Key]:
        """Read `scene_ids` as keys."""
        ids = self.arguments.get("scene_ids")
        if not isinstance(ids, list) or len(ids) > MOST_IDS:
            raise UsageError(f"“scene_ids” must be a list of at most {MOST_IDS:,} scene ids.")
        keys: list[Key] = []
        for value in ids:
            text = str(value)
            if isinstance(value, bool) or not text.isascii() or not text.isdigit():
                raise UsageError(f"“scene_ids” has {text[:40]!r}, which is no scene id.")
            if not 0 < int(text) < 2**63:
                raise UsageError(f"“scene_ids” has {text[:40]!r}, which is no scene id.")
            keys.append(("scene", int(text)))
        return keys

    def say(self, text: str) -> str:
        """Log a sentence at info level and return it as the task's answer."""
        self.logger.info("%s", text)
        return text


@frozen
class Mode:
    """A mode, the name of its task in Stash (empty for a mere operation), and what it does."""

    name: str
    task: str
    run: Callable[[Context], Any]
    meaning: str


def run_mode(request: Mapping[str, Any], plugin_dir: str) -> int:
    """Run the mode that a request names and answer on stdout. Returns the exit code.

    Raises the errors of our tree; the caller answers with their text.
    """
    mode = find_mode(request["args"].get("mode"))
    info = request.get("server_connection") or {}
    if isinstance(sys.stderr, TextIOWrapper):
        # A console of Windows has no “; a log line must never fail for its letters.
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    logger = log_to_stash(sys.stderr)
    folder = locate(info.get("Dir"), plugin_dir)
    app = open_app(folder, read_server_connection(info), warn=logger.error)
    try:
        context = Context(app, request["args"], info, plugin_dir, logger, sys.stderr)
        with store_errors_mapped(folder):
            output = mode.run(context)
    finally:
        app.close()
    os.write(1, json.dumps({"output": output}).encode() + b"\n")
    return 0


def find_mode(name: object) -> Mode:
    """Look a mode up. Raises UsageError that names the known ones."""
    for mode in MODES:
        if mode.name == name:
            return mode
    known = ", ".join(mode.name for mode in MODES)
    raise UsageError(f"There is no mode {str(name)[:60]!r}. Known modes: {known}.")


# -- tasks --------------------------------------------------------------------------------


def process_queue(context: Context) -> str:
    """Drain the queue in the foreground."""
    return _drain(context, "Process Queue")


def sync_all(context: Context) -> str:
    """Enqueue every scene, then drain."""
    found = enqueue_all(context.app)
    context.say(f"Sync All Scenes: {found.sentence()}")
    return _drain(context, "Sync All Scenes")


def sync_recent(context: Context) -> str:
    """Enqueue what changed within a day, then drain."""
    found = enqueue_recent(context.app, DAY)
    context.say(f"Sync Recent Scenes: {found.sentence()}")
    return _drain(context, "Sync Recent Scenes")


def _drain(context: Context, name: str) -> str:
    patience = context.whole("max_wait", round(PATIENCE), 0, 86_400)
    goal = Goal(name, foreground=True, patience=float(patience))
    # A setting that cannot be used is said at once, even while another process drains.
    context.app.open_session()
    if said := rebuild_if_asked(context.app):
        context.logger.warning("%s", said)
    observer = StashProgress(context.stderr, context.logger, name)
    summary = drain_here(context.app, goal, observer, lambda: False)
    text = f"{name}: {summary.sentence()}"
    if summary.error is not None:
        # Stash logs the error of an answer by itself.
        raise type(summary.error)(*_error_arguments(summary.error, text))
    context.say(text)
    observer.repeat()
    _leave_to_worker(context)
    return text


def _error_arguments(error: Exception, text: str) -> tuple[str, ...]:
    server = getattr(error, "server", None)
    return (text,) if server is None else (str(server), text)


def _leave_to_worker(context: Context) -> bool:
    """Start the background worker where keys are left for later and the person wants one."""
    settings = context.app.settings()
    # A key that a killed process had in hand counts too: the worker takes it over.
    if settings.background_worker == "off" or context.app.store.queue.is_empty():
        return False
    request = encode_request(context.server_connection)
    return start_worker(context.app.folder, context.plugin_dir, request)


def queue_status(context: Context) -> dict[str, Any]:
    """Log the status in words."""
    status = read_status(context.app)
    for line in status_lines(status):
        context.logger.info("%s", line)
    return status


def clear_queue(context: Context) -> str:
    """Remove the waiting keys."""
    number = context.app.store.queue.clear_waiting()
    return context.say(f"Removed {count(number, 'waiting key')}; what is in progress goes on.")


def clear_dlq(context: Context) -> str:
    """Forget every dead letter."""
    number = context.app.store.queue.clear_dead()
    return context.say(f"Removed {count(number, 'dead letter')}.")


def purge_dlq(context: Context) -> str:
    """Forget old dead letters."""
    days = context.whole("days", 30, 0, 36_500)
    number = context.app.store.queue.clear_dead(before=context.app.clock() - days * DAY)
    return context.say(f"Removed {count(number, 'dead letter')} older than {count(days, 'day')}.")


def retry_dlq(context: Context) -> str:
    """Put dead letters back with fresh attempts."""
    reason = context.arguments.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise UsageError("“reason” must be a text, such as not_in_plex.")
    number = context.app.store.queue.redrive(reason=reason or None)
    _leave_to_worker(context)
    return context.say(f"Put {count(number, 'dead letter')} back into the queue.")


def clear_match_cache(context: Context) -> str:
    """Forget the path index, and list Plex afresh."""
    session = context.app.open_session()
    session.index.clear()
    session.index.check_server(session.plex.check_token().machine_id)
    number = session.index.refresh(session.settings.plex_library)
    return context.say(f"The Plex index was rebuilt: {count(number, 'file')} listed.")


# -- operations ---------------------------------------------------------------------------


def status(context: Context) -> dict[str, Any]:
    """Answer the status object."""
    return read_status(context.app)


def wake(context: Context) -> dict[str, Any]:
    """Start the background worker when work is due."""
    context.app.settings()
    due = context.app.store.queue.due_within(0.0)
    return {"started": due > 0 and _leave_to_worker(context), "due": due}


def dead_letters(context: Context) -> dict[str, Any]:
    """Answer a page of the dead letters."""
    queue = context.app.store.queue
    rows = queue.dead_letters(
        context.whole("limit", 50, 1, MOST_ROWS), context.whole("offset", 0, 0, 2**53)
    )
    return {
        "total": queue.counts().dead,
        "items": [
            {
                "scene_id": id_,
                "kind": kind,
                "title": title,
                "reason": reason,
                "error": error,
                "attempts": attempts,
                "first_failed_at": utc(first),
                "last_failed_at": utc(last),
            }
            for kind, id_, title, reason, error, attempts, first, last in rows
        ],
    }


def retry(context: Context) -> dict[str, int]:
    """Put chosen dead letters back."""
    changed = context.app.store.queue.redrive(context.scene_keys())
    _leave_to_worker(context)
    return {"changed": changed}


def discard(context: Context) -> dict[str, int]:
    """Forget chosen dead letters."""
    return {"changed": context.app.store.queue.discard(context.scene_keys())}


def sync(context: Context) -> dict[str, int]:
    """Enqueue chosen scenes."""
    changed = context.app.store.queue.add_many(context.scene_keys(), priority=0)
    _leave_to_worker(context)
    return {"changed": changed}


MODES = (
    Mode(
        "process_queue",
        "Process Queue",
        process_queue,
        "Send everything that is due to Plex now, with a progress bar",
    ),
    Mode("all", "Sync All Scenes", sync_all, "Queue every scene, then process the queue"),
    Mode(
        "recent",
        "Sync Recent Scenes",
        sync_recent,
        "Queue the scenes changed in the last 24 hours, then process the queue",
    ),
    Mode(
        "queue_status",
        "View Queue Status",
        queue_status,
        "Write queue, Plex and worker into the log in words",
    ),
    Mode(
        "clear_queue",
        "Clear Pending Queue",
        clear_queue,
        "Remove what waits in the queue; what is in progress goes on",
    ),
    Mode("clear_dlq", "Clear Dead Letter Queue", clear_dlq, "Forget the scenes that were given up"),
    Mode(
        "purge_dlq",
        "Purge Old DLQ Entries",
        purge_dlq,
        "Forget the scenes that were given up more than 30 days ago",
    ),
    Mode(
        "retry_dlq", "Retry Dead Letters", retry_dlq, "Try the scenes that were given up once more"
    ),
    Mode(
        "clear_match_cache",
        "Rebuild Plex Index",
        clear_match_cache,
        "Forget which Plex item holds which file, and list the library afresh",
    ),
    Mode("status", "", status, "The status object"),
    Mode("wake", "", wake, "Start the background worker when work is due"),
    Mode("dead_letters", "", dead_letters, "A page of the dead letters"),
    Mode("retry", "", retry, "Put chosen dead letters back"),
    Mode("discard", "", discard, "Forget chosen dead letters"),
    Mode("sync", "", sync, "Queue chosen scenes"),
)
"""Every mode that there is; the yml of the plugin and the reference are tested against it."""
