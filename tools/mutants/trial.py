"""Tries a mutant: puts it into a copy of the tree, and runs the tests that reach it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tools.reach.trees import ROOT, TreeCopy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tools.mutants.covering import Covering
    from tools.mutants.mutants import Mutant

NOTICED, SURVIVED, TIMED_OUT, HARMLESS = "noticed", "survived", "timed out", "harmless"

START_SECONDS = 60.0
"""What a run of tests may take before its first, on a busy machine."""

TIMES_SLOWER = 6.0
"""How much longer tests may take than they took when they were measured."""

PASSED, SOME_FAILED = 0, 1


@dataclass(frozen=True)
class Result:
    """What became of a mutant."""

    outcome: str
    by: str = ""
    """The test that noticed it."""

    asked: int = 0
    """How many tests were to run at most."""

    left: int = 0
    """How many were left out, because they are beyond the time that a mutant gets."""

    seconds: float = 0.0


class Bench:
    """A copy of the tree in which one mutant after the other is tried. A context manager."""

    def __init__(
        self,
        seconds: Mapping[str, float],
        most_seconds: float,
        *,
        start_seconds: float = START_SECONDS,
        root: str = ROOT,
    ) -> None:
        """Give a mutant tests of `most_seconds` together at most; 0 is for no limit.

        `seconds` is how long each test takes. A run may take `start_seconds` before its first.
        """
        self._seconds = seconds
        self._most = most_seconds
        self._start = start_seconds
        self._copy = TreeCopy(root)
        self._running: subprocess.Popen[str] | None = None
        self._written = 0
        self._stopped = False

    def __enter__(self) -> Self:
        self._copy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._copy.__exit__()

    def stop(self) -> None:
        """End the running tests, from any thread; what is asked afterwards ends at once."""
        self._stopped = True
        if self._running is not None:
            end_group(self._running)

    def attempt(self, mutant: Mutant, covering: Covering) -> Result:
        """Try one mutant, and put the file back."""
        path = os.path.join(self._copy.tree, mutant.path)
        with open(path, encoding="utf-8") as file:
            whole = file.read()
        started = time.monotonic()
        try:
            self._write(path, mutant.code)
            result = self._ask(covering)
        finally:
            self._write(path, whole)
        return Result(
            result.outcome,
            result.by,
            len(covering.here) + len(covering.archive),
            result.left,
            round(time.monotonic() - started, 1),
        )

    def _ask(self, covering: Covering) -> Result:
        """Run the tests of this process first, then those of the archive."""
        left = 0
        for tests, archive in ((covering.here, False), (covering.archive, True)):
            taken = self._affordable(tests)
            left += len(tests) - len(taken)
            if archive and taken and not self._copy.build_archive():
                return Result(NOTICED, "the archive cannot be built")
            result = self._until_noticed(taken, sure=not archive)
            if result.outcome != SURVIVED:
                return result
        return Result(SURVIVED, left=left)

    def _until_noticed(self, tests: Sequence[str], *, sure: bool) -> Result:
        """Run tests until one fails; twice where a busy machine might be the reason, not `sure`."""
        left = list(tests)
        while left:
            result = self._run(left)
            if sure or result.outcome != NOTICED or result.by not in left:
                return result
            if self._run([result.by]).outcome != SURVIVED:
                return result
            left = left[left.index(result.by) + 1 :]
        return Result(SURVIVED)

    def _affordable(self, tests: Sequence[str]) -> list[str]:
        """Take tests from the front as long as the time lasts."""
        taken: list[str] = []
        total = 0.0
        for test in tests:
            total += self._seconds[test]
            if self._most and taken and total > self._most:
                break
            taken.append(test)
        return taken

    def _run(self, tests: Sequence[str]) -> Result:
        """Run tests until one fails."""
        listed = os.path.join(self._copy.folder, "tests.txt")
        with open(listed, "w", encoding="utf-8") as file:
            file.write("\n".join(tests))
        limit = self._start + TIMES_SLOWER * sum(self._seconds[test] for test in tests)
        try:
            code, printed = self._pytest(listed, limit)
        finally:
            self._copy.end_processes()
            shutil.rmtree(self._copy.scratch, ignore_errors=True)
            os.makedirs(self._copy.scratch, exist_ok=True)
        if code is None:
            return Result(TIMED_OUT)
        if code == PASSED:
            return Result(SURVIVED)
        if code != SOME_FAILED:
            # Nothing could be collected: the package does not even import.
            return Result(NOTICED, "the tests cannot be collected")
        return Result(NOTICED, failed_test(printed, tests))

    def _pytest(self, listed: str, limit: float) -> tuple[int | None, str]:
        """Run pytest; returns its exit code, None where it took too long, and what it printed."""
        if self._stopped:
            raise KeyboardInterrupt
        self._running = subprocess.Popen(
            [
                sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--no-header", "--tb=no",
                "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist",
                "-p", "tools.mutants.quick",
                "--hypothesis-seed=0", f"--basetemp={os.path.join(self._copy.scratch, 'pytest')}",
                f"@{listed}",
            ],
            cwd=self._copy.tree,
            env={**os.environ, "TMPDIR": self._copy.scratch},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            printed, _ = self._running.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            end_group(self._running)
            self._running.communicate()
            return None, ""
        if self._stopped:
            raise KeyboardInterrupt
        return self._running.returncode, printed

    def _write(self, path: str, code: str) -> None:
        """Write a file with a time that no compiled form of it has."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(code)
        self._written += 1
        # Python tells whether its compiled form is stale by whole seconds and the size.
        moment = time.time() + self._written
        os.utime(path, (moment, moment))


def end_group(process: subprocess.Popen[str]) -> None:
    """Kill a process and all that it started in its own session."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def failed_test(printed: str, tests: Iterable[str]) -> str:
    """Find the test that pytest's summary names; names may hold spaces."""
    longest_first = sorted(tests, key=len, reverse=True)
    for line in printed.splitlines():
        for word in ("FAILED ", "ERROR "):
            for test in longest_first if line.startswith(word) else ():
                if line.removeprefix(word).startswith(test):
                    return test
    return "a test"
