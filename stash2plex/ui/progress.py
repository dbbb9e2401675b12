"""What the user sees of a drain: the progress bar, and sentences about time and counts."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import TextIO

from stash2plex.errors import StashGone
from stash2plex.store.progress import Progress
from stash2plex.text import count, span

TEXT_SECONDS, MAX_TEXT_SECONDS = 10.0, 600.0
"""Seconds between two lines of text about progress. The wait doubles each time up to the maximum,
so that a run that takes all night does not fill the log."""

BAR_SECONDS, BAR_STEP, BAR_REPEAT = 0.2, 0.001, 2.0
"""Stash drops values that arrive while it handles one, so few are sent and the last is repeated."""


class StashProgress:
    """Stash's progress bar and a line of text every ten seconds.

    The bar is a fraction on stderr, never goes back, and is 1 when everything is done. A task that
    does two things one after the other gives each its `part` of the bar.
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
        self._text_wait = TEXT_SECONDS

    def progress(self, progress: Progress) -> None:
        """Send the fraction and, every so often, a sentence."""
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
        if not progress.ended and now - self._text_at >= self._text_wait:
            self._text_at = now
            self._text_wait = min(2 * self._text_wait, MAX_TEXT_SECONDS)
            self._logger.info("%s: %s", self._name, progress_sentence(progress))

    def repeat(self) -> None:
        """Send the last value (again): Stash drops one that arrives while it handles another.

        Raises StashGone when Stash no longer reads it.
        """
        try:
            self._stream.write(f"\x01p\x02{self._shown:.4f}\n")
            self._stream.flush()
        except OSError as error:
            raise StashGone from error


def progress_sentence(progress: Progress) -> str:
    """Return the state of a drain in words."""
    if progress.wait is not None:
        words = " ".join(filter(None, (progress.wait.why, progress.wait.outlook)))
        return f"{count(progress.left, 'scene')} left. {words}"
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
