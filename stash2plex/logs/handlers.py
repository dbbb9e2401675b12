"""Writes the log: a few lines into Stash's, everything into worker.log.

Stash's log page shows only the last 30 lines of all plugins. So a task writes its start, its
summary and trouble there: the first few lines of each kind, and how many more there were.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any, TextIO

from stash2plex.config import Settings
from stash2plex.datadir import LOG_NAME, give_to_owner
from stash2plex.logs.redact import Pseudonyms
from stash2plex.start_trouble import Trouble, record_trouble
from stash2plex.text import Private, count

LOGGER = "stash2plex"
"""The parent of our modules' loggers, which have the modules' names."""

LINE_LIMIT = 4096
"""Characters. After a line of 64 KiB, Stash never reads stderr again (stash.md §2.5)."""

LOG_BYTES, LOG_FILES = 1_000_000, 3

STUCK_BYTES = 100_000
"""How many bytes a log that could not be rotated grows before it is tried again."""

MAX_ALIKE = 3
"""How many lines of one kind are shown; the rest is counted."""

ASKED_FOR = "asked_for"
"""Attribute (`extra`) of a record that the user asked for: all of these are shown."""

MAX_KINDS = 200
"""How many kinds are distinguished; all others share one count."""


def plain(text: str) -> str:
    """Remove line ends, escapes and control characters from a log line, and cut it."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+", " ", text)
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"


class Redactor:
    """Hides private names once it is enabled."""

    def __init__(self) -> None:
        self._pseudonyms: Pseudonyms | None = None

    def __call__(self, text: str) -> str:
        """Return a text with its private parts hidden."""
        return text if self._pseudonyms is None else self._pseudonyms.text(text)

    def message(self, record: logging.LogRecord) -> str:
        """Return the message of a log record with its private parts hidden.

        Arguments that are `Private` are hidden as a whole; the rest is searched for private parts.
        """
        pseudonyms = self._pseudonyms
        if pseudonyms is None or not isinstance(record.args, tuple):
            return self(record.getMessage())
        hidden: dict[str, str] = {}
        shown: list[object] = []
        for value in record.args:
            if isinstance(value, Private):
                mark = f"\x01{len(hidden)}\x01"
                hidden[mark] = pseudonyms.private(value.text)
            shown.append(mark if isinstance(value, Private) else value)
        text = pseudonyms.text(str(record.msg) % tuple(shown) if shown else str(record.msg))
        # A server's text may contain something that looks like a mark.
        return re.sub("\x01\\d+\x01", lambda match: hidden.get(match[0], ""), text)

    def value(self, text: str) -> str:
        """Hide a text that is only a title, a name or the like."""
        return text if self._pseudonyms is None or not text else self._pseudonyms.name(text)

    def enable(self, key: bytes | None) -> None:
        """Hide from now on, with pseudonyms made with `key`; None shows everything again."""
        self._pseudonyms = None if key is None else Pseudonyms(key)


class StashFormatter(logging.Formatter):
    """Writes records as Stash reads them from stderr: one letter for the level (stash.md §2.5)."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        super().__init__()
        self._redactor = redactor or Redactor()

    def format(self, record: logging.LogRecord) -> str:
        """Return one line for each line of a traceback, each with the level."""
        level = (
            "e"
            if record.levelno >= logging.ERROR
            else "w"
            if record.levelno >= logging.WARNING
            else "i"
            if record.levelno >= logging.INFO
            else "d"
        )
        lines = [self._redactor.message(record)]
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            lines += [self._redactor(line) for line in trace]
        return "\n".join(f"\x01{level}\x02{plain(line)}" for line in lines)


class FileFormatter(logging.Formatter):
    """Writes local time, level and text; a traceback follows in indented lines."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        super().__init__()
        self._redactor = redactor or Redactor()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback if there is one."""
        moment = datetime.fromtimestamp(record.created).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        text = plain(self._redactor.message(record))
        text = f"{moment} {record.levelname.lower():7} {text}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            text += "".join(f"\n    {plain(self._redactor(line))}" for line in trace)
        return text


class Shown(logging.StreamHandler[TextIO]):
    """Writes for Stash or a terminal. If that is gone, the work goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as the base's
        """Drop a line whose reader is gone; report any other error as the base class does."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


class SharedFile(logging.handlers.RotatingFileHandler):
    """Writes worker.log, mode 0600. A task and the worker share it, and either may rotate it."""

    def __init__(self, folder: str) -> None:
        path = os.path.join(folder, LOG_NAME)
        super().__init__(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, delay=True)
        self._broken = False
        self._stuck_at = 0

    def _open(self) -> Any:
        def private(name: str, flags: int) -> int:
            new = not os.path.exists(name)
            descriptor = os.open(name, flags, 0o600)
            if new:
                give_to_owner(name)
            return descriptor

        return open(self.baseFilename, "a", encoding="utf-8", errors="replace", opener=private)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record into the file that has the name now."""
        if self.stream is not None and not self._is_current(self.stream.fileno()):
            self.stream.close()
            self.stream = None
        super().emit(record)

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - as the base's
        """Return whether to rotate; after a failure, only once the file has grown again."""
        if self._stuck_at and self._size() < self._stuck_at + STUCK_BYTES:
            return False
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802 - as the base's
        """Rotate. Where another process has the file open, Windows refuses: then it grows on."""
        try:
            super().doRollover()
        except OSError:
            self._stuck_at = self._size()
        else:
            self._stuck_at = 0

    def _size(self) -> int:
        try:
            return os.path.getsize(self.baseFilename)
        except OSError:
            return 0

    def _is_current(self, descriptor: int) -> bool:
        try:
            named = os.stat(self.baseFilename)
        except OSError:
            return False
        return os.path.samestat(named, os.fstat(descriptor))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - as the base's
        """Report once that the file cannot be written; the work goes on."""
        if not self._broken:
            self._broken = True
            reason = sys.exc_info()[1]
            with suppress(OSError):
                print(f"{LOG_NAME} cannot be written: {reason}", file=sys.stderr)
            words = reason.strerror if isinstance(reason, OSError) else reason
            record_trouble(
                os.path.dirname(self.baseFilename),
                Trouble(
                    f"The log “{self.baseFilename}” cannot be written: {words}.",
                    "Free some disk space, or give the file to the user that runs Stash.",
                ),
            )


