"""Uses a pytest process that has collected the tests already; `serving` runs in it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tools.mutants.serving import CHANNELS, UNFIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.mutants.mutants import Mutant
    from tools.reach.trees import TreeCopy

COLLECT_SECONDS = 300.0
"""Seconds that reading the tests may take on a busy machine."""


@dataclass(frozen=True)
class Answer:
    """The result of tests: "passed", "failed" or "timed out"."""

    outcome: str
    by: str


class Warm:
    """A process with the tests of a copy. Use it as a context manager."""

    def __init__(self, copy: TreeCopy) -> None:
        self._copy = copy
        self._process: subprocess.Popen[bytes] | None = None
        self.fork = 0
        self._to = self._from = -1
        self._pending = b""

    def __enter__(self) -> Self:
        # If reading the tests fails, `run` returns None.
        (theirs, self._to), (self._from, back) = os.pipe(), os.pipe()
        # The command line does not name the copy: processes that do are ended after each mutant.
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=no",
                "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist",
                "-p", "tools.mutants.quick", "-p", "tools.mutants.serving", "--hypothesis-seed=0",
            ],
            cwd=self._copy.tree,
            env={**os.environ, "TMPDIR": self._copy.scratch, CHANNELS: f"{theirs},{back}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=(theirs, back),
        )  # fmt: skip
        os.close(theirs)
        os.close(back)
        if self._answer(COLLECT_SECONDS) is None:
            self.stop()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for end_of_pipe in (self._to, self._from):
            os.close(end_of_pipe)

    def run(
        self, mutant: Mutant | None, before: str, tests: Sequence[tuple[str, float]], limit: float
    ) -> Answer | None:
        """Run tests until one fails; None if only a new process shows the mutant.

        `before` is the whole file, `tests` each with the seconds of the processor that it may take;
        `limit` is for all of them, by the clock.
        """
        if self._process is None:
            return None
        request: dict[str, Any] = {"path": "", "tests": tests}
        if mutant is not None:
            path = os.path.join(os.path.realpath(self._copy.tree), mutant.path)
            request |= {
                "path": path, "line": mutant.place.line, "before": before, "after": mutant.code,
            }  # fmt: skip
        with suppress(OSError):
            os.write(self._to, json.dumps(request).encode() + b"\n")
        first = self._answer(limit) or {}
        if first.get("outcome") == UNFIT:
            return None
        ended = self._outcome_of(first["pid"], limit) if "pid" in first else None
        if ended is None:
            self.stop()
            return None
        return None if ended["outcome"] == UNFIT else Answer(ended["outcome"], ended["by"])

    def _outcome_of(self, fork: int, limit: float) -> dict[str, Any] | None:
        """Wait for the end of a fork; after `limit` seconds, kill it and its children."""
        self.fork = fork
        try:
            ended = self._answer(limit)
            if ended is not None:
                return ended
            end(fork)
            return self._answer(limit) and {"outcome": "timed out", "by": ""}
        finally:
            end(fork)
            self.fork = 0

    def stop(self) -> None:
        """End the process and what it runs, from any thread."""
        process, self._process = self._process, None
        if process is not None:
            if self.fork:
                end(self.fork)
            end(process.pid)
            process.wait()

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        """Read one line; None if none comes in time, or the process has ended."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._from], [], [], max(deadline - time.monotonic(), 0))
            read = os.read(self._from, 65536) if ready else b""
            if not read:
                return None
            self._pending += read
        line, _, self._pending = self._pending.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


def end(group: int) -> None:
    """Kill a process and everything that it started in its session."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
