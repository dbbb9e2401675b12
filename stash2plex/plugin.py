"""The door that Stash uses: one JSON request on stdin, one JSON answer on stdout.

What a save waits for takes the short way. Everything else imports the whole package first.
"""

import gc
import json
import os
import sys

from stash2plex import bytecode
from stash2plex.datadir import keep_temporary_files, locate
from stash2plex.errors import Stash2PlexError, StashGone, UsageError, fault_sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RECORD = "record"
SCRIPT_MODES = (RECORD, "session")
"""The operations that the hooks' script calls. A save waits for them, so they have to be cheap."""

PAGE_MODES = (
    "page", "pause", "resume", "stop", "hold", "start", "settings", "check_settings",
    "save_settings", "tags", "libraries", "sign_in", "sign_in_poll", "choose_server",
    "connect", "trouble", "scenes", "not_in_plex", "retry_reason", "discard_reason", "entity",
    "runs", "candidates", "choose_item", "forget_choice", "paths", "preview_some", "library",
    "unknown_files", "count_changes", "compare",
)  # fmt: skip
"""The operations that only the page calls. Their failure is an output: if it were an error, Stash
would write their arguments into its log, a typed token too. A test compares them with the list of
tasks."""

STDIN_LIMIT = 256 * 1024 * 1024
"""Bytes: a hook's input repeats the edit, with a cover as base64 (stash.md §2.1)."""


def main(arguments: list[str], plugin_dir: str) -> int:
    """Run what Stash, a starter or a user asks for. Returns the exit code."""
    if arguments[:1] == ["worker"]:
        bytecode.keep_in(arguments[1], plugin_dir)
        keep_temporary_files(arguments[1])
        from stash2plex.worker_start import become_worker  # noqa: PLC0415 - not for the hook

        return become_worker(arguments[1:], plugin_dir)
    request: dict[str, Any] = {}
    try:
        request = read_request(sys.stdin.buffer.read(STDIN_LIMIT + 1))
        connection_info = request.get("server_connection") or {}
        folder = locate(connection_info.get("Dir"), plugin_dir)
        bytecode.keep_in(folder, plugin_dir)
        if "hookContext" in request["args"]:
            from stash2plex import hook  # noqa: PLC0415 - so that a task's request error is cheap too

            output = hook.handle(
                request, plugin_dir, repair=repair, notify=notify, start_failed=start_failed
            )
            write_answer({"output": output})
            # Tearing the interpreter down would cost the save 3 ms.
            os._exit(0)
        if request["args"].get("mode") == "status" and "stored" in request["args"]:
            from stash2plex.store import stored_status  # noqa: PLC0415 - not for the hook

            if stored_status.is_stored(request["args"]):
                write_answer({"output": stored_status.open_and_read(folder)})
                return 0
        if request["args"].get("mode") == "page":
            from stash2plex.store import stored_page  # noqa: PLC0415 - not for the hook

            write_answer({"output": stored_page.open_and_read(folder)})
            return 0
        if request["args"].get("mode") in SCRIPT_MODES:
            write_answer({"output": answer_script(request, plugin_dir)})
            os._exit(0)
        keep_temporary_files(folder)
        from stash2plex.generated_code import GeneratedCode  # noqa: PLC0415 - not for the hook

        with GeneratedCode(bytecode.folder_in_use()):
            from stash2plex.tasks.run import run_task  # noqa: PLC0415 - not for the hook

        gc.enable()
        return run_task(request, plugin_dir, write_answer)
    except Stash2PlexError as error:
        return fail(request, error.what, error.fix, error.exit_code)
    except ImportError as error:
        from stash2plex.first_aid import answer_without  # noqa: PLC0415 - for a broken Python

        mode = request.get("args", {}).get("mode")
        return answer_without(
            error,
            request,
            plugin_dir,
            write_answer,
            for_script=mode in SCRIPT_MODES,
            for_page=mode in PAGE_MODES,
        )
    except Exception as error:  # noqa: BLE001 - the outermost edge: Stash must get an answer
        sys.excepthook(type(error), error, error.__traceback__)
        return fail(request, fault_sentence(error), None, 1)


def fail(request: "dict[str, Any]", what: str, fix: str | None, exit_code: int) -> int:
    """Answer with a failure: an output for the page, an error for everything else.

    Returns the exit code. It is for shells; Stash shows the text.
    """
    if request.get("args", {}).get("mode") in PAGE_MODES:
        write_answer({"output": {"problem": {"what": what, "do": fix or ""}}})
        return 0
    write_answer({"error": f"{what} {fix}" if fix else what})
    return exit_code


def answer_script(request: "dict[str, Any]", plugin_dir: str) -> "dict[str, Any]":
    """Carry out an operation of the hooks' script and return its output.

    A failure is an output too: if it were an error, Stash would write the arguments into its log.
    Raises ImportError.
    """
    from stash2plex import hook  # noqa: PLC0415 - so that a task's request error is cheap too

    try:
        if request["args"]["mode"] == RECORD:
            return hook.record(
                request, plugin_dir, repair=repair, notify=notify, start_failed=start_failed
            )
        return hook.take_session(request, plugin_dir, start_failed=start_failed)
    except Stash2PlexError as error:
        return {"recorded": 0, "error": str(error)}
    except ImportError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost edge: the script must get an answer
        sys.excepthook(type(error), error, error.__traceback__)
        return {"recorded": 0, "error": fault_sentence(error)}


def write_answer(answer: "dict[str, Any]") -> None:
    """Write the one JSON object that Stash reads from standard output (stash.md §2.4).

    It holds either an `output` or an `error`. Raises StashGone if Stash no longer reads it.
    """
    try:
        os.write(1, json.dumps(answer).encode() + b"\n")
    except OSError as error:
        raise StashGone from error


def repair(folder: str) -> None:
    """Set the damaged database of a data folder aside."""
    from stash2plex.store.repair import replace_damaged  # noqa: PLC0415 - for the rarest of saves

    replace_damaged(folder)


def notify(path: str) -> None:
    """Show the user what the worker met, given the path of the database."""
    from stash2plex.operations.notifications import notify_stash  # noqa: PLC0415 - for the save after a trouble

    notify_stash(path)


def start_failed(folder: str, error: OSError) -> None:
    """Show the user why no worker could be started for a data folder; the same only once."""
    from stash2plex.first_aid import warn  # noqa: PLC0415 - for the save after a trouble
    from stash2plex.start_trouble import (  # noqa: PLC0415 - a hook need not pay for it
        record_trouble,
        start_trouble,
        take_trouble,
    )

    trouble = start_trouble(folder, error)
    if record_trouble(folder, trouble):
        take_trouble(folder)
        warn(f"{trouble.what} {trouble.fix}")


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
