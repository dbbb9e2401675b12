"""The list of Stash's tasks and operations, and the door that runs one of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from io import TextIOWrapper
from typing import Any

from stash2plex.app import open_app, store_errors_mapped
from stash2plex.datadir import locate
from stash2plex.db import get_meta
from stash2plex.errors import (
    ServerError,
    Stash2PlexError,
    StashGone,
    StoreError,
    UsageError,
    fault_sentence,
)
from stash2plex.hook import settings_changed
from stash2plex.logs.handlers import Logs
from stash2plex.operations.notifications import tell
from stash2plex.servers.stash_address import read_server_connection
from stash2plex.store.meta import SETTINGS_FILE
from stash2plex.store.notices import mark_told
from stash2plex.tasks import dead_letters as keys
from stash2plex.tasks import drain as draining
from stash2plex.tasks import health as steering
from stash2plex.tasks import reconcile as reconciling
from stash2plex.tasks import scenes
from stash2plex.tasks import status as looking
from stash2plex.tasks.context import Context, Mode


def run_mode(request: Mapping[str, Any], plugin_dir: str) -> int:
    """Run the mode that a request names and answer on stdout. Returns the exit code.

    Raises the errors of our tree; the caller answers with their text.
    """
    mode = find_mode(request["args"].get("mode"))
    info = request.get("server_connection") or {}
    if isinstance(sys.stderr, TextIOWrapper):
        # A console of Windows has no “; a log line must never fail for its letters.
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    logs = Logs(sys.stderr)
    folder = locate(info.get("Dir"), plugin_dir)
    stash_dir = str(info.get("Dir") or "")
    try:
        app = open_app(folder, read_server_connection(info), logs=logs, stash_dir=stash_dir)
    except StoreError as error:
        if mode.without_store is None:
            raise
        _write({"output": mode.without_store(error)})
        return 0
    context = Context(app, request["args"], info, plugin_dir, logs.logger, sys.stderr)
    try:
        answer, exit_code = _run(mode, context, logs)
        _write(answer)
    except StashGone as error:
        logs.logger.warning("%s", error)
        _leave_streams()
        return error.exit_code
    finally:
        app.close()
    return exit_code


def _run(mode: Mode, context: Context, logs: Logs) -> tuple[dict[str, Any], int]:
    """Run a mode; returns its answer and the exit code. Raises StashGone."""
    app = context.app
    try:
        with store_errors_mapped(app):
            if mode.task:
                if settings_changed(get_meta(app.store.connection, SETTINGS_FILE)) is not False:
                    with suppress(ServerError):
                        # What a changed setting has cured is not told any more.
                        app.settings_reader.take_up()
                tell(app.store.connection, logs.logger, app.clock(), trouble=not mode.reports)
            output = mode.run(context)
            if mode.reports:
                # What the task met it has shown itself.
                mark_told(app.store.connection, app.clock())
            elif mode.task:
                tell(app.store.connection, logs.logger, app.clock())
    except StashGone:
        raise
    except Stash2PlexError as error:
        # Stash writes it into its log, where titles may have to be hidden.
        return {"error": logs.curtain(str(error))}, error.exit_code
    except Exception as error:
        logs.logger.error("A fault of Stash2Plex itself:", exc_info=error)
        return {"error": fault_sentence(error)}, 1
    return {"output": output}, 0


def _write(answer: dict[str, Any]) -> None:
    """Write the answer. Raises StashGone where nobody reads it."""
    try:
        os.write(1, json.dumps(answer).encode() + b"\n")
    except OSError as error:
        raise StashGone from error


def _leave_streams() -> None:
    """Have what is still buffered for Stash go nowhere at the end of the process."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def find_mode(name: object) -> Mode:
    """Look a mode up. Raises UsageError that names the known ones."""
    for mode in MODES:
        if mode.name == name:
            return mode
    known = ", ".join(mode.name for mode in MODES)
    raise UsageError(f"There is no mode {str(name)[:60]!r}. Known modes: {known}.")


