"""What a person sees: Stash's log and progress bar, worker.log, sentences about time and counts."""

from __future__ import annotations

import logging
import logging.handlers
import math
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol, TextIO

from stash2plex.datadir import LOG_NAME
from stash2plex.progress import Progress

LOGGER = "stash2plex"
LINE_LIMIT = 4096
"""Characters. Stash stops reading stderr for good at a line of 64 KiB (stash.md §2.5)."""

LOG_BYTES, LOG_FILES = 1_000_000, 3

TEXT_SECONDS = 10.0
"""Between two lines of text about progress."""

BAR_SECONDS, BAR_STEP, BAR_REPEAT = 0.2, 0.001, 2.0
"""Stash drops values that come while it handles one, so few are sent and the last is repeated."""


def plain(text: str) -> str:
    """Take line ends, escapes and control characters out of a log line, and cut it."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+", " ", text)
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"


class StashFormatter(logging.Formatter):
    """Writes records as Stash reads them from stderr: one letter for the level (stash.md §2.5)."""

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
        lines = [record.getMessage()]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        return "\n".join(f"\x01{level}\x02{plain(line)}" for line in lines)


class FileFormatter(logging.Formatter):
    """Writes local time, level and text; a traceback follows in indented lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback if there is one."""
        moment = datetime.fromtimestamp(record.created).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        text = f"{moment} {record.levelname.lower():7} {plain(record.getMessage())}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            text += "".join(f"\n    {plain(line)}" for line in trace)
        return text


def log_to_stash(stream: TextIO) -> logging.Logger:
    """Send the log to Stash."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(StashFormatter())
    return _logger(handler, logging.INFO)


def log_to_file(folder: str, *, debug: bool) -> logging.Logger:
    """Send the log to worker.log, rotated, mode 0600."""
    path = os.path.join(folder, LOG_NAME)

    def private(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600)

    class PrivateHandler(logging.handlers.RotatingFileHandler):
        def _open(self) -> TextIO:  # type: ignore[override]
            return open(self.baseFilename, "a", encoding="utf-8", errors="replace", opener=private)

    handler = PrivateHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    handler.setFormatter(FileFormatter())
    return _logger(handler, logging.DEBUG if debug else logging.INFO)


def log_to_terminal(stream: TextIO, *, debug: bool) -> logging.Logger:
    """Send the log to a person at a terminal."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(FileFormatter())
    return _logger(handler, logging.DEBUG if debug else logging.INFO)


def _logger(handler: logging.Handler, level: int) -> logging.Logger:
    logger = logging.getLogger(LOGGER)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    # The HTTP library reports each retry of its own; ours says it in better words.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return logger


class Observer(Protocol):
    """Is told of progress, as often as the drain likes; says it as often as is good."""

    def progress(self, progress: Progress) -> None:
        """Show a moment of the drain."""


class Silent:
    """Shows nothing: the background worker's progress is in the database."""

    def progress(self, progress: Progress) -> None:
        """Show nothing."""


class StashProgress:
    """Stash's progress bar and a line of text every ten seconds.

    The bar is a fraction on stderr, never goes back, and is 1 when everything is done. `part` is
    the piece of the bar that this one fills, where a task does two things one after the other.
    """

    def __init__(
        self,
        stream: TextIO,
        logger: logging.Logger,
        name: str,
        monotonic: Callable[[], float] = time.monotonic,
        part: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self._stream = stream
        self._logger = logger
        self._name = name
        self._monotonic = monotonic
        self._part = part
        self._shown = part[0]
        self._shown_at = -math.inf
        self._text_at = monotonic()

    def progress(self, progress: Progress) -> None:
        """Send the fraction and, now and then, a sentence."""
        now = self._monotonic()
        # Only the end is 1: Stash would show a full bar while keys are still due.
        finished = progress.ended and not progress.left
        fraction = 1.0 if finished else min(progress.fraction, 0.999)
        low, high = self._part
        fraction = max(low + (high - low) * fraction, self._shown)
        moved = fraction - self._shown >= BAR_STEP and now - self._shown_at >= BAR_SECONDS
        if progress.ended or moved or now - self._shown_at >= BAR_REPEAT:
            self._shown, self._shown_at = fraction, now
            self.repeat()
        if not progress.ended and now - self._text_at >= TEXT_SECONDS:
            self._text_at = now
            self._logger.info("%s: %s", self._name, progress_sentence(progress))

    def repeat(self) -> None:
        """Send the last value (again): Stash drops one that comes while it handles another."""
        self._stream.write(f"\x01p\x02{self._shown:.4f}\n")
        self._stream.flush()


def progress_sentence(progress: Progress) -> str:
    """Say a moment of a drain in words."""
    if progress.note:
        return f"{count(progress.left, 'scene')} left. {progress.note.replace(chr(10), ' ')}"
    parts = [
        f"{progress.done:,} done",
        f"{progress.left:,} left",
        f"{progress.failed:,} failed",
    ]
    if progress.later:
        parts.append(f"{progress.later:,} put off")
    if progress.rate:
        parts.append(f"{progress.rate:.1f} per second")
    if progress.seconds_left is not None:
        parts.append(f"about {span(progress.seconds_left)} left")
    return ", ".join(parts) + "."


def span(seconds: float) -> str:
    """Say a length of time."""
    whole = max(0, round(seconds))
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004
        return f"{whole // 60} min {whole % 60:02} s" if whole < 600 else f"{round(whole / 60)} min"  # noqa: PLR2004
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def local(moment: float) -> str:
    """Say a moment in the local time of this machine."""
    there = datetime.fromtimestamp(moment).astimezone()
    if there.date() == datetime.now().astimezone().date():
        return there.strftime("%H:%M:%S")
    return there.strftime("%Y-%m-%d %H:%M")


def utc(moment: float) -> str:
    """Write a moment for machines: ISO 8601, UTC, whole seconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def count(number: int, noun: str) -> str:
    """Say how many, with the plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
