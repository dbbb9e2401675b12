"""Screens as lines of words."""

from __future__ import annotations

import io

from rich.console import Console

from stash2plex.rules.drift import Kind
from stash2plex.sync.report import Example, Report

WHEN = 1_700_000_000.0


def drawn(renderable, width=200):
    """Draw on a terminal without colour; one line of words."""
    shown = io.StringIO()
    Console(file=shown, width=width).print(renderable)
    return " ".join(shown.getvalue().split())


def hidden(text):
    return "HIDDEN" if "“" in text or "secret" in text else text


def reconciled(**values):
    counts = dict.fromkeys(Kind, 0) | {Kind.DRIFTED: 5, Kind.ORPHAN: 1}
    examples = dict.fromkeys(Kind, ()) | {
        Kind.DRIFTED: tuple(
            Example(n, f"Pier {n}", "/data/a.mp4", "7", ("title", "tags")) for n in range(1, 5)
        ),
        Kind.ORPHAN: (Example(None, "", "/media/b.mp4", "8", (), "was scene 9"),),
    }
    given = {
        "scope": "all", "dry_run": False, "started_at": WHEN, "seconds": 61.0, "problem": None,
        "scenes": 1_200, "in_sync": 1_100, "left_out": 0, "queued": 5, "requests": {},
        "counts": counts, "examples": examples,
    }  # fmt: skip
    return Report(**{**given, **values})