class Repeats(logging.Filter):
    """Lets the first few lines of a kind through and counts the rest.

    Lines are of one kind if they differ only in numbers and in what stands in “ ”.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[int, str], tuple[int, str]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is shown."""
        if getattr(record, ASKED_FOR, False):
            return True
        text = record.getMessage()
        kind = (record.levelno, re.sub(r"“[^”]*”|[\d:]+", "", text)[:60])
        if kind not in self._seen and len(self._seen) >= MAX_KINDS:
            kind = (record.levelno, "")
        number, first = self._seen.get(kind, (0, text))
        self._seen[kind] = (number + 1, first)
        return number < MAX_ALIKE

    def rest(self) -> list[tuple[int, str]]:
        """Return the level of each kind and how many lines were left out; start over."""
        left = [
            (
                level,
                f"{count(number - MAX_ALIKE, 'more line')} like this, in “{LOG_NAME}”: {first}",
            )
            for (level, _), (number, first) in self._seen.items()
            if number > MAX_ALIKE
        ]
        self._seen.clear()
        return left


class Logs:
    """The log of one process.

    `stream` is Stash's or the terminal's; None for the worker, which has neither.
    """

    def __init__(
        self, stream: TextIO | None, *, for_stash: bool = True, debug: bool = False
    ) -> None:
        self.redactor = Redactor()
        self.logger = logging.getLogger(LOGGER)
        self._debug = debug
        self._repeats = Repeats()
        self._shown: logging.Handler | None = None
        self._file: SharedFile | None = None
        for old in list(self.logger.handlers):
            self.logger.removeHandler(old)
            old.close()
        self.logger.propagate = False
        self.logger.setLevel(logging.DEBUG)
        # The HTTP library logs each retry; our own lines are clearer.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        if stream is not None:
            self._shown = Shown(stream)
            shape = StashFormatter if for_stash else FileFormatter
            self._shown.setFormatter(shape(self.redactor))
            self._shown.setLevel(logging.DEBUG if debug else logging.INFO)
            if not debug:
                self._shown.addFilter(self._repeats)
            self.logger.addHandler(self._shown)

    def show_every_line(self) -> None:
        """Show repeats too, for a process that runs for months and whose log is kept elsewhere."""
        if self._shown is not None:
            self._shown.removeFilter(self._repeats)

    def keep(self, folder: str) -> None:
        """Also write worker.log in `folder`."""
        self._file = SharedFile(folder)
        self._file.setFormatter(FileFormatter(self.redactor))
        self._file.setLevel(logging.DEBUG if self._debug else logging.INFO)
        self.logger.addHandler(self._file)

    def use(self, settings: Settings) -> None:
        """Set the level of worker.log that the settings ask for."""
        if self._file is not None:
            debug = self._debug or settings.debug_logging
            self._file.setLevel(logging.DEBUG if debug else logging.INFO)

    def close(self) -> None:
        """Log how many lines were left out, and close the file."""
        if self._shown is not None:
            for level, text in self._repeats.rest():
                self._shown.emit(self.logger.makeRecord(LOGGER, level, "", 0, text, (), None))
        if self._file is not None:
            self.logger.removeHandler(self._file)
            self._file.close()
            self._file = None
