"""One plugin process: stdin, stdout to its end, the stderr protocol, kill (stash.md §2)."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LINE_LIMIT = 64 * 1024
"""Bytes. A longer line ends the reading of stderr for good (stash.md §2.5)."""

CHUNK = 1 << 16
LEVELS = {
    b"t": "trace",
    b"d": "debug",
    b"i": "info",
    b"w": "warning",
    b"e": "error",
    b"p": "progress",
}

LineSink = Callable[[str, str], None]
"""Takes (level, text) of a line; the level is empty if the line had none."""


@dataclass(frozen=True)
class Outcome:
    """How a process ended. `error` is None where neither it nor its exit code gives one."""

    output: Any
    error: str | None
    killed: bool = False


class PluginProcess:
    """A running plugin. One thread calls `run`; any thread may call `kill`."""

    def __init__(
        self,
        command: Sequence[str],
        stdin: bytes,
        environ: Mapping[str, str],
        on_line: LineSink,
        caller: socket.socket | None = None,
    ) -> None:
        """Start the process. Raises OSError if that is impossible.

        `caller` is the connection of the client whose request waits: when it closes, the process
        is killed (stash.md §3.2).
        """
        self._on_line = on_line
        self._caller = caller
        self._left_to_write = memoryview(stdin)
        self._out = bytearray()
        self._err = bytearray()
        self._killed = threading.Event()
        self._reading_output = self._reading_errors = True
        self._wake, self._woken = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environ),
                bufsize=0,
            )
        except BaseException:
            self._wake.close()
            self._woken.close()
            raise

    @property
    def pid(self) -> int:
        """The process id of the direct child."""
        return self._process.pid

    def kill(self) -> None:
        """Send SIGKILL to the direct child only, and stop waiting (stash.md §2.6, §4.3)."""
        self._killed.set()
        self._process.kill()
        with contextlib.suppress(OSError):
            self._wake.send(b"k")

    def run(self) -> Outcome:
        """Feed it, read it to the end and wait for it."""
        process = self._process
        assert process.stdin
        assert process.stdout
        assert process.stderr
        try:
            with selectors.DefaultSelector() as selector:
                for stream in (process.stdin, process.stdout, process.stderr):
                    os.set_blocking(stream.fileno(), False)
                selector.register(process.stdin, selectors.EVENT_WRITE, self._write)
                selector.register(process.stdout, selectors.EVENT_READ, self._read_output)
                selector.register(process.stderr, selectors.EVENT_READ, self._read_errors)
                selector.register(self._woken, selectors.EVENT_READ, _stay)
                if self._caller is not None:
                    selector.register(self._caller, selectors.EVENT_READ, self._check_caller)
                self._loop(selector)
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError):
                    stream.close()
            self._wake.close()
            self._woken.close()
        return interpret(bytes(self._out), code, killed=self._killed.is_set())

    def _loop(self, selector: selectors.BaseSelector) -> None:
        """Serve the streams until stdout has ended and the process too, or it was killed."""
        pause = 0.0005
        while not self._killed.is_set():
            ended = not self._reading_output
            if ended and self._process.poll() is not None:
                # Stash may lose the last lines here; taking what is there makes tests certain.
                while self._reading_errors and self._read_errors(selector):
                    pass
                break
            for key, _ in selector.select(pause if ended else None):
                if self._killed.is_set():
                    break
                key.data(selector)
            pause = min(pause * 2, 0.02) if ended else pause
        if self._err:
            self._line(bytes(self._err))

    def _write(self, selector: selectors.BaseSelector) -> None:
        stdin = self._process.stdin
        assert stdin
        try:
            written = os.write(stdin.fileno(), self._left_to_write[:CHUNK])
        except BlockingIOError:
            return
        except OSError:
            written = len(self._left_to_write)
        self._left_to_write = self._left_to_write[written:]
        if not self._left_to_write:
            selector.unregister(stdin)
            stdin.close()

    def _read_output(self, selector: selectors.BaseSelector) -> None:
        stdout = self._process.stdout
        assert stdout
        data = os.read(stdout.fileno(), CHUNK)
        if data:
            self._out += data
        else:
            selector.unregister(stdout)
            self._reading_output = False

    def _read_errors(self, selector: selectors.BaseSelector) -> bool:
        stderr = self._process.stderr
        assert stderr
        try:
            data = os.read(stderr.fileno(), CHUNK)
        except BlockingIOError:
            return False
        self._err += data
        *lines, rest = bytes(self._err).split(b"\n")
        self._err = bytearray(rest)
        too_long = False
        for line in lines:
            too_long = len(line) >= LINE_LIMIT
            if too_long:
                break
            self._line(line)
        if not data or too_long or len(rest) >= LINE_LIMIT:
            # Go's scanner gives up at a line over its limit, and the pipe is closed.
            if too_long or len(rest) >= LINE_LIMIT:
                self._err.clear()
            selector.unregister(stderr)
            stderr.close()
            self._reading_errors = False
            return False
        return True

    def _line(self, line: bytes) -> None:
        line = line.removesuffix(b"\r")
        if not line:
            # An empty line is no message.
            return
        if len(line) > 3 and line[:1] == b"\x01" and line[2:3] == b"\x02" and line[1:2] in LEVELS:
            self._on_line(LEVELS[line[1:2]], line[3:].decode("utf-8", "replace").strip())
        else:
            self._on_line("", line.decode("utf-8", "replace"))

    def _check_caller(self, selector: selectors.BaseSelector) -> None:
        assert self._caller is not None
        try:
            gone = not self._caller.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        selector.unregister(self._caller)
        if gone:
            self.kill()


def has_left(caller: socket.socket) -> bool:
    """Return whether a client has closed its connection."""
    try:
        return not caller.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _stay(selector: selectors.BaseSelector) -> None:
    """Do nothing: the wake-up itself was the message."""


def interpret(stdout: bytes, code: int, *, killed: bool = False) -> Outcome:
    """Read what a plugin printed (stash.md §2.4)."""
    text = stdout.decode("utf-8", "replace")
    try:
        data = json.loads(text, parse_constant=_no_constant)
        fields = {str(key).lower(): value for key, value in (data or {}).items()}
        output, error = fields.get("output"), fields.get("error")
        if error is not None and not isinstance(error, str):
            # Go has made room for the error's text before it sees that this is none.
            output, error = text, ""
    except (ValueError, AttributeError, RecursionError):
        # Anything but an object of these two: the whole text is the output, the error is lost.
        output, error = text, None
    if code and error is None:
        signals = {signal.SIGKILL: "killed", signal.SIGTERM: "terminated"}
        name = signals.get(signal.Signals(-code), str(-code)) if code < 0 else ""
        error = f"signal: {name}" if code < 0 else f"exit status {code}"
    return Outcome(output, error, killed)


def _no_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Go's parser does not take."""
    raise ValueError(name)


class Progress:
    """A task's progress: every accepted value, and what a screen receives (stash.md §4.5)."""

    INTERVAL = 0.1
    """Seconds between two updates to subscribers."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.updates: list[float] = []
        self._sent = float("-inf")

    def put(self, value: float) -> None:
        """Record a value, clamped to 0..1, except NaN, which is passed on (stash.md §2.5)."""
        value = value if value != value else min(max(value, 0.0), 1.0)  # noqa: PLR0124 - NaN
        self.values.append(value)
        if time.monotonic() - self._sent >= self.INTERVAL:
            self._sent = time.monotonic()
            self.updates.append(value)

    def finish(self) -> None:
        """Send the update that was held back: the last one is never lost."""
        if self.values and (not self.updates or self.updates[-1] != self.values[-1]):
            self.updates.append(self.values[-1])