MODES = (
    Mode(
        "all",
        "Sync All Scenes",
        draining.sync_all,
        "Queue every scene that differs from what was last sent, then process the queue",
        when="Press it once after the set-up, and after changes that Plex does not show.",
        reports=True,
    ),
    Mode(
        "process_queue",
        "Process Queue",
        draining.process_queue,
        "Send everything that is due to Plex now, with a progress bar",
        when="Press it if you do not want to wait, or if Background worker is off.",
        reports=True,
        arguments="`max_wait`: seconds to wait for a server that is down",
    ),
    Mode(
        "health_check",
        "Health Check",
        steering.health_check,
        "Check Stash, Plex, token, library, matches and queue, and show what needs you",
        steering.health_of,
        when="Press it first when something is off, and after a change of settings.",
        reports=True,
    ),
    Mode(
        "queue_status",
        "View Queue Status",
        looking.queue_status,
        "Show in the log what is queued, what Plex has, and what the worker does",
        when="Press it to see how far the work is and which scenes wait.",
        reports=True,
    ),
    Mode(
        "preview",
        "Preview Changes",
        scenes.preview,
        "Show in the log what a sync would write, field by field, and write nothing",
        when="Press it before the first sync, and before a change of settings counts.",
        reports=True,
        arguments="`scene_id`: this scene only; without it the first 50 are shown",
    ),
    Mode(
        "recent",
        "Sync Recent Scenes",
        draining.sync_recent,
        "Queue the scenes changed in the last 24 hours, then process the queue",
        when="Press it if something that you changed today is missing in Plex.",
        reports=True,
    ),
    Mode(
        "retry_dlq",
        "Retry Dead Letters",
        keys.retry_dlq,
        "Queue the scenes that were given up once more",
        when="Press it after you mended the cause that Health Check names.",
        arguments="`reason`: those of one reason only",
    ),
    Mode(
        "reconcile_all",
        "Reconcile Library (All)",
        reconciling.reconcile_all,
        "Compare every scene with Plex, queue what differs and process the queue",
        when="Press it if Plex shows something else than Stash: it finds edits made in Plex too.",
        reports=True,
    ),
    Mode(
        "reconcile_recent",
        "Reconcile Library (Recent)",
        reconciling.reconcile_recent,
        "Compare the scenes changed in Stash in the last 24 hours, then process the queue",
        when="Press it instead of (All) if the difference is of today.",
        reports=True,
    ),
    Mode(
        "reconcile_7days",
        "Reconcile Library (Last 7 Days)",
        reconciling.reconcile_7days,
        "Compare the scenes changed in Stash in the last seven days, then process the queue",
        when="Press it instead of (All) if the difference is of this week.",
        reports=True,
    ),
    Mode(
        "reconcile_missing_metadata",
        "Reconcile Missing Metadata Only",
        reconciling.reconcile_missing_metadata,
        "Compare the Plex items that show nothing but a title, then process the queue",
        when="Press it if items in Plex are still empty, such as after Plex was rebuilt.",
        reports=True,
    ),
    Mode(
        "recover_outage_jobs",
        "Recover Outage Jobs",
        keys.recover_outage_jobs,
        "Queue the scenes once more that were given up because of an outage",
        when="Press it once Plex is well again.",
    ),
    Mode(
        "outage_summary",
        "Outage Summary Report",
        steering.outage_summary,
        "Show in the log when the servers were away, how long and how often",
        when="Press it if syncs seem slow: Plex may be down each night.",
    ),
    Mode(
        "clear_match_cache",
        "Rebuild Plex Index",
        looking.clear_match_cache,
        "Forget which Plex item holds which file, and list the library again",
        when="Press it after you moved to another Plex server.",
        reports=True,
    ),
    Mode(
        "clear_queue",
        "Clear Pending Queue",
        keys.clear_queue,
        "Remove what waits in the queue; what is in progress goes on",
        when="Press it to cancel a sync that you did not mean.",
    ),
    Mode(
        "purge_dlq",
        "Purge Old DLQ Entries",
        keys.purge_dlq,
        "Forget the scenes that were given up more than 30 days ago",
        when="Press it to drop what you do not mean to mend.",
        arguments="`days`: another age than 30 days",
    ),
    Mode(
        "clear_dlq",
        "Clear Dead Letter Queue",
        keys.clear_dlq,
        "Forget all scenes that were given up",
        when="Press it if you mean to mend none of them; a save of a scene queues it again.",
    ),
    Mode(
        "scene",
        "",
        scenes.scene,
        "Explain a scene: match, queue, last sync, each field's values",
        arguments="`scene_id`",
    ),
    Mode("status", "", looking.status, "Return the status object"),
    Mode(
        "wake",
        "",
        draining.wake,
        "Start the background worker when work, or a look at Stash, is due",
    ),
    Mode("health", "", steering.health, "Return the checks of Health Check", steering.health_of),
    Mode("outages", "", steering.outages, "Return the newest outages", arguments="`limit`"),
    Mode(
        "dead_letters",
        "",
        keys.dead_letters,
        "Return a page of the dead letters with their history, and how many each reason has",
        arguments="`limit`, `offset`, `reason`",
    ),
    Mode("retry", "", keys.retry, "Queue chosen dead letters", arguments="`scene_ids`"),
    Mode("discard", "", keys.discard, "Forget chosen dead letters", arguments="`scene_ids`"),
    Mode("sync", "", keys.sync, "Queue chosen scenes", arguments="`scene_ids`"),
)
"""Every mode, tasks in the order of their buttons in Stash: what users need most comes first.

The yml of the plugin and the reference are tested against it.
"""
