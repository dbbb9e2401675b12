"""Tries a mutant: puts it into a copy of the tree, and runs the tests that reach it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from tools.mutants.serving import TIMES_WAITING
from tools.mutants.warm import Warm, end
from tools.reach.trees import ROOT, TreeCopy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tools.mutants.covering import Covering
    from tools.mutants.mutants import Mutant

NOTICED, SURVIVED, TIMED_OUT, HARMLESS = "noticed", "survived", "timed out", "harmless"

START_SECONDS = 60.0
"""Seconds that a run may take before its first test, on a busy machine."""

TEST_SECONDS = 15.0
"""Seconds that a test may take beyond `TIMES_SLOWER` of its time, on a busy machine."""

TIMES_SLOWER = 6.0
"""How many times longer than when measured a test may take."""

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
    """How many were left out, because the time for the mutant does not suffice."""

    owed: bool = False
    """Whether those of the archive were not asked yet."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Broken:
    """A mutant in the copy, and its file as it was."""

    mutant: Mutant
    whole: str


class Bench:
    """A copy of the tree in which one mutant after the other is tried. A context manager."""

    def __init__(
        self,
        seconds: Mapping[str, float],
        most_seconds: float,
        *,
        archive_seconds: float | None = None,
        start_seconds: float = START_SECONDS,
        test_seconds: float = TEST_SECONDS,
        root: str = ROOT,
    ) -> None:
        """Limit the tests of a mutant to `most_seconds` in all; 0 means no limit.

        Tests of the archive get `archive_seconds`, by default the same. `seconds` is how long each
        test takes. A run may take `start_seconds` before its first test, and each test
        `test_seconds` more than its known time.
        """
        self._seconds = seconds
        self._most = most_seconds
        self._archive = most_seconds if archive_seconds is None else archive_seconds
        self._start = start_seconds
        self._slack = test_seconds
        self._copy = TreeCopy(root)
        self._warm = Warm(self._copy)
        self._running: subprocess.Popen[str] | None = None
        self._written = 0
        self._stopped = False

    def __enter__(self) -> Self:
        self._copy.__enter__()
        try:
            self._warm.__enter__()
        except BaseException:
            self._copy.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._warm.__exit__()
        self._copy.__exit__()

    def stop(self) -> None:
        """End the running tests, from any thread; what is asked afterwards ends at once."""
        self._stopped = True
        self._warm.stop()
        if self._running is not None:
            end(self._running.pid)

    def attempt(self, mutant: Mutant, covering: Covering, *, archive: bool = False) -> Result:
        """Try one mutant, and put the file back.

        With `archive` the tests of the archive run, otherwise those of this process.
        """
        path = os.path.join(self._copy.tree, mutant.path)
        with open(path, encoding="utf-8") as file:
            whole = file.read()
        started = time.monotonic()
        try:
            self._write(path, mutant.code)
            result = self._ask(Broken(mutant, whole), covering, archive=archive)
        finally:
            self._write(path, whole)
        return replace(
            result,
            asked=len(covering.here) + len(covering.archive),
            seconds=round(time.monotonic() - started, 1),
        )

    def _ask(self, broken: Broken, covering: Covering, *, archive: bool) -> Result:
        tests = covering.archive if archive else covering.here
        taken = self._affordable(tests, self._archive if archive else self._most)
        if archive and taken and not self._copy.build_archive():
            return Result(NOTICED, "the archive cannot be built")
        result = self._until_noticed(broken, taken, sure=not archive)
        if result.outcome != SURVIVED:
            return result
        owed = bool(covering.archive) and not archive
        return Result(SURVIVED, left=len(tests) - len(taken), owed=owed)

    def _until_noticed(self, broken: Broken, tests: Sequence[str], *, sure: bool) -> Result:
        """Run tests until one fails; unless `sure`, twice: a busy machine might be the reason."""
        left = list(tests)
        while left:
            result = self._run(broken, left)
            if sure or result.outcome != NOTICED or result.by not in left:
                return result
            if self._run(broken, [result.by]).outcome != SURVIVED:
                return result
            left = left[left.index(result.by) + 1 :]
        return Result(SURVIVED)

    def _affordable(self, tests: Sequence[str], most: float) -> list[str]:
        """Return the first tests that fit into the time."""
        taken: list[str] = []
        total = 0.0
        for test in tests:
            total += self._seconds[test]
            if most and taken and total > most:
                break
            taken.append(test)
        return taken

    def _run(self, broken: Broken, tests: Sequence[str]) -> Result:
        """Run tests until one fails."""
        limit = self._start + TIMES_SLOWER * sum(self._seconds[test] for test in tests)
        try:
            answer = self._run_warm(broken, tests, limit) or self._run_fresh(tests, limit)
        finally:
            self._copy.end_processes()
            shutil.rmtree(self._copy.scratch, ignore_errors=True)
            os.makedirs(self._copy.scratch, exist_ok=True)
        return answer

    def _run_warm(self, broken: Broken, tests: Sequence[str], limit: float) -> Result | None:
        """Run tests in a fork of a process that has read them; None if that does not show all."""
        if not broken.mutant.place.inside:
            return None
        each = [(test, self._slack + TIMES_SLOWER * self._seconds[test]) for test in tests]
        # Each test has its timers; this one is for a process that does not answer.
        limit *= TIMES_WAITING
        answer = self._warm.run(broken.mutant, broken.whole, each, limit)
        if self._stopped:
            raise KeyboardInterrupt
        if answer is None:
            return None
        outcomes = {"passed": SURVIVED, "failed": NOTICED, "timed out": TIMED_OUT}
        outcome = outcomes[answer.outcome]
        return Result(outcome, "" if outcome == SURVIVED else answer.by)

    def _run_fresh(self, tests: Sequence[str], limit: float) -> Result:
        """Run tests in a process that imports the broken file."""
        listed = os.path.join(self._copy.folder, "tests.txt")
        with open(listed, "w", encoding="utf-8") as file:
            file.write("\n".join(tests))
        code, printed = self._pytest(listed, limit)
        if code is None:
            return Result(TIMED_OUT)
        if code == PASSED:
            return Result(SURVIVED)
        if code != SOME_FAILED:
            # Nothing could be collected: the package does not even import.
            return Result(NOTICED, "the tests cannot be collected")
        return Result(NOTICED, failed_test(printed, tests))

    def _pytest(self, listed: str, limit: float) -> tuple[int | None, str]:
        """Run pytest; returns its exit code (None if it took too long) and its output."""
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
            end(self._running.pid)
            self._running.communicate()
            return None, ""
        if self._stopped:
            raise KeyboardInterrupt
        return self._running.returncode, printed

    def _write(self, path: str, code: str) -> None:
        """Write a file with a time that none of its compiled files has."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(code)
        self._written += 1
        # Python compares whole seconds and the size to see whether a compiled file is stale.
        moment = time.time() + self._written
        os.utime(path, (moment, moment))


def failed_test(printed: str, tests: Iterable[str]) -> str:
    """Find the test that pytest's summary names; names may hold spaces."""
    longest_first = sorted(tests, key=len, reverse=True)
    for line in printed.splitlines():
        for word in ("FAILED ", "ERROR "):
            for test in longest_first if line.startswith(word) else ():
                if line.removeprefix(word).startswith(test):
                    return test
    return "a test"
