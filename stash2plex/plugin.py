"""The door that Stash uses: one JSON request on stdin, one JSON answer on stdout.

A hook takes the short way. Everything else imports the whole package first.
"""

import gc
import json
import os
import sys

from stash2plex import bytecode
from stash2plex.datadir import locate
from stash2plex.errors import Stash2PlexError, UsageError, fault_sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STDIN_LIMIT = 256 * 1024 * 1024
"""Bytes: a hook's input repeats the edit, with a cover as base64 (stash.md §2.1)."""


def main(arguments: list[str], plugin_dir: str) -> int:
    """Run what Stash, a starter or a person asks for. Returns the exit code."""
    if arguments[:1] == ["worker"]:
        gc.enable()
        bytecode.keep_in(arguments[1], plugin_dir)
        from stash2plex.operations.background import run_worker  # noqa: PLC0415 - not for the hook

        return run_worker(arguments[1:], plugin_dir)
    try:
        request = read_request(sys.stdin.buffer.read(STDIN_LIMIT + 1))
        connection_info = request.get("server_connection") or {}
        bytecode.keep_in(locate(connection_info.get("Dir"), plugin_dir), plugin_dir)
        if "hookContext" in request["args"]:
            from stash2plex import hook  # noqa: PLC0415 - so that a task's request error is cheap too

            result = hook.handle(request, plugin_dir, repair=repair, notify=notify)
            hook.finish(hook.answer(result, None), 0)
        if request["args"].get("mode") == "status" and "stored" in request["args"]:
            from stash2plex.store import stored_status  # noqa: PLC0415 - not for the hook

            if stored_status.is_stored(request["args"]):
                folder = locate(connection_info.get("Dir"), plugin_dir)
                return answer(stored_status.open_and_read(folder))
        gc.enable()
        from stash2plex.tasks.run import run_task  # noqa: PLC0415 - not for the hook

        return run_task(request, plugin_dir)
    except Stash2PlexError as error:
        # The exit code tells shells; Stash shows the text.
        os.write(1, json.dumps({"error": str(error)}).encode() + b"\n")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the outermost edge: Stash must get an answer
        sys.excepthook(type(error), error, error.__traceback__)
        os.write(1, json.dumps({"error": fault_sentence(error)}).encode() + b"\n")
        return 1


def answer(output: object) -> int:
    """Write the answer of an operation to stdout. Returns the exit code."""
    os.write(1, json.dumps({"output": output}).encode() + b"\n")
    return 0


def repair(folder: str) -> None:
    """Set the damaged database of a data folder aside."""
    from stash2plex.store.repair import replace_damaged  # noqa: PLC0415 - for the rarest of saves

    replace_damaged(folder)


def notify(path: str) -> None:
    """Show the user what the worker met, given the path of the database."""
    from stash2plex.operations.notifications import notify_stash  # noqa: PLC0415 - for the save after a trouble

    notify_stash(path)


def read_request(data: bytes) -> "dict[str, Any]":
    """Parse Stash's request. Raises UsageError with what is wrong with it."""
    if len(data) > STDIN_LIMIT:
        raise UsageError(f"The request is larger than {STDIN_LIMIT // 2**20} MiB.")
    try:
        request = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "The request on standard input is not JSON. Stash starts this program; "
            "on a command line use process_queue.py or the command stash2plex."
        ) from error
    if not isinstance(request, dict):
        raise UsageError("The request on standard input is not a JSON object.")
    if request.get("args") is None:
        request["args"] = {}
    if not isinstance(request["args"], dict):
        raise UsageError('"args" in the request is not an object.')
    info = request.get("server_connection") or {}
    if not isinstance(info, dict):
        raise UsageError('"server_connection" in the request is not an object.')
    folder = info.get("Dir") or ""
    if not isinstance(folder, str) or not folder.isprintable():
        raise UsageError('"Dir" in "server_connection" is not the name of a folder.')
    return request
