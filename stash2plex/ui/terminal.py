"""The progress bar of a terminal, and plain lines for anything that is not one."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from stash2plex.logs.handlers import plain
from stash2plex.store.progress import Progress
from stash2plex.text import span
from stash2plex.ui.progress import TEXT_SECONDS, progress_sentence


class TerminalProgress:
    """A bar with done, failed, rate and time left; without a terminal, a line every ten seconds."""

    def __init__(self, console: Console, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._monotonic = monotonic
        self._said_at = monotonic()
        self._bar: Bar | None = None
        self._task = None
        if console.is_terminal:
            self._bar = Bar(
                TextColumn("[bold]{task.description}"),
                BarColumn(bar_width=None),
                TaskProgressColumn(),
                TextColumn("{task.fields[words]}"),
                console=console,
            )
            self._task = self._bar.add_task("Plex", total=1.0, words="")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def progress(self, progress: Progress) -> None:
        """Show the state of the drain."""
        if self._bar is not None and self._task is not None:
            old = self._bar.tasks[0].completed
            self._bar.update(
                self._task, completed=max(old, progress.fraction), words=bar_words(progress)
            )
            return
        now = self._monotonic()
        if not progress.ended and now - self._said_at >= TEXT_SECONDS:
            self._said_at = now
            self._console.print(plain(progress_sentence(progress)), highlight=False, markup=False)


def bar_words(progress: Progress) -> str:
    """Return the words that fit beside the bar."""
    words = f"{progress.handled:,}/{progress.handled + progress.left:,}"
    if progress.failed:
        words += f" [red]{progress.failed:,} failed[/]"
    if progress.wait is not None:
        shortest = progress.wait.outlook or progress.wait.why
        return f"{words} [yellow]{escape(plain(shortest))}[/]"
    if progress.rate:
        words += f" {progress.rate:.1f}/s"
    if progress.seconds_left is not None and progress.left:
        words += f" {span(progress.seconds_left)}"
    return words
