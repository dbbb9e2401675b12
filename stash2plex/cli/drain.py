"""Runs a drain with the terminal's progress bar, and ends with its exit code."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from stash2plex.app import App
from stash2plex.cli.shell import Shell, StopSignals
from stash2plex.operations.foreground import drain_here
from stash2plex.store.runs import Begun
from stash2plex.sync.goals import Foreground
from stash2plex.sync.worker import Summary
from stash2plex.ui.terminal import TerminalProgress


def drain(shell: Shell, app: App, wait: int, begun: Begun) -> Summary:
    """Drain in the foreground for a run, with a progress bar."""
    stop = StopSignals()
    with TerminalProgress(shell.err) as observer:
        return drain_here(
            app,
            Foreground("command line", patience=float(wait), run_id=begun.id),
            observer,
            stop.wanted,
            begun.at,
        )


def drained(summary: Summary) -> dict[str, Any]:
    """Return what a drain did as JSON."""
    done = summary.progress
    return {
        "done": done.done,
        "failed": done.failed,
        "later": done.later,
        "left": done.left,
        "seconds": round(summary.seconds, 2),
        "gave_up": summary.gave_up or None,
    }


def sentence(summary: Summary) -> str:
    """Return what a drain did as a sentence of its own. In Stash's log it follows a task's name."""
    words = summary.sentence()
    return words[:1].upper() + words[1:]


def finish(shell: Shell, summary: Summary) -> NoReturn:
    """Print what a drain did, and exit with the code for it."""
    shell.show(drained(summary), [sentence(summary)])
    leave(summary)


def leave(summary: Summary) -> NoReturn:
    """Exit with the code for what a drain did."""
    if summary.error is not None:
        sys.exit(summary.error.exit_code)
    sys.exit(3 if summary.gave_up else 1 if summary.progress.failed else 0)
