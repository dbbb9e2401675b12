"""Runs in every process that imports the copied package, and measures what it runs.

The copy's `stash2plex/__init__.py` executes this text and calls `start`: the plugin runs as
`python -IS`, where neither the environment nor a site file reaches it.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from typing import Any, NoReturn

SAVE_SECONDS = 0.5
"""Seconds of measurement that a process loses at most when it is killed from outside."""

TEST_VARIABLE = "S2P_REACH_TEST"
"""Environment variable that names the running test; `trees` has it too."""


def start(site: str, state: str, tree: str, package: str) -> None:
    """Begin to measure this process.

    `site` is the folder that holds coverage. `state` is the folder for the measurements; its
    `tests` lists which process runs which test. `package` is the imported file; if it is outside of
    the copied `tree`, it comes from an archive.
    """
    sys.path.insert(0, site)
    try:
        # Imported completely now: later imports of coverage would fail.
        import coverage  # noqa: PLC0415 - from the folder that was just put first

        measured = coverage.Coverage(
            data_file=os.path.join(state, "data"),
            data_suffix=True,
            branch=True,
            include=["*/stash2plex/*"],
            config_file=False,
            context=context(state, tree, package),
        )
        # Tests read the plugin's standard error.
        measured.set_option("run:disable_warnings", ["no-data-collected", "module-not-measured"])
        measured.start()
    finally:
        sys.path.remove(site)
    saver = Saver(measured)
    saver.save_before_the_end()
    if "pytest" not in sys.modules:
        saver.start()


def context(state: str, tree: str, package: str) -> str | None:
    """Return the test of this process; "archive:" precedes it if the process runs unpacked."""
    if "pytest" in sys.modules:
        # The test's own process: its plugin switches from test to test.
        return None
    test = os.environ.get(TEST_VARIABLE) or test_of_ancestors(state)
    if not test:
        return None
    # Children of this process find it too, even when this one has ended by then.
    os.environ[TEST_VARIABLE] = test
    inside = os.path.realpath(package).startswith(os.path.realpath(tree) + os.sep)
    return test if inside else f"archive:{test}"


def test_of_ancestors(state: str) -> str:
    """Find the parent process that runs a test: tests empty the environment."""
    pid = os.getppid()
    while pid > 1:
        try:
            with open(os.path.join(state, "tests", str(pid)), encoding="utf-8") as file:
                return file.read()
        except OSError:
            pass
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            break
    return ""


class Saver:
    """Saves what a process ran, however it ends. One thread saves at a time."""

    def __init__(self, measured: Any) -> None:
        self._measured = measured
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._save_at_times, daemon=True)

    def start(self) -> None:
        """Save at intervals: a SIGKILL from outside comes without warning."""
        self._thread.start()

    def save_before_the_end(self) -> None:
        """Save at the end, before `os._exit`, and before the process sends itself a SIGKILL."""
        exit_now, kill = os._exit, os.kill

        def _exit(status: int) -> NoReturn:
            with self._lock:
                self._measured.save()
                exit_now(status)

        def kill_after_saving(pid: int, number: int) -> None:
            with self._lock:
                if pid == os.getpid() and number == signal.SIGKILL:
                    self._measured.save()
                kill(pid, number)

        os._exit = _exit
        os.kill = kill_after_saving
        atexit.register(self._finish)

    def _save_at_times(self) -> None:
        while not self._ended.wait(SAVE_SECONDS):
            with self._lock:
                self._measured.save()

    def _finish(self) -> None:
        """End the thread first, before what it uses is torn down."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._measured.stop()
        self._measured.save()
