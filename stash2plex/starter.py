"""Starts the background worker, detached. `os` and `sys` only, because the hook imports this."""

import os
import sys

from stash2plex.datadir import LOG_NAME
from stash2plex.lock import drain_lock

FLAGS = ("-IS", "-Xutf8")
"""As in the plugin's yml: nothing shadows our modules, and file names are read as Stash's."""


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


if sys.platform == "win32":  # pragma: no cover - Windows only

    def _spawn(folder: str, plugin_dir: str, request: bytes, *more: str) -> None:
        import subprocess  # noqa: PLC0415 - 12 ms that only Windows has to pay

        script = os.path.join(plugin_dir, "stash2plex_plugin.py")
        process = subprocess.Popen(
            [sys.executable, *FLAGS, script, "worker", folder, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            creationflags=subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP,
        )
        assert process.stdin is not None
        process.stdin.write(request)
        process.stdin.close()
else:

    def _spawn(folder: str, plugin_dir: str, request: bytes, *more: str) -> None:
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
