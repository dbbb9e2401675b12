"""Runs the task or operation that Stash asks for, and writes the answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
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
    fault_sentence,
)
from stash2plex.hook import settings_changed
from stash2plex.logs.handlers import Logs
from stash2plex.operations.notifications import log_notifications
from stash2plex.servers.stash_address import read_server_connection
from stash2plex.store.meta import SETTINGS_FILE
from stash2plex.store.notices import mark_notified
from stash2plex.tasks.registry import find_task
from stash2plex.tasks.task import Call, Task, problem_json


def run_task(
    request: Mapping[str, Any], plugin_dir: str, write_answer: Callable[[dict[str, Any]], None]
) -> int:
    """Run the task that a request names and write its answer. Returns the exit code.

    Raises the errors of our tree; the caller answers with their text.
    """
    task = find_task(request["args"].get("mode"))
    info = request.get("server_connection") or {}
    if isinstance(sys.stderr, TextIOWrapper):
        # A Windows console may lack “; a log line must never fail because of a character.
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    logs = Logs(sys.stderr)
    folder = locate(info.get("Dir"), plugin_dir)
    stash_dir = str(info.get("Dir") or "")
    try:
        app = open_app(folder, read_server_connection(info), logs=logs, stash_dir=stash_dir)
    except StoreError as error:
        if task.without_store is None:
            raise
        write_answer({"output": task.without_store(error, logs.logger)})
        return 0
    call = Call(app, request["args"], info, plugin_dir, logs.logger, sys.stderr)
    try:
        answer, exit_code = _run(task, call, logs)
        write_answer(answer)
    except StashGone as error:
        logs.logger.warning("%s", error)
        _leave_streams()
        return error.exit_code
    finally:
        app.close()
    return exit_code


def _run(task: Task, call: Call, logs: Logs) -> tuple[dict[str, Any], int]:
    """Run a task; returns its answer and the exit code. Raises StashGone."""
    app = call.app
    try:
        with store_errors_mapped(app):
            if task.button:
                if settings_changed(get_meta(app.store.connection, SETTINGS_FILE)) is not False:
                    with suppress(ServerError):
                        # Trouble that a changed setting cured is no longer reported.
                        app.settings_reader.take_up()
                log_notifications(
                    app.store.connection,
                    logs.logger,
                    app.clock(),
                    folder=app.folder,
                    trouble=not task.reports,
                )
            output = task.run(call)
            if task.reports:
                # Its own lines have reported what it met.
                mark_notified(app.store.connection, app.clock())
            elif task.button:
                log_notifications(app.store.connection, logs.logger, app.clock(), folder=app.folder)
    except StashGone:
        raise
    except Stash2PlexError as error:
        if task.for_page:
            return {"output": problem_json(error.what, error.fix)}, 0
        # Stash writes the text into its log, where titles may have to be hidden.
        return {"error": logs.redactor(str(error))}, error.exit_code
    except Exception as error:
        logs.logger.error("A fault in Stash2Plex:", exc_info=error)
        if task.for_page:
            return {"output": problem_json(fault_sentence(error), None)}, 0
        return {"error": fault_sentence(error)}, 1
    return {"output": output}, 0


def _leave_streams() -> None:
    """Discard what is still buffered for Stash when the process ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
