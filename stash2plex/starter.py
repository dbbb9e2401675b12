"""Starts the background worker, detached. `os` and `sys` only, because the hook imports this."""

import os
import sys

from stash2plex.datadir import LOG_NAME, START_LOG_NAME
from stash2plex.lock import drain_lock

# `typing` costs 5 ms; type checkers accept any constant of this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Popen = Callable[..., Any]

FLAGS = ("-IS", "-Xutf8")
"""As in the plugin's yml: nothing shadows our modules, and file names are read as Stash's."""


PIPE, DEVNULL = -1, -3
CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW = 0x0000_0200, 0x0800_0000
"""As in `subprocess`, which has the last two on Windows only."""

START_LOG_BYTES = 65_536

SUCCESSOR = "successor"
"""The argument of a worker that waits until the previous one ends."""


def start_worker(folder: str, plugin_dir: str, request: bytes) -> bool:
    """Start the worker of a data folder unless a process drains it already.

    `request` is what the worker reads from its standard input: the JSON object with Stash's
    connection, including the cookie. It is passed through a pipe, so no secret shows in the process
    list or in an environment. Returns whether a process was started.

    The child gets new streams: if it kept Stash's stdout open, the user's save would wait until the
    child ends (stash.md §2.6).
    """
    lock = drain_lock(folder)
    if not lock.acquire():
        return False
    try:
        if sys.platform == "win32":  # pragma: no cover - Windows only
            # On Windows a lock belongs to the process: the worker takes it again.
            lock.release()
            _spawn(folder, plugin_dir, request)
        else:
            _spawn(folder, plugin_dir, request, str(lock.give_to_child()))
    finally:
        lock.release()
    return True


def start_successor(folder: str, plugin_dir: str, request: bytes) -> None:
    """Start a worker that takes over from the running one if that ends soon."""
    _spawn(folder, plugin_dir, request, SUCCESSOR)


def spawn_on_windows(
    folder: str, plugin_dir: str, request: bytes, *more: str, popen: "Popen"
) -> None:
    """Start the worker as a process without a window; `popen` starts a process.

    It has a console that nobody sees. Without one, the interpreter of a virtual environment, which
    starts the real one, would make Windows open a console for it, and closing that ends the worker.
    What the worker writes before its log is open goes into a file of its own.
    """
    script = os.path.join(plugin_dir, "stash2plex_plugin.py")
    path = os.path.join(folder, START_LOG_NAME)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    if os.path.exists(path) and os.path.getsize(path) > START_LOG_BYTES:
        flags |= os.O_TRUNC
    errors = os.open(path, flags, 0o600)
    try:
        process = popen(
            [sys.executable, *FLAGS, script, "worker", folder, *more],
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=errors,
            close_fds=True,
            creationflags=CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP,
        )
    finally:
        os.close(errors)
    process.stdin.write(request)
    process.stdin.close()


def spawn_by_popen(folder: str, plugin_dir: str, request: bytes, *more: str) -> None:
    """Start the worker where `os` has no posix_spawn, as in PyPy.

    A number among `more` is a descriptor that the worker inherits: the lock.
    """
    from subprocess import Popen  # noqa: PLC0415 - 12 ms that only PyPy has to pay

    script = os.path.join(plugin_dir, "stash2plex_plugin.py")
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    errors = os.open(os.path.join(folder, LOG_NAME), flags, 0o600)
    try:
        process = Popen(
            [sys.executable, *FLAGS, script, "worker", folder, *more],
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=errors,
            pass_fds=[int(word) for word in more if word.isdigit()],
        )
    finally:
        os.close(errors)
    process.returncode = 0  # It outlives this process, which does not wait for it.
    if process.stdin:  # pragma: no branch - a pipe was asked for
        process.stdin.write(request)
        process.stdin.close()


if sys.platform == "win32":  # pragma: no cover - Windows only

    def _spawn(folder: str, plugin_dir: str, request: bytes, *more: str) -> None:
        from subprocess import Popen  # noqa: PLC0415 - 12 ms that only Windows has to pay

        spawn_on_windows(folder, plugin_dir, request, *more, popen=Popen)
else:

    def _spawn(folder: str, plugin_dir: str, request: bytes, *more: str) -> None:
        if not hasattr(os, "posix_spawn"):
            spawn_by_popen(folder, plugin_dir, request, *more)
            return
        script = os.path.join(plugin_dir, "stash2plex_plugin.py")
        reader, writer = os.pipe()
        log = os.path.join(folder, LOG_NAME)
        try:
            # Written before the start: if the hook is killed after it, the worker still knows how
            # to reach Stash. Far below the 64 KiB that a pipe takes unread.
            os.write(writer, request)
            os.posix_spawn(
                sys.executable,
                [sys.executable, *FLAGS, script, "worker", folder, *more],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, reader, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0o600),
                    (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                ],
            )
        finally:
            os.close(reader)
            os.close(writer)
