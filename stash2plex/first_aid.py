"""Answers Stash when the rest of the plugin cannot even be imported.

It needs very little of Python's standard library, so that Health Check can report what is missing.
"""

import os
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from stash2plex.datadir import locate
from stash2plex.errors import Stash2PlexError, fault_sentence
from stash2plex.python_parts import PYTHON, missing_part
from stash2plex.start_trouble import Trouble, record_trouble, take_trouble

HEALTH_MODES = ("health", "health_check")


def warn(text: str) -> None:
    """Write a warning into Stash's log (stash.md §2.5)."""
    os.write(2, f"\x01w\x02{text}\n".encode())


def answer_without(
    error: ImportError,
    request: Mapping[str, Any],
    plugin_dir: str,
    answer: Callable[[dict[str, Any]], None],
    *,
    for_script: bool,
    for_page: bool,
) -> int:
    """Answer a request that could not be carried out because of a module; returns the exit code.

    `answer` writes the answer. A hook reports the error once, not at each save; in Health Check it
    is the first line. `for_script` means that the hooks' script asked, `for_page` that the page
    did: both get an output.
    """
    trouble = missing_part(error) or Stash2PlexError(
        f"Stash2Plex cannot be started: {error}.",
        "If it is being updated, try again in a moment; if not, install it again.",
    )
    arguments = request.get("args") or {}
    if "hookContext" in arguments:
        info = request.get("server_connection") or {}
        if not _must_notify(locate(info.get("Dir"), plugin_dir), trouble):
            answer({"output": f"Not recorded: {trouble.what}"})
            return trouble.exit_code
        answer({"error": str(trouble)})
        return trouble.exit_code
    if for_script:
        info = request.get("server_connection") or {}
        is_new = _must_notify(locate(info.get("Dir"), plugin_dir), trouble)
        answer({"output": {"recorded": 0, "error": str(trouble) if is_new else None}})
        return 0
    if for_page:
        answer({"output": {"problem": {"what": trouble.what, "do": trouble.fix or ""}}})
        return 0
    if arguments.get("mode") in HEALTH_MODES:
        if arguments["mode"] != HEALTH_MODES[0]:
            warn(f"Health Check: {PYTHON}: {trouble}")
        check = {
            "name": PYTHON,
            "ok": False,
            "state": "failed",
            "detail": trouble.what,
            "fix": trouble.fix or "",
        }
        answer({"output": {"checks": [check]}})
        return 0
    answer({"error": str(trouble) if missing_part(error) else fault_sentence(error)})
    if missing_part(error) is None:
        traceback.print_exception(error)
    return trouble.exit_code


def _must_notify(folder: str, error: Stash2PlexError) -> bool:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError:
        return True
    is_new = record_trouble(folder, Trouble(error.what, error.fix or ""))
    take_trouble(folder)
    return is_new
