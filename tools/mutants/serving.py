"""A pytest plugin: collects the tests once, and runs those asked for in a fork for each mutant.

Starting pytest and reading the tests takes longer than noticing most mutants. Here it happens only
once. Each fork replaces the imported functions by the broken ones. If that would not be the same as
importing the broken file, it refuses, and the tests have to run in a new process.

One line of JSON is one request, from the first of the two descriptors in `CHANNELS`; the outcome
goes to the second.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections import defaultdict
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHANNELS = "S2P_MUTANTS_CHANNELS"
"""Environment variable with two file descriptors: one to read from, one to write to."""

ALARMS = tuple(getattr(signal, name) for name in ("SIGALRM", "SIGPROF") if hasattr(signal, name))
"""The signals with which the timers end a fork."""

TIMES_WAITING = 4.0

UNFIT = "unfit"
"""The outcome if only a new process shows the mutant."""


class Unfit(Exception):
    """The mutant cannot be put into imported modules."""


class AtImport:
    """The functions that ran while modules were imported: their results exist already."""

    def __init__(self) -> None:
        self.codes: set[CodeType] = set()

    def start(self) -> None:
        """Record each function that is called in this thread."""
        sys.setprofile(self._note)

    def stop(self) -> None:
        """Stop recording."""
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        del argument
        # The body of a class runs too, but none of its methods.
        if event == "call" and frame.f_code.co_flags & CO_OPTIMIZED:
            self.codes.add(frame.f_code)

    def ran(self, path: str, line: int) -> bool:
        """Return whether a function with this line ran."""
        return any(code.co_filename == path and covers(code, line) for code in self.codes)


at_import = AtImport()


def pytest_sessionstart() -> None:
    """Record what runs before the first test."""
    if CHANNELS in os.environ:
        at_import.start()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Serve instead of running the tests."""
    if CHANNELS not in os.environ:
        return None
    at_import.stop()
    incoming, outgoing = map(int, os.environ.pop(CHANNELS).split(","))
    server = Server(session, outgoing)
    with open(incoming, encoding="utf-8") as requests:
        server.send({"collected": len(session.items)})
        for line in requests:
            server.serve(json.loads(line))
    return True


class Server:
    """Runs tests of a session that has collected them."""

    def __init__(self, session: pytest.Session, outgoing: int) -> None:
        self._session = session
        self._items = {item.nodeid: item for item in session.items}
        self._outgoing = outgoing
        self._functions: dict[str, list[FunctionType]] = defaultdict(list)
        for held in gc.get_objects():
            if isinstance(held, FunctionType):
                self._functions[held.__code__.co_filename].append(held)
        # Frozen objects are not written to by the collector, so the forks share them.
        gc.freeze()

    def send(self, answer: dict[str, Any]) -> None:
        """Answer in one line."""
        os.write(self._outgoing, json.dumps(answer).encode() + b"\n")

    def serve(self, request: dict[str, Any]) -> None:
        """Run the tests of a request in a fork; answer with the fork's id, then with the outcome.

        The tests that ran are read from a pipe: the fork may be killed by a test, or by its timer.
        """
        if request["path"] and at_import.ran(request["path"], request["line"]):
            self.send({"outcome": UNFIT})
            return
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._end_with(request, writing)
        os.close(writing)
        self.send({"pid": pid})
        _, status = os.waitpid(pid, 0)
        os.set_blocking(reading, False)
        with open(reading, "rb") as file:
            words = (file.read() or b"").decode().splitlines()
        running = words[-1] if words else ""
        self.send({"outcome": outcome(status), "by": running})

    def _end_with(self, request: dict[str, Any], writing: int) -> None:
        """Run in the fork, and end it with its exit code."""
        code = FAILED
        try:
            os.setsid()
            for alarm in ALARMS:
                signal.signal(alarm, signal.SIG_DFL)
            if request["path"]:
                swap(self._functions, request)
            code = self._run(request["tests"], writing)
        except Unfit:
            code = REFUSED
        finally:
            os._exit(code)

    def _run(self, tests: Sequence[tuple[str, float]], writing: int) -> int:
        """Run tests until one fails. Each may take the seconds beside it, then a timer kills it.

        These are seconds of the processor, so that a busy machine ends no test. A test that only
        waits is ended after `TIMES_WAITING` times as many seconds by the clock.
        """
        heard = Heard()
        self._session.config.pluginmanager.register(heard)
        items = [(self._items[test], limit) for test, limit in tests if test in self._items]
        for number, (item, limit) in enumerate(items, start=1):
            os.write(writing, item.nodeid.encode() + b"\n")
            signal.setitimer(signal.ITIMER_PROF, limit)
            signal.setitimer(signal.ITIMER_REAL, TIMES_WAITING * limit)
            following = items[number][0] if number < len(items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if heard.failed:
                return FAILED
        return PASSED


PASSED, FAILED, REFUSED = 0, 1, 77


class Heard:
    """Receives the failures of tests."""

    failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record that a part of a test failed."""
        self.failed = self.failed or report.failed


def outcome(status: int) -> str:
    """Return what a fork's status means."""
    if os.WIFSIGNALED(status):
        return "timed out" if os.WTERMSIG(status) in ALARMS else "failed"
    return {PASSED: "passed", REFUSED: UNFIT}.get(os.WEXITSTATUS(status), "failed")


def swap(functions: dict[str, list[FunctionType]], request: dict[str, Any]) -> None:
    """Put the broken code into the functions of a file. Raises `Unfit` if that is not enough."""
    path = request["path"]
    pairs = dict(pair_codes(request["before"], request["after"], path))
    reached = False
    for function in functions[path]:
        before = function.__code__
        after = pairs.get(before)
        if after is None:
            if covers(before, request["line"]):
                raise Unfit
            continue
        reached = reached or covers(before, request["line"])
        try:
            function.__code__ = after
        except ValueError:
            # It uses other names of the functions around it.
            raise Unfit from None
    if not reached:
        raise Unfit


def pair_codes(before: str, after: str, path: str) -> Iterator[tuple[CodeType, CodeType]]:
    """Pair the code of each function of a file with what it is in another text of the file."""
    held, broken = (
        by_name(compile(text, path, "exec", dont_inherit=True)) for text in (before, after)
    )
    for name, codes in held.items():
        others = broken.get(name, [])
        if len(codes) == len(others):
            yield from zip(codes, others, strict=True)


def by_name(code: CodeType) -> dict[str, list[CodeType]]:
    """Return all code below a module's, by its full name, in the order of the text."""
    found: dict[str, list[CodeType]] = defaultdict(list)
    waiting = [code]
    while waiting:
        for held in waiting.pop(0).co_consts:
            if isinstance(held, CodeType):
                found[held.co_qualname].append(held)
                waiting.append(held)
    return found


def covers(code: CodeType, line: int) -> bool:
    """Return whether a line belongs to code or to what is defined in it."""
    if any(number == line for _, _, number in code.co_lines()):
        return True
    return any(isinstance(held, CodeType) and covers(held, line) for held in code.co_consts)
